// First-fit allocation in a space without end, before it is known which groups' metadata lie in it (settle.ts): whole blocks
// from the lowest address on, tails of files into the lowest partly taken block that holds them. Because nothing is given back but
// what a fresh block has too much, all blocks below a moving border are taken, and no bitmap is needed to plan.

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
  /** All blocks below this one have been taken. */
  endBlock(): number;
  /** What is free below it: frags of one block each, in no order. */
  unused(): Run[];
}

/** @param blockFrags frags a block: fs_frag */
export function freeSpace(blockFrags: number): FreeSpace {
  // heaps[k]: addresses of free runs of exactly k frags, lowest first; k = blockFrags: whole blocks given back.
  const heaps: number[][] = Array.from({ length: blockFrags + 1 }, () => []);
  const sealed: Run[] = [];
  let end = 0;

  function heap(frags: number): number[] {
    return heaps[frags] as number[]; // 1 <= frags <= blockFrags
  }

  function takeBlocks(count: number, report: (frag: number, blocks: number) => void): void {
    let wanted = count;
    for (; wanted > 0 && heap(blockFrags).length > 0; wanted--) report(popHeap(heap(blockFrags)), 1);
    if (wanted > 0) report(end * blockFrags, wanted);
    end += wanted;
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
    endBlock: () => end,
    unused: () => [...sealed, ...heaps.flatMap((heap, frags) => heap.map((frag) => ({ frag, frags })))],
  };
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
