// The free frags of a file system that is being filled, and first-fit allocation from them: whole blocks from the lowest
// address on, tails of files into the lowest partly taken block that holds them. Because nothing is given back but what
// a fresh block has too much, all blocks below a moving border are taken, and no bitmap is needed to plan.

import { cgbase, cgdmin, cgend, cgsblock, csumFrags, type Superblock } from "./superblock.ts";

/** Consecutive frags. */
export interface Run {
  readonly frag: number;
  readonly frags: number;
}

export interface FreeSpace {
  /** Takes `count` whole blocks and reports them as runs, ascending where possible. */
  takeBlocks(count: number, report: (frag: number, blocks: number) => void): void;
  /** Takes `frags` (fewer than a block) consecutive frags within one block. */
  takeFrags(frags: number): number;
  /** Sets aside what is free in partly taken blocks: the next tail begins a new block. */
  seal(): void;
  /** Gives back frags of a block that was taken: the unused end of it, or all of it. */
  giveBack(frag: number, frags: number): void;
  /** Blocks that were asked for and are not there. Addresses beyond the end stand for them. */
  missingBlocks(): number;
  /** What is free, by address. */
  runs(): Run[];
}

export function freeSpace(sb: Superblock): FreeSpace {
  const { fs_frag: blockFrags } = sb;
  const regions = freeRegions(sb);
  // heaps[k]: addresses of free runs of exactly k frags, lowest first; k = blockFrags: whole blocks given back.
  const heaps: number[][] = Array.from({ length: blockFrags + 1 }, () => []);
  const sealed = [...regions.partial]; // far from what would share these blocks
  let region = 0;
  let next = regions.starts[0] ?? sb.fs_size;
  let missing = 0;

  function heap(frags: number): number[] {
    return heaps[frags] as number[]; // 1 <= frags <= blockFrags
  }

  function takeBlocks(count: number, report: (frag: number, blocks: number) => void): void {
    let wanted = count;
    while (wanted > 0 && heap(blockFrags).length > 0) {
      report(popHeap(heap(blockFrags)), 1);
      wanted--;
    }
    while (wanted > 0 && region < regions.starts.length) {
      const end = regions.ends[region] as number; // region < length
      const blocks = Math.min(wanted, (end - next) / blockFrags);
      if (blocks > 0) report(next, blocks);
      next += blocks * blockFrags;
      wanted -= blocks;
      if (next === end) {
        region++;
        next = regions.starts[region] ?? sb.fs_size;
      }
    }
    if (wanted > 0) {
      report(sb.fs_size + missing * blockFrags, wanted);
      missing += wanted;
    }
  }

  function takeFrags(frags: number): number {
    let best = 0;
    for (let k = frags; k < blockFrags; k++) {
      const lowest = heap(k)[0];
      if (lowest !== undefined && (best === 0 || lowest < (heap(best)[0] as number))) best = k;
    }
    if (best > 0) {
      const frag = popHeap(heap(best));
      if (best > frags) pushHeap(heap(best - frags), frag + frags);
      return frag;
    }
    let frag = 0;
    takeBlocks(1, (start) => {
      frag = start;
    });
    pushHeap(heap(blockFrags - frags), frag + frags);
    return frag;
  }

  return {
    takeBlocks,
    takeFrags,
    seal() {
      for (let frags = 1; frags < blockFrags; frags++) {
        for (const frag of heap(frags).splice(0)) sealed.push({ frag, frags });
      }
    },
    giveBack(frag, frags) {
      if (frags > 0) pushHeap(heap(frags), frag);
    },
    missingBlocks: () => missing,
    runs() {
      const runs = [...sealed];
      heaps.forEach((frags, length) => {
        for (const frag of frags) runs.push({ frag, frags: length });
      });
      for (let i = region; i < regions.starts.length; i++) {
        const frag = i === region ? next : (regions.starts[i] as number); // i < length
        runs.push({ frag, frags: (regions.ends[i] as number) - frag });
      }
      return runs.filter(({ frag }) => frag < sb.fs_size).sort((a, b) => a.frag - b.frag);
    },
  };
}

interface Regions {
  /** Whole free blocks lie in [starts[i], ends[i]), ascending. */
  readonly starts: number[];
  readonly ends: number[];
  /** Free frags of blocks that metadata or the file system's end cut. */
  readonly partial: readonly Run[];
}

/** What mkfs leaves free in each group (mkfs.c, initcg): below the metadata, except in group 0, and above them. */
function freeRegions(sb: Superblock): Regions {
  const starts: number[] = [];
  const ends: number[] = [];
  const partial: Run[] = [];
  const add = (start: number, end: number): void => {
    const base = start - (start % sb.fs_frag);
    const first = Math.min(base === start ? start : base + sb.fs_frag, Math.max(start, end));
    const last = Math.max(first, end - (end % sb.fs_frag));
    if (first > start) partial.push({ frag: start, frags: first - start });
    if (last > first) {
      starts.push(first);
      ends.push(last);
    }
    if (end > last) partial.push({ frag: last, frags: end - last });
  };
  for (let group = 0; group < sb.fs_ncg; group++) {
    if (group > 0) add(cgbase(sb, group), cgsblock(sb, group));
    add(cgdmin(sb, group) + (group === 0 ? csumFrags(sb) : 0), cgend(sb, group));
  }
  return { starts, ends, partial };
}

function pushHeap(heap: number[], value: number): void {
  let at = heap.push(value) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as number; // parent < at < length
    if (above <= value) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = value;
}

/** Removes the lowest value of a heap that is not empty. */
function popHeap(heap: number[]): number {
  const lowest = heap[0] as number;
  const value = heap.pop() as number;
  let at = 0;
  while (2 * at + 1 < heap.length) {
    let child = 2 * at + 1;
    if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child++;
    const below = heap[child] as number; // child < length
    if (below >= value) break;
    heap[at] = below;
    at = child;
  }
  if (heap.length > 0) heap[at] = value;
  return lowest;
}
