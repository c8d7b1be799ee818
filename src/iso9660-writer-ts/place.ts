// Giving blocks to what a volume holds, one after the other, and saying what will be in them.

import { type Content, divideUp, encodedContent, ImageError } from "../bytes/index.ts";
import { type Extent, extent, type Owner } from "../layout/index.ts";
import type { File } from "../tree/index.ts";
import type { HierarchyKind } from "./descriptors.ts";
import { continuationBlocksOf, encodeContinuations, encodeRecords, type RecordValues, sectorsOf } from "./directory.ts";
import { SECTOR_BYTES } from "./format.ts";
import { type HierarchyDirectory, volumeOrder } from "./hierarchy.ts";
import { encodePathTable, pathTableBytes } from "./path-table.ts";
import { entryCount, type Inode, measureRecords, type RecordContext, recordsOf } from "./records.ts";

/** A volume in the making. */
export interface Board {
  readonly extents: readonly Extent[];
  /** The first block that is free. */
  readonly next: number;
  /** @throws ImageError "limit" */
  take(blocks: number): number;
  show(lba: number, owner: Owner, content: Content): void;
}

/** Block numbers are 32 bits wide everywhere. */
const MAX_BLOCKS = 2 ** 32 - 1;

const blocksOf = (sizeBytes: number): number => divideUp(sizeBytes, SECTOR_BYTES);

export function newBoard(firstBlock: number): Board {
  let next = firstBlock;
  const extents: Extent[] = [];
  return {
    extents,
    get next() {
      return next;
    },
    take(blocks) {
      const lba = next;
      next += blocks;
      if (next > MAX_BLOCKS) throw new ImageError("limit", "the volume is over 8 TiB; ISO 9660 cannot address more");
      return lba;
    },
    show(lba, owner, content) {
      extents.push(extent(lba * SECTOR_BYTES, owner, content));
    },
  };
}

export interface PathTables {
  readonly pathTableBytes: number;
  readonly typeLPathTableLba: number;
  readonly typeMPathTableLba: number;
}

export function placePathTables(
  board: Board,
  kind: HierarchyKind,
  directories: readonly HierarchyDirectory[],
): PathTables {
  const sizeBytes = pathTableBytes(directories);
  const placeTable = (type: "L" | "M"): number => {
    const lba = board.take(blocksOf(sizeBytes));
    const encode = (target: Uint8Array): void => encodePathTable(directories, type, target);
    board.show(lba, { what: `${kind} path table ${type}` }, encodedContent(sizeBytes, encode));
    return lba;
  };
  return { pathTableBytes: sizeBytes, typeLPathTableLba: placeTable("L"), typeMPathTableLba: placeTable("M") };
}

/** Entries of a directory that are encoded together; each such run begins at a sector. Bounds the memory of emission. */
const RUN_ENTRIES = 2048;

/** Places every directory, each with its continuation areas behind it. */
export function placeDirectories(
  board: Board,
  kind: HierarchyKind,
  directories: readonly HierarchyDirectory[],
  context: RecordContext,
): void {
  for (const directory of volumeOrder(directories)) placeDirectory(board, kind, directory, context);
}

function placeDirectory(
  board: Board,
  kind: HierarchyKind,
  directory: HierarchyDirectory,
  context: RecordContext,
): void {
  const count = entryCount(directory);
  const starts = Array.from({ length: divideUp(count, RUN_ENTRIES) }, (_, i) => i * RUN_ENTRIES);
  const runs = starts.map((from) => {
    const to = Math.min(from + RUN_ENTRIES, count);
    const run = measureRecords(directory, from, to, context);
    const records = (): RecordValues[] => recordsOf(directory, from, to, context);
    return { records, sectors: sectorsOf(run), continuationBlocks: continuationBlocksOf(run) };
  });
  const sectors = runs.reduce((sum, run) => sum + run.sectors, 0);
  directory.lba = board.take(sectors);
  directory.sizeBytes = sectors * SECTOR_BYTES;
  const { path } = directory;
  let lba = directory.lba;
  for (const { records, ...run } of runs) {
    const areaLba = board.take(run.continuationBlocks);
    // The records are made again when they are encoded: only then all addresses are known.
    const encodeSectors = (target: Uint8Array): void => encodeRecords(records(), areaLba, target);
    const encodeAreas = (target: Uint8Array): void => encodeContinuations(records(), areaLba, target);
    const areaBytes = run.continuationBlocks * SECTOR_BYTES;
    board.show(lba, { what: `${kind} directory`, path }, encodedContent(run.sectors * SECTOR_BYTES, encodeSectors));
    if (areaBytes > 0) board.show(areaLba, { what: "continuation area", path }, encodedContent(areaBytes, encodeAreas));
    lba += run.sectors;
  }
}

/** Places files in the given order. An empty one gets no block. */
export function placeFiles(
  board: Board,
  inodes: Iterable<Inode>,
  what: string,
  contentOf: (file: File, lba: number) => Content,
): void {
  for (const inode of inodes) {
    const { node, path } = inode;
    if (node.type !== "file" || node.content.sizeBytes === 0) continue;
    inode.lba = board.take(blocksOf(node.content.sizeBytes));
    board.show(inode.lba, { what, path }, contentOf(node, inode.lba));
  }
}
