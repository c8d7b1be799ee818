// Media that boot in other ways than from a CD under BIOS: GRUB from a USB stick and a disk, EFI programs from CD, USB stick
// and partition table.

import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect } from "vitest";
import { writeExampleProto } from "../../fixtures/example.ts";
import { bootProbe } from "./harness/probe.ts";
import { oracle, testWith } from "./harness/programs.ts";
import { type Machine, runMachine } from "./harness/qemu.ts";
import { runText } from "./harness/run.ts";

const MAIN = path.resolve(import.meta.dirname, "../../dist/src/cli/main.js");
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
      expect(report).toMatch(/El Torito boot img : +1 +BIOS +y +none +0x0000 +0x00 +4 /);
      expect(report).toMatch(/El Torito boot img : +2 +UEFI +y +none /);
      expect(report).toMatch(/El Torito img path : +1 +\/boot\/cdboot/);
      expect(report).toMatch(/El Torito img path : +2 +\/boot\/efiboot\.img/);
      expect(report).toMatch(/MBR partition +: +1 +0x00 +0xbe +3 +60/);
      expect(report).toMatch(/MBR partition +: +2 +0x00 +0xef +\d+ +\d+/);
      const names = await runText(oracle("xorriso"), ["-indev", at("plain.iso"), "-find", "/platform", "-type", "f"]);
      expect(names.trim().split("\n").sort()).toEqual([
        "'/platform/i86pc/boot_archive'",
        "'/platform/i86pc/boot_archive.hash'",
        "'/platform/i86pc/kernel/amd64/unix'",
      ]);
    },
  );
});
