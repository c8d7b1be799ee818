// Reading an image: which hierarchies it has, its tree, its boot catalog. Contents are read when they are asked for.

import { type Content, ImageError, type StructValues, sliceContent, toText } from "../bytes/index.ts";
import {
  type Attributes,
  type Directory,
  device,
  directory,
  file,
  type Node,
  type NodeType,
  special,
  symlink,
  typeOfMode,
} from "../tree/index.ts";
import { type primaryVolumeDescriptor, SECTOR_BYTES } from "./format.ts";
import { throwErrors } from "./problem.ts";
import { type DescriptorSet, type HierarchyDescriptor, readDescriptors } from "./read-descriptors.ts";
import { type BootCatalog, readBootCatalog } from "./read-eltorito.ts";
import {
  firstBlock,
  isDirectoryRecord,
  readSharingProtocol,
  type SeenDirectory,
  type SeenEntry,
  type SeenHierarchy,
  type SeenRecord,
  type SharingProtocol,
  walkHierarchy,
} from "./read-hierarchy.ts";

/** Whose names and attributes to show. */
export type NameSource = "rock-ridge" | "joliet" | "enhanced" | "plain";

export interface Iso {
  readonly image: Content;
  readonly descriptors: DescriptorSet;
  /** The primary volume descriptor, decoded: Volume Identifier, Volume Space Size … */
  readonly volume: StructValues<typeof primaryVolumeDescriptor>;
  /** What there is, the best first. */
  readonly nameSources: readonly NameSource[];
  /**
   * The tree, by default with the names of the best source.
   * @throws ImageError "bad-format", "truncated", "unsupported"; "not-found" for a source that is not there
   */
  tree(names?: NameSource): Promise<Directory>;
  /** @throws ImageError "bad-format" when there is a boot record, but no valid catalog where it points */
  bootCatalog(): Promise<BootCatalog | undefined>;
}

/**
 * Opens an image. Reads its descriptors, and the first record of the root directory.
 * @throws ImageError "bad-format", "truncated", "unsupported"
 */
export async function openIso(image: Content): Promise<Iso> {
  const descriptors = await readDescriptors(image, throwErrors);
  const { primary, hierarchies, boot } = descriptors;
  const sharing = await readSharingProtocol(image, primary, throwErrors);
  const joliet = hierarchies.find(({ kind }) => kind === "joliet");
  const enhanced = hierarchies.find(({ kind }) => kind === "enhanced");
  const sources = new Map<NameSource, [HierarchyDescriptor, SharingProtocol | undefined]>();
  if (sharing?.hasRockRidge) sources.set("rock-ridge", [primary, sharing]);
  if (joliet) sources.set("joliet", [joliet, undefined]);
  if (enhanced) sources.set("enhanced", [enhanced, undefined]);
  sources.set("plain", [primary, undefined]);
  const nameSources = [...sources.keys()];
  return {
    image,
    descriptors,
    volume: primary.values,
    nameSources,
    async tree(names = nameSources[0] ?? "plain") {
      const source = sources.get(names);
      if (!source)
        throw new ImageError("not-found", `the volume has no ${names} names, only ${nameSources.join(", ")}`);
      return treeOfHierarchy(image, await walkHierarchy(image, ...source, throwErrors));
    },
    async bootCatalog() {
      return boot && readBootCatalog(image, boot.catalogLba, throwErrors);
    },
  };
}

/** What an entry without Rock Ridge is said to be: nobody may write to a CD. */
const PLAIN_DIRECTORY_MODE = 0o555;
const PLAIN_FILE_MODE = 0o444;
const PERMISSION_BITS = 0o7777;

function attributesOf({ rockRidge, values }: SeenRecord, isDirectory: boolean): Attributes {
  const { posix, mtimeSeconds = values["Recording Date and Time"] ?? 0 } = rockRidge;
  if (!posix) return { mode: isDirectory ? PLAIN_DIRECTORY_MODE : PLAIN_FILE_MODE, uid: 0, gid: 0, mtimeSeconds };
  return { mode: posix.mode & PERMISSION_BITS, uid: posix.uid, gid: posix.gid, mtimeSeconds };
}

/** The tree of a walked hierarchy, with the directories deepest first, so that there is no recursion to overflow. */
function treeOfHierarchy(image: Content, { root, directories }: SeenHierarchy): Directory {
  const done = new Map<SeenDirectory, Directory>();
  const inodes = new Map<string, Node>();
  for (const seen of [...directories].reverse()) {
    const entries = new Map<string, Node>();
    for (const entry of seen.entries) {
      const made = entry.directory && done.get(entry.directory);
      entries.set(entry.name, made ?? leafOf(image, entry, inodes));
    }
    // A directory that was moved has its attributes in its own record; the record that leads to it is a placeholder.
    const record = seen.self ?? seen.up;
    const values = record
      ? attributesOf(record, true)
      : { mode: PLAIN_DIRECTORY_MODE, uid: 0, gid: 0, mtimeSeconds: 0 };
    done.set(seen, directory(values, entries));
  }
  return done.get(root) ?? directory({ mode: PLAIN_DIRECTORY_MODE, uid: 0, gid: 0, mtimeSeconds: 0 });
}

function typeOf({ first }: SeenEntry): NodeType {
  const { posix, target } = first.rockRidge;
  const type = posix ? typeOfMode(posix.mode) : undefined;
  if (isDirectoryRecord(first)) return "directory";
  if (type === undefined) return target === undefined ? "file" : "symlink";
  return type === "directory" ? "file" : type;
}

/** A node that is no directory; names of one inode give one node. */
function leafOf(image: Content, entry: SeenEntry, inodes: Map<string, Node>): Node {
  const { rockRidge } = entry.first;
  const values = attributesOf(entry.first, false);
  const type = typeOf(entry);
  if (type === "directory") return directory(values); // it could not be entered, and was complained about
  const extents = fileExtents(entry);
  const key = inodeKey(entry, type, values, extents);
  const known = key === undefined ? undefined : inodes.get(key);
  if (known) return known;
  const node = makeLeaf();
  if (key !== undefined) inodes.set(key, node);
  return node;

  function makeLeaf(): Node {
    switch (type) {
      case "symlink":
        return symlink(values, rockRidge.target ?? "");
      case "character":
      case "block":
        return device(values, type, rockRidge.device?.major ?? 0, rockRidge.device?.minor ?? 0);
      case "fifo":
      case "socket":
        return special(values, type);
      default:
        return file(values, contentOf(image, entry, extents));
    }
  }
}

/**
 * What names of one inode have in common: the serial number where there is one (RRIP 1.12), else the place of the data,
 * if the link count allows for another name. Undefined when nothing tells.
 */
function inodeKey(
  { first }: SeenEntry,
  type: NodeType,
  { mode, uid, gid, mtimeSeconds }: Attributes,
  extents: readonly FileExtentSeen[],
): string | undefined {
  const { posix } = first.rockRidge;
  if (posix && posix.links < 2) return undefined;
  const common = [type, mode, uid, gid, mtimeSeconds];
  if (posix?.serial !== undefined) return ["serial", posix.serial, ...common].join();
  const [place] = extents;
  if (type !== "file" || !place) return undefined;
  return ["place", place.lba, ...extents.map(({ sizeBytes }) => sizeBytes), ...common].join();
}

export interface FileExtentSeen {
  readonly lba: number;
  readonly sizeBytes: number;
}

/** Where a file's data lies: sections that follow each other are one piece; an empty file has none. */
export function fileExtents({ records }: SeenEntry): FileExtentSeen[] {
  const extents: { lba: number; sizeBytes: number }[] = [];
  for (const record of records) {
    const sizeBytes = record.values["Data Length"];
    const lba = firstBlock(record);
    const last = extents[extents.length - 1];
    if (sizeBytes === 0) continue;
    if (last && last.lba * SECTOR_BYTES + last.sizeBytes === lba * SECTOR_BYTES) last.sizeBytes += sizeBytes;
    else extents.push({ lba, sizeBytes });
  }
  return extents;
}

function contentOf(image: Content, { path, records }: SeenEntry, extents: readonly FileExtentSeen[]): Content {
  if (records.some(({ values }) => values["File Unit Size"] !== 0)) {
    throw new ImageError("unsupported", `${toText(path)}: its data is interleaved, which is not supported`, { path });
  }
  const pieces = extents.map(({ lba, sizeBytes }) => {
    if (lba * SECTOR_BYTES + sizeBytes > image.sizeBytes) {
      const message = `${toText(path)}: ${sizeBytes} bytes at block ${lba} end beyond the image`;
      throw new ImageError("truncated", message, { path });
    }
    return sliceContent(image, lba * SECTOR_BYTES, sizeBytes);
  });
  const [only] = pieces;
  return pieces.length === 1 && only ? only : concatenated(pieces);
}

/** Contents one behind the other. */
function concatenated(pieces: readonly Content[]): Content {
  return {
    sizeBytes: pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    async read(target, offset) {
      let start = 0;
      for (const piece of pieces) {
        const from = Math.max(offset, start);
        const to = Math.min(offset + target.length, start + piece.sizeBytes);
        if (from < to) await piece.read(target.subarray(from - offset, to - offset), from - start);
        start += piece.sizeBytes;
      }
    },
  };
}
