// How much each inode of a tree needs, and what is written there.

import { bytesOf, type Content, encodedContent } from "../bytes/index.ts";
import type { Symlink } from "../tree/index.ts";
import { type BlockRange, shapeOf } from "./block-map.ts";
import { directorySize, encodeDirectory } from "./directory.ts";
import { LOSTFOUNDINO, UFSROOTINO } from "./format.ts";
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

export function demandOf(
  sizes: BlockSizes,
  { inodes, lostAndFound }: NumberedTree,
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
        const size = directorySize(inodes.namesOf(inode));
        bytes[inode] = lostAndFound && inode === LOSTFOUNDINO ? Math.max(size, sizes.fs_bsize) : size;
      }
    }
  });
  return { inodes, lostAndFound, sizes: bytes, sparse };
}

/** The logical blocks of an inode, without its holes. */
export function rangesOf(sizes: BlockSizes, demand: Demand, inode: number): readonly BlockRange[] {
  return demand.sparse.get(inode) ?? [{ from: 0, to: shapeOf(sizes, demand.sizes[inode] ?? 0).blocks }];
}

/** An inode's data; empty for those that have none. For directories, the bytes that are written. */
export function contentOf(sizes: BlockSizes, demand: Demand, inode: number): Content {
  const { inodes } = demand;
  const node = inodes.nodes[inode];
  if (node?.type === "file") return node.content;
  if (node?.type === "symlink") {
    return encodedContent(node.target.length, encodeSymlink, node);
  }
  if (node?.type !== "directory") return encodedContent(0, () => {});
  // mkfs writes the first frag of the root whole, with free entries in it beyond the directory's end.
  const least = inode === UFSROOTINO ? sizes.fs_fsize : 0;
  const content = encodedContent(Math.max(least, demand.sizes[inode] ?? 0), encodeEntries, { inodes, inode });
  return content.sizeBytes > LARGE_DIRECTORY_BYTES ? kept(content) : content;
}

function encodeSymlink(bytes: Uint8Array, { target }: Symlink): void {
  bytes.set(bytesOf(target));
}

function encodeEntries(target: Uint8Array, { inodes, inode }: { inodes: Numbering; inode: number }): void {
  encodeDirectory(inode, inodes.parents[inode] ?? 0, inodes.entriesOf(inode), target);
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
