import { constants, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Content, crc32, ImageError, memoryContent, readBytes } from "../../src/bytes/index.ts";
import {
  checkGzip,
  emitGzip,
  gunzipContent,
  inThreadCompressor,
  isGzip,
  pakoEngine,
  readGzipHeader,
  readIsize,
} from "../../src/gzip/index.ts";
import { extent, makeLayout } from "../../src/layout/index.ts";
import { collectingSink, concatenate, randomNumbers, sampleBytes } from "./samples.ts";

const plain = sampleBytes(3_500_000, 1);

async function ours(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const layout = makeLayout(bytes.length, [extent(0, { what: "data" }, memoryContent(bytes))]);
  const sink = collectingSink();
  await emitGzip(layout, sink, inThreadCompressor(pakoEngine));
  return sink.bytes();
}

/** RFC 1952 2.3.1 by hand: a member with all optional fields in front of `member`'s deflate data. */
function withOptionalFields(member: Uint8Array): Uint8Array<ArrayBuffer> {
  const fixed = Uint8Array.of(0x1f, 0x8b, 8, 0x1f, 1, 2, 3, 4, 0, 255);
  const extra = Uint8Array.of(5, 0, 65, 66, 1, 0, 99);
  const head = concatenate([fixed, extra, Buffer.from("n\xe4me\0", "latin1"), Buffer.from("comment\0")]);
  const crc = crc32(head);
  return concatenate([head, Uint8Array.of(crc & 0xff, (crc >>> 8) & 0xff), member.subarray(10)]);
}

describe("headers", () => {
  test("optional fields are understood", async () => {
    const bytes = withOptionalFields(gzipSync("hello"));
    expect(await readGzipHeader(memoryContent(bytes))).toEqual({
      flags: 0x1f,
      mtimeSeconds: 0x04030201,
      name: "n\xe4me",
      comment: "comment",
      crc16: crc32(bytes.subarray(0, 30)) & 0xffff,
      sizeBytes: 32,
    });
    expect((await checkGzip(memoryContent(bytes))).findings).toEqual([]);
    const unpacked = await gunzipContent(memoryContent(bytes));
    expect(Buffer.from(await readBytes(unpacked, 0, 5)).toString()).toBe("hello");
  });

  test("what is no gzip file is refused with the reason", async () => {
    const good = gzipSync("hello");
    const changed = (at: number, value: number): Content => {
      const bytes = Uint8Array.from(good);
      bytes[at] = value;
      return memoryContent(bytes);
    };
    await expect(readGzipHeader(changed(0, 0))).rejects.toMatchObject({ code: "bad-format" });
    await expect(readGzipHeader(changed(2, 7))).rejects.toMatchObject({ code: "unsupported", field: "CM" });
    await expect(readGzipHeader(changed(3, 0x20))).rejects.toMatchObject({ code: "unsupported", field: "FLG" });
    const whole = withOptionalFields(good);
    for (let length = 0; length < 32; length++) {
      await expect(readGzipHeader(memoryContent(whole.subarray(0, length)))).rejects.toMatchObject({
        code: "truncated",
      });
    }
    const endless = concatenate([Uint8Array.of(0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0), new Uint8Array(300_000).fill(65)]);
    await expect(readGzipHeader(memoryContent(endless))).rejects.toMatchObject({ code: "limit" });
    expect([isGzip(good), isGzip(good.subarray(0, 2)), isGzip(plain)]).toEqual([true, false, false]);
  });
});

describe("gunzipContent", () => {
  const archives = {
    "our own": () => ours(plain),
    "zlib's, level 9": async () => gzipSync(plain, { level: 9 }),
    "one of fixed codes": async () => gzipSync(plain, { strategy: constants.Z_FIXED }),
    "a stored one": async () => gzipSync(plain, { level: 0 }),
    "one with optional fields": async () => withOptionalFields(gzipSync(plain)),
  };

  test.each(Object.entries(archives))("reads %s anywhere", async (_, make) => {
    const content = await gunzipContent(memoryContent(await make()));
    expect(content.sizeBytes).toBe(plain.length);
    const random = randomNumbers(2);
    const reads = Array.from({ length: 60 }, async () => {
      const offset = random() % plain.length;
      const length = Math.min(plain.length - offset, random() % 400_000);
      expect(
        Buffer.from(await readBytes(content, offset, length)).equals(plain.subarray(offset, offset + length)),
      ).toBe(true);
    });
    await Promise.all(reads);
  });

  test("going back costs one stretch, not the whole way", async () => {
    const archive = await ours(plain);
    let bytesRead = 0;
    const counted: Content = {
      sizeBytes: archive.length,
      async read(target, offset) {
        bytesRead += target.length;
        target.set(archive.subarray(offset, offset + target.length));
      },
    };
    const large = await gunzipContent(counted);
    for (let offset = 0; offset < plain.length; offset += 500_000) await readBytes(large, offset, 1);
    const content = await gunzipContent(counted); // its chunks are not kept from before
    await readBytes(content, plain.length - 1, 1);
    bytesRead = 0;
    await readBytes(content, 3_300_000, 1);
    expect(bytesRead).toBeLessThan(archive.length / 3);
  });

  test("asks for no more than it is asked for", async () => {
    const bomb = gzipSync(new Uint8Array(200 * 2 ** 20));
    const content = await gunzipContent(memoryContent(bomb));
    const start = performance.now();
    await readBytes(content, 0, 1);
    expect(performance.now() - start).toBeLessThan(100);
    bomb.writeUInt32LE(0xffffffff, bomb.length - 4); // a size that is not there: nothing may be allocated by it
    const lying = await gunzipContent(memoryContent(bomb));
    expect(lying.sizeBytes).toBe(0xffffffff);
    expect(await readBytes(lying, 100, 1)).toEqual(new Uint8Array(1));
  });

  test("an ISIZE that promises too much, and damage, are errors where they are met", async () => {
    const archive = gzipSync(plain);
    archive.writeUInt32LE(plain.length + 10, archive.length - 4);
    const content = await gunzipContent(memoryContent(archive));
    expect(Buffer.from(await readBytes(content, 0, 1000)).equals(plain.subarray(0, 1000))).toBe(true);
    await expect(readBytes(content, plain.length, 1)).rejects.toMatchObject({ code: "truncated", field: "ISIZE" });
    expect(Buffer.from(await readBytes(content, 5000, 1000)).equals(plain.subarray(5000, 6000))).toBe(true);
  });
});

describe("checkGzip", () => {
  const codes = async (bytes: Uint8Array): Promise<string[]> =>
    (await checkGzip(memoryContent(bytes))).findings.map(({ code }) => code);

  test("a sound file has no findings", async () => {
    const archive = await ours(plain);
    expect(await checkGzip(memoryContent(archive))).toMatchObject({
      findings: [],
      memberBytes: archive.length,
      uncompressedBytes: plain.length,
      crc32: crc32(plain),
    });
    expect(await codes(gzipSync(""))).toEqual([]);
  });

  test("each defect has its finding", async () => {
    const good = gzipSync(plain.subarray(0, 100_000));
    const changed = (at: number): Uint8Array => {
      const bytes = Uint8Array.from(good);
      const index = at < 0 ? good.length + at : at;
      bytes[index] = (bytes[index] ?? 0) ^ 1;
      return bytes;
    };
    expect(await codes(changed(-8))).toEqual(["crc"]);
    expect(await codes(changed(-1))).toEqual(["isize"]);
    expect(await codes(good.subarray(0, -3))).toEqual(["truncated"]);
    expect(await codes(good.subarray(0, 5000))).toEqual(["truncated"]);
    expect(await codes(concatenate([good, good]))).toEqual(["several-members"]);
    expect(await codes(concatenate([good, gzipSync("x")]))).toEqual(["several-members", "isize"]);
    expect(await codes(concatenate([good, new Uint8Array(512)]))).toEqual(["trailing-bytes", "isize"]);
    const reserved = Uint8Array.from(good);
    reserved[10] = 0x07; // a block of type 3
    expect(await codes(reserved)).toEqual(["deflate"]);
    const crc16 = withOptionalFields(good);
    crc16[31] = (crc16[31] ?? 0) ^ 1;
    expect(await codes(crc16)).toEqual(["header-crc"]);
  });

  test("any bytes give findings or an ImageError (fuzz)", async () => {
    const good = await ours(sampleBytes(40_000, 3));
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(good.length), async (changes, length) => {
        const bytes = good.slice(0, length < good.length / 2 ? good.length : length);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          await checkGzip(memoryContent(bytes));
          const content = await gunzipContent(memoryContent(bytes));
          await readBytes(content, Math.max(0, content.sizeBytes - 100_000), Math.min(100, content.sizeBytes));
        } catch (error) {
          expect(error).toBeInstanceOf(ImageError);
        }
      }),
      { numRuns: 400 },
    );
  });

  test("readIsize reads the last four bytes and says when there are none", async () => {
    expect(await readIsize(memoryContent(gzipSync(plain)))).toBe(plain.length);
    await expect(readIsize(memoryContent(new Uint8Array(7)))).rejects.toMatchObject({ code: "truncated" });
  });
});
