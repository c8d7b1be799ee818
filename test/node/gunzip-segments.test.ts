import { deflateRawSync, gzipSync, constants as zlib } from "node:zlib";
import { describe, expect, test } from "vitest";
import { memoryContent, readAll, readBytes } from "../../src/bytes/index.ts";
import { likelyBorders } from "../../src/gzip/block-borders.ts";
import { segmentedGunzip } from "../../src/node/gunzip-segments.ts";
import { unpackCache } from "../../src/source/index.ts";

const SEGMENT = 1 << 16;
const SIZE = 1_500_000;

/** Words, with stretches that are packed hard or not at all. */
function mixed(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let at = 0; at < sizeBytes; ) {
    const kind = random(20);
    const end = Math.min(sizeBytes, at + 1 + random(kind === 0 ? 100_000 : 3000));
    const distance = 1 + random(Math.min(at + 1, 30_000));
    for (; at < end; at++)
      bytes[at] = kind < 2 ? random(256) : kind === 2 ? 0 : kind < 9 ? (bytes[at - distance] ?? 1) : 97 + random(9);
  }
  return bytes;
}
const plain = mixed(SIZE);
const noise = plain.map((_, i) => (Math.imul(i + 1, 2654435761) >>> 13) ^ (i >>> 3));
const zeros = new Uint8Array(40 << 20);

/** Zeros as one block of fixed codes: a literal, and matches of 258 with what is one byte before (RFC 1951 3.2.6). */
function zerosInOneBlock(sizeBytes: number): Uint8Array {
  const matches = Math.floor((sizeBytes - 1) / 258);
  const literals = sizeBytes - matches * 258;
  const bits = ["1", "10"];
  for (let i = 0; i < literals; i++) bits.push("00110000");
  // Length symbol 285 is 11000101, distance symbol 0 is 00000; end of block is 0000000.
  const text = `${bits.join("")}${"1100010100000".repeat(matches)}0000000`;
  const packed = new Uint8Array(Math.ceil(text.length / 8));
  for (let i = 0; i < text.length; i++) if (text[i] === "1") packed[i >>> 3] = (packed[i >>> 3] ?? 0) | (1 << (i & 7));
  const frame = gzipSync(new Uint8Array(sizeBytes), { level: 1 });
  return joined(frame.subarray(0, 10), packed, frame.subarray(-8));
}

const joined = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(parts));

const hugeBlock = zerosInOneBlock(zeros.length);

/** How often, and which bytes of the file were read. */
function open(file: Uint8Array<ArrayBuffer>) {
  const inner = memoryContent(file);
  const read = { bytes: 0 };
  const content = {
    sizeBytes: inner.sizeBytes,
    async read(target: Uint8Array, offset: number) {
      read.bytes += target.length;
      await inner.read(target, offset);
    },
  };
  return { content, read };
}

describe("segmentedGunzip", () => {
  test.each([
    ["level 1", gzipSync(plain, { level: 1 }), plain],
    ["level 6", gzipSync(plain), plain],
    ["level 9, small blocks", gzipSync(plain, { level: 9, memLevel: 1 }), plain],
    ["stored", gzipSync(plain, { level: 0 }), plain],
    ["noise", gzipSync(noise), noise],
    ["fixed codes only", gzipSync(plain, { strategy: zlib.Z_FIXED }), plain],
    ["zeros", gzipSync(zeros), zeros],
    ["one block of more than is inflated at once", hugeBlock, zeros],
    ["two members", joined(gzipSync(plain.subarray(0, 700_000)), gzipSync(plain.subarray(700_000))), plain],
    [
      "small members",
      joined(...Array.from({ length: 100 }, (_, i) => gzipSync(plain.subarray(i * 15_000, (i + 1) * 15_000)))),
      plain,
    ],
    ["something behind it", joined(gzipSync(plain), new Uint8Array(600)), plain],
  ])("%s", async (_, file, expected) => {
    const gunzipped = await segmentedGunzip(memoryContent(new Uint8Array(file)), unpackCache(1 << 18), SEGMENT);
    const whole = (await gunzipped.whole?.()) ?? gunzipped;
    expect(whole.sizeBytes).toBe(expected.length);
    expect(Buffer.compare(await readAll(whole), expected)).toBe(0);
    for (let i = 0; i < 20; i++) {
      const offset = (i * 7_654_321) % (expected.length - 100_000);
      expect(Buffer.compare(await readBytes(whole, offset, 100_000), expected.subarray(offset, offset + 100_000))).toBe(
        0,
      );
    }
  });

  test("going back costs one segment", async () => {
    const { content, read } = open(new Uint8Array(gzipSync(plain)));
    const gunzipped = await segmentedGunzip(content, unpackCache(0), SEGMENT);
    await readAll(gunzipped);
    read.bytes = 0;
    await readBytes(gunzipped, 1000, 100);
    expect(read.bytes).toBeLessThan(content.sizeBytes / 8);
    expect(read.bytes).toBeGreaterThan(0);
  });

  test("several reads at once", async () => {
    const gunzipped = await segmentedGunzip(
      memoryContent(new Uint8Array(gzipSync(plain))),
      unpackCache(1 << 18),
      SEGMENT,
    );
    const offsets = Array.from({ length: 50 }, (_, i) => (i * 777_777) % (SIZE - 1000));
    const reads = await Promise.all(offsets.map((offset) => readBytes(gunzipped, offset, 1000)));
    reads.forEach((bytes, i) => {
      const offset = offsets[i] ?? 0;
      expect(Buffer.compare(bytes, plain.subarray(offset, offset + 1000))).toBe(0);
    });
  });

  const sound = new Uint8Array(gzipSync(plain));
  test.each([
    ["cut off", sound.subarray(0, 300_000), /truncated/],
    ["without trailer", sound.subarray(0, -8), /truncated/],
    ["a wrong checksum", sound.map((byte, i) => (i === sound.length - 8 ? byte ^ 1 : byte)), /bad-format/],
    ["damage", sound.map((byte, i) => (i > 200_000 && i < 200_050 ? 0xff : byte)), /bad-format|truncated/],
  ])("%s is an error, and what comes before it is read", async (_, file, code) => {
    // The end of a file that is cut off says any size.
    const gunzipped = await segmentedGunzip(memoryContent(new Uint8Array(file)), unpackCache(), SEGMENT);
    expect(Buffer.compare(await readBytes(gunzipped, 0, 1000), plain.subarray(0, 1000))).toBe(0);
    const all = async () => {
      const whole = await gunzipped.whole?.();
      await readBytes(whole ?? gunzipped, SIZE - 1000, 1000);
    };
    await expect(all()).rejects.toMatchObject({ name: "ImageError", code: expect.stringMatching(code) });
  });
});

test("the borders of blocks with codes of their own, and of stored ones, are likely ones; few others are", () => {
  const pieces = Array.from({ length: 30 }, (_, i) =>
    deflateRawSync(plain.subarray(i * 20_000, (i + 1) * 20_000), {
      finishFlush: zlib.Z_SYNC_FLUSH,
      ...(i % 5 === 0 && { level: 0 }),
    }),
  );
  const packed = joined(...pieces);
  const likely = [...likelyBorders(packed, 0, packed.length * 8 - 1000)];
  let at = 0;
  const missed = pieces.filter(({ length, 0: head = 0 }) => {
    const border = at * 8;
    at += length;
    // A stored block's lengths begin in the next byte: any of the bits before them will do.
    return !likely.some((bit) => bit === border || ((head & 7) === 0 && bit === border + 5));
  });
  expect(missed.map((piece) => (piece[0] ?? 0) & 7)).toEqual([]);
  expect(likely.length).toBeLessThan(3 * pieces.length);
  expect([...likely].sort((a, b) => b - a)).toEqual(likely);
});
