import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryContent } from "../../src/bytes/index.ts";
import {
  checkDisk,
  chsOf,
  looksLikePartitionTable,
  type MbrPartition,
  partitionContent,
  readDisk,
  readPartitionTable,
  writePartitionTable,
} from "../../src/disk/index.ts";
import { content } from "./samples.ts";

const partition = (type: number, startLba: number, sectors: number, active = false): MbrPartition => ({
  ...{ type, startLba, sectors, active },
});

describe("CHS", () => {
  test.each([
    [0, "000100"],
    [3, "000400"],
    [62, "003f00"],
    [63, "010100"],
    [2048, "202100"], // as fdisk has it for partitions at 1 MiB
    [16064, "fe3f00"],
    [16065, "000101"],
    [1023 * 16065 - 1, "fefffe"],
    [1023 * 16065, "feffff"],
    [0xffffffff, "feffff"],
  ])("of sector %d", (lba, hex) => expect(Buffer.from(chsOf(lba)).toString("hex")).toBe(hex));
});

describe("partition records", () => {
  test("bytes as the specification has them", () => {
    const sector = new Uint8Array(512).fill(0x11);
    writePartitionTable([partition(0xbe, 3, 60), partition(0xef, 2048, 8192, true)], sector);
    expect(Buffer.from(sector.subarray(446)).toString("hex")).toBe(
      `${"00000400be003f00030000003c000000"}${"80202100efa2220000080000" + "00200000"}${"00".repeat(32)}55aa`,
    );
    expect(sector.subarray(0, 446).every((byte) => byte === 0x11)).toBe(true);
  });
  test("what is written is read back", () => {
    const arbitrary = fc.array(
      fc.record({
        type: fc.integer({ min: 1, max: 255 }),
        startLba: fc.integer({ min: 1, max: 2 ** 31 }),
        sectors: fc.integer({ min: 1, max: 2 ** 31 }),
        active: fc.boolean(),
      }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(arbitrary, (partitions) => {
        const sector = new Uint8Array(512);
        writePartitionTable(partitions, sector);
        const read = readPartitionTable(sector) ?? [];
        expect(read.length).toBe(4);
        expect(read.slice(0, partitions.length)).toMatchObject(partitions);
        expect(looksLikePartitionTable(read)).toBe(partitions.length > 0);
      }),
    );
  });
  test("five are too many, and 33 bits too", () => {
    const five = Array.from({ length: 5 }, () => partition(1, 1, 1));
    expect(() => writePartitionTable(five, new Uint8Array(512))).toThrow(
      expect.objectContaining({ code: "invalid-argument" }),
    );
    expect(() => writePartitionTable([partition(1, 2 ** 32, 1)], new Uint8Array(512))).toThrow(
      expect.objectContaining({ code: "limit", field: "StartingLBA" }),
    );
  });
  test("without the signature there is none; boot code of file systems is no table", () => {
    expect(readPartitionTable(new Uint8Array(512))).toBeUndefined();
    const boot = Buffer.alloc(512, "This is not a bootable disk. ");
    boot.set([0x55, 0xaa], 510);
    expect(looksLikePartitionTable(readPartitionTable(boot) ?? [])).toBe(false);
  });
});

describe("a disk", () => {
  /** Two primary partitions and an extended one with three logical ones. */
  function disk(): Buffer {
    const bytes = Buffer.alloc(1000 * 512);
    const table = (lba: number, partitions: MbrPartition[]) =>
      writePartitionTable(partitions, bytes.subarray(lba * 512, lba * 512 + 512));
    table(0, [partition(0xef, 10, 90, true), partition(0xbf, 100, 300), partition(0x05, 400, 600)]);
    bytes.writeUInt32LE(0xcafebabe, 440);
    table(400, [partition(0x0b, 1, 9), partition(0x05, 100, 100)]); // the place of the next counts from 400
    table(500, [partition(0x83, 2, 50), partition(0x05, 300, 100)]);
    table(700, [partition(0x83, 3, 60)]);
    bytes.write("here", 502 * 512);
    return bytes;
  }
  test("partitions, logical ones too", async () => {
    const read = await readDisk(memoryContent(content(disk())));
    expect(read.mbrSignature).toBe(0xcafebabe);
    expect(read.gpt).toBeUndefined();
    expect(
      read.partitions.map(({ number, type, startBytes, sizeBytes, active }) => [
        number,
        type,
        startBytes / 512,
        sizeBytes / 512,
        active,
      ]),
    ).toEqual([
      [1, "0xef", 10, 90, true],
      [2, "0xbf", 100, 300, false],
      [5, "0x0b", 401, 9, false],
      [6, "0x83", 502, 50, false],
      [7, "0x83", 703, 60, false],
    ]);
    expect(read.partitions.map(({ typeName }) => typeName)).toEqual([
      "EFI system",
      "illumos (SUNIXOS2)",
      "FAT32",
      "Linux",
      "Linux",
    ]);
    const sixth = read.partitions[3];
    if (sixth === undefined) throw new Error("not there");
    const bytes = new Uint8Array(4);
    const inside = partitionContent(memoryContent(content(disk())), sixth);
    await inside.read(bytes, 0);
    expect(inside.sizeBytes).toBe(50 * 512);
    expect(Buffer.from(bytes).toString()).toBe("here");
  });
  test("a chain of logical partitions that loops ends", async () => {
    const bytes = disk();
    writePartitionTable([partition(0x83, 3, 60), partition(0x05, 100, 10)], bytes.subarray(700 * 512, 701 * 512));
    expect((await readDisk(memoryContent(content(bytes)))).logical.length).toBe(3);
  });
  test("nothing is wrong with it", async () => {
    expect(await checkDisk(memoryContent(content(disk())))).toEqual([]);
  });
  test.each<[string, (bytes: Buffer) => void, string[]]>([
    ["overlap", (bytes) => bytes.writeUInt32LE(99, 446 + 16 + 8), ["chs note", "overlap error"]],
    [
      "beyond the end",
      (bytes) => bytes.writeUInt32LE(901, 446 + 16 + 12),
      ["chs note", "beyond-disk error", "overlap error", "overlap error", "overlap error"],
    ],
    ["two active", (bytes) => bytes.writeUInt8(0x80, 446 + 16), ["active warning"]],
    ["over the MBR", (bytes) => bytes.writeUInt32LE(0, 446 + 8), ["chs note", "mbr-range error"]],
    ["CHS", (bytes) => bytes.writeUInt8(77, 446 + 1), ["chs note"]],
    ["protects nothing", (bytes) => bytes.writeUInt8(0xee, 446 + 4), ["gpt-missing error"]],
    ["no table", (bytes) => bytes.writeUInt8(0, 510), ["no-table error"]],
    ["an indicator that is none", (bytes) => bytes.writeUInt8(1, 446), ["no-table error"]],
  ])("%s", async (_, damage, expected) => {
    const bytes = disk();
    damage(bytes);
    const findings = await checkDisk(memoryContent(content(bytes)));
    expect(findings.map(({ code, severity }) => `${code} ${severity}`).sort()).toEqual(expected.sort());
  });
  test("neither MBR nor GPT", async () => {
    await expect(readDisk(memoryContent(new Uint8Array(5000)))).rejects.toThrow(
      expect.objectContaining({ code: "bad-format" }),
    );
    await expect(readDisk(memoryContent(new Uint8Array(500)))).rejects.toThrow(
      expect.objectContaining({ code: "truncated" }),
    );
  });
});
