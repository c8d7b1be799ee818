// How much each inode of a tree needs, and where first-fit allocation puts it: the same rules for planning an image and for
// finding out how large it must be.

import { bytesOf, type Content, encodedContent, fnv1a } from "../bytes/index.ts";
import { type BlockRange, type DataRun, type IndirectBlock, indirectBlocksFor, shapeOf } from "./block-map.ts";
import { directorySize, encodeDirectory } from "./directory.ts";
import { LOSTFOUNDINO, NDADDR, UFSROOTINO } from "./format.ts";
import type { FreeSpace } from "./free-space.ts";
import { dataBlocks, type HolesOption, mayHaveHoles } from "./holes.ts";
import type { Numbering } from "./numbering.ts";
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

export function demandOf(
  sizes: BlockSizes,
  inodes: Numbering,
  lostAndFound: boolean,
  holes: HolesOption | undefined,
): Demand {
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
        const size = directorySize(inodes.entriesOf(inode).map(({ name }) => name.length));
        bytes[inode] = lostAndFound && inode === LOSTFOUNDINO ? Math.max(size, sizes.fs_bsize) : size;
      }
    }
  });
  return { inodes, lostAndFound, sizes: bytes, sparse };
}

export interface Placing {
  /** A run of an inode's data, in order of lbn. */
  data(inode: number, lbn: number, frag: number, frags: number): void;
  /** All indirect blocks of an inode; called only where there are some. */
  indirect(inode: number, blocks: readonly IndirectBlock[]): void;
}

/**
 * Takes what is needed from `free` and reports where it is. mkfs makes lost+found first and the root second, in a block
 * of its own. Where lost+found is to be absent, its block is taken and given back: as if it had been made and removed.
 * Then come what holds numbers and addresses, directories and indirect blocks, and then what does not, in order of inodes: a
 * file that grows changes addresses, and moves what lies behind it, but between files there are no bytes that change.
 */
export function place(sizes: BlockSizes, demand: Demand, free: FreeSpace, placing: Placing): void {
  const { lostAndFound, inodes } = demand;
  const first = lostAndFound ? LOSTFOUNDINO + 1 : UFSROOTINO + 1;
  const placeData = (inode: number): void => placeInode(sizes, demand, inode, free, placing);
  let removed: number | undefined;
  if (lostAndFound) placeData(LOSTFOUNDINO);
  else {
    free.takeBlocks(1, (frag) => {
      removed = frag;
    });
  }
  placeData(UFSROOTINO);
  if (removed !== undefined) free.giveBack(removed, sizes.fs_frag);
  for (let inode = UFSROOTINO; inode < demand.sizes.length; inode++) {
    const isDirectory = inodes.nodes[inode]?.type === "directory";
    if (isDirectory && inode >= first) placeData(inode);
    const ranges = rangesOf(sizes, demand, inode);
    if ((ranges.at(-1)?.to ?? 0) > NDADDR) placing.indirect(inode, takeIndirect(sizes, free, ranges));
  }
  let sealedBytes = SEAL_BYTES;
  for (let inode = first; inode < demand.sizes.length; inode++) {
    if (inodes.nodes[inode]?.type === "directory") continue;
    if (sealedBytes >= SEAL_BYTES && fnv1a(inodes.paths[inode] ?? "") % SEAL_ONE_OF === 0) {
      free.seal();
      sealedBytes = 0;
    }
    placeData(inode);
    sealedBytes += demand.sizes[inode] ?? 0;
  }
}

/**
 * Tails share blocks with those of their neighbours only: after so many bytes, at one of so many files, chosen by its name, a
 * new block is begun. So a change is not felt by the arrangement of all that follows. It costs less than a hundredth.
 */
const SEAL_BYTES = 1 << 19;
const SEAL_ONE_OF = 4;

function rangesOf(sizes: BlockSizes, demand: Demand, inode: number): readonly BlockRange[] {
  return demand.sparse.get(inode) ?? [{ from: 0, to: shapeOf(sizes, demand.sizes[inode] ?? 0).blocks }];
}

function placeInode(sizes: BlockSizes, demand: Demand, inode: number, free: FreeSpace, placing: Placing): void {
  const { blocks, lastFrags } = shapeOf(sizes, demand.sizes[inode] ?? 0);
  if (blocks === 0) return;
  for (const { from, to } of rangesOf(sizes, demand, inode)) {
    const hasTail = to === blocks && lastFrags < sizes.fs_frag;
    const whole = hasTail ? to - 1 : to;
    let lbn = from;
    free.takeBlocks(whole - from, (frag, count) => {
      placing.data(inode, lbn, frag, count * sizes.fs_frag);
      lbn += count;
    });
    if (hasTail) placing.data(inode, whole, takeTail(sizes, free, inode, lastFrags), lastFrags);
  }
}

function takeTail(sizes: BlockSizes, free: FreeSpace, inode: number, frags: number): number {
  if (inode !== UFSROOTINO) return free.takeFrags(frags);
  let start = 0;
  free.takeBlocks(1, (frag) => {
    start = frag;
  });
  free.giveBack(start + frags, sizes.fs_frag - frags);
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

/** Where the blocks of all inodes lie. */
export interface Placement {
  /** In order of lbn; neighbours that are contiguous on disk as well are one run. */
  runsOf(inode: number): readonly DataRun[];
  indirectOf(inode: number): readonly IndirectBlock[];
  /** Frags that an inode holds, indirect blocks included. */
  fragsOf(inode: number): number;
}

/** Numbers that a run is kept as: lbn, frag, frags. */
const RUN = 3;

/** Places everything and remembers where: three numbers a run, so that a million inodes take little memory. */
export function placeAll(sizes: BlockSizes, demand: Demand, free: FreeSpace): Placement {
  const { fs_frag } = sizes;
  const runs: number[] = [];
  const firstRun = new Int32Array(demand.sizes.length);
  const endRun = new Int32Array(demand.sizes.length); // 0: no run yet
  const held = new Int32Array(demand.sizes.length);
  const indirect = new Map<number, readonly IndirectBlock[]>();
  place(sizes, demand, free, {
    data(inode, lbn, frag, frags) {
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
    },
    indirect(inode, blocks) {
      indirect.set(inode, blocks);
      held[inode] = (held[inode] as number) + blocks.length * fs_frag;
    },
  });
  return {
    runsOf(inode) {
      const list: DataRun[] = [];
      const end = endRun[inode] as number;
      for (let at = firstRun[inode] as number; at < end; at += RUN) {
        list.push({ lbn: runs[at] as number, frag: runs[at + 1] as number, frags: runs[at + 2] as number });
      }
      return list;
    },
    indirectOf: (inode) => indirect.get(inode) ?? NONE,
    fragsOf: (inode) => held[inode] as number,
  };
}

const NONE: readonly IndirectBlock[] = [];

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
