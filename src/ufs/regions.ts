// Where an empty file system has free space: between the metadata of its groups.

import type { Run } from "./free-space.ts";
import { cgbase, cgdmin, cgend, cgsblock, csumFrags, type Superblock } from "./superblock.ts";

export interface Regions {
  /** Whole free blocks in a row, ascending; frags are multiples of fs_frag. */
  readonly runs: readonly Run[];
  /** Free frags of blocks that metadata or the file system's end cut. No file gets them: they are far from its neighbours. */
  readonly partial: readonly Run[];
  readonly blocks: number;
}

/** What mkfs leaves free in each group (mkfs.c, initcg): below the metadata, except in group 0, and above them. */
export function freeRegions(sb: Superblock): Regions {
  const runs: Run[] = [];
  const partial: Run[] = [];
  let blocks = 0;
  const add = (start: number, end: number): void => {
    const base = start - (start % sb.fs_frag);
    const first = Math.min(base === start ? start : base + sb.fs_frag, Math.max(start, end));
    const last = Math.max(first, end - (end % sb.fs_frag));
    if (first > start) partial.push({ frag: start, frags: first - start });
    if (last > first) {
      runs.push({ frag: first, frags: last - first });
      blocks += (last - first) / sb.fs_frag;
    }
    if (end > last) partial.push({ frag: last, frags: end - last });
  };
  for (let group = 0; group < sb.fs_ncg; group++) {
    if (group > 0) add(cgbase(sb, group), cgsblock(sb, group));
    add(cgdmin(sb, group) + (group === 0 ? csumFrags(sb) : 0), cgend(sb, group));
  }
  return { runs, partial, blocks };
}
