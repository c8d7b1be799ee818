import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryContent } from "../../src/bytes/index.ts";
import {
  type BlockCompressor,
  deflateRoomBytes,
  emitGzip,
  inThreadCompressor,
  pakoEngine,
} from "../../src/gzip/index.ts";
import { extent, makeLayout } from "../../src/layout/index.ts";
import {
  chooseEngine,
  createCompressor,
  createHasher,
  createStreamHasher,
  threadedCompressor,
} from "../../src/node/index.ts";
import { collectingSink, sampleBytes } from "../gzip/samples.ts";
import { type Compiled, compileNodeRoom } from "./compiled.ts";
import { temporaryDirectory } from "./temporary.ts";

const plain = sampleBytes(1_200_000, 1);
const layout = makeLayout(2_000_000, [
  extent(0, { what: "data" }, memoryContent(plain.subarray(0, 500_000))),
  extent(1_100_000, { what: "data" }, memoryContent(plain.subarray(500_000))),
]);
const job = (length: number) => ({
  input: sampleBytes(length, 2),
  dictionary: undefined,
  level: 6,
  output: new Uint8Array(new SharedArrayBuffer(deflateRoomBytes(length))),
});
const PAKO = { engine: "pako" } as const;

let compiled: Compiled;
beforeAll(() => {
  compiled = compileNodeRoom();
});
afterAll(() => compiled.remove());

async function gzipWith(compressor: BlockCompressor): Promise<Buffer> {
  const sink = collectingSink();
  try {
    await emitGzip(layout, sink, compressor, { blockBytes: 65_536 });
  } finally {
    await compressor.close();
  }
  return Buffer.from(sink.bytes());
}

describe("threadedCompressor", () => {
  test("the bytes do not depend on engine and number of threads", async () => {
    const expected = await gzipWith(inThreadCompressor(pakoEngine));
    expect(gunzipSync(expected).subarray(0, 500_000).equals(plain.subarray(0, 500_000))).toBe(true);
    for (const workers of [1, 2, 5]) {
      expect(
        (await gzipWith(threadedCompressor(compiled.file("deflate-thread"), workers, PAKO))).equals(expected),
      ).toBe(true);
    }
    const best = chooseEngine("auto");
    expect(
      (await gzipWith(threadedCompressor(compiled.file("deflate-thread"), 2, { engine: best }))).equals(expected),
    ).toBe(true);
    expect((await gzipWith(createCompressor({ workers: 0 }))).equals(expected)).toBe(true);
  });

  test("jobs get their own results, whatever the order", async () => {
    const pool = threadedCompressor(compiled.file("deflate-thread"), 3, PAKO);
    const lengths = Array.from({ length: 30 }, (_, i) => ((i * 37_003) % 90_000) + 1);
    const blocks = await Promise.all(
      lengths.map(async (length) => {
        const one = job(length);
        return { ...(await pool.compress(one)), ...one };
      }),
    );
    for (const { sizeBytes, crc32, input, output } of blocks) {
      expect(crc32).toBe(pakoEngine.crc32(input));
      expect(Buffer.from(output.subarray(0, sizeBytes)).equals(pakoEngine.deflateBlock(input, undefined, 6))).toBe(
        true,
      );
    }
    await pool.close();
  });

  test.each([
    ["throws at its start", "throw new Error('no room')", /died: no room/],
    ["throws at a job", "parentPort.on('message', () => { throw new Error('broken'); })", /died: broken/],
    ["exits", "parentPort.on('message', () => process.exit(7))", /ended with status 7/],
    [
      "reports a failure",
      "parentPort.on('message', ({ id }) => parentPort.postMessage({ id, error: { message: 'bad level' } }))",
      /bad level/,
    ],
  ])("a thread that %s fails the jobs, and does not hang them", async (_, body, message) => {
    const file = path.join(temporaryDirectory(), "worker.mjs");
    writeFileSync(file, `import { parentPort } from "node:worker_threads"; ${body}`);
    const pool = threadedCompressor(file, 2, PAKO);
    const jobs = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((length) => pool.compress(job(length))));
    for (const { status, reason } of jobs as PromiseRejectedResult[]) {
      expect(status).toBe("rejected");
      expect(String(reason)).toMatch(message);
    }
    await pool.close();
  });

  test("a dead thread ends the whole pipe with its error", async () => {
    const file = path.join(temporaryDirectory(), "worker.mjs");
    writeFileSync(
      file,
      `import { parentPort } from "node:worker_threads"; parentPort.on("message", () => process.exit(9));`,
    );
    await expect(gzipWith(threadedCompressor(file, 2, PAKO))).rejects.toThrow("ended with status 9");
  });

  test("close ends threads and rejects what is under way", async () => {
    const pool = threadedCompressor(compiled.file("deflate-thread"), 2, PAKO);
    await pool.compress(job(10));
    const underWay = Array.from({ length: 8 }, () => pool.compress(job(400_000)));
    const settled = Promise.allSettled(underWay);
    await pool.close();
    expect((await settled).some(({ status }) => status === "rejected")).toBe(true);
    await expect(pool.compress(job(10))).rejects.toThrow("ended");
  });
});

test("a stream hasher gives the digests of all bytes in the order of the calls", async () => {
  const pieces = Array.from({ length: 40 }, (_, i) => sampleBytes(1 + ((i * 7919) % 40_000), i));
  const hasher = createStreamHasher(["sha1", "sha256"]);
  await Promise.all(pieces.map((piece) => hasher.update(piece)));
  const expected = ["sha1", "sha256"].map((name) => createHash(name).update(Buffer.concat(pieces)).digest("hex"));
  expect(await hasher.digestsHex()).toEqual(expected);
  await hasher.close();
});

describe("createHasher", () => {
  test('gives the known digests of "abc" (FIPS 180)', () => {
    for (const [algorithm, digest] of [
      ["sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"],
      ["sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    ] as const) {
      const hasher = createHasher(algorithm);
      hasher.update(Buffer.from("a"));
      hasher.update(Buffer.from("bc"));
      expect(hasher.digestHex()).toBe(digest);
    }
  });
});
