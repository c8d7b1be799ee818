// Media that boot in other ways than from a CD under BIOS: GRUB from a USB stick and a disk, EFI programs from CD, USB stick
// and partition table.

import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect } from "vitest";
import { writeExampleProto } from "../../fixtures/example.ts";
import { memoryContent } from "../../src/bytes/index.ts";
import { readDisk } from "../../src/disk/index.ts";
import { openIso } from "../../src/iso9660-writer-ts/index.ts";
import { findFile } from "../../src/tree/index.ts";
import { bootProbe } from "./harness/probe.ts";
import { oracle, testWith } from "./harness/programs.ts";
import { type Machine, runMachine } from "./harness/qemu.ts";
import { runText } from "./harness/run.ts";

const MAIN = path.resolve(import.meta.dirname, "../../dist/cli/main.js");
const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-media-"));
const at = (name: string): string => path.join(scratch, name);
const pureboot = (...words: string[]): Promise<string> => runText(process.execPath, [MAIN, ...words], { cwd: scratch });
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("GRUB from a disk", () => {
  // Each level gives the archive another size, and GRUB reads its end first: wrongly, where it lies badly.
  for (const level of ["1", "6", "9"]) {
    testWith(
      ["qemu-system-x86_64", "stage2_eltorito", "stage1"],
      `--usb-grub boots as stick, disk and CD (level ${level})`,
      async () => {
        writeExampleProtoOnce();
        const iso = at(`usb-${level}.iso`);
        const stage = oracle("stage2_eltorito");
        await pureboot(
          "build",
          "proto",
          "-o",
          iso,
          "--stage2",
          stage,
          "--usb-grub",
          "--menu-timeout",
          "0",
          "--level",
          level,
        );
        for (const machine of [{ usbStick: iso }, { ahciDisk: iso }, { cdrom: iso }]) {
          const report = await bootProbe({ ...machine, memoryMiB: 384 });
          expect([Object.keys(machine), report.verdict]).toEqual([Object.keys(machine), "good"]);
          expect(report.modules[0]?.summary.get("errors")).toBe(0);
        }
      },
    );
  }
});

let written = false;
function writeExampleProtoOnce(): void {
  if (!written) writeExampleProto(at("proto"));
  written = true;
}

/** What xorriso will say of an image with two boot images, by our own readers of it. */
async function ownReport(file: string): Promise<string[]> {
  const image = memoryContent(new Uint8Array(readFileSync(file)));
  const iso = await openIso(image);
  const catalog = await iso.bootCatalog();
  const esp = findFile(await iso.tree(), "/boot/efiboot.img");
  const disk = await readDisk(image);
  const [bios, uefi] = catalog?.entries ?? [];
  if (!catalog || !bios || !uefi || !esp) throw new Error("two boot images are expected");
  const partitions = disk.mbr?.filter(({ type }) => type !== 0) ?? [];
  expect(partitions[1]).toMatchObject({ startLba: uefi.lba * 4, sectors: esp.content.sizeBytes / 512 });
  return [
    `El Torito catalog : ${catalog.lba} 1`,
    "El Torito cat path : /.catalog",
    "El Torito images : N Pltf B Emul Ld_seg Hdpt Ldsiz LBA",
    `El Torito boot img : 1 BIOS y none 0x0000 0x00 ${bios.loadSectors} ${bios.lba}`,
    `El Torito boot img : 2 UEFI y none 0x0000 0x00 ${uefi.loadSectors} ${uefi.lba}`,
    "El Torito img path : 1 /boot/cdboot",
    "El Torito img opts : 1 boot-info-table",
    "El Torito img path : 2 /boot/efiboot.img",
    ...partitions.map(({ type, startLba, sectors }, i) => {
      return `MBR partition : ${i + 1} 0x00 0x${type.toString(16)} ${startLba} ${sectors}`;
    }),
  ];
}

describe("illumos' loader", () => {
  const LINE = "an EFI program was started";
  const needed = ["qemu-system-x86_64", "OVMF_CODE", "OVMF_VARS", "grub-mkstandalone"] as const;

  /** A proto area whose UEFI loader is a program that prints a line and switches the machine off. */
  async function buildWithEfiProgram(): Promise<string> {
    writeExampleProto(at("loader"), "illumos");
    writeFileSync(at("grub.cfg"), `serial --unit=0\nterminal_output serial\necho "${LINE}"\nsleep 1\nhalt\n`);
    await runText(oracle("grub-mkstandalone"), [
      ...[
        "-O",
        "x86_64-efi",
        "-o",
        at("program.efi"),
        "--modules=serial terminal echo halt sleep",
        "--locales=",
        "--fonts=",
        "--themes=",
      ],
      `boot/grub/grub.cfg=${at("grub.cfg")}`,
    ]);
    await pureboot(
      "build",
      "loader",
      "--add",
      `boot/loader64.efi=${at("program.efi")}`,
      "-o",
      "uefi.iso",
      "--hybrid",
      "yes",
    );
    return at("uefi.iso");
  }

  testWith(needed, "UEFI starts its program from CD, from a stick, and by the partition table alone", async () => {
    const iso = await buildWithEfiProgram();
    const partitioned = at("partitioned.img");
    copyFileSync(iso, partitioned);
    const descriptor = openSync(partitioned, "r+");
    writeSync(descriptor, new Uint8Array(2048), 0, 2048, 17 * 2048); // no El Torito any more: the table is what is left
    closeSync(descriptor);
    const machines: Machine[] = [{ cdrom: iso }, { usbStick: iso }, { usbStick: partitioned }];
    for (const machine of machines) {
      const result = await runMachine({
        ...machine,
        firmware: "uefi",
        memoryMiB: 512,
        until: LINE,
        timeoutMilliseconds: 120_000,
      });
      expect(result.serial).toContain(LINE);
    }
  });

  testWith(
    ["xorriso"],
    "xorriso reports both boot entries, the partitions and the hash beside the archive",
    async () => {
      writeExampleProto(at("plain"), "illumos");
      await pureboot("build", "plain", "-o", "plain.iso");
      const report = await runText(oracle("xorriso"), [
        ...["-indev", at("plain.iso"), "-report_el_torito", "plain", "-report_system_area", "plain"],
      ]);
      const lines = report.split("\n").map((line) => line.replaceAll(/ +/g, " ").trim());
      expect(lines.filter((line) => /^El Torito|^MBR partition :/.test(line))).toEqual(
        await ownReport(at("plain.iso")),
      );
      const names = await runText(oracle("xorriso"), ["-indev", at("plain.iso"), "-find", "/platform", "-type", "f"]);
      expect(names.trim().split("\n").sort()).toEqual([
        "'/platform/i86pc/boot_archive'",
        "'/platform/i86pc/boot_archive.hash'",
        "'/platform/i86pc/kernel/amd64/unix'",
      ]);
    },
  );
});
