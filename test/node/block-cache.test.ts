import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BlockJob, deflateRoomBytes, pakoEngine } from "../../src/gzip/index.ts";
import { compressWithCache, defaultCacheDirectory, pruneDirectory } from "../../src/node/block-cache.ts";
import { sampleBytes } from "../gzip/samples.ts";
import { type Compiled, compileNodeRoom } from "./compiled.ts";
import { temporaryDirectory } from "./temporary.ts";

const job = (length: number, level = 4, seed = 1): BlockJob => ({
  input: sampleBytes(length, seed),
  dictionary: sampleBytes(30_000, 7),
  level,
  output: new Uint8Array(deflateRoomBytes(length)),
});
const filesOf = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => path.join(one.parentPath, one.name));

/** What a compressor makes of a job, and whether it knew it. */
function outcome(compress: ReturnType<typeof compressWithCache>, one: BlockJob) {
  const { sizeBytes, crc32, isCached = false } = compress(one);
  return { bytes: Buffer.from(one.output.subarray(0, sizeBytes)), crc32, isCached };
}

describe("the cache of compressed blocks", () => {
  test("gives what was made before, and the same bytes as without it", () => {
    const cacheDirectory = temporaryDirectory();
    const plain = outcome(compressWithCache({ engine: "pako" }), job(50_000));
    const first = outcome(compressWithCache({ engine: "pako", cacheDirectory }), job(50_000));
    const second = outcome(compressWithCache({ engine: "pako", cacheDirectory }), job(50_000));
    expect(first).toEqual(plain);
    expect(second).toEqual({ ...plain, isCached: true });
    expect(plain.bytes.equals(pakoEngine.deflateBlock(job(50_000).input, job(50_000).dictionary, 4))).toBe(true);
  });

  test("both engines share it", () => {
    const cacheDirectory = temporaryDirectory();
    outcome(compressWithCache({ engine: "zlib", cacheDirectory }), job(9000));
    expect(outcome(compressWithCache({ engine: "pako", cacheDirectory }), job(9000)).isCached).toBe(true);
  });

  test("input, dictionary and level each make another entry", () => {
    const compress = compressWithCache({ engine: "pako", cacheDirectory: temporaryDirectory() });
    const one = job(9000);
    compress(one);
    const others: BlockJob[] = [
      job(9000, 5),
      job(9000, 4, 2),
      { ...one, dictionary: undefined },
      { ...one, dictionary: sampleBytes(30_000, 8) },
      // the same bytes, cut elsewhere
      { ...one, dictionary: one.dictionary?.subarray(0, 29_999), input: sampleBytes(9001, 1) },
    ];
    for (const other of others) expect(outcome(compress, other).isCached).toBe(false);
    expect(outcome(compress, one).isCached).toBe(true);
  });

  test("a damaged entry is seen, dropped and made anew, wherever it is damaged", () => {
    const cacheDirectory = temporaryDirectory();
    const compress = compressWithCache({ engine: "pako", cacheDirectory });
    const good = outcome(compress, job(3000));
    const [file = ""] = filesOf(cacheDirectory);
    const whole = readFileSync(file);
    const flipped = [0, 8, 12, whole.length - 1].map((at) => {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return bytes;
    });
    const cut = [0, 5, 12, whole.length - 1].map((length) => whole.subarray(0, length));
    const grown = [Buffer.concat([whole, whole]), Buffer.alloc(1 << 20, 1)];
    for (const bytes of [...flipped, ...cut, ...grown]) {
      writeFileSync(file, bytes);
      expect(outcome(compress, job(3000))).toEqual(good);
      expect(readFileSync(file).equals(whole)).toBe(true);
    }
  });

  test("one that cannot be written to is no error", () => {
    const file = path.join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    const compress = compressWithCache({ engine: "pako", cacheDirectory: path.join(file, "below a file") });
    expect(outcome(compress, job(3000))).toEqual(outcome(compressWithCache({ engine: "pako" }), job(3000)));
  });

  test("several threads and builds may use it at once", async () => {
    const cacheDirectory = temporaryDirectory();
    const { threadedCompressor } = await import("../../src/node/compressor.ts");
    const pools = [1, 2].map(() =>
      threadedCompressor(compiled.file("deflate-thread"), 2, { engine: "pako", cacheDirectory }),
    );
    const expected = Array.from({ length: 12 }, (_, i) =>
      outcome(compressWithCache({ engine: "pako" }), job(20_000, 4, i)),
    );
    const results = await Promise.all(
      pools.flatMap((pool) =>
        expected.map(async ({ bytes, crc32 }, i) => {
          const one = { ...job(20_000, 4, i), output: pool.allocate(deflateRoomBytes(20_000)) };
          const made = await pool.compress(one);
          return made.crc32 === crc32 && bytes.equals(one.output.subarray(0, made.sizeBytes));
        }),
      ),
    );
    for (const pool of pools) await pool.close();
    expect(new Set(results)).toEqual(new Set([true]));
    expect(filesOf(cacheDirectory)).toHaveLength(12);
  });
});

let compiled: Compiled;
beforeAll(() => {
  compiled = compileNodeRoom();
});
afterAll(() => compiled.remove());

describe("pruneDirectory", () => {
  test("what was not used for longest goes first, until the bound is kept", () => {
    const directory = temporaryDirectory();
    for (let i = 0; i < 10; i++) {
      writeFileSync(path.join(directory, `${i}`), Buffer.alloc(100));
      utimesSync(path.join(directory, `${i}`), 1000, 1000 + ((i * 7) % 10));
    }
    pruneDirectory(directory, 450);
    // times 1000 + 7i mod 10: the four newest are those with 9, 8, 7, 6
    expect(readdirSync(directory).sort()).toEqual(["1", "4", "7", "8"].sort());
  });

  test("temporary files of killed builds go after an hour, others' do not", () => {
    const directory = temporaryDirectory();
    for (const [name, age] of [
      [".old", 3601],
      [".new", 10],
      ["block", 999_999],
    ] as const) {
      writeFileSync(path.join(directory, name), "x");
      utimesSync(path.join(directory, name), 1e9 - age, 1e9 - age);
    }
    pruneDirectory(directory, 1000, 1e12);
    expect(readdirSync(directory).sort()).toEqual([".new", "block"]);
  });

  test("a hit counts as use", () => {
    const cacheDirectory = temporaryDirectory();
    const compress = compressWithCache({ engine: "pako", cacheDirectory });
    compress(job(3000));
    const [file = ""] = filesOf(cacheDirectory);
    utimesSync(file, 1, 1);
    compress(job(3000));
    expect(statSync(file).mtimeMs).toBeGreaterThan(1e12);
  });

  test("a directory that is missing is no error", () => {
    expect(() => pruneDirectory(path.join(temporaryDirectory(), "nowhere"), 1)).not.toThrow();
  });
});

test("the platform's cache folder", () => {
  expect(defaultCacheDirectory({ XDG_CACHE_HOME: "/x/cache" }, "linux")).toBe("/x/cache/pureboot");
  expect(defaultCacheDirectory({ XDG_CACHE_HOME: "relative" }, "linux")).toMatch(/\.cache\/pureboot$/);
  expect(defaultCacheDirectory({}, "darwin")).toMatch(/Library\/Caches\/pureboot$/);
});
