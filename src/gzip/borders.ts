// Where the blocks of an archive begin and end. Borders follow the layout: they lie where files begin, and inside large files
// at fixed places of the file. So a file that grows shifts the blocks behind it, but leaves most of them what they were, and
// a cache knows them (src/node/block-cache.ts). They depend on the layout only, never on the number of threads.

import { fnv1a, type Range } from "../bytes/index.ts";
import type { Extent, Layout } from "../layout/index.ts";

/**
 * The layout in consecutive blocks of about `nominalBytes`, at most twice that. Long gaps are blocks of their own, which
 * are known to be zeros without being read.
 */
export function* blockRanges(layout: Layout, nominalBytes: number): Generator<Range> {
  const leastBytes = nominalBytes / 2;
  const mostBytes = 2 * nominalBytes;
  let start = 0;
  let end = 0; // of the extents so far
  let before: Extent | undefined;
  function* cutAt(offset: number): Generator<Range> {
    for (; offset > start; start = Math.min(offset, start + mostBytes)) {
      yield { offset: start, length: Math.min(offset - start, mostBytes) };
    }
  }
  function* cutGap(to: number): Generator<Range> {
    if (to - end < nominalBytes) return;
    yield* cutAt(end);
    while (to > start) yield* cutAt(Math.min(to, start + nominalBytes));
  }
  for (const extent of layout.extents) {
    const { offset, length, contentOffset } = extent;
    yield* cutGap(offset);
    const firstInside = offset + nominalBytes - (contentOffset % nominalBytes);
    const isFull = Math.min(firstInside, offset + length) - start > mostBytes;
    if (isFull || (offset - start >= leastBytes && mayBegin(extent, before))) yield* cutAt(offset);
    for (let inside = firstInside; inside < offset + length; inside += nominalBytes) {
      if (inside - start >= leastBytes) yield* cutAt(inside);
    }
    end = offset + length;
    before = extent;
  }
  yield* cutGap(layout.sizeBytes);
  yield* cutAt(layout.sizeBytes);
}

/** Where metadata follow files or the other way round, and at every fourth file, by its name: not by its place, which shifts. */
function mayBegin({ owner, contentOffset }: Extent, before: Extent | undefined): boolean {
  if ((owner.path === undefined) !== (before?.owner.path === undefined)) return true;
  return owner.path !== undefined && contentOffset === 0 && fnv1a(owner.path) % 4 === 0;
}
