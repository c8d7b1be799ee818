import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { memoryContent, readAll } from "../../src/bytes/index.ts";
import { createGunzip } from "../../src/node/gunzip.ts";

const gunzip = createGunzip();
const packed = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));
const small = new TextEncoder().encode("small ".repeat(100));

describe("gunzip", () => {
  test.each([
    ["small", small],
    ["empty", new Uint8Array(0)],
    ["big", new Uint8Array(9 << 20).fill(7)],
  ])("%s", async (_, bytes) => {
    const plain = await readAll(await gunzip(memoryContent(packed(bytes))));
    expect(Buffer.compare(plain, bytes)).toBe(0);
  });
  test.each([
    ["no gzip", small, "bad-format"],
    ["nothing", new Uint8Array(0), "truncated"],
    ["cut off", packed(small).subarray(0, 20), /truncated|bad-format|limit/],
    ["a wrong CRC", packed(small).map((byte, i, all) => (i === all.length - 8 ? byte ^ 1 : byte)), "bad-format"],
    ["damaged data", packed(small).map((byte, i) => (i === 15 ? byte ^ 0xff : byte)), /truncated|bad-format/],
    [
      "more than the trailer says",
      packed(small)
        .map((byte, i, all) => (i >= all.length - 4 ? 1 : byte))
        .fill(0, -3),
      "bad-format",
    ],
  ])("%s is an error", async (_, bytes, code) => {
    await expect(gunzip(memoryContent(bytes)).then(readAll)).rejects.toMatchObject({
      code: expect.stringMatching(code),
    });
  });
});
