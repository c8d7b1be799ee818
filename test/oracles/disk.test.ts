// Partition tables against sfdisk and sgdisk, in both directions; boot blocks and GRUB's stages started by a BIOS in QEMU.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { memoryContent } from "../../src/bytes/index.ts";
import {
  checkDisk,
  type MbrPartition,
  planHybrid,
  planUsbGrub,
  readDisk,
  writePartitionTable,
} from "../../src/disk/index.ts";
import { oracle, testWith } from "./harness/programs.ts";
import { type Machine, runMachine } from "./harness/qemu.ts";
import { run, runText } from "./harness/run.ts";

let folder = "";
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pureboot-disk-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (name: string) => memoryContent(new Uint8Array(readFileSync(at(name))));
async function emptyDisk(name: string, size: string): Promise<void> {
  await runText("truncate", ["-s", "0", at(name)]);
  await runText("truncate", ["-s", size, at(name)]);
}

describe("MBR", () => {
  /** Up to four partitions in order, anywhere below 2 TiB. */
  const partitionsArbitrary: fc.Arbitrary<MbrPartition[]> = fc
    .array(
      fc.record({
        gap: fc.integer({ min: 1, max: 2 ** 29 }),
        sectors: fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 2 ** 29 })),
        type: fc.constantFrom(0x01, 0x0c, 0x83, 0xbe, 0xbf, 0xef),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((parts) => {
      let next = 0;
      return parts.map(({ gap, sectors, type }) => {
        const startLba = next + gap;
        next = startLba + sectors;
        return { type, startLba, sectors, active: false };
      });
    });

  testWith(["sfdisk"], "sfdisk writes the same bytes, CHS included", async () => {
    await fc.assert(
      fc.asyncProperty(partitionsArbitrary, async (partitions) => {
        await emptyDisk("theirs", "2T");
        const lines = partitions.map(
          ({ startLba, sectors, type }) => `start=${startLba},size=${sectors},type=${type.toString(16)}`,
        );
        await runText(oracle("sfdisk"), ["-q", "--no-reread", "--no-tell-kernel", at("theirs")], {
          input: `label: dos\nlabel-id: 0x0\nunit: sectors\n${lines.join("\n")}\n`,
        });
        const theirs = Buffer.alloc(512);
        theirs.set((await firstSector("theirs")).subarray(0, 512));
        const ours = new Uint8Array(512);
        writePartitionTable(partitions, ours);
        expect(theirs.subarray(446).toString("hex")).toBe(Buffer.from(ours.subarray(446)).toString("hex"));
      }),
      { numRuns: 30 },
    );
  });
  const firstSector = async (name: string) =>
    (await run("dd", [`if=${at(name)}`, "bs=512", "count=1", "status=none"])).stdout;

  testWith(["sfdisk"], "sfdisk reads the table of a hybrid ISO", async () => {
    const { systemArea } = planHybrid({
      ...(await bootBlocks()),
      espLba512: 672,
      espSectors512: 8192,
      bootUuid: new Uint8Array(16),
    });
    writeFileSync(at("hybrid"), Buffer.concat([systemArea, Buffer.alloc((672 + 8192) * 512 - 32768)]));
    const dump: { partitiontable: { label: string; partitions: object[] } } = JSON.parse(
      await runText(oracle("sfdisk"), ["--json", at("hybrid")]),
    );
    expect(dump.partitiontable.label).toBe("dos");
    expect(dump.partitiontable.partitions).toMatchObject([
      { start: 3, size: 60, type: "be" },
      { start: 672, size: 8192, type: "ef" },
    ]);
    expect(await checkDisk(read("hybrid"))).toEqual([]);
  });

  testWith(["sfdisk"], "logical partitions that sfdisk made", async () => {
    await emptyDisk("logical", "20M");
    await runText(oracle("sfdisk"), ["-q", "--no-reread", "--no-tell-kernel", at("logical")], {
      input:
        "label: dos\nstart=2048,size=2048,type=ef,bootable\nstart=6144,size=30000,type=5\nstart=8192,size=1000,type=b\nstart=12288,size=2000,type=83\n",
    });
    const disk = await readDisk(read("logical"));
    expect(
      disk.partitions.map(({ number, type, startBytes, sizeBytes, active }) => [
        number,
        type,
        startBytes / 512,
        sizeBytes / 512,
        active,
      ]),
    ).toEqual([
      [1, "0xef", 2048, 2048, true],
      [5, "0x0b", 8192, 1000, false],
      [6, "0x83", 12288, 2000, false],
    ]);
    expect(await checkDisk(read("logical"))).toEqual([]);
  });
});

describe("GPT", () => {
  const make = async (name: string) => {
    await emptyDisk(name, "16M");
    await runText(
      oracle("sgdisk"),
      [
        ...[
          "-o",
          "-n",
          "1:2048:10239",
          "-t",
          "1:ef00",
          "-c",
          "1:EFI System é",
          "-n",
          "3:10240:20479",
          "-t",
          "3:bf05",
          at(name),
        ],
      ],
      { env: { LC_ALL: "C.UTF-8" } },
    );
  };
  testWith(["sgdisk"], "what sgdisk makes is read, and nothing is wrong with it", async () => {
    await make("gpt");
    const disk = await readDisk(read("gpt"));
    expect(disk.partitions).toMatchObject([
      { number: 1, typeName: "EFI system", startBytes: 2048 * 512, sizeBytes: 8192 * 512, name: "EFI System é" },
      { number: 3, typeName: "illumos home", startBytes: 10240 * 512, sizeBytes: 10240 * 512 },
    ]);
    const shown = await runText(oracle("sgdisk"), ["-p", "-i", "1", at("gpt")]);
    expect(shown).toContain(disk.gpt?.primary?.diskGuid);
    expect(shown).toContain(disk.gpt?.primary?.partitions[0]?.uniqueGuid);
    expect(await checkDisk(read("gpt"))).toEqual([]);
  });
  testWith(["sgdisk"], "damage is seen by both", async () => {
    await make("gpt");
    const good = readFileSync(at("gpt"));
    for (const [offset, copy] of [
      [512 + 40, "primary"],
      [512 + 70, "primary"],
      [1024 + 33, "primary"],
      [good.length - 512 + 60, "backup"],
      [good.length - 33 * 512 + 1, "backup"],
    ] as const) {
      const bytes = Buffer.from(good);
      bytes.writeUInt8(bytes.readUInt8(offset) ^ 0xff, offset);
      writeFileSync(at("damaged"), bytes);
      const { stdout, stderr } = await run(oracle("sgdisk"), ["-v", at("damaged")]);
      const wrong =
        copy === "primary" ? /Main (header|partition table): ERROR/ : /Backup (header|partition table): ERROR/;
      expect(`${offset} ${stdout}${stderr}`).toMatch(wrong);
      const { gpt } = await readDisk(read("damaged"));
      expect([offset, gpt?.[copy]?.problems.length]).toEqual([offset, 1]);
      expect([offset, gpt?.[copy === "primary" ? "backup" : "primary"]?.problems]).toEqual([offset, []]);
    }
  });
});

/** Boot blocks of our own: they do with the patched fields what the real ones do. See disk-blocks.S. */
async function bootBlocks(): Promise<{ pmbr: Uint8Array; isoboot: Uint8Array }> {
  const assemble = async (what: string) => {
    const source = join(import.meta.dirname, "disk-blocks.S");
    await runText(oracle("gcc"), ["-m32", "-c", `-D${what}`, "-o", at("block.o"), source]);
    await runText("ld", [
      "-m",
      "elf_i386",
      "-Ttext",
      "0",
      "--oformat",
      "binary",
      "-e",
      "0",
      "-o",
      at("block"),
      at("block.o"),
    ]);
    return new Uint8Array(readFileSync(at("block")));
  };
  return { pmbr: await assemble("PMBR"), isoboot: await assemble("ISOBOOT") };
}

const MACHINES: readonly (readonly [string, (image: string) => Machine])[] = [
  ["a disk", (image) => ({ ahciDisk: image })],
  ["a stick", (image) => ({ usbStick: image })],
];

describe("a BIOS starts", () => {
  for (const [name, machine] of MACHINES) {
    testWith(
      ["qemu-system-x86_64", "gcc"],
      `pmbr, pmbr again, and all of isoboot, which knows the ESP, from ${name}`,
      async () => {
        const { systemArea } = planHybrid({
          ...(await bootBlocks()),
          espLba512: 0xbeef,
          espSectors512: 16,
          bootUuid: new Uint8Array(16),
        });
        writeFileSync(at("bios"), Buffer.concat([systemArea, Buffer.alloc(2 ** 20)]));
        const { serial } = await runMachine({
          ...machine(at("bios")),
          memoryMiB: 64,
          until: ".",
          timeoutMilliseconds: 60_000,
        });
        expect(serial).toContain("PPIL0000beef.");
      },
    );

    testWith(
      ["qemu-system-x86_64", "stage1", "stage2"],
      `GRUB legacy, with and without a partition table, from ${name}`,
      async () => {
        const [stage1, stage2] = [readFileSync(oracle("stage1")), readFileSync(oracle("stage2"))];
        for (const partitions of [undefined, [{ type: 0x17, startLba: 0, sectors: 8000, active: true }]]) {
          const stage2Lba512 = 3001;
          const { systemArea, patchStage2 } = planUsbGrub({
            stage1,
            stage2Lba512,
            stage2SizeBytes: stage2.length,
            partitions,
          });
          const disk = Buffer.alloc(2 ** 22);
          disk.set(systemArea);
          disk.set(patchStage2(stage2), stage2Lba512 * 512);
          writeFileSync(at("grub"), disk);
          const { serial } = await runMachine({
            ...{
              ...machine(at("grub")),
              memoryMiB: 64,
              screenOnSerial: true,
              until: "grub> ",
              timeoutMilliseconds: 60_000,
            },
          });
          expect(serial).toMatch(/GRUB +version 0\.97/);
        }
      },
    );
  }
});
