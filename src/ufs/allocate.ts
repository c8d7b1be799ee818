// How first-fit allocation arranges the inodes of a tree: once, for planning an image as well as for finding out how large it must be.
// Where the groups' metadata lie does not matter yet (settle.ts).

import { type BlockRange, type IndirectBlock, indirectBlocksFor, shapeOf } from "./block-map.ts";
import { type BlockSizes, type Demand, demandOf, rangesOf } from "./demand.ts";
import { LOSTFOUNDINO, NDADDR, UFSROOTINO } from "./format.ts";
import { type FreeSpace, freeSpace, type Run } from "./free-space.ts";
import type { HolesOption } from "./holes.ts";
import type { NumberedTree } from "./numbering.ts";
import { type RunLists, runLists } from "./run-lists.ts";

/** Where everything lies in a space without metadata (free-space.ts). */
export interface Arrangement {
  readonly demand: Demand;
  readonly data: Pick<RunLists, "forEach">;
  /** Of those inodes that have some. */
  readonly indirect: ReadonlyMap<number, readonly IndirectBlock[]>;
  /** Frags that each inode holds, indirect blocks included. */
  readonly held: Int32Array;
  /** The sum of that. */
  readonly frags: number;
  readonly blocks: number;
  /** Blocks with which parts begin: no block is shared across them, so parts may be moved apart. The first is 0. */
  readonly parts: readonly number[];
  /** What is free between all that, in no order. */
  readonly unused: readonly Run[];
}

/**
 * Tails share blocks with those of their neighbours only: after so many bytes, at one of so many files, chosen by its name, a
 * new block is begun. So a change is not felt by the arrangement of all that follows. It costs less than a hundredth.
 */
const SEAL_BYTES = 1 << 19;
const SEAL_ONE_OF = 4;
/** A new part is begun at one of so many files, chosen by its name: in a proto area of today, every 12 MB or so. */
const PART_ONE_OF = 1024;

/**
 * Arranges the inodes of a tree. mkfs makes lost+found first and the root second, in a block of its own. Where lost+found is to be absent,
 * its block is taken and given back: as if it had been made and removed. Then come what holds numbers and addresses, directories
 * and indirect blocks, and then what does not, in order of inodes: between files there are no bytes that change with others.
 */
export function arrangementOf(sizes: BlockSizes, tree: NumberedTree, holes?: HolesOption | undefined): Arrangement {
  const demand = demandOf(sizes, tree, holes);
  const { lostAndFound, inodes } = demand;
  const { fs_frag } = sizes;
  const count = demand.sizes.length;
  const free = freeSpace(fs_frag);
  const data = runLists(count, fs_frag);
  const indirect = new Map<number, readonly IndirectBlock[]>();
  const held = new Int32Array(count);
  const parts = [0];
  let frags = 0;

  const hold = (inode: number, more: number): void => {
    held[inode] = (held[inode] as number) + more;
    frags += more;
  };
  const addRun = (inode: number, lbn: number, frag: number, length: number): void => {
    data.add(inode, lbn, frag, length);
    hold(inode, length);
  };
  const placeData = (inode: number): void => {
    const { blocks, lastFrags } = shapeOf(sizes, demand.sizes[inode] ?? 0);
    if (blocks === 0) return;
    for (const { from, to } of rangesOf(sizes, demand, inode)) {
      const hasTail = to === blocks && lastFrags < fs_frag;
      const whole = hasTail ? to - 1 : to;
      let lbn = from;
      free.takeBlocks(whole - from, (frag, taken) => {
        addRun(inode, lbn, frag, taken * fs_frag);
        lbn += taken;
      });
      if (hasTail) addRun(inode, whole, takeTail(free, inode, lastFrags, fs_frag), lastFrags);
    }
  };
  const placeIndirect = (inode: number): void => {
    const ranges = rangesOf(sizes, demand, inode);
    if ((ranges.at(-1)?.to ?? 0) <= NDADDR) return;
    const blocks = takeIndirect(sizes, free, ranges);
    indirect.set(inode, blocks);
    hold(inode, blocks.length * fs_frag);
  };
  const beginPart = (): void => {
    free.seal();
    if (free.endBlock() > (parts.at(-1) ?? 0)) parts.push(free.endBlock());
  };

  let removed: number | undefined;
  if (lostAndFound) placeData(LOSTFOUNDINO);
  else {
    free.takeBlocks(1, (frag) => {
      removed = frag;
    });
  }
  placeData(UFSROOTINO);
  if (removed !== undefined) free.giveBack(removed, fs_frag);
  const first = lostAndFound ? LOSTFOUNDINO + 1 : UFSROOTINO + 1;
  for (let inode = UFSROOTINO; inode < count; inode++) {
    if (inode >= first && inodes.nodes[inode]?.type === "directory") placeData(inode);
    placeIndirect(inode);
  }
  beginPart();
  let sealedBytes = SEAL_BYTES;
  for (let inode = first; inode < count; inode++) {
    if (inodes.nodes[inode]?.type === "directory") continue;
    const chosen = inodes.pathHashes[inode] as number;
    if (chosen % PART_ONE_OF === 0) beginPart();
    if (sealedBytes >= SEAL_BYTES && chosen % SEAL_ONE_OF === 0) {
      free.seal();
      sealedBytes = 0;
    }
    placeData(inode);
    sealedBytes += demand.sizes[inode] ?? 0;
  }
  return { demand, data, indirect, held, frags, blocks: free.endBlock(), parts, unused: free.unused() };
}

function takeTail(free: FreeSpace, inode: number, frags: number, blockFrags: number): number {
  if (inode !== UFSROOTINO) return free.takeFrags(frags);
  let start = 0;
  free.takeBlocks(1, (frag) => {
    start = frag;
  });
  free.giveBack(start + frags, blockFrags - frags);
  return start;
}

function takeIndirect(sizes: BlockSizes, free: FreeSpace, ranges: readonly BlockRange[]): IndirectBlock[] {
  const needed = indirectBlocksFor(sizes.fs_nindir, ranges);
  const blocks: IndirectBlock[] = [];
  free.takeBlocks(needed.length, (frag, count) => {
    for (let i = 0; i < count; i++) {
      const next = needed[blocks.length];
      if (next) blocks.push({ ...next, frag: frag + i * sizes.fs_frag });
    }
  });
  return blocks;
}
