// How a file's blocks hang on its inode: 12 direct addresses, then a single, a double and a triple indirect block
// (ufs_inode.h, ufs_bmap.c). A logical block number (lbn) counts blocks of the file; address 0 is a hole.

import { divideUp } from "../bytes/index.ts";
import { NDADDR, NIADDR } from "./format.ts";
import type { Superblock } from "./superblock.ts";

/** Logical blocks [from, to). */
export interface BlockRange {
  readonly from: number;
  readonly to: number;
}

/** A piece of a file that is contiguous in the file and on disk. */
export interface DataRun {
  readonly lbn: number;
  readonly frag: number;
  readonly frags: number;
}

export interface IndirectBlock {
  /** 1 single: it holds addresses of data; 2 double; 3 triple. */
  readonly level: number;
  /** First logical block below it. */
  readonly firstLbn: number;
  readonly frag: number;
}

export interface Shape {
  /** Logical blocks, the last may be a tail of frags. */
  readonly blocks: number;
  /** Frags of the last block: fewer than a block only when it is a direct one. */
  readonly lastFrags: number;
}

/** Blocks and tail of a file of this size. */
export function shapeOf(sb: Pick<Superblock, "fs_bsize" | "fs_fsize" | "fs_frag">, sizeBytes: number): Shape {
  const blocks = divideUp(sizeBytes, sb.fs_bsize);
  const rest = sizeBytes % sb.fs_bsize;
  const hasTail = blocks > 0 && blocks <= NDADDR && rest > 0;
  return { blocks, lastFrags: hasTail ? divideUp(rest, sb.fs_fsize) : sb.fs_frag };
}

/** First logical block below the indirect block of this level that the inode itself points to. */
export function firstLbnOfLevel(nindir: number, level: number): number {
  let first = NDADDR;
  for (let below = 1; below < level; below++) first += nindir ** below;
  return first;
}

/** The indirect blocks that a file with these blocks needs, each before those below it. */
export function indirectBlocksFor(nindir: number, ranges: readonly BlockRange[]): Omit<IndirectBlock, "frag">[] {
  const end = ranges.at(-1)?.to ?? 0;
  const needed: Omit<IndirectBlock, "frag">[] = [];
  let range = 0;
  const visit = (level: number, firstLbn: number): void => {
    const span = nindir ** level;
    while (range < ranges.length && (ranges[range] as BlockRange).to <= firstLbn) range++;
    const next = ranges[range];
    if (next === undefined || next.from >= firstLbn + span) return;
    needed.push({ level, firstLbn });
    if (level === 1) return;
    const step = span / nindir;
    for (let i = 0; i < nindir && firstLbn + i * step < end; i++) visit(level - 1, firstLbn + i * step);
  };
  for (let level = 1; level <= NIADDR; level++) {
    const first = firstLbnOfLevel(nindir, level);
    if (first >= end) break;
    visit(level, first);
  }
  return needed;
}

/** Writes the addresses that stand in one indirect block. */
export function encodeIndirect(
  sb: Superblock,
  block: IndirectBlock,
  runs: readonly DataRun[],
  indirect: readonly IndirectBlock[],
  target: Uint8Array,
): void {
  const view = new DataView(target.buffer, target.byteOffset, target.length);
  const { fs_nindir: nindir } = sb;
  const end = block.firstLbn + nindir ** block.level;
  if (block.level === 1) {
    forEachBlock(sb, runs, block.firstLbn, end, (lbn, frag) => view.setInt32(4 * (lbn - block.firstLbn), frag, true));
    return;
  }
  const step = nindir ** (block.level - 1);
  for (const { level, firstLbn, frag } of indirect) {
    if (level === block.level - 1 && firstLbn >= block.firstLbn && firstLbn < end) {
      view.setInt32((4 * (firstLbn - block.firstLbn)) / step, frag, true);
    }
  }
}

/** Calls `visit` for every block of `runs` with from <= lbn < to. */
export function forEachBlock(
  sb: Superblock,
  runs: readonly DataRun[],
  from: number,
  to: number,
  visit: (lbn: number, frag: number) => void,
): void {
  for (const run of runs) {
    const end = Math.min(run.lbn + divideUp(run.frags, sb.fs_frag), to);
    for (let lbn = Math.max(run.lbn, from); lbn < end; lbn++) visit(lbn, run.frag + (lbn - run.lbn) * sb.fs_frag);
  }
}
