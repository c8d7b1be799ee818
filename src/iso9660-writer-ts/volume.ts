// All of an image's metadata at once: descriptors, every hierarchy, the boot catalog; and the extents of all of it. This
// is what the layout of an image and its check are made of.

import { type Content, compareByteStrings, ImageError, roundUp } from "../bytes/index.ts";
import type { Owner } from "../layout/index.ts";
import { SECTOR_BYTES, SYSTEM_AREA_SECTORS } from "./format.ts";
import { VIRTUAL_SECTOR_BYTES } from "./format-eltorito.ts";
import type { Complain } from "./problem.ts";
import { fileExtents } from "./read.ts";
import { type DescriptorSet, readDescriptors } from "./read-descriptors.ts";
import { type BootCatalog, readBootCatalog } from "./read-eltorito.ts";
import {
  isDirectoryRecord,
  readSharingProtocol,
  type SeenDirectory,
  type SeenEntry,
  type SeenHierarchy,
  type SharingProtocol,
  walkHierarchy,
} from "./read-hierarchy.ts";

export interface SeenVolume {
  readonly image: Content;
  readonly descriptors: DescriptorSet;
  readonly sharing: SharingProtocol | undefined;
  /** One for each descriptor; the primary one is read with Rock Ridge where there is such. */
  readonly hierarchies: readonly SeenHierarchy[];
  readonly bootCatalog: BootCatalog | undefined;
}

/** @throws ImageError as readDescriptors does; what else is wrong goes to `complain` */
export async function readVolume(image: Content, complain: Complain): Promise<SeenVolume> {
  const descriptors = await readDescriptors(image, complain);
  const { primary, hierarchies, boot } = descriptors;
  const sharing = await readSharingProtocol(image, primary, complain);
  const seen: SeenHierarchy[] = [];
  for (const descriptor of hierarchies) {
    const rockRidge = descriptor === primary && sharing?.hasRockRidge ? sharing : undefined;
    seen.push(await walkHierarchy(image, descriptor, rockRidge, complain));
  }
  let bootCatalog: BootCatalog | undefined;
  try {
    bootCatalog = boot && (await readBootCatalog(image, boot.catalogLba, complain));
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    complain("boot-catalog", "error", error.message);
  }
  return { image, descriptors, sharing, hierarchies: seen, bootCatalog };
}

export interface SeenExtent {
  readonly lba: number;
  readonly sizeBytes: number;
  readonly owner: Owner;
}

/**
 * Who owns which blocks, as the metadata says; not sorted. Data that several names share is there once, with the first
 * of its paths. Overlapping extents are all there.
 */
export function extentsOf({ descriptors, hierarchies, bootCatalog }: SeenVolume): SeenExtent[] {
  const extents: SeenExtent[] = [];
  const seen = new Set<string>();
  const put = (lba: number, sizeBytes: number, owner: Owner): void => {
    const key = `${lba} ${sizeBytes}`;
    if (sizeBytes === 0 || seen.has(key)) return;
    seen.add(key);
    extents.push({ lba, sizeBytes, owner });
  };
  put(SYSTEM_AREA_SECTORS, descriptors.count * SECTOR_BYTES, { what: "volume descriptors" });
  for (const { descriptor, directories } of hierarchies) {
    const { kind, values } = descriptor;
    const size = values["Path Table Size"];
    const tables = [
      ["L", values["Location of Occurrence of Type L Path Table"]],
      ["L (optional)", values["Location of Optional Occurrence of Type L Path Table"]],
      ["M", values["Location of Occurrence of Type M Path Table"]],
      ["M (optional)", values["Location of Optional Occurrence of Type M Path Table"]],
    ] as const;
    for (const [type, lba] of tables) if (lba !== 0) put(lba, size, { what: `${kind} path table ${type}` });
    for (const directory of directories) {
      put(directory.lba, directory.sizeBytes, { what: `${kind} directory`, path: directory.path });
      for (const lba of continuationBlocks(directory)) {
        put(lba, SECTOR_BYTES, { what: "continuation area", path: directory.path });
      }
    }
  }
  const catalogPath = bootCatalog && pathAt(hierarchies, bootCatalog.lba);
  if (bootCatalog) {
    const { lba, sizeBytes } = bootCatalog;
    put(lba, roundUp(sizeBytes, SECTOR_BYTES), { what: "boot catalog", path: catalogPath });
  }
  for (const { root } of hierarchies) {
    for (const entry of leaves(root)) {
      for (const { lba, sizeBytes } of fileExtents(entry)) put(lba, sizeBytes, { what: "file", path: entry.path });
    }
  }
  const starts = new Set(extents.map(({ lba }) => lba));
  for (const { lba, loadSectors } of bootCatalog?.entries ?? []) {
    if (!starts.has(lba)) put(lba, Math.max(1, loadSectors) * VIRTUAL_SECTOR_BYTES, { what: "boot image" });
  }
  return extents;
}

/** The blocks that hold continuation areas of a directory's records, each once. */
export function continuationBlocks({ self, up, records }: SeenDirectory): Set<number> {
  const blocks = new Set<number>();
  for (const record of [self, up, ...records]) for (const { lba } of record?.areas ?? []) blocks.add(lba);
  return blocks;
}

/** Entries that are no directories, in the order of a walk through the tree. */
export function* leaves(root: SeenDirectory): Generator<SeenEntry> {
  const pending: SeenEntry[] = [];
  const push = ({ entries }: SeenDirectory): void => {
    const sorted = [...entries].sort((a, b) => compareByteStrings(b.name, a.name));
    for (const entry of sorted) pending.push(entry);
  };
  push(root);
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (next.directory) push(next.directory);
    else if (!isDirectoryRecord(next.first)) yield next;
  }
}

/** Path of the file whose data begins at a block. */
function pathAt(hierarchies: readonly SeenHierarchy[], lba: number): string | undefined {
  for (const { root } of hierarchies) {
    for (const entry of leaves(root)) if (fileExtents(entry)[0]?.lba === lba) return entry.path;
  }
  return undefined;
}
