// node:zlib against the inflater in src/gzip: the same bytes, the same end, the same kind of error.

import { deflateRawSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Content, ImageError, memoryContent } from "../../src/bytes/index.ts";
import { createInflater, type SequentialInflater, startPosition } from "../../src/gzip/index.ts";
import { createZlibInflater } from "../../src/node/zlib-inflater.ts";

async function drain(inflater: SequentialInflater, readBytes: number) {
  const pieces: Uint8Array[] = [];
  try {
    for (;;) {
      const target = new Uint8Array(readBytes);
      const length = await inflater.read(target);
      pieces.push(target.subarray(0, length));
      if (length < readBytes) break;
    }
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return error.code;
  } finally {
    inflater.close?.();
  }
  return { bytes: Buffer.concat(pieces).toString("hex"), end: inflater.endOffset, out: inflater.outputOffset };
}

const ours = (content: Content, offset: number) => createInflater(content, startPosition(offset));

describe("node:zlib as inflater", () => {
  test("bytes, end and errors are those of our own", async () => {
    const plain = fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 2000 })));
    const damage = fc.constantFrom("none", "cut", "flip", "trailing" as const);
    await fc.assert(
      fc.asyncProperty(
        plain,
        fc.integer({ min: 1, max: 100_000 }),
        damage,
        fc.nat(),
        async (runs, step, how, where) => {
          const data = Buffer.concat(runs.map(([bytes, times]) => Buffer.alloc(bytes.length * times, bytes)));
          let packed = Buffer.concat([Buffer.from("head"), deflateRawSync(data)]);
          const at = 4 + (where % (packed.length - 4));
          if (how === "cut") packed = packed.subarray(0, at);
          if (how === "flip") packed[at] = (packed[at] ?? 0) ^ 0x10;
          if (how === "trailing") packed = Buffer.concat([packed, Buffer.from("something behind it")]);
          const content = memoryContent(packed);
          const [zlib, own] = [await drain(createZlibInflater(content, 4), step), await drain(ours(content, 4), step)];
          if (how !== "flip") expect(zlib).toEqual(own);
          else if (typeof own !== "string") expect(zlib).toEqual(own);
          else expect(typeof zlib).toBe("string"); // which of the two codes depends on how far each looks ahead
        },
      ),
      { numRuns: 100 },
    );
  });

  test("more than one piece", async () => {
    const data = Buffer.alloc(3_000_000);
    for (let i = 0; i < data.length; i++) data[i] = (i * 2654435761) >>> (i % 23);
    const content = memoryContent(Buffer.concat([deflateRawSync(data), Buffer.alloc(600_000, 1)]));
    const result = await drain(createZlibInflater(content, 0), 1 << 18);
    expect(result).toEqual(await drain(ours(content, 0), 1 << 18));
  });

  test("an error of the source comes through, and leaving early is no error", async () => {
    const broken: Content = {
      sizeBytes: 100,
      read: () => Promise.reject(new ImageError("input-changed", "gone")),
    };
    expect(await drain(createZlibInflater(broken, 0), 10)).toBe("input-changed");
    const inflater = createZlibInflater(memoryContent(deflateRawSync(Buffer.alloc(1_000_000))), 0);
    expect(await inflater.read(new Uint8Array(10))).toBe(10);
    inflater.close?.();
  });
});
