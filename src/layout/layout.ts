// A layout says where every byte of an image comes from: an ordered list of extents; what lies between them is zeros.
// Planning a file system or an ISO gives a layout; nothing is read before a layout is emitted. A layout is itself
// readable at any place, so that an image can lie inside another one.

import { type Content, ImageError, type Range } from "../bytes/index.ts";

export interface Owner {
  /** What the bytes are: "superblock", "cg 3 inodes", "data", "directory" … */
  readonly what: string;
  /** The path in the tree that they belong to, if any. */
  readonly path?: string | undefined;
}

export interface Extent {
  /** Byte offset in the image. */
  readonly offset: number;
  /** Bytes, at least 1. */
  readonly length: number;
  readonly owner: Owner;
  readonly content: Content;
  /** Where in `content` this extent begins. */
  readonly contentOffset: number;
}

export interface Layout {
  readonly sizeBytes: number;
  /** Sorted by offset, not overlapping. */
  readonly extents: readonly Extent[];
}

/** An extent that shows all of `content` at `offset`. */
export function extent(offset: number, owner: Owner, content: Content): Extent {
  return { offset, length: content.sizeBytes, owner, content, contentOffset: 0 };
}

/**
 * Sorts and checks extents. Empty ones are dropped.
 * @throws Error (a mistake of the planner, never of the user) when extents overlap, or stick out of image or content
 */
export function makeLayout(sizeBytes: number, extents: readonly Extent[]): Layout {
  const sorted = extents.filter(({ length }) => length > 0).sort((a, b) => a.offset - b.offset);
  let end = 0;
  let previous: Extent | undefined;
  for (const next of sorted) {
    if (next.offset < end) {
      throw new Error(
        `layout: ${ownerText(next.owner)} at ${next.offset} overlaps ${previous ? ownerText(previous.owner) : "the start"}`,
      );
    }
    if (next.contentOffset < 0 || next.contentOffset + next.length > next.content.sizeBytes) {
      throw new Error(`layout: ${ownerText(next.owner)} at ${next.offset} reaches beyond its content`);
    }
    end = next.offset + next.length;
    previous = next;
  }
  if (end > sizeBytes) throw new Error(`layout: extents end at ${end}, the image at ${sizeBytes}`);
  return { sizeBytes, extents: sorted };
}

export function ownerText({ what, path }: Owner): string {
  return path === undefined ? what : `${what} ${path}`;
}

/** Index of the first extent that ends after `offset`. */
export function firstExtentAt({ extents }: { readonly extents: readonly Range[] }, offset: number): number {
  let low = 0;
  let high = extents.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { offset: start, length } = extents[middle] as Range; // low <= middle < high: inside the array
    if (start + length > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Fills `target` with the image's bytes from `offset` on, several contents at a time.
 * @throws ImageError whatever the contents throw
 */
export async function readLayout(layout: Layout, target: Uint8Array, offset: number): Promise<void> {
  const end = offset + target.length;
  if (offset < 0 || end > layout.sizeBytes) {
    throw new ImageError("truncated", `bytes ${offset}..${end} are beyond the image's ${layout.sizeBytes}`);
  }
  const reads: Promise<void>[] = [];
  let zeroFrom = offset;
  for (let i = firstExtentAt(layout, offset); i < layout.extents.length; i++) {
    const { offset: start, length, content, contentOffset } = layout.extents[i] as Extent;
    if (start >= end) break;
    const from = Math.max(start, offset);
    const to = Math.min(start + length, end);
    target.fill(0, zeroFrom - offset, from - offset);
    reads.push(content.read(target.subarray(from - offset, to - offset), contentOffset + (from - start)));
    zeroFrom = to;
  }
  target.fill(0, zeroFrom - offset);
  await allEnded(reads); // none may write into `target` after this returned
}

/**
 * Waits for all, also when one fails: then nothing uses memory or files any more that they were given.
 * @throws what the first of them that failed throws
 */
export async function allEnded(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}

/** The image as a content: to read parts of it, or to place it in another layout. */
export function layoutContent(layout: Layout): Content {
  const first = layout.extents[0];
  return {
    sizeBytes: layout.sizeBytes,
    read: (target, offset) => readLayout(layout, target, offset),
    dataRanges: first ? layout.extents.map(({ offset, length }) => ({ offset, length })) : [],
  };
}
