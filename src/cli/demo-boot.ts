// Boots the demo in QEMU. The example's kernel is a boot probe: it reads the ramdisk with a reader of its own (in C, written
// apart from ours) and prints a line for every path; here they are compared with what went in.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Content, crc32, ImageError, readAll } from "../bytes/index.ts";
import { gunzipContent } from "../gzip/index.ts";
import { guestMemoryBytes, KERNEL_PATH } from "../illumos/index.ts";
import { ARCHIVE_PATH } from "../image/index.ts";
import { openIso } from "../iso9660-writer-ts/index.ts";
import { emit, extent, makeLayout } from "../layout/index.ts";
import { createFileSink, openFileContent } from "../node/index.ts";
import { findProgram } from "../node/programs.ts";
import { type Directory, findFile, walk } from "../tree/index.ts";

export interface Verdict {
  readonly good: boolean;
  readonly text: string;
}

const QEMU = "qemu-system-x86_64";
/** Software emulation of a machine with an AHCI controller: the same on every host, and quick at big modules. */
const MACHINE = ["-accel", "tcg", "-M", "q35", "-display", "none", "-no-reboot"];
/** The probe ends the machine by writing to this port. */
const EXIT_DEVICE = ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x4"];
const TIMEOUT_MS = 180_000;

/** @throws ImageError "requirement" when QEMU is not installed */
export function findQemu(): string {
  const found = findProgram(QEMU);
  if (found) return found;
  throw new ImageError(
    "requirement",
    `--boot: ${QEMU} is not installed; Debian: apt install qemu-system-x86, macOS: brew install qemu`,
  );
}

/**
 * Boots an ISO: through its boot loader, or, when it has none, its kernel and ramdisk taken back out of it.
 * @param expected the ramdisk's tree
 */
export async function bootDemo(
  iso: string,
  expected: Directory,
  hasLoader: boolean,
  signal: AbortSignal,
): Promise<Verdict> {
  const folder = mkdtempSync(path.join(tmpdir(), "pureboot-boot-"));
  try {
    const taken = hasLoader ? undefined : await takeOut(iso, folder);
    const what = taken ? ["-kernel", taken[0], "-initrd", taken[1]] : ["-cdrom", iso];
    const how = taken ? "kernel and ramdisk taken back out of the ISO, without a boot loader" : "the ISO, through GRUB";
    return await judge(how, await runQemu(what, folder, isoMemoryBytes(expected), signal), expected);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Enough for the example's ramdisk with its free space. */
function isoMemoryBytes(expected: Directory): number {
  let contentBytes = 0;
  for (const { node } of walk(expected)) if (node.type === "file") contentBytes += node.content.sizeBytes;
  return guestMemoryBytes(2 * contentBytes);
}

async function takeOut(iso: string, folder: string): Promise<[kernel: string, ramdisk: string]> {
  const image = await openFileContent(iso);
  try {
    const tree = await (await openIso(image)).tree();
    const copy = async (name: string, content: Content | undefined): Promise<string> => {
      if (content === undefined) throw new ImageError("not-found", `${iso}: has no ${name}`);
      const sink = await createFileSink(path.join(folder, name));
      await emit(makeLayout(content.sizeBytes, [extent(0, { what: name }, content)]), sink);
      await sink.truncate(content.sizeBytes);
      await sink.commit();
      return sink.path;
    };
    const archive = findFile(tree, ARCHIVE_PATH)?.content;
    return [
      await copy("unix", findFile(tree, KERNEL_PATH)?.content),
      await copy("ramdisk", archive && (await gunzipContent(archive))),
    ];
  } finally {
    await image.close();
  }
}

/** What the machine printed. The serial port is a file: a pipe whose reader is slow loses bytes. */
async function runQemu(
  what: readonly string[],
  folder: string,
  memoryBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const memory = ["-m", String(Math.ceil(memoryBytes / 2 ** 20))];
  const log = path.join(folder, "serial");
  const child = spawn(findQemu(), [...MACHINE, "-serial", `file:${log}`, ...EXIT_DEVICE, ...memory, ...what], {
    signal,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  try {
    await new Promise<void>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", () => resolve());
    });
  } catch (error) {
    if (signal.aborted) throw new ImageError("interrupted", "interrupted", { cause: error });
    const why = error instanceof Error ? error.message : String(error);
    throw new ImageError("requirement", `QEMU cannot be started: ${why}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  const serial = existsSync(log) ? readFileSync(log, "latin1").replaceAll("\r", "") : "";
  if (serial.includes("\nprobe: done ")) return serial;
  const why = complaints.trim() || "it printed nothing of use";
  throw new ImageError("bad-format", `the machine did not come to the probe's end: ${why}`);
}

/** Compares the probe's lines with the tree: files by checksum, everything by being there. */
async function judge(how: string, serial: string, expected: Directory): Promise<Verdict> {
  const seen = new Map<string, string>();
  for (const line of serial.split("\n")) {
    // path TYPE MODE UID GID NLINK SIZE MTIME INODE VALUE PATH; a file's value is its CRC-32
    const words = line.split(" ");
    if (words[0] === "path") seen.set(unescapeOctal(words[10] ?? ""), words[9] ?? "");
  }
  const wrong: string[] = [];
  let files = 0;
  let paths = 0;
  for (const { path: name, node } of walk(expected)) {
    paths++;
    const value = seen.get(name);
    if (value === undefined) wrong.push(`${name}: not seen`);
    else if (node.type === "file") {
      files++;
      const sum = crc32(await readAll(node.content))
        .toString(16)
        .padStart(8, "0");
      if (sum !== value) wrong.push(`${name}: checksum ${value}, ${sum} went in`);
    }
  }
  const good = wrong.length === 0 && serial.includes("\nprobe: done verdict=good");
  const result = good
    ? `the probe read ${paths} paths and ${files} files; all checksums are equal`
    : ["the probe found differences:", ...wrong.slice(0, 20)].join("\n");
  return { good, text: `booted ${how}: ${result}` };
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
