// FAT in both directions: what we plan, fsck.fat, mtools, Linux' vfat and OVMF read; what mkfs.fat and mtools write, we read.

import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { fromText, memoryContent, textContent } from "../../src/bytes/index.ts";
import { writePartitionTable } from "../../src/disk/index.ts";
import { checkFat, type FatOptions, type FatPlan, planFat, readFat } from "../../src/fat/index.ts";
import { emit, layoutBytes } from "../../src/layout/index.ts";
import { type Directory, directory, file, mapTree, treeOf } from "../../src/tree/index.ts";
import { sampleGptDisk } from "../disk/samples.ts";
import { base, fatSeconds, patternBytes, patternFile, treeArbitrary } from "../fat/trees.ts";
import { mountInLinux } from "./harness/linux.ts";
import { compareListings, type Field, type Listing, listDirectory, listTree } from "./harness/listing.ts";
import { oracle, testWith } from "./harness/programs.ts";
import { runMachine } from "./harness/qemu.ts";
import { run, runText } from "./harness/run.ts";

let folder = "";
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pureboot-fat-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const UTF8 = { env: { LC_ALL: "C.UTF-8" } };

/** Writes the volume as a sparse file. */
async function writeImage(name: string, tree: Directory, options: FatOptions = {}): Promise<FatPlan> {
  const plan = planFat(tree, options);
  const descriptor = openSync(at(name), "w");
  try {
    ftruncateSync(descriptor, plan.sizeBytes);
    await emit(plan.layout, {
      async write(bytes, offset) {
        writeSync(descriptor, bytes, 0, bytes.length, offset);
      },
    });
  } finally {
    closeSync(descriptor);
  }
  return plan;
}

/** Names that break others, several clusters, an empty file and directory, a deep path, times at the ends of what FAT has. */
const tree = treeOf(
  [
    ["/EFI/BOOT/BOOTX64.EFI", patternFile(300_001, 1)],
    ["/EFI/BOOT/BOOTIA32.EFI", patternFile(65_536, 2, { ...base, mode: 0o444 })],
    ["/empty", patternFile(0)],
    ["/EMPTY.DIR", directory(base)],
    [`/${"n".repeat(255)}`, patternFile(1, 3)],
    [`/${fromText("中".repeat(85))}`, patternFile(2, 4)],
    [`/${fromText("😀 Grüße.config.txt")}`, patternFile(3, 5)],
    [`/a/b/c/d/e/f/g/h/i/j/${"deep ".repeat(20)}file`, patternFile(5000, 6)],
    ["/.profile", patternFile(7, 7)],
    ["/..two.dots", patternFile(8, 8)],
    ["/+,;=[]", patternFile(9, 9)],
    ["/1980", patternFile(1, 10, { ...base, mtimeSeconds: 0 })],
    ["/2107", patternFile(1, 11, { ...base, mtimeSeconds: 6_000_000_000 })],
    ...Array.from({ length: 300 }, (_, i) => [`/many/same beginning ${i}`, patternFile(i, i)] as const),
  ],
  base,
);
const VOLUMES: readonly (readonly [string, FatOptions])[] = [
  ["smallest", {}],
  ["FAT12, 4 MiB, label", { sizeBytes: 4 * 2 ** 20, label: "ESP 4" }],
  ["FAT12, 2 KiB clusters", { sizeBytes: 6 * 2 ** 20 }],
  ["FAT16, 512-byte clusters", { fatType: 16 }],
  ["FAT16, 32 MiB", { sizeBytes: 32 * 2 ** 20, label: "SIXTEEN" }],
  ["FAT32, smallest", { fatType: 32, label: "THIRTYTWO" }],
  ["FAT32, 600 MiB", { sizeBytes: 600 * 2 ** 20 }],
];

/** What FAT keeps of a tree, as Linux and our reader show it. */
function kept(root: Directory): Directory {
  return mapTree(root, (node) => {
    const mtimeSeconds = fatSeconds(node.mtimeSeconds);
    if (node.type === "directory") return directory({ uid: 0, gid: 0, mode: 0o755, mtimeSeconds }, node.entries);
    if (node.type !== "file") return node;
    return file({ uid: 0, gid: 0, mode: (node.mode & 0o222) === 0 ? 0o444 : 0o644, mtimeSeconds }, node.content);
  });
}

describe("fsck.fat finds nothing", () => {
  testWith(["fsck.fat"], "in volumes of every type and size", async () => {
    for (const [name, options] of VOLUMES) {
      await writeImage("image", tree, options);
      const result = await run(oracle("fsck.fat"), ["-n", "-v", at("image")]);
      expect([name, result.status, result.stdout.toString()]).toEqual([
        name,
        0,
        expect.not.stringMatching(/differ|error|wrong|bad|Free cluster summary wrong/i),
      ]);
    }
  });
  testWith(["fsck.fat"], "in random trees", async () => {
    await fc.assert(
      fc.asyncProperty(treeArbitrary, async (random) => {
        await writeImage("image", random);
        const result = await run(oracle("fsck.fat"), ["-n", at("image")]);
        expect([result.status, result.stdout.toString()]).toEqual([0, expect.anything()]);
      }),
      { numRuns: 40 },
    );
  });
});

describe("the check and fsck.fat see the same damage", () => {
  const plan = planFat(tree, { fatType: 16, sectorsPerCluster: 2 });
  const place = (path: string) => plan.layout.extents.find(({ owner }) => owner.path === path)?.offset ?? Number.NaN;
  const fatOf = (what: string) => plan.layout.extents.find(({ owner }) => owner.what === what)?.offset ?? Number.NaN;
  const firstOf = (bytes: Buffer, name: string) =>
    bytes.readUInt16LE(bytes.indexOf(name, place("/EFI/BOOT"), "latin1") + 26);
  const link = (bytes: Buffer, cluster: number, next: number) => {
    for (const fat of ["FAT 1", "FAT 2"]) bytes.writeUInt16LE(next, fatOf(fat) + cluster * 2);
  };
  for (const [name, damage] of [
    ["nothing", () => {}],
    ["lost clusters", (bytes) => link(bytes, 4000, 0xffff)],
    ["a cross-link", (bytes) => link(bytes, firstOf(bytes, "BOOTIA32EFI"), firstOf(bytes, "BOOTX64 EFI") + 3)],
    ["a chain cut short", (bytes) => link(bytes, firstOf(bytes, "BOOTX64 EFI") + 9, 0)],
    ["FATs that differ", (bytes) => bytes.writeUInt16LE(0, fatOf("FAT 2") + 12)],
    [
      "a size beyond the chain",
      (bytes) => bytes.writeUInt32LE(400_000, bytes.indexOf("BOOTX64 EFI", place("/EFI/BOOT"), "latin1") + 28),
    ],
    ["a name twice", (bytes) => bytes.write("BOOTX64 EFI", bytes.indexOf("BOOTIA32EFI", place("/EFI/BOOT"), "latin1"))],
    ["a directory's '..'", (bytes) => bytes.write("XY", place("/EFI") + 32)],
  ] as readonly (readonly [string, (bytes: Buffer) => unknown])[]) {
    testWith(["fsck.fat"], name, async () => {
      const bytes = await layoutBytes(plan.layout);
      damage(Buffer.from(bytes.buffer));
      writeFileSync(at("image"), bytes);
      const theirs = await run(oracle("fsck.fat"), ["-n", at("image")]);
      const ours = await checkFat(memoryContent(bytes));
      expect([name, theirs.status, ours.length > 0]).toEqual([name, name === "nothing" ? 0 : 1, name !== "nothing"]);
    });
  }
});

describe("mtools", () => {
  /** mtools has no names beyond the Basic Multilingual Plane; Linux does (below). */
  const plain = directory(tree, new Map([...tree.entries].filter(([name]) => !/[\xf0-\xff]/.test(name))));
  testWith(["mcopy", "mdir"], "copies out every name and byte", async () => {
    for (const [index, [name, options]] of VOLUMES.entries()) {
      const plan = await writeImage("image", plain, options);
      const out = at(`mcopy-${index}`);
      mkdirSync(out);
      await runText(oracle("mcopy"), ["-s", "-m", "-i", at("image"), "::*", out], UTF8);
      const fields: readonly Field[] = ["type", "size", "digest"];
      expect([name, compareListings(await listTree(kept(plain)), listDirectory(out), { fields })]).toEqual([name, []]);
      const serial = plan.volumeId.toString(16).toUpperCase().padStart(8, "0");
      const listing = await runText(oracle("mdir"), ["-i", at("image"), "::"], UTF8);
      expect(listing).toContain(`${serial.slice(0, 4)}-${serial.slice(4)}`);
      if (plan.label !== "") expect(listing).toContain(plan.label);
    }
  });
  testWith(["mkfs.fat", "mcopy"], "writes volumes that we read", async () => {
    const source = at("source");
    mkdirSync(join(source, "Sub Directory/lower"), { recursive: true });
    for (const [name, bytes] of Object.entries({
      "UPPER.TXT": patternBytes(100, 1),
      "lower.txt": patternBytes(5000, 2),
      "Mixed Case.long": patternBytes(70_000, 3),
      Grüße: patternBytes(1, 4),
      "Sub Directory/lower/Ж": patternBytes(2000, 5),
      empty: patternBytes(0, 6),
    })) {
      writeFileSync(join(source, name), bytes);
      utimesSync(join(source, name), 1_600_000_000, 1_600_000_000);
    }
    for (const [type, size, ...more] of [
      ["12", "2M", "-s1"],
      ["12", "1M", "-S1024"],
      ["16", "20M"],
      ["16", "64M", "-f1"],
      ["32", "40M", "-s1"],
      ["16", "64M", "-S4096", "-s1"],
    ] as const) {
      const image = at("foreign");
      await runText("truncate", ["-s", "0", image]);
      await runText("truncate", ["-s", size, image]);
      await runText(oracle("mkfs.fat"), ["-F", type, "-n", "FOREIGN", "-i", "cafe1234", ...more, image]);
      await runText(
        oracle("mcopy"),
        [
          "-s",
          "-m",
          "-i",
          image,
          join(source, "Sub Directory"),
          ...["UPPER.TXT", "lower.txt", "Mixed Case.long", "Grüße", "empty"].map((name) => join(source, name)),
          "::",
        ],
        UTF8,
      );
      const content = memoryContent(new Uint8Array(readFileSync(image)));
      const read = await readFat(content);
      expect(read).toMatchObject({
        fatType: Number(type),
        label: "FOREIGN",
        volumeId: 0xcafe1234,
        oemName: "mkfs.fat",
      });
      const fields: readonly Field[] = ["type", "size", "digest"];
      expect([type, size, compareListings(listDirectory(source), await listTree(read.tree), { fields })]).toEqual([
        type,
        size,
        [],
      ]);
      expect(read.tree.entries.get("empty")?.mtimeSeconds).toBe(1_600_000_000);
      const findings = await checkFat(content);
      expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
    }
  });
});

testWith(["mkfs.fat"], "FAT32 with too few clusters is read as FAT32, as drivers do, and warned about", async () => {
  await runText("truncate", ["-s", "64M", at("few")]);
  await runText(oracle("mkfs.fat"), ["-F", "32", "-S", "4096", "-s", "1", at("few")]);
  const content = memoryContent(new Uint8Array(readFileSync(at("few"))));
  expect(await readFat(content)).toMatchObject({ fatType: 32, clusterBytes: 4096, label: "" });
  expect((await checkFat(content)).map(({ code, severity }) => `${code} ${severity}`)).toEqual([
    "cluster-count warning",
  ]);
});

describe("Linux", () => {
  const FIELDS: readonly Field[] = ["type", "mode", "uid", "gid", "size", "mtimeSeconds", "digest"];
  const options = "utf8=1,tz=UTC,fmask=0133,dmask=022";
  testWith(["linux", "qemu-system-x86_64", "gcc"], "mounts every type, and sees each name, time and byte", async () => {
    const images: { name: string; image: string; expected: Listing }[] = [];
    for (const [index, [name, asked]] of VOLUMES.entries()) {
      await writeImage(`linux-${index}`, tree, asked);
      images.push({ name, image: at(`linux-${index}`), expected: await listTree(kept(tree), "sha256") });
    }
    for (const [index, random] of fc.sample(treeArbitrary, { numRuns: 12, seed: 4711 }).entries()) {
      await writeImage(`random-${index}`, random);
      images.push({
        name: `random ${index}`,
        image: at(`random-${index}`),
        expected: await listTree(kept(random), "sha256"),
      });
    }
    const mounted = await mountInLinux(images.map(({ image }) => ({ image, type: "vfat" as const, options })));
    for (const [index, { name, expected }] of images.entries()) {
      const { listing, complaints } = mounted[index] ?? {};
      expect([name, complaints]).toEqual([name, []]);
      // the root directory has no time on FAT; Linux shows the beginning of time
      const differences = compareListings(expected, listing ?? new Map(), {
        fields: FIELDS,
        ignore: (path) => path === "/",
      });
      expect([name, differences]).toEqual([name, []]);
    }
  });
});

describe("OVMF boots", () => {
  const SAYS = "pureboot-efi-program";
  /** A ready EFI program: GRUB, which says a line and prints a file of the volume that it finds by its own FAT reader. */
  async function efiProgram(): Promise<Uint8Array<ArrayBuffer>> {
    const modules = "normal echo halt search search_fs_file cat fat part_msdos part_gpt";
    writeFileSync(
      at("grub.cfg"),
      `echo ${SAYS}\nsearch --file --set=esp /proof.txt\ncat ($esp)/proof.txt\necho ${SAYS} ends\nhalt\n`,
    );
    await runText(oracle("grub-mkstandalone"), [
      ...["-O", "x86_64-efi", "-o", at("program.efi"), `--install-modules=${modules}`, `--modules=${modules}`],
      ...["--fonts=", "--locales=", "--themes=", `boot/grub/grub.cfg=${at("grub.cfg")}`],
    ]);
    return new Uint8Array(readFileSync(at("program.efi")));
  }

  async function esp(proof: string, options: FatOptions): Promise<Uint8Array<ArrayBuffer>> {
    const volume = treeOf(
      [
        ["/EFI/BOOT/BOOTX64.EFI", file(base, memoryContent(await efiProgram()))],
        ["/proof.txt", file(base, textContent(`${proof}\n`))],
      ],
      base,
    );
    return layoutBytes(planFat(volume, options).layout);
  }

  const START = 2048;
  function mbrDisk(volume: Uint8Array): Uint8Array {
    const disk = new Uint8Array(START * 512 + volume.length);
    disk.set(volume, START * 512);
    writePartitionTable(
      [{ type: 0xef, startLba: START, sectors: volume.length / 512, active: false }],
      disk.subarray(0, 512),
    );
    return disk;
  }
  function gptDisk(volume: Uint8Array): Uint8Array {
    const sectors = START + volume.length / 512 + 100;
    const partition = {
      type: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
      first: START,
      last: START + volume.length / 512 - 1,
      name: "ESP",
    };
    const disk = sampleGptDisk({ sectors, partitions: [partition] });
    Buffer.from(volume).copy(disk, START * 512);
    return disk;
  }

  for (const [name, options, toDisk, how] of [
    ["FAT12, smallest, on an MBR disk", {}, mbrDisk, "ahci"],
    ["FAT12 of 4 MiB, on an MBR stick", { sizeBytes: 4 * 2 ** 20 }, mbrDisk, "usb"],
    ["FAT16, on an MBR stick", { sizeBytes: 32 * 2 ** 20 }, mbrDisk, "usb"],
    ["FAT32, on a GPT disk", { fatType: 32, label: "ESP" }, gptDisk, "ahci"],
  ] as readonly (readonly [string, FatOptions, (volume: Uint8Array) => Uint8Array, "ahci" | "usb"])[]) {
    testWith(["qemu-system-x86_64", "OVMF_CODE", "OVMF_VARS", "grub-mkstandalone", "grub-efi"], name, async () => {
      const image = at("disk");
      writeFileSync(image, toDisk(await esp(`proof of ${name}`, options)));
      const machine = await runMachine({
        firmware: "uefi",
        ...(how === "ahci" ? { ahciDisk: image } : { usbStick: image }),
        until: `${SAYS} ends`,
        timeoutMilliseconds: 120_000,
      });
      expect(machine.serial).toContain(SAYS);
      expect(machine.serial).toContain(`proof of ${name}`);
    });
  }
});
