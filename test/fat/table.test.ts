import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFatPiece, FAT_PIECE_BYTES, type Run, readEntry } from "../../src/fat/table.ts";

describe("entries", () => {
  test("FAT12 packs two entries in three bytes", () => {
    // FAT[0..5] = FF8 FFF 003 004 FFF 000
    const fat = Uint8Array.of(0xf8, 0xff, 0xff, 0x03, 0x40, 0x00, 0xff, 0x0f, 0x00);
    expect([0, 1, 2, 3, 4, 5].map((n) => readEntry(fat, 12, n))).toEqual([0xff8, 0xfff, 0x003, 0x004, 0xfff, 0]);
    const encoded = new Uint8Array(9);
    encodeFatPiece(encoded, 0, 12, 0xf8, [{ first: 2, count: 3 }]);
    expect(encoded).toEqual(fat);
  });
  test("FAT16 and FAT32 are little endian, and FAT32's upper four bits do not count", () => {
    const sixteen = new Uint8Array(12);
    encodeFatPiece(sixteen, 0, 16, 0xf8, [{ first: 3, count: 2 }]);
    expect([...sixteen]).toEqual([0xf8, 0xff, 0xff, 0xff, 0, 0, 4, 0, 0xff, 0xff, 0, 0]);
    const thirtyTwo = new Uint8Array(16);
    encodeFatPiece(thirtyTwo, 0, 32, 0xf8, [{ first: 2, count: 2 }]);
    expect([...thirtyTwo]).toEqual([
      0xf8, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0x0f, 3, 0, 0, 0, 0xff, 0xff, 0xff, 0x0f,
    ]);
    expect(readEntry(Uint8Array.of(1, 2, 3, 0xf4), 32, 0)).toBe(0x04030201);
  });
});

test("pieces are the table, cut", () => {
  const runsArbitrary = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 40_000 })), { maxLength: 6 })
    .map((pairs) => {
      let next = 2;
      return pairs.map(([gap, count]): Run => {
        const first = next + gap;
        next = first + count;
        return { first, count };
      });
    });
  fc.assert(
    fc.property(runsArbitrary, (runs) => {
      const last = runs.at(-1) ?? { first: 2, count: 0 };
      const whole = new Uint8Array(Math.ceil(((last.first + last.count) * 4) / FAT_PIECE_BYTES) * FAT_PIECE_BYTES);
      for (let offset = 0; offset < whole.length; offset += FAT_PIECE_BYTES) {
        encodeFatPiece(whole.subarray(offset, offset + FAT_PIECE_BYTES), offset, 32, 0xf8, runs);
      }
      for (const { first, count } of runs) {
        for (const cluster of [first, first + (count >> 1), first + count - 1]) {
          const expected = cluster === first + count - 1 ? 0x0fffffff : cluster + 1;
          expect(readEntry(whole, 32, cluster)).toBe(expected);
        }
      }
      const used = runs.reduce((sum, { count }) => sum + count, 0);
      let found = 0;
      for (let cluster = 2; cluster < whole.length / 4; cluster++) if (readEntry(whole, 32, cluster) !== 0) found++;
      expect(found).toBe(used);
    }),
    { numRuns: 30 },
  );
});
