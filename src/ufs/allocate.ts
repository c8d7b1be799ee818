// How much each inode of a tree needs, and how first-fit allocation arranges it: once, for planning an image as well as for finding
// out how large it must be. Where the groups' metadata lie does not matter yet (settle.ts).

import { bytesOf, type Content, encodedContent, fnv1a } from "../bytes/index.ts";
import { type BlockRange, type IndirectBlock, indirectBlocksFor, shapeOf } from "./block-map.ts";
import { directorySize, encodeDirectory } from "./directory.ts";
import { LOSTFOUNDINO, NDADDR, UFSROOTINO } from "./format.ts";
import { type FreeSpace, freeSpace, type Run } from "./free-space.ts";
import { dataBlocks, type HolesOption, mayHaveHoles } from "./holes.ts";
import type { NumberedTree, Numbering } from "./numbering.ts";
import type { Superblock } from "./superblock.ts";

/** What of the geometry matters for how many blocks and frags a file takes. */
export type BlockSizes = Pick<Superblock, "fs_bsize" | "fs_fsize" | "fs_frag" | "fs_nindir">;

/** What the inodes of a tree need. */
export interface Demand {
  readonly inodes: Numbering;
  /** Whether inode 3 is the lost+found that newfs makes. */
  readonly lostAndFound: boolean;
  /** Bytes of each inode (ic_lsize). */
  readonly sizes: Float64Array;
  /** The blocks of those inodes that have holes. */
  readonly sparse: ReadonlyMap<number, readonly BlockRange[]>;
}

function demandOf(sizes: BlockSizes, { inodes, lostAndFound }: NumberedTree, holes: HolesOption | undefined): Demand {
  const sparse = new Map<number, readonly BlockRange[]>();
  const bytes = new Float64Array(inodes.nodes.length);
  inodes.nodes.forEach((node, inode) => {
    switch (node?.type) {
      case "file":
        bytes[inode] = node.content.sizeBytes;
        if (node.content.dataRanges && mayHaveHoles(holes, inodes.paths[inode] ?? "")) {
          sparse.set(inode, dataBlocks(node.content, sizes.fs_bsize));
        }
        break;
      case "symlink":
        bytes[inode] = node.target.length;
        break;
      case "directory": {
        const size = directorySize(inodes.namesOf(inode));
        bytes[inode] = lostAndFound && inode === LOSTFOUNDINO ? Math.max(size, sizes.fs_bsize) : size;
      }
    }
  });
  return { inodes, lostAndFound, sizes: bytes, sparse };
}

/** Where everything lies in a space without metadata (free-space.ts): three numbers a run, so that a million inodes take little memory. */
export interface Arrangement {
  readonly demand: Demand;
  /** Of each inode, in order of lbn: lbn, frag and frags of each run; neighbours that are contiguous are one run. */
  readonly runs: readonly number[];
  /** Where in `runs` those of an inode begin and end. */
  readonly firstRun: Int32Array;
  readonly endRun: Int32Array;
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

/** Numbers that a run is kept as: lbn, frag, frags. */
export const RUN = 3;

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
  const runs: number[] = [];
  const firstRun = new Int32Array(count);
  const endRun = new Int32Array(count); // 0: no run yet
  const held = new Int32Array(count);
  const indirect = new Map<number, readonly IndirectBlock[]>();
  const parts = [0];

  const addRun = (inode: number, lbn: number, frag: number, frags: number): void => {
    held[inode] = (held[inode] as number) + frags;
    if (endRun[inode] === 0) firstRun[inode] = runs.length;
    else {
      const last = runs.length - RUN;
      const [lastLbn, lastFrag, lastFrags] = [runs[last], runs[last + 1], runs[last + 2]] as [number, number, number];
      if (lastFrag + lastFrags === frag && lastLbn * fs_frag + lastFrags === lbn * fs_frag) {
        runs[last + 2] = lastFrags + frags;
        return;
      }
    }
    runs.push(lbn, frag, frags);
    endRun[inode] = runs.length;
  };
  const placeData = (inode: number): void => {
    const { blocks, lastFrags } = shapeOf(sizes, demand.sizes[inode] ?? 0);
    if (blocks === 0) return;
    for (const { from, to } of demand.sparse.get(inode) ?? [{ from: 0, to: blocks }]) {
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
    held[inode] = (held[inode] as number) + blocks.length * fs_frag;
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
    const chosen = fnv1a(inodes.paths[inode] ?? "");
    if (chosen % PART_ONE_OF === 0) beginPart();
    if (sealedBytes >= SEAL_BYTES && chosen % SEAL_ONE_OF === 0) {
      free.seal();
      sealedBytes = 0;
    }
    placeData(inode);
    sealedBytes += demand.sizes[inode] ?? 0;
  }
  const frags = held.reduce((sum, frags) => sum + frags, 0);
  const blocks = free.endBlock();
  return { demand, runs, firstRun, endRun, indirect, held, frags, blocks, parts, unused: free.unused() };
}

/**
 * Tails share blocks with those of their neighbours only: after so many bytes, at one of so many files, chosen by its name, a
 * new block is begun. So a change is not felt by the arrangement of all that follows. It costs less than a hundredth.
 */
const SEAL_BYTES = 1 << 19;
const SEAL_ONE_OF = 4;
/** A new part is begun at one of so many files, chosen by its name: in a proto area of today, every 12 MB or so. */
const PART_ONE_OF = 1024;

function rangesOf(sizes: BlockSizes, demand: Demand, inode: number): readonly BlockRange[] {
  return demand.sparse.get(inode) ?? [{ from: 0, to: shapeOf(sizes, demand.sizes[inode] ?? 0).blocks }];
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

/** An inode's data; empty for those that have none. For directories, the bytes that are written. */
export function contentOf(sizes: BlockSizes, demand: Demand, inode: number): Content {
  const { inodes } = demand;
  const node = inodes.nodes[inode];
  if (node?.type === "file") return node.content;
  if (node?.type === "symlink") {
    return encodedContent(node.target.length, (target) => target.set(bytesOf(node.target)));
  }
  if (node?.type !== "directory") return encodedContent(0, () => {});
  // mkfs writes the first frag of the root whole, with free entries in it beyond the directory's end.
  const least = inode === UFSROOTINO ? sizes.fs_fsize : 0;
  const parent = inodes.parents[inode] ?? 0;
  const content = encodedContent(Math.max(least, demand.sizes[inode] ?? 0), (target) => {
    encodeDirectory(inode, parent, inodes.entriesOf(inode), target);
  });
  return content.sizeBytes > LARGE_DIRECTORY_BYTES ? kept(content) : content;
}

/** Encoded anew for each window, a directory of this size would cost more time than keeping it costs memory. */
const LARGE_DIRECTORY_BYTES = 1 << 16;

/** The same content, made once. */
function kept(content: Content): Content {
  let bytes: Promise<Uint8Array> | undefined;
  return {
    sizeBytes: content.sizeBytes,
    async read(target, offset) {
      bytes ??= (async () => {
        const whole = new Uint8Array(content.sizeBytes);
        await content.read(whole, 0);
        return whole;
      })();
      target.set((await bytes).subarray(offset, offset + target.length));
    },
  };
}
