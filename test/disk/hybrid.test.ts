import { describe, expect, test } from "vitest";
import { memoryContent } from "../../src/bytes/index.ts";
import { checkDisk, checkHybridFiles, type HybridInput, planHybrid, readDisk } from "../../src/disk/index.ts";
import { content, sampleIsoboot, samplePmbr } from "./samples.ts";

const bootUuid = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i);
const input = (changes: Partial<HybridInput> = {}): HybridInput => ({
  ...{ pmbr: samplePmbr(), isoboot: sampleIsoboot(28), espLba512: 672, espSectors512: 8192, bootUuid },
  ...changes,
});
const area = (changes: Partial<HybridInput> = {}) => Buffer.from(planHybrid(input(changes)).systemArea);

describe("the system area, byte by byte", () => {
  test("LBA 0: pmbr without BPB, pointing at LBA 3, with the table", () => {
    const [bytes, file] = [area(), samplePmbr()];
    expect(bytes.length).toBe(32768);
    expect(bytes.subarray(0, 3)).toEqual(file.subarray(0, 3));
    expect(bytes.subarray(3, 0x3e)).toEqual(Buffer.alloc(0x3b));
    expect(bytes.subarray(0x3e, 0xfc)).toEqual(file.subarray(0x3e, 0xfc));
    expect(bytes.subarray(0xfc, 0x106).toString("hex")).toBe("01000300000000000000");
    expect(bytes.subarray(0x106, 0x116).toString("hex")).toBe("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
    expect(bytes.subarray(0x116, 0x1b8)).toEqual(file.subarray(0x116, 0x1b8));
    expect(bytes.subarray(0x1b8, 512).toString("hex")).toBe(
      `${"00".repeat(6)}00000400be003f00030000003c000000000a2b00ef8c2c00a002000000200000${"00".repeat(32)}55aa`,
    );
  });
  test("LBA 1 and 2 are empty", () => expect(area().subarray(512, 1536)).toEqual(Buffer.alloc(1024)));
  test("LBA 3: pmbr as it is, pointing at LBA 4", () => {
    const [bytes, file] = [area().subarray(3 * 512, 4 * 512), samplePmbr()];
    file.writeUInt16LE(28, 0xfc);
    file.writeBigUInt64LE(4n, 0xfe);
    Buffer.from(bootUuid).copy(file, 0x106);
    expect(bytes).toEqual(file);
  });
  test("LBA 4: isoboot, told where the ESP is", () => {
    const file = sampleIsoboot(28);
    file.writeBigUInt64LE(672n, 0x60 + 0x18);
    expect(area().subarray(2048, 2048 + file.length)).toEqual(file);
    expect(area().subarray(2048 + file.length)).toEqual(Buffer.alloc(32768 - 2048 - file.length));
  });
  test("the header is looked for in steps of four, and by its checksum", () => {
    const isoboot = sampleIsoboot(28, 0x2004);
    isoboot.writeUInt32LE(0x1badb002, 0x100); // the magic alone is no header
    const bytes = area({ isoboot });
    expect(bytes.readBigUInt64LE(2048 + 0x2004 + 0x18)).toBe(672n);
    expect(bytes.readUInt32LE(2048 + 0x118)).toBe(isoboot.readUInt32LE(0x118));
  });
  test("what was given is not changed", () => {
    const given = input();
    planHybrid(given);
    expect(given.pmbr).toEqual(samplePmbr());
    expect(given.isoboot).toEqual(sampleIsoboot(28));
  });
});

describe("limits", () => {
  test("59 sectors of isoboot fill the partition; 60 are refused", () => {
    const { systemArea, findings } = planHybrid(input({ isoboot: sampleIsoboot(59) }));
    expect(findings).toEqual([]);
    expect(systemArea[63 * 512 - 1]).toBe(sampleIsoboot(59)[59 * 512 - 1]);
    expect(() => planHybrid(input({ isoboot: sampleIsoboot(60) }))).toThrow(
      expect.objectContaining({ code: "limit", message: expect.stringMatching(/60 sectors.*59 .*--hybrid no/) }),
    );
  });
  test.each<[string, Partial<HybridInput>, string, RegExp]>([
    ["pmbr too short", { pmbr: samplePmbr().subarray(0, 511) }, "bad-format", /pmbr: 511 bytes/],
    ["pmbr too long", { pmbr: Buffer.concat([samplePmbr(), Buffer.alloc(1)]) }, "bad-format", /pmbr: 513 bytes/],
    ["pmbr without signature", { pmbr: Buffer.alloc(512) }, "bad-format", /55 AA/],
    ["isoboot empty", { isoboot: Buffer.alloc(0) }, "bad-format", /isoboot: 0 bytes/],
    ["isoboot cut off", { isoboot: sampleIsoboot(28).subarray(0, 5000) }, "bad-format", /isoboot: 5000 bytes/],
    ["isoboot without header", { isoboot: Buffer.alloc(14336) }, "bad-format", /no multiboot header/],
    ["UUID", { bootUuid: new Uint8Array(15) }, "invalid-argument", /15 bytes/],
    ["ESP in the system area", { espLba512: 63 }, "invalid-argument", /behind the system area/],
    ["ESP of no sectors", { espSectors512: 0 }, "invalid-argument", /0 sectors/],
    ["ESP beyond 2 TiB", { espLba512: 2 ** 32 - 10, espSectors512: 11 }, "invalid-argument", /2 TiB/],
  ])("%s", (_, changes, code, message) => {
    expect(() => planHybrid(input(changes))).toThrow(expect.objectContaining({ code }));
    expect(() => planHybrid(input(changes))).toThrow(message);
    // files are refused as well when they are asked about alone; numbers are not looked at there
    const ask = () => checkHybridFiles(input(changes));
    if (code === "invalid-argument") expect(ask()).toEqual([]);
    else expect(ask).toThrow(message);
  });
  test("an unknown version of pmbr is warned about", () => {
    const pmbr = samplePmbr();
    pmbr.writeUInt8(9, 0xfa);
    expect(planHybrid(input({ pmbr })).findings.map(({ code }) => code)).toEqual(["pmbr-version"]);
  });
});

describe("read back", () => {
  const image = (changes: Partial<HybridInput> = {}) =>
    Buffer.concat([area(changes), Buffer.alloc((672 + 8192) * 512 - 32768)]);
  test("partitions and boot blocks", async () => {
    const disk = await readDisk(memoryContent(content(image())));
    expect(disk.partitions.map(({ type, startBytes, sizeBytes }) => [type, startBytes / 512, sizeBytes / 512])).toEqual(
      [
        ["0xbe", 3, 60],
        ["0xef", 672, 8192],
      ],
    );
    const uuid = "A3A2A1A0-A5A4-A7A6-A8A9-AAABACADAEAF";
    expect(disk.bootBlocks).toMatchObject({
      masterBoot: { stage2Lba: 3, stage2Sectors: 1, uuid, version: 1 },
      volumeBoot: { stage2Lba: 4, stage2Sectors: 28, uuid, version: 1 },
      targetLba: 672,
    });
    expect(await checkDisk(memoryContent(content(image())))).toEqual([]);
  });
  test.each<[string, (bytes: Buffer) => void, string[]]>([
    ["MBR points elsewhere", (bytes) => bytes.writeUInt8(5, 0xfe), ["boot-blocks error"]],
    [
      "VBR points elsewhere",
      (bytes) => bytes.writeUInt16LE(999, 1536 + 0xfe),
      ["boot-blocks error", "boot-blocks error"],
    ],
    ["VBR loads too much", (bytes) => bytes.writeUInt16LE(60, 1536 + 0xfc), ["boot-blocks warning"]],
    ["UUIDs differ", (bytes) => bytes.writeUInt8(0, 0x106), ["boot-blocks error"]],
    ["isoboot is told a wrong ESP", (bytes) => bytes.writeUInt8(1, 2048 + 0x78), ["boot-blocks error"]],
    ["isoboot has no header", (bytes) => bytes.writeUInt8(1, 2048 + 0x60), ["boot-blocks error"]],
  ])("%s", async (_, damage, expected) => {
    const bytes = image();
    damage(bytes);
    const findings = await checkDisk(memoryContent(content(bytes)));
    expect(findings.map(({ code, severity }) => `${code} ${severity}`)).toEqual(expected);
  });
});
