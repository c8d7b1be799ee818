import { describe, expect, test } from "vitest";
import { memoryContent } from "../../src/bytes/index.ts";
import { checkUsbGrubFiles, planUsbGrub, readDisk, type UsbGrubInput } from "../../src/disk/index.ts";
import { content, pattern } from "./samples.ts";

/** stage1 and stage2 with the fields that the real ones have. */
function stage1(): Buffer {
  const bytes = pattern(512, 5);
  bytes.set([3, 2, 0xff, 0, 0, 0x80, 1, 0, 0, 0, 0, 8], 0x3e);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
}
function stage2(length = 119_556): Buffer {
  const bytes = pattern(length, 6);
  bytes.set([2, 0, 0, 0, 0xe9, 0, 0x20, 0x08], 0x1f8);
  return bytes;
}
const input = (changes: Partial<UsbGrubInput> = {}): UsbGrubInput => ({
  ...{ stage1: stage1(), stage2Lba512: 1200, stage2SizeBytes: 119_556 },
  ...changes,
});

describe("GRUB legacy on a disk", () => {
  test("stage1 in the MBR", () => {
    const bytes = Buffer.from(planUsbGrub(input()).systemArea);
    expect(bytes.length).toBe(32768);
    const expected = stage1();
    expected[0x40] = 0xff;
    expected[0x41] = 1;
    expected.writeUInt32LE(1200, 0x44);
    expected.fill(0, 440, 510);
    expect(bytes.subarray(0, 512)).toEqual(expected);
    expect(bytes.subarray(512)).toEqual(Buffer.alloc(32768 - 512));
  });
  test("stage2 is told where its rest is", () => {
    const patched = Buffer.from(planUsbGrub(input()).patchStage2(stage2()));
    const expected = stage2();
    expected.writeUInt32LE(1201, 0x1f8);
    expected.writeUInt16LE(233, 0x1fc); // 119,556 bytes are 234 sectors
    expected.writeUInt16LE(0x820, 0x1fe);
    expect(Buffer.compare(patched, expected)).toBe(0);
    // the first sector alone will do, and bytes 8..63 stay as they are for a boot info table
    expect(Buffer.from(planUsbGrub(input()).patchStage2(stage2(512)))).toEqual(expected.subarray(0, 512));
    expect(patched.subarray(8, 64)).toEqual(stage2().subarray(8, 64));
  });
  test("the real files' fields are accepted", () => {
    expect(() => checkUsbGrubFiles({ stage1: stage1(), stage2: stage2() })).not.toThrow();
    expect(() => checkUsbGrubFiles({ stage1: stage2(512), stage2: stage2() })).toThrow(/stage1/);
    expect(() => checkUsbGrubFiles({ stage1: stage1(), stage2: stage2(512) })).toThrow(/more than one sector/);
  });
  test("a partition table can be had", async () => {
    const partitions = [{ type: 0x17, startLba: 0, sectors: 4000, active: true }];
    const { systemArea } = planUsbGrub(input({ partitions }));
    expect((await readDisk(memoryContent(systemArea))).mbr?.[0]).toMatchObject({
      type: 0x17,
      sectors: 4000,
      active: true,
    });
  });
  test.each<[string, Partial<UsbGrubInput>, string]>([
    ["stage1 too long", { stage1: Buffer.concat([stage1(), Buffer.alloc(1)]) }, "bad-format"],
    ["stage1 without signature", { stage1: Buffer.alloc(512) }, "bad-format"],
    ["another boot sector", { stage1: Buffer.concat([Buffer.alloc(510), Buffer.from([0x55, 0xaa])]) }, "bad-format"],
    ["stage2 of one sector", { stage2SizeBytes: 512 }, "bad-format"],
    ["stage2 of 32 MiB", { stage2SizeBytes: 2 ** 25 }, "bad-format"],
    ["stage2 in the system area", { stage2Lba512: 10 }, "invalid-argument"],
    ["stage2 beyond 2 TiB", { stage2Lba512: 2 ** 32 }, "invalid-argument"],
  ])("%s", (_, changes, code) => {
    expect(() => planUsbGrub(input(changes))).toThrow(expect.objectContaining({ code }));
  });
  test.each([
    [
      "stage2_eltorito",
      Buffer.concat([Buffer.from([0xfa, 0xea, 0x40, 0x7c]), stage2().subarray(4)]),
      /starts from a CD only/,
    ],
    ["no block list", content(pattern(1024, 1)) as Uint8Array as Buffer, /does not end with a block list/],
    ["half a sector", stage2().subarray(0, 300), /300 bytes/],
  ])("%s is not stage2", (_, bytes, message) => {
    expect(() => planUsbGrub(input()).patchStage2(bytes)).toThrow(message);
    expect(() => checkUsbGrubFiles({ stage1: stage1(), stage2: bytes })).toThrow(message);
  });
});
