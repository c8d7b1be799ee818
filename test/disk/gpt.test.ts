import { describe, expect, test } from "vitest";
import { memoryContent } from "../../src/bytes/index.ts";
import { checkDisk, readDisk, validGpt } from "../../src/disk/index.ts";
import { content, DISK_GUID, EFI_SYSTEM_GUID, sampleGptDisk } from "./samples.ts";

/** Changes one bit. */
const flip = (offset: number) => (bytes: Buffer) => {
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
};

describe("a GPT", () => {
  test.each([512, 4096])("with sectors of %d bytes", async (sectorBytes) => {
    const disk = await readDisk(memoryContent(content(sampleGptDisk({ sectorBytes }))));
    expect(disk.sectorBytes).toBe(sectorBytes);
    expect(disk.gpt?.primary?.problems).toEqual([]);
    expect(disk.gpt?.backup?.problems).toEqual([]);
    expect(disk.gpt?.primary?.diskGuid).toBe(DISK_GUID);
    expect(disk.partitions).toEqual([
      {
        ...{ scheme: "gpt", number: 1, type: EFI_SYSTEM_GUID, typeName: "EFI system", active: false, name: "EFI é" },
        ...{ startBytes: 2048 * sectorBytes, sizeBytes: 4096 * sectorBytes },
      },
    ]);
    expect(await checkDisk(memoryContent(content(sampleGptDisk({ sectorBytes }))))).toEqual([]);
  });

  const codes = async (damage: (bytes: Buffer) => unknown) => {
    const bytes = sampleGptDisk();
    const changed = damage(bytes);
    return (await checkDisk(memoryContent(content(Buffer.isBuffer(changed) ? changed : bytes)))).map(
      ({ code, severity }) => `${code} ${severity}`,
    );
  };
  const last = 8191 * 512;
  test.each<[string, (bytes: Buffer) => unknown, string[]]>([
    ["a byte of the header", flip(512 + 60), ["gpt-primary error", "gpt-copies error"]],
    ["a byte of the array", flip(1024 + 56), ["gpt-primary error", "gpt-copies error"]],
    ["a byte of the other header", flip(last + 16), ["gpt-backup error"]],
    [
      "no header",
      (bytes) => {
        bytes.fill(0, 512, 1024);
      },
      ["gpt-primary error"],
    ],
    [
      "no other header",
      (bytes) => {
        bytes.fill(0, last);
      },
      ["gpt-backup error"],
    ],
    [
      "MBR does not protect",
      (bytes) => {
        bytes.writeUInt8(0x83, 450);
      },
      ["chs note", "not-protective warning"],
    ],
    ["the disk has grown", (bytes) => Buffer.concat([bytes, Buffer.alloc(5120)]), ["gpt-backup warning"]],
    ["the disk was cut", (bytes) => bytes.subarray(0, 4000 * 512), ["gpt-backup error", "beyond-disk error"]],
  ])("%s", async (_, damage, expected) => expect(await codes(damage)).toEqual(expected));

  test("the backup counts when the first copy is damaged", async () => {
    const bytes = sampleGptDisk();
    bytes.fill(0, 512, 1024 + 128);
    const disk = await readDisk(memoryContent(content(bytes)));
    expect(disk.gpt?.primary).toBeUndefined();
    expect(validGpt(disk.gpt)?.lba).toBe(8191);
    expect(disk.partitions.map(({ name }) => name)).toEqual(["EFI é"]);
  });

  test.each([
    ["overlapping", { first: 3000, last: 7000 }, "overlap error"],
    ["ends before it begins", { first: 7000, last: 6999 }, "gpt-range error"],
    ["behind the usable sectors", { first: 6500, last: 8170 }, "gpt-range error"],
    ["before the usable sectors", { first: 20, last: 60 }, "gpt-range error"],
  ])("a partition %s", async (_, place, expected) => {
    const first = { type: EFI_SYSTEM_GUID, first: 2048, last: 6143, name: "" };
    const bytes = sampleGptDisk({ partitions: [first, { type: DISK_GUID, ...place, name: "" }] });
    const findings = await checkDisk(memoryContent(content(bytes)));
    expect(findings.map(({ code, severity }) => `${code} ${severity}`)).toEqual([expected]);
  });

  test.each([
    ["entry size", 84, 100],
    ["entry count", 80, 0x7fffffff],
    ["array place", 72, 0x7fffffff],
    ["header size", 12, 5000],
    ["own place", 24, 7],
  ])("an impossible %s", async (_, offset, value) => {
    const bytes = sampleGptDisk();
    bytes.writeUInt32LE(value, 512 + offset);
    const disk = await readDisk(memoryContent(content(bytes)));
    expect(disk.gpt?.primary?.problems.length).toBeGreaterThan(0);
    expect(validGpt(disk.gpt)?.lba).toBe(8191);
  });
});
