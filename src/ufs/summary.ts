// What is free in each cylinder group of a planned file system, and in all of it.

import type { Run } from "./free-space.ts";
import type { Numbering } from "./numbering.ts";
import { itog, type Superblock } from "./superblock.ts";

/** The counts of a file system that is planned. */
export interface Summary {
  /** Four counts a group: ndir, nbfree, nifree, nffree. */
  readonly groups: Int32Array;
  readonly total: Pick<Superblock, "fs_cstotal_ndir" | "fs_cstotal_nbfree" | "fs_cstotal_nifree" | "fs_cstotal_nffree">;
  readonly usedInodes: number;
  /** Free runs by address, and where those of each group begin. */
  readonly runs: readonly Run[];
  readonly firstRun: Int32Array;
}

/** Inodes are numbered without gaps: those of a group in use are its first ones. */
export function usedInodesOf(sb: Superblock, usedInodes: number, group: number): number {
  return Math.min(sb.fs_ipg, Math.max(0, usedInodes - group * sb.fs_ipg));
}

export function summarize(sb: Superblock, inodes: Numbering, runs: readonly Run[]): Summary {
  const groups = new Int32Array(4 * sb.fs_ncg);
  const add = (group: number, field: number, count: number): void => {
    groups[4 * group + field] = (groups[4 * group + field] ?? 0) + count;
  };
  inodes.nodes.forEach((node, inode) => {
    if (node?.type === "directory") add(itog(sb, inode), 0, 1);
  });
  for (let group = 0; group < sb.fs_ncg; group++) {
    add(group, 2, sb.fs_ipg - usedInodesOf(sb, inodes.nodes.length, group));
  }
  const firstRun = new Int32Array(sb.fs_ncg + 1);
  let group = 0;
  runs.forEach(({ frag, frags }, i) => {
    while (group < Math.floor(frag / sb.fs_fpg)) firstRun[++group] = i;
    if (frags % sb.fs_frag === 0) add(group, 1, frags / sb.fs_frag);
    else add(group, 3, frags);
  });
  while (group < sb.fs_ncg) firstRun[++group] = runs.length;
  const sum = (field: number): number => {
    let total = 0;
    for (let i = field; i < groups.length; i += 4) total += groups[i] ?? 0;
    return total;
  };
  return {
    groups,
    total: {
      fs_cstotal_ndir: sum(0),
      fs_cstotal_nbfree: sum(1),
      fs_cstotal_nifree: sum(2),
      fs_cstotal_nffree: sum(3),
    },
    usedInodes: inodes.nodes.length,
    runs,
    firstRun,
  };
}
