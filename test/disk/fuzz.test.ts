// Any bytes at all: a reader gives a result or throws an ImageError, soon.

import fc from "fast-check";
import { expect, test } from "vitest";
import { ImageError, memoryContent } from "../../src/bytes/index.ts";
import { checkDisk, partitionContent, planHybrid, planUsbGrub, readDisk } from "../../src/disk/index.ts";
import { TIMES } from "../fuzz/times.ts";
import { content, sampleGptDisk, sampleIsoboot, samplePmbr } from "./samples.ts";

const hybrid = Buffer.from(
  planHybrid({
    pmbr: samplePmbr(),
    isoboot: sampleIsoboot(28),
    espLba512: 64,
    espSectors512: 8,
    bootUuid: new Uint8Array(16),
  }).systemArea,
);
const images = [hybrid, sampleGptDisk({ sectors: 200 }), sampleGptDisk({ sectors: 60, sectorBytes: 4096 })].map(
  content,
);

async function survive(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const image = memoryContent(bytes);
  try {
    const disk = await readDisk(image);
    for (const partition of disk.partitions)
      expect(partitionContent(image, partition).sizeBytes).toBeGreaterThanOrEqual(0);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
  }
  await checkDisk(image);
}

test("damaged tables", async () => {
  const place = fc.oneof(fc.integer({ min: 430, max: 700 }), fc.integer({ min: 4096, max: 4300 }), fc.nat(32767));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...images),
      fc.array(fc.tuple(place, fc.nat(255)), { maxLength: 20 }),
      async (image, changes) => {
        const bytes = image.slice();
        for (const [offset, value] of changes) bytes[offset] = value;
        await survive(bytes);
      },
    ),
    { numRuns: 300 * TIMES },
  );
});

test("noise", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.boolean(), async (noise, signed) => {
      const bytes = new Uint8Array(Math.max(noise.length, signed ? 512 : 0));
      bytes.set(noise);
      if (signed) bytes.set([0x55, 0xaa], 510);
      await survive(bytes);
    }),
    { numRuns: 300 * TIMES },
  );
});

test("boot files of any bytes", () => {
  const file = fc.oneof(fc.uint8Array({ maxLength: 1100 }), fc.uint8Array({ minLength: 512, maxLength: 512 }));
  const number = fc.oneof(fc.integer(), fc.double());
  fc.assert(
    fc.property(file, file, number, number, (one, other, lba, size) => {
      for (const attempt of [
        () => planHybrid({ pmbr: one, isoboot: other, espLba512: lba, espSectors512: size, bootUuid: one }),
        () => planUsbGrub({ stage1: one, stage2Lba512: lba, stage2SizeBytes: size }).patchStage2(other),
        () =>
          planHybrid({
            pmbr: samplePmbr(),
            isoboot: sampleIsoboot(4),
            espLba512: lba,
            espSectors512: size,
            bootUuid: new Uint8Array(16),
          }),
      ]) {
        try {
          attempt();
        } catch (error) {
          if (!(error instanceof ImageError)) throw error;
        }
      }
    }),
    { numRuns: 300 * TIMES },
  );
});
