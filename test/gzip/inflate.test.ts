import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageError, memoryContent } from "../../src/bytes/index.ts";
import { createInflater, type InflatePosition, startPosition } from "../../src/gzip/index.ts";
import { concatenate, randomNumbers, sampleBytes } from "./samples.ts";

/** Inflates `data` in reads of `readBytes`; from `position` or the start. */
async function inflate(data: Uint8Array, readBytes = 100_000, position: InflatePosition = startPosition(0)) {
  const inflater = createInflater(memoryContent(data), position);
  const pieces: Uint8Array[] = [];
  for (let length = readBytes; length === readBytes; ) {
    const piece = new Uint8Array(readBytes);
    length = await inflater.read(piece);
    pieces.push(piece.subarray(0, length));
  }
  return { bytes: Buffer.from(concatenate(pieces)), endOffset: inflater.endOffset };
}

/** Streams of every kind that zlib makes: stored, fixed and dynamic blocks, long runs, flush borders. */
function streams(): { name: string; plain: Uint8Array; data: Uint8Array }[] {
  const plains = {
    mixed: sampleBytes(700_000, 1),
    runs: new Uint8Array(500_000).fill(7),
    noise: Uint8Array.from({ length: 200_000 }, randomNumbers(3)),
    short: sampleBytes(40, 2),
    none: new Uint8Array(0),
  };
  const { Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED, Z_FILTERED, Z_FULL_FLUSH } = constants;
  const settings = [
    { level: 0 },
    { level: 1 },
    { level: 6 },
    { level: 9, memLevel: 9 },
    { level: 6, strategy: Z_HUFFMAN_ONLY },
    { level: 6, strategy: Z_RLE },
    { level: 6, strategy: Z_FIXED },
    { level: 6, strategy: Z_FILTERED, memLevel: 1 },
    { level: 6, flush: Z_FULL_FLUSH, windowBits: 9 },
  ];
  return Object.entries(plains).flatMap(([name, plain]) =>
    settings.map((options) => ({
      name: `${name} ${JSON.stringify(options)}`,
      plain,
      data: deflateRawSync(plain, options),
    })),
  );
}

describe("createInflater", () => {
  test.each(streams())("inflates $name", async ({ plain, data }) => {
    const followed = concatenate([data, sampleBytes(100, 9)]);
    const { bytes, endOffset } = await inflate(followed);
    expect(bytes.equals(plain)).toBe(true);
    expect(endOffset).toBe(data.length);
  });

  test("reads of any size give the same", async () => {
    const plain = sampleBytes(300_000, 4);
    const data = deflateRawSync(plain);
    for (const size of [997, 32_768, 131_072, 300_000, 300_001])
      expect((await inflate(data, size)).bytes.equals(plain)).toBe(true);
  });

  test("goes on from a position anywhere (property)", async () => {
    const all = streams().filter(({ plain }) => plain.length > 100);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...all), fc.nat(), async ({ plain, data }, where) => {
        const inflater = createInflater(memoryContent(data), startPosition(0));
        const offset = where % plain.length;
        await inflater.read(new Uint8Array(offset));
        const position = inflater.position();
        expect(position.outputOffset).toBe(offset);
        expect((await inflate(data, 50_000, position)).bytes.equals(plain.subarray(offset))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("a stream that ends early is truncated, wherever it is cut", async () => {
    for (const { data } of streams().filter(({ plain }) => plain.length < 100 && plain.length > 0)) {
      for (let length = 0; length < data.length; length++) {
        await expect(inflate(data.subarray(0, length))).rejects.toMatchObject({ code: "truncated" });
      }
    }
    const long = deflateRawSync(sampleBytes(400_000, 5));
    await expect(inflate(long.subarray(0, long.length - 1))).rejects.toMatchObject({ code: "truncated" });
  });

  test("accepts what zlib accepts, with the same bytes, and refuses the rest with an ImageError (damage)", async () => {
    const random = randomNumbers(11);
    const originals = streams()
      .filter(({ plain }) => plain.length > 0)
      .map(({ data }) => data.subarray(0, 4000));
    const outcomes = { accepted: 0, refused: 0 };
    for (let run = 0; run < 1000; run++) {
      const damaged = Uint8Array.from(originals[run % originals.length] ?? []);
      for (let flips = 1 + (random() % 3); flips > 0; flips--) {
        const at = random() % Math.min(damaged.length, 200);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (random() % 8));
      }
      outcomes[(await agreesWithZlib(damaged)) ? "accepted" : "refused"]++;
    }
    expect(outcomes.refused).toBeGreaterThan(200);
  });

  test("accepts what zlib accepts (arbitrary bytes)", async () => {
    const random = randomNumbers(12);
    for (let run = 0; run < 1200; run++) {
      const bytes = Uint8Array.from({ length: 1 + (random() % 80) }, random);
      await agreesWithZlib(bytes);
    }
  });
});

/** Whether zlib takes `data`; fails where the inflater does otherwise. */
async function agreesWithZlib(data: Uint8Array): Promise<boolean> {
  let expected: Buffer | undefined;
  try {
    expected = inflateRawSync(data);
  } catch {
    expected = undefined;
  }
  let actual: Buffer | undefined;
  try {
    actual = (await inflate(data)).bytes;
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
  }
  if (expected === undefined) expect(actual).toBeUndefined();
  else expect(actual && expected.equals(actual)).toBe(true);
  return expected !== undefined;
}
