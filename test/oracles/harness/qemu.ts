// A PC in QEMU, with its serial line as a string. Always TCG (nested KVM hangs or crawls) and q35 (AHCI: the old IDE
// reads a big archive ten times more slowly). See the notes on each field of `Machine`.

import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { oracle } from "./programs.ts";
import { run } from "./run.ts";

export interface Machine {
  /** Default 512. GRUB with a boot archive wants 288 MiB more than the image, the illumos loader twice the image + 256. */
  readonly memoryMiB?: number;
  /** An image in the CD drive; boots first. */
  readonly cdrom?: string;
  /** Raw images as virtio disks (/dev/vda, vdb … in Linux), read-only. */
  readonly disks?: readonly string[];
  /** A raw image as an AHCI disk, to boot from. */
  readonly ahciDisk?: string;
  /** A raw image as a USB stick (xhci), to boot from. */
  readonly usbStick?: string;
  /** A multiboot kernel or a Linux kernel, started without any boot loader. */
  readonly kernel?: string;
  /** Files for -initrd. Multiboot takes several, each with words for its command line; Linux takes one. */
  readonly modules?: readonly { readonly path: string; readonly arguments?: string }[];
  /** Kernel command line. */
  readonly append?: string;
  /** Default "bios" (SeaBIOS); "uefi" is OVMF with a fresh variable store. */
  readonly firmware?: "bios" | "uefi";
  /** SeaBIOS' and GRUB's text screen goes to the serial line too. BIOS only. */
  readonly screenOnSerial?: boolean;
  /** Further arguments, verbatim. */
  readonly extra?: readonly string[];
  /** Default five minutes. */
  readonly timeoutMilliseconds?: number;
  /** Default 256 MiB of serial output. */
  readonly serialLimitBytes?: number;
  /** The machine is switched off as soon as its serial output holds this (within a line). */
  readonly until?: string;
  readonly signal?: AbortSignal;
}

export interface MachineResult {
  /** What came over COM1, as a byte string, without carriage returns. */
  readonly serial: string;
  /** QEMU's exit status: 33 and 35 are the probe's good and bad, 0 a power-off; null when it was killed. */
  readonly status: number | null;
  /** Why it was stopped: undefined means that the guest ended by itself. */
  readonly stopped: "timeout" | "limit" | "asked" | "aborted" | undefined;
  readonly stderr: string;
  readonly milliseconds: number;
}

const POLL_MILLISECONDS = 200;

/**
 * Runs a machine until it ends, says `until`, or the time is over. Nothing is written to the images. The serial line goes to
 * a file: a pipe whose reader is busy for a second would make the emulated UART drop characters.
 */
export async function runMachine(machine: Machine): Promise<MachineResult> {
  const scratch = mkdtempSync(join(tmpdir(), "pureboot-qemu-"));
  const serialFile = join(scratch, "serial");
  const controller = new AbortController();
  let stopped: MachineResult["stopped"];
  const stop = (why: MachineResult["stopped"]) => {
    stopped ??= why;
    controller.abort();
  };
  const watch = setInterval(() => {
    const size = existsSync(serialFile) ? statSync(serialFile).size : 0;
    if (size > (machine.serialLimitBytes ?? 256 * 1024 * 1024)) stop("limit");
    else if (machine.until !== undefined && readSerial(serialFile).includes(machine.until)) stop("asked");
  }, POLL_MILLISECONDS);
  const abort = () => stop("aborted");
  machine.signal?.addEventListener("abort", abort, { once: true });
  if (machine.signal?.aborted) abort();
  try {
    // Under timeout(1), so that a machine ends even when the process that started it was killed.
    const timeoutMilliseconds = machine.timeoutMilliseconds ?? 300_000;
    const bound = ["--kill-after=1", String(Math.ceil(timeoutMilliseconds / 1000) + 5), oracle("qemu-system-x86_64")];
    const result = await run(oracle("timeout"), [...bound, ...machineArguments(machine, scratch, serialFile)], {
      timeoutMilliseconds,
      signal: controller.signal,
    });
    return {
      serial: readSerial(serialFile),
      status: result.status,
      stopped: stopped ?? result.stopped,
      stderr: result.stderr.toString("latin1"),
      milliseconds: result.milliseconds,
    };
  } finally {
    clearInterval(watch);
    machine.signal?.removeEventListener("abort", abort);
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * The text that came, without the terminal's control sequences: SeaBIOS moves the cursor, sometimes within a word, when the
 * screen goes to the serial line.
 */
function readSerial(file: string): string {
  const text = existsSync(file) ? readFileSync(file, "latin1") : "";
  return text.replaceAll("\r", "").replace(CONTROL_SEQUENCE, "");
}

/** ECMA-48: CSI, parameters, a final byte; and ESC with one letter. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const CONTROL_SEQUENCE = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-~])/g;

/** QEMU's arguments for a machine; `scratch` is a folder for what it must be able to write to. */
function machineArguments(machine: Machine, scratch: string, serialFile: string): string[] {
  const type = machine.screenOnSerial && machine.firmware !== "uefi" ? "q35,graphics=off" : "q35";
  const args = ["-nodefaults", "-no-user-config", "-accel", "tcg", "-M", type, "-cpu", "qemu64"];
  args.push(
    "-m",
    String(machine.memoryMiB ?? 512),
    "-display",
    "none",
    "-vga",
    "std",
    "-serial",
    `file:${quote(serialFile)}`,
    "-no-reboot",
  );
  args.push("-device", "isa-debug-exit,iobase=0xf4,iosize=0x4");
  if (machine.firmware === "uefi") {
    const variables = join(scratch, "variables.fd");
    copyFileSync(oracle("OVMF_VARS"), variables);
    args.push("-drive", `if=pflash,unit=0,format=raw,readonly=on,file=${quote(oracle("OVMF_CODE"))}`);
    args.push("-drive", `if=pflash,unit=1,format=raw,file=${quote(variables)}`);
  }
  if (machine.cdrom !== undefined) {
    // a CD with a boot index would be booted instead of the kernel
    const bootIndex = machine.kernel === undefined ? ",bootindex=0" : "";
    args.push("-drive", drive("cd", machine.cdrom), "-device", `ide-cd,drive=cd${bootIndex}`);
  }
  if (machine.ahciDisk !== undefined) {
    args.push("-drive", drive("ahci", machine.ahciDisk), "-device", "ide-hd,drive=ahci,bootindex=1");
  }
  if (machine.usbStick !== undefined) {
    args.push(
      "-device",
      "qemu-xhci",
      "-drive",
      drive("usb", machine.usbStick),
      "-device",
      "usb-storage,drive=usb,bootindex=2",
    );
  }
  for (const [index, disk] of (machine.disks ?? []).entries()) {
    args.push("-drive", drive(`disk${index}`, disk), "-device", `virtio-blk-pci,drive=disk${index}`);
  }
  if (machine.kernel !== undefined) args.push("-kernel", machine.kernel);
  if (machine.modules !== undefined && machine.modules.length > 0) {
    const modules = machine.modules.map(({ path, arguments: words }) => quote(words ? `${path} ${words}` : path));
    args.push("-initrd", modules.join(","));
  }
  if (machine.append !== undefined) args.push("-append", machine.append);
  return [...args, ...(machine.extra ?? [])];
}

/** Copy-on-write into a temporary file: the image stays as it is, and the guest need not know that it is read-only. */
function drive(id: string, path: string): string {
  return `if=none,id=${id},format=raw,snapshot=on,file=${quote(path)}`;
}

/** QEMU's own escape for a comma within a value. */
function quote(value: string): string {
  return value.replaceAll(",", ",,");
}
