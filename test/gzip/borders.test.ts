import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryContent } from "../../src/bytes/index.ts";
import { blockRanges } from "../../src/gzip/index.ts";
import { type Extent, extent, type Layout, makeLayout } from "../../src/layout/index.ts";

const NOMINAL = 65_536;
const unread = (sizeBytes: number) => ({ sizeBytes, read: () => Promise.reject(new Error("borders need no bytes")) });

/** Files one after the other on borders of 1024 bytes, with a piece of metadata now and then. */
function files(sizes: readonly number[], shiftBytes = 0): Layout {
  let offset = shiftBytes;
  const extents: Extent[] = shiftBytes > 0 ? [extent(0, { what: "metadata" }, unread(shiftBytes))] : [];
  sizes.forEach((size, i) => {
    extents.push(extent(offset, { what: "data", path: `/usr/lib/file${i}` }, unread(size)));
    offset += Math.ceil(size / 1024) * 1024;
  });
  return makeLayout(offset, extents);
}

const manySizes = Array.from({ length: 400 }, (_, i) => 200 + ((i * 7919) % 30_000));

describe("blockRanges", () => {
  test("cover any layout without gaps, none larger than twice the nominal size (property)", () => {
    const pieces = fc.array(
      fc.record({ gap: fc.nat(150_000), size: fc.integer({ min: 1, max: 300_000 }), isFile: fc.boolean() }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(pieces, fc.nat(200_000), (list, tail) => {
        let end = 0;
        const extents = list.map(({ gap, size, isFile }, i) => {
          const at = end + gap;
          end = at + size;
          return extent(at, { what: "x", path: isFile ? `/${i}` : undefined }, unread(size));
        });
        let at = 0;
        for (const { offset, length } of blockRanges(makeLayout(end + tail, extents), NOMINAL)) {
          expect(offset).toBe(at);
          expect(length).toBeGreaterThan(0);
          expect(length).toBeLessThanOrEqual(2 * NOMINAL);
          at += length;
        }
        expect(at).toBe(end + tail);
      }),
    );
  });

  test("blocks are neither many nor few: half the nominal size at least, but at edges", () => {
    const lengths = [...blockRanges(files(manySizes), NOMINAL)].map(({ length }) => length);
    expect(lengths.slice(0, -1).every((length) => length >= NOMINAL / 2)).toBe(true);
    const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    expect(mean).toBeGreaterThan(NOMINAL * 0.6);
    expect(mean).toBeLessThan(NOMINAL * 1.6);
  });

  test("what is shifted is cut at the same places of its files, but for the first blocks", () => {
    const cuts = (layout: Layout): Set<string> => {
      const set = new Set<string>();
      for (const { offset } of blockRanges(layout, NOMINAL)) {
        const found = layout.extents.find((one) => one.offset <= offset && offset < one.offset + one.length);
        set.add(`${found?.owner.path} ${offset - (found?.offset ?? 0)}`);
      }
      return set;
    };
    const before = cuts(files(manySizes));
    const shifted = cuts(files(manySizes, 40_960));
    const grown = cuts(files(manySizes.map((size, i) => (i === 20 ? size + 77_777 : size))));
    const same = (others: Set<string>): number => [...others].filter((one) => before.has(one)).length / before.size;
    expect(same(shifted)).toBeGreaterThan(0.9);
    expect(same(grown)).toBeGreaterThan(0.9);
  });

  test("a large file is cut at fixed places of the file", () => {
    const layout = files([5000, 1_000_000]);
    const inside = [...blockRanges(layout, NOMINAL)].map(({ offset }) => offset - 5120).filter((offset) => offset > 0);
    expect(inside.length).toBeGreaterThan(10);
    expect(inside.every((offset) => offset % NOMINAL === 0)).toBe(true);
  });

  test("an empty layout has no block; a gap is cut into blocks of its own", () => {
    expect([...blockRanges(makeLayout(0, []), NOMINAL)]).toEqual([]);
    const layout = makeLayout(300_000, [extent(0, { what: "x" }, memoryContent(new Uint8Array(1000)))]);
    expect([...blockRanges(layout, 100_000)].map(({ length }) => length)).toEqual([1000, 100_000, 100_000, 99_000]);
  });
});
