import { setTimeout } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32, ImageError, memoryContent, type StreamHasher } from "../../src/bytes/index.ts";
import { emitGzip, type GzipOptions, header, inThreadCompressor, pakoEngine, trailer } from "../../src/gzip/index.ts";
import { extent, type Layout, layoutBytes, makeLayout } from "../../src/layout/index.ts";
import { collectingSink, concatenate, sampleBytes } from "./samples.ts";

const owner = { what: "data" };

async function gzip(layout: Layout, options: GzipOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const sink = collectingSink();
  const { sizeBytes } = await emitGzip(layout, sink, inThreadCompressor(pakoEngine), options);
  expect(sink.bytes().length).toBe(sizeBytes);
  return sink.bytes();
}

/** Data, a hole, zeros that are data, data that ends inside a block. */
function patchwork(): Layout {
  return makeLayout(1_000_003, [
    extent(0, owner, memoryContent(sampleBytes(150_001, 1))),
    extent(300_000, owner, memoryContent(new Uint8Array(200_000))),
    extent(500_000, owner, memoryContent(sampleBytes(250_000, 2))),
    extent(999_000, owner, memoryContent(sampleBytes(1003, 3))),
  ]);
}

/** Lets one update end before the next one begins, as a thread does. */
function inOrder(hasher: StreamHasher): StreamHasher {
  let before = Promise.resolve();
  return {
    ...hasher,
    update(bytes) {
      before = before.then(() => hasher.update(bytes));
      return before;
    },
  };
}

describe("emitGzip", () => {
  test("gunzip gives the layout's bytes, at every level and for several block sizes", async () => {
    const layout = patchwork();
    const plain = Buffer.from(await layoutBytes(layout));
    for (let level = 0; level <= 9; level++) {
      expect(gunzipSync(await gzip(layout, { level, blockBytes: 65_536 })).equals(plain)).toBe(true);
    }
    for (const blockBytes of [32_768, 40_000, 2 ** 20]) {
      expect(gunzipSync(await gzip(layout, { blockBytes })).equals(plain)).toBe(true);
    }
  });

  test("header and trailer are RFC 1952's, without a time", async () => {
    const layout = patchwork();
    const bytes = await gzip(layout);
    expect(header.decode(bytes)).toEqual({ ID: 0x8b1f, CM: 8, FLG: 0, MTIME: 0, XFL: 0, OS: 3 });
    expect(trailer.decode(bytes, bytes.length - 8)).toEqual({
      CRC32: crc32(await layoutBytes(layout)),
      ISIZE: layout.sizeBytes,
    });
  });

  test("an empty layout is an empty member", async () => {
    const bytes = await gzip(makeLayout(0, []));
    expect(bytes.length).toBe(10 + 2 + 8);
    expect(gunzipSync(bytes).length).toBe(0);
  });

  test("is at most 1.03 times as large as gzip's own", async () => {
    const plain = sampleBytes(3_000_000, 5);
    const ours = await gzip(makeLayout(plain.length, [extent(0, owner, memoryContent(plain))]));
    expect(ours.length / gzipSync(plain, { level: 6 }).length).toBeLessThan(1.03);
  });

  test("holes cost next to nothing and are compressed once", async () => {
    let jobs = 0;
    const compressor = inThreadCompressor(pakoEngine);
    const counting: typeof compressor = {
      ...compressor,
      compress(job) {
        jobs++;
        return compressor.compress(job);
      },
    };
    const { sizeBytes } = await emitGzip(makeLayout(2 ** 28, []), collectingSink(), counting);
    expect(jobs).toBe(1);
    expect(sizeBytes).toBeLessThan(2 ** 28 / 900);
  });

  test("the hasher sees every byte in order", async () => {
    const seen: Uint8Array[] = [];
    const hasher: StreamHasher = {
      async update(bytes) {
        await setTimeout(seen.length % 3);
        seen.push(bytes.slice()); // late: the memory must not have been used again
      },
      digestsHex: async () => [],
    };
    const layout = patchwork();
    await gzip(layout, { hasher: inOrder(hasher), blockBytes: 65_536 });
    expect(Buffer.from(concatenate(seen)).equals(await layoutBytes(layout))).toBe(true);
  });

  test("progress ends at the size", async () => {
    const seen: number[] = [];
    await gzip(patchwork(), { onProgress: (bytes) => seen.push(bytes), blockBytes: 65_536 });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1_000_003);
  });

  test("4 GiB are refused before anything is read", async () => {
    const content = { sizeBytes: 2 ** 32, read: () => Promise.reject(new Error("read")) };
    const refused = gzip(makeLayout(2 ** 32, [extent(0, owner, content)]));
    await expect(refused).rejects.toMatchObject({ code: "limit", field: "ISIZE" });
  });

  test("options out of range are refused", async () => {
    for (const options of [{ level: 10 }, { level: 1.5 }, { level: -1 }, { blockBytes: 1000 }]) {
      await expect(gzip(patchwork(), options)).rejects.toMatchObject({ code: "invalid-argument" });
    }
  });

  test("a content that fails, and an abort, end it with that error", async () => {
    const failing = {
      sizeBytes: 500_000,
      read: () => Promise.reject(new ImageError("input-changed", "it changed")),
    };
    const broken = gzip(makeLayout(10 ** 6, [extent(0, owner, failing)]));
    await expect(broken).rejects.toMatchObject({ code: "input-changed" });

    const abort = new AbortController();
    const aborted = gzip(patchwork(), {
      blockBytes: 32_768,
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(aborted).rejects.toMatchObject({ code: "interrupted" });
  });

  test("any layout survives (property)", async () => {
    const pieces = fc.array(
      fc.record({ gap: fc.nat(70_000), data: fc.uint8Array({ minLength: 1, maxLength: 70_000 }) }),
      {
        maxLength: 5,
      },
    );
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(40_000), fc.integer({ min: 0, max: 9 }), async (list, tail, level) => {
        let end = 0;
        const extents = list.map(({ gap, data }) => {
          const at = end + gap;
          end = at + data.length;
          return extent(at, owner, memoryContent(data));
        });
        const layout = makeLayout(end + tail, extents);
        const unpacked = gunzipSync(await gzip(layout, { level, blockBytes: 32_768 }));
        return unpacked.equals(await layoutBytes(layout));
      }),
      { numRuns: 40 },
    );
  });
});
