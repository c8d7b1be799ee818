// Where the data of each inode lie, as lists of runs: three numbers a run in one array, so that a million inodes take little memory.

import type { DataRun } from "./block-map.ts";

export interface RunLists {
  /** Adds a run to an inode's list. All of a list are added, in order of lbn, before the next inode's. */
  add(inode: number, lbn: number, frag: number, frags: number): void;
  /** Calls `visit` for each run; neighbours that are contiguous in the file and on disk are one. */
  forEach(inode: number, visit: (run: DataRun) => void): void;
}

/**
 * Numbers that a run is kept as: lbn, frag, frags. In 32 bits: a tree with addresses beyond fits no file system (fs_size has 31), and is
 * refused before they are read.
 */
const RUN = 3;

/** @param blockFrags frags a block: fs_frag */
export function runLists(inodes: number, blockFrags: number): RunLists {
  let numbers = new Int32Array(RUN * inodes); // most have one run
  let used = 0;
  const first = new Int32Array(inodes);
  const end = new Int32Array(inodes); // 0: no run yet
  return {
    add(inode, lbn, frag, frags) {
      if (end[inode] === 0) first[inode] = used;
      else {
        const last = used - RUN;
        const lastFrags = numbers[last + 2] as number;
        const goesOnOnDisk = (numbers[last + 1] as number) + lastFrags === frag;
        if (goesOnOnDisk && (numbers[last] as number) * blockFrags + lastFrags === lbn * blockFrags) {
          numbers[last + 2] = lastFrags + frags;
          return;
        }
      }
      if (used === numbers.length) numbers = twiceAsLong(numbers);
      numbers[used] = lbn;
      numbers[used + 1] = frag;
      numbers[used + 2] = frags;
      used += RUN;
      end[inode] = used;
    },
    forEach(inode, visit) {
      const to = end[inode] as number;
      for (let at = first[inode] as number; at < to; at += RUN) {
        visit({ lbn: numbers[at] as number, frag: numbers[at + 1] as number, frags: numbers[at + 2] as number });
      }
    },
  };
}

function twiceAsLong(numbers: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(2 * numbers.length);
  longer.set(numbers);
  return longer;
}
