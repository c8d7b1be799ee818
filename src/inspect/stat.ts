// Everything that is known of one path: its inode or directory record field by field, and where its bytes lie.

import { fromText, readBytes } from "../bytes/index.ts";
import { decodeDirectory } from "../fat/directory.ts";
import { directoryEntry, longNameEntry } from "../fat/format.ts";
import { SECTOR_BYTES } from "../iso9660-writer-ts/format.ts";
import { fileExtents } from "../iso9660-writer-ts/read.ts";
import { tarHeader } from "../source/format-tar.ts";
import { collectWarnings } from "../source/source.ts";
import { hasTarChecksum, tarMembers } from "../source/tar-members.ts";
import { windowReader } from "../source/window.ts";
import { baseName, type Node, parentPath, typeOfMode } from "../tree/index.ts";
import { addressMap } from "../ufs/file-content.ts";
import { dinode } from "../ufs/format.ts";
import { inodeOffset } from "../ufs/superblock.ts";
import { openVolume } from "../ufs/volume.ts";
import { recordStructures, recordsAt } from "./iso-structures.ts";
import type { ArchiveLayer, FatLayer, IsoLayer, UfsLayer } from "./layer.ts";
import { linkCounts } from "./list.ts";
import { structureAt } from "./located.ts";
import type { Place } from "./paths.ts";
import { type Structure, structureOf } from "./structure.ts";

/** Bytes of the layer that belong to a path. */
export interface StatExtent {
  readonly offset: number;
  readonly length: number;
  /** "data", "indirect block of level 1" … */
  readonly what: string;
  /** In the file; undefined for what is no data. */
  readonly fileOffset: number | undefined;
}

export interface Stat {
  readonly path: string;
  readonly node: Node;
  /** The kind of layer that the path is in. */
  readonly kind: Place["layer"]["kind"];
  readonly links: number;
  /** The file system's own structures about it; none where a format has none that are declared here. */
  readonly structures: readonly Structure[];
  readonly extents: readonly StatExtent[];
}

/** @throws ImageError when the structures cannot be read */
export async function statPlace(place: Place): Promise<Stat> {
  const { layer, node, shown } = place;
  const links = linkCounts(await layer.tree()).get(node) ?? 1;
  const own = await ownFacts(place);
  return { path: shown, node, kind: layer.kind, links, ...own };
}

type OwnFacts = Pick<Stat, "structures" | "extents">;

async function ownFacts({ layer, path }: Place): Promise<OwnFacts> {
  switch (layer.kind) {
    case "ufs":
      return ufsFacts(layer, path);
    case "iso":
      return isoFacts(layer, path);
    case "fat":
      return { structures: await fatEntries(layer, path), extents: fatExtents(layer, path) };
    case "archive":
      return tarFacts(layer, path);
    default:
      return { structures: [], extents: [] };
  }
}

async function ufsFacts(layer: UfsLayer, path: string): Promise<OwnFacts> {
  const { content, ufs } = layer;
  const number = await ufs.inodeOf(path);
  const offset = inodeOffset(ufs.superblock, number);
  const bytes = await readBytes(content, offset, dinode.sizeBytes);
  const structures = [structureOf(dinode, `inode ${number}`, bytes, 0, offset)];
  return { structures, extents: (await ufsExtents(layer, path)).extents };
}

/** Where the data and indirect blocks of a path lie. @throws ImageError "not-found"; "bad-format" */
export async function ufsExtents({ content, ufs }: UfsLayer, path: string): Promise<Pick<Stat, "extents">> {
  const sb = ufs.superblock;
  const inode = await ufs.dinode(await ufs.inodeOf(path));
  const type = typeOfMode(inode.ic_smode);
  if (type === "character" || type === "block") return { extents: [] }; // there the addresses are the device's number
  const { runs, indirect } = await addressMap(await openVolume(content), inode, path);
  const extents: StatExtent[] = runs.map(({ lbn, frag, frags }) => ({
    offset: frag * sb.fs_fsize,
    length: frags * sb.fs_fsize,
    what: "data",
    fileOffset: lbn * sb.fs_bsize,
  }));
  for (const { level, frag } of indirect) {
    const what = `indirect block of level ${level}`;
    extents.push({ offset: frag * sb.fs_fsize, length: sb.fs_bsize, what, fileOffset: undefined });
  }
  return { extents };
}

async function isoFacts(layer: IsoLayer, path: string): Promise<OwnFacts> {
  const { records, entry } = await recordsAt(layer, path);
  const structures = records.flatMap(recordStructures);
  const directory = entry?.directory ?? (path === "/" ? records[0]?.directory : undefined);
  if (directory) {
    const { lba, sizeBytes } = directory;
    return {
      structures,
      extents: [{ offset: lba * SECTOR_BYTES, length: sizeBytes, what: "directory", fileOffset: 0 }],
    };
  }
  let fileOffset = 0;
  const extents = entry ? fileExtents(entry) : [];
  return {
    structures,
    extents: extents.map(({ lba, sizeBytes }) => {
      const extent = { offset: lba * SECTOR_BYTES, length: sizeBytes, what: "data", fileOffset };
      fileOffset += sizeBytes;
      return extent;
    }),
  };
}

function fatExtents({ fat }: FatLayer, path: string): StatExtent[] {
  let fileOffset = 0;
  return fat.layout.extents
    .filter(({ owner }) => owner.path === path)
    .map(({ offset, length, owner }) => {
      const extent = { offset, length, what: owner.what, fileOffset };
      fileOffset += length;
      return extent;
    });
}

/** The entries of a path in its parent's directory: those of its long name, then its own; of the root none. */
async function fatEntries(layer: FatLayer, path: string): Promise<Structure[]> {
  const { content, fat } = layer;
  if (path === "/") return [];
  const pieces = fatExtents(layer, parentPath(path));
  const parts: Uint8Array[] = [];
  for (const { offset, length } of pieces) parts.push(await readBytes(content, offset, length));
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const part of parts) {
    bytes.set(part, filled);
    filled += part.length;
  }
  const record = decodeDirectory(bytes, fat.fatType, () => {}).find(({ name }) => fromText(name) === baseName(path));
  if (record === undefined) return [];
  const structures: Structure[] = [];
  for (let at = record.firstOffset; at <= record.offset; at += directoryEntry.sizeBytes) {
    const piece = pieces.find(({ fileOffset = 0, length }) => at >= fileOffset && at < fileOffset + length);
    const offset = piece === undefined ? at : piece.offset + at - (piece.fileOffset ?? 0);
    structures.push(
      at === record.offset
        ? structureOf(directoryEntry, "directory entry", bytes, at, offset)
        : structureOf(longNameEntry, "long name entry", bytes, at, offset),
    );
  }
  return structures;
}

/** The header and bytes of a member of a tar, the last one of its name; of other archives nothing. */
async function tarFacts({ content }: ArchiveLayer, path: string): Promise<OwnFacts> {
  const head = await readBytes(content, 0, Math.min(content.sizeBytes, tarHeader.sizeBytes));
  let facts: OwnFacts = { structures: [], extents: [] };
  if (!hasTarChecksum(head)) return facts;
  const archive = { content, reader: windowReader(content), warnings: collectWarnings() };
  for await (const member of tarMembers(archive)) {
    if (
      `/${member.path
        .split("/")
        .filter((name) => name !== "" && name !== ".")
        .join("/")}` !== path
    )
      continue;
    const { header, headerOffset } = member;
    const structure = await structureAt(content, tarHeader, "tar header", headerOffset);
    const data = { offset: headerOffset + tarHeader.sizeBytes, length: header.size, what: "data", fileOffset: 0 };
    facts = { structures: [structure], extents: member.content.sizeBytes > 0 ? [data] : [] };
  }
  return facts;
}
