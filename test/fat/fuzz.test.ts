// Any bytes at all: a reader gives a result or throws an ImageError, soon, and what it gives can be walked.

import fc from "fast-check";
import { expect, test } from "vitest";
import { ImageError, memoryContent, readAll } from "../../src/bytes/index.ts";
import { checkFat, planFat, readFat } from "../../src/fat/index.ts";
import { layoutBytes } from "../../src/layout/index.ts";
import { treeOf, walk } from "../../src/tree/index.ts";
import { TIMES } from "../fuzz/times.ts";
import { foreignImage } from "./foreign.ts";
import { base, patternFile } from "./trees.ts";

async function survive(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const content = memoryContent(bytes);
  try {
    const image = await readFat(content);
    for (const { node } of walk(image.tree)) if (node.type === "file") await readAll(node.content);
    await layoutBytes(image.layout);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
  }
  const findings = await checkFat(content);
  expect(findings.length).toBeLessThanOrEqual(1001);
}

const tree = treeOf(
  [
    ["/EFI/BOOT/BOOTX64.EFI", patternFile(20_000)],
    ["/EFI/BOOT/a long name.conf", patternFile(700)],
    ["/EFI/deep/er/and/deeper/file", patternFile(1)],
    ...Array.from({ length: 40 }, (_, i) => [`/many/file number ${i}`, patternFile(i)] as const),
  ],
  base,
);
const images = [await layoutBytes(planFat(tree).layout), foreignImage()];

/** Bytes that matter: boot sector, FATs, directories; values that break things rather than any. */
const changes = fc.array(
  fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.oneof(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xe5, 0xff), fc.nat(255)),
  ),
  { minLength: 1, maxLength: 12 },
);

test("damaged images", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...images),
      fc.constantFrom(64, 4096, 30_000, 1e9),
      changes,
      async (image, reach, list) => {
        const bytes = image.slice();
        for (const [place, value] of list) bytes[Math.floor(place * (Math.min(reach, bytes.length) - 1))] = value;
        await survive(bytes);
      },
    ),
    { numRuns: 250 * TIMES },
  );
});

test("images that end early", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...images), fc.double({ min: 0, max: 1, noNaN: true }), async (image, share) => {
      await survive(image.slice(0, Math.floor(image.length * share)));
    }),
    { numRuns: 60 * TIMES },
  );
});

test("noise behind a boot sector", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...images),
      fc.uint8Array({ minLength: 2000, maxLength: 6000 }),
      async (image, noise) => {
        const bytes = image.slice();
        for (let at = 512; at < bytes.length; at += noise.length) bytes.set(noise.subarray(0, bytes.length - at), at);
        await survive(bytes);
      },
    ),
    { numRuns: 40 * TIMES },
  );
});

test("a huge volume in a small image costs nothing", async () => {
  const bytes = (images[0] ?? new Uint8Array(512)).slice();
  const boot = Buffer.from(bytes.buffer);
  boot.writeUInt16LE(0, 19);
  boot.writeUInt32LE(0xffffffff, 32);
  boot.writeUInt16LE(0, 17);
  boot.writeUInt16LE(0, 22);
  boot.writeUInt32LE(0x02000000, 36);
  boot.fill(0, 40, 52);
  boot.writeUInt32LE(2, 44);
  const started = performance.now();
  await survive(bytes);
  expect(performance.now() - started).toBeLessThan(500);
  // and the same where the image claims to be as long: the FAT is too big to be held
  const sparse = {
    sizeBytes: 2 ** 41,
    async read(target: Uint8Array, offset: number) {
      target.fill(0);
      if (offset < bytes.length) target.set(bytes.subarray(offset, Math.min(bytes.length, offset + target.length)));
    },
  };
  boot.writeUInt8(64, 13);
  await expect(readFat(sparse)).rejects.toThrow(expect.objectContaining({ code: "limit" }));
});

test("a chain that jumps from each cluster is refused before it fills the memory", async () => {
  const small = await layoutBytes(planFat(tree, { fatType: 32 }).layout);
  const boot = Buffer.from(small.buffer.slice(0, 512));
  const [clusters, sectorsPerFat] = [2_110_000, 16_600];
  const sectors = 32 + 2 * sectorsPerFat + clusters;
  boot.writeUInt32LE(sectors, 32);
  boot.writeUInt32LE(sectorsPerFat, 36);
  const fat = new Uint32Array(sectorsPerFat * 128).map((_, cluster) => cluster + 2);
  const image = {
    sizeBytes: sectors * 512,
    async read(target: Uint8Array, offset: number) {
      target.fill(0);
      if (offset === 0) target.set(boot.subarray(0, target.length));
      if (offset === 32 * 512) target.set(new Uint8Array(fat.buffer, 0, target.length));
    },
  };
  await expect(readFat(image)).rejects.toThrow(/1048576 runs of clusters/);
  expect((await checkFat(image)).map(({ code }) => code)).toContain("volume");
});
