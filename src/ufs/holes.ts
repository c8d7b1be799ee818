// Holes: blocks of a file that are all zeros and take no space. The boot reader (usr/src/common/fs/ufsops.c) reads block 0
// of the device where a file has a hole, so nothing that is read before the root is mounted may have one.

import { type Content, divideUp } from "../bytes/index.ts";
import type { BlockRange } from "./block-map.ts";

/** true: wherever it does no harm; a function: where it says so, and it does no harm. */
export type HolesOption = boolean | ((path: string) => boolean);

/** Below these the boot loader, krtld and the kernel read before the root file system is mounted. */
const BOOT_DIRECTORIES = ["boot", "etc", "kernel", "platform", "system", "usr/kernel", "usr/platform"];

/** Whether a path may be read by the boot-time reader. */
export function isBootPath(path: string): boolean {
  return BOOT_DIRECTORIES.some((directory) => path.startsWith(`/${directory}/`));
}

export function mayHaveHoles(holes: HolesOption | undefined, path: string): boolean {
  if (holes === undefined || holes === false || isBootPath(path)) return false;
  return holes === true || holes(path);
}

/**
 * The blocks that hold data, ascending. The last block is always there: so the kernel leaves a file that was extended
 * by ftruncate().
 */
export function dataBlocks(content: Content, bsize: number): BlockRange[] {
  const blocks = divideUp(content.sizeBytes, bsize);
  if (blocks === 0) return [];
  const ranges: { from: number; to: number }[] = [];
  const add = (from: number, to: number): void => {
    const last = ranges.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else ranges.push({ from, to });
  };
  if (content.dataRanges === undefined) add(0, blocks);
  else {
    for (const { offset, length } of content.dataRanges) {
      if (length > 0) add(Math.floor(offset / bsize), Math.min(blocks, divideUp(offset + length, bsize)));
    }
  }
  add(blocks - 1, blocks);
  return ranges;
}
