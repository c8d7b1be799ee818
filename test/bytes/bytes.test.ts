import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  byteString,
  bytesOf,
  type Content,
  crc32,
  crc32Combine,
  encodedContent,
  fnv1a,
  fnv1aBegin,
  formatSize,
  fromText,
  isPowerOfTwo,
  log2Floor,
  parseSize,
  readBytes,
  roundUp,
  sliceContent,
  textContent,
  toText,
} from "../../src/bytes/index.ts";

describe("byte strings", () => {
  test("keep every byte", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9000 }), (bytes) => {
        expect(bytesOf(byteString(bytes))).toEqual(bytes);
      }),
    );
  });
  test("print as UTF-8 where it is UTF-8, escaped where not, never as control characters", () => {
    expect(toText(fromText("größe"))).toBe("größe");
    expect(toText("caf\xe9")).toBe("caf\\xe9");
    expect(toText("a\x1b[2Jb\n")).toBe("a\\x1b[2Jb\\x0a");
  });
  test("refuse text", () => {
    expect(() => bytesOf("€")).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});

describe("CRC-32", () => {
  test("equals zlib's, whole or in pieces, and combines", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
        const whole = zlibCrc32(Buffer.concat([a, b]));
        expect(crc32(b, crc32(a))).toBe(whole);
        expect(crc32Combine(crc32(a), crc32(b), b.length)).toBe(whole);
      }),
    );
  });
});

describe("contents", () => {
  test("a part of encoded bytes is a part of the whole", async () => {
    const content = encodedContent(10, (target) => target.set([1, 2, 3], 2));
    expect(await readBytes(content, 0, 10)).toEqual(Uint8Array.of(0, 0, 1, 2, 3, 0, 0, 0, 0, 0));
    expect(await readBytes(content, 3, 2)).toEqual(Uint8Array.of(2, 3));
  });
  test("one function encodes for many contents", async () => {
    const encode = (target: Uint8Array, value: number): void => void target.fill(value);
    const contents = [7, 8].map((value) => encodedContent(2, encode, value));
    expect(await Promise.all(contents.map((content) => readBytes(content, 0, 2)))).toEqual([
      Uint8Array.of(7, 7),
      Uint8Array.of(8, 8),
    ]);
    expect(await readBytes(contents[1] as Content, 1, 1)).toEqual(Uint8Array.of(8));
  });
  test("a slice stays inside", async () => {
    const slice = sliceContent(textContent("abcdef"), 2, 3);
    expect(byteString(await readBytes(slice, 1, 2))).toBe("de");
    await expect(readBytes(slice, 2, 2)).rejects.toMatchObject({ code: "truncated" });
    expect(() => sliceContent(textContent("abc"), 2, 2)).toThrow(expect.objectContaining({ code: "truncated" }));
  });
});

describe("fnv1a", () => {
  test("its state is what the hash's authors publish", () => {
    expect(["", "a", "foobar"].map((text) => fnv1aBegin(text) >>> 0)).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  });
  test("goes on where it was left", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), fc.string({ unit: "binary-ascii" }), (a, b) => {
        expect(fnv1a(b, fnv1aBegin(a))).toBe(fnv1a(a + b));
      }),
    );
  });
});

describe("numbers and sizes", () => {
  test("sizes as people write them", () => {
    expect(["4096", "8b", "64k", "512M", "1.5g"].map((text) => parseSize(text, "--size"))).toEqual([
      4096,
      4096,
      65536,
      512 * 2 ** 20,
      1.5 * 2 ** 30,
    ]);
    for (const bad of ["", "12q", "-1", "1.3b", "k", "1e3"]) {
      expect(() => parseSize(bad, "--size")).toThrow(/--size: .* is not a size/);
    }
    expect([0, 1023, 1024, 174063616, 2 ** 42].map(formatSize)).toEqual([
      "0 B",
      "1023 B",
      "1.0 KiB",
      "166.0 MiB",
      "4096.0 GiB",
    ]);
  });
  test("powers and multiples", () => {
    expect([1, 2, 4096].every(isPowerOfTwo) && ![0, 3, 4097].some(isPowerOfTwo)).toBe(true);
    expect([1, 2, 3, 4, 4095, 4096].map(log2Floor)).toEqual([0, 1, 1, 2, 11, 12]);
    expect(roundUp(21846, 64)).toBe(21888);
  });
});
