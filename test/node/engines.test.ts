import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32 } from "../../src/bytes/index.ts";
import { type DeflateEngine, pakoEngine } from "../../src/gzip/index.ts";
import { chooseEngine, givesReferenceBytes, PROBE_CRC32, probeCrc32, zlibEngine } from "../../src/node/index.ts";
import { sampleBytes } from "../gzip/samples.ts";

describe("engines", () => {
  test("the probe's checksums are pako's", () => {
    expect(PROBE_CRC32).toEqual(probeCrc32(pakoEngine));
  });

  test("the probe tells an engine that gives other bytes", () => {
    const other: DeflateEngine = {
      ...pakoEngine,
      deflateBlock: (input, dictionary, level) => pakoEngine.deflateBlock(input, dictionary, level === 6 ? 5 : level),
    };
    expect(givesReferenceBytes(other)).toBe(false);
  });

  test("a choice by name is kept", () => {
    expect(chooseEngine("pako")).toBe("pako");
    expect(["pako", "zlib"]).toContain(chooseEngine("auto"));
  });

  // Where the probe says that this Node's zlib is another, it is never used, and need not be the same.
  test.runIf(givesReferenceBytes(zlibEngine))("both engines give the same bytes (property)", () => {
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc.tuple(fc.nat(60_000), fc.nat()).map(([length, seed]) => sampleBytes(length, seed)),
      fc
        .tuple(fc.string({ minLength: 1, maxLength: 300 }), fc.nat(100))
        .map(([text, count]) => Buffer.from(text.repeat(count))),
    );
    const dictionaries = fc.option(fc.tuple(fc.integer({ min: 1, max: 32_768 }), fc.nat()), { nil: undefined });
    fc.assert(
      fc.property(inputs, dictionaries, fc.integer({ min: 0, max: 9 }), (input, from, level) => {
        const dictionary = from && sampleBytes(...from);
        const ours = zlibEngine.deflateBlock(input, dictionary, level);
        return Buffer.from(ours).equals(pakoEngine.deflateBlock(input, dictionary, level));
      }),
      { numRuns: 300 },
    );
  });

  test("both compute the same CRC-32", () => {
    const bytes = sampleBytes(100_000, 1);
    expect(zlibEngine.crc32(bytes)).toBe(crc32(bytes));
  });
});
