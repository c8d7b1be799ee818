// A Linux guest that mounts images and says what is on each path: Debian's kernel, and fixtures/guest/walk.c as its only
// program. The initramfs is made once per kernel and kept in the folder for temporary files.

import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Digest,
  digestOfOpenFile,
  type ListedPath,
  type Listing,
  parsePathRecord,
  toListing,
  unescapeBytes,
} from "./listing.ts";
import { findLinuxKernel, findOracle, type LinuxKernel, oracle } from "./programs.ts";
import { runMachine } from "./qemu.ts";
import { run, runText } from "./run.ts";

const WALK_SOURCE = join(dirname(fileURLToPath(import.meta.url)), "../../../fixtures/guest/walk.c");

/** What the guest can need, by module name; what these depend on, and their order, comes from modules.dep. */
const MODULES =
  "virtio_pci virtio_blk virtio_console ahci sd_mod sr_mod isofs ufs vfat nls_cp437 nls_iso8859-1 nls_utf8 nls_ascii";

export interface Mount {
  /** Host path of a raw image. */
  readonly image: string;
  readonly type: "ufs" | "iso9660" | "vfat";
  /** Default: "ufstype=sunx86" for ufs, none for the others. Always read-only. */
  readonly options?: string;
  /** As a virtio disk (default) or in the CD drive; only one of the mounts can be a CD. */
  readonly as?: "disk" | "cd";
}

export interface LinuxOptions {
  /** Default: 512 and the size of the largest UFS image, up to 2048 in all (see in_memory in walk.c). */
  readonly memoryMiB?: number;
  /** Default "sha256". */
  readonly digest?: Digest;
  /** Default five minutes. */
  readonly timeoutMilliseconds?: number;
  readonly signal?: AbortSignal;
}

export interface Mounted {
  /** Every path. Empty when the mount failed. A file that could not be read has the digest of what could. */
  readonly listing: Listing;
  /** What the walk could not do: mount, open, read. */
  readonly errors: readonly string[];
  /** What the kernel logged from the mount on, without time stamps. */
  readonly dmesg: readonly string[];
  /** `errors`, and those lines of `dmesg` in which the file system's driver or the block layer finds fault. */
  readonly complaints: readonly string[];
}

/**
 * Mounts images one after another in one guest and lists them.
 * @throws Error when the guest did not come to its end
 */
export async function mountInLinux(mounts: readonly Mount[], options: LinuxOptions = {}): Promise<Mounted[]> {
  const kernel = findLinuxKernel();
  if (kernel === undefined) throw new Error("no Linux kernel in /boot");
  const initramfs = await guestInitramfs(kernel);
  const folder = mkdtempSync(join(tmpdir(), "pureboot-linux-"));
  try {
    const records = join(folder, "records");
    const content = join(folder, "content");
    const ufsMiB = mounts.map(({ image, type }) => (type === "ufs" ? Math.ceil(statSync(image).size / 2 ** 20) : 0));
    const disks = mounts.filter(({ as }) => as !== "cd").map(({ image }) => image);
    const cdrom = mounts.find(({ as }) => as === "cd")?.image;
    let nextDisk = 0;
    const jobs = mounts.map(({ type, as, options: words }) => {
      const device = as === "cd" ? "/dev/sr0" : `/dev/vd${String.fromCharCode(97 + nextDisk++)}`;
      return `${type}:${device}:${words ?? (type === "ufs" ? "ufstype=sunx86" : "")}`;
    });
    const result = await runMachine({
      kernel: await plainKernel(kernel),
      modules: [{ path: initramfs }],
      append: `console=ttyS0 quiet loglevel=3 panic=-1 log_buf_len=4M -- ${jobs.join(" ")}`,
      memoryMiB: options.memoryMiB ?? Math.min(2048, 512 + Math.ceil(Math.max(0, ...ufsMiB) * 1.5)),
      disks,
      ...(cdrom !== undefined && { cdrom }),
      timeoutMilliseconds: options.timeoutMilliseconds ?? 300_000,
      ...(options.signal && { signal: options.signal }),
      extra: [
        ...["-device", "virtio-serial-pci", "-chardev", `file,id=records,path=${records}`],
        ...["-device", "virtserialport,chardev=records,name=records"],
        ...["-chardev", `file,id=content,path=${content}`],
        ...["-device", "virtserialport,chardev=content,name=content"],
      ],
    });
    const text = existsSync(records) ? readFileSync(records, "latin1") : "";
    if (!text.endsWith("\ndone\n")) {
      const how = result.stopped ?? `exit status ${result.status}`;
      throw new Error(
        `the Linux guest did not come to its end (${how}):\n${result.serial.slice(-2000)}${result.stderr}`,
      );
    }
    return readRecords(text, content, options.digest ?? "sha256");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The records of fixtures/guest/walk.c, one element a mount; the files' bytes lie in `contentFile` in the same order. */
function readRecords(text: string, contentFile: string, digest: Digest): Mounted[] {
  const mounted: Mounted[] = [];
  const content = openSync(contentFile, "r");
  try {
    let [paths, errors, dmesg]: [ListedPath[], string[], string[]] = [[], [], []];
    for (const line of text.split("\n")) {
      if (line.startsWith("mount ")) [paths, errors, dmesg] = [[], [], []];
      else if (line.startsWith("path ")) paths.push(withDigest(parsePathRecord(line), content, digest));
      else if (line.startsWith("error ")) errors.push(unescapeBytes(line.slice("error ".length)));
      else if (line.startsWith("dmesg ")) dmesg.push(line.slice("dmesg ".length).replace(/^(<\d+>)?\[ *[\d.]+\] /, ""));
      else if (line === "end") {
        mounted.push({
          listing: toListing(paths),
          errors,
          dmesg,
          complaints: [...errors, ...dmesg.filter(isComplaint)],
        });
      }
    }
  } finally {
    closeSync(content);
  }
  return mounted;
}

/** A file's record says how many bytes were sent; they are next in the content. */
function withDigest(record: ListedPath, content: number, algorithm: Digest): ListedPath {
  if (record.type !== "file") return record;
  const { digest: sentBytes, ...others } = record;
  const digest = digestOfOpenFile(content, algorithm, Number(sentBytes));
  return algorithm === "none" ? others : { ...others, digest };
}

/** mount() may succeed and still tell in the log that it understood nothing: "fs needs fsck", "rec_len is too small …". */
function isComplaint(line: string): boolean {
  if (/^ISO 9660 Extensions: /.test(line)) return false;
  return /\bufs\b|isofs|ISO ?9660|rock|FAT-fs|I\/O error|beyond end of device|Oops|BUG|WARNING/i.test(line);
}

/**
 * The kernel without its wrapping: undoing that takes an emulated machine four seconds of seven. QEMU starts a bare ELF
 * kernel only by the PVH entry that the kernel's notes may name; without it, or without the program to unpack, the kernel
 * is used as it is.
 */
async function plainKernel(kernel: LinuxKernel): Promise<string> {
  const path = join(cacheFolder(), `vmlinux-${kernel.version}`);
  if (existsSync(path)) return path;
  const wrapped = readFileSync(kernel.image);
  const start = wrapped.indexOf("\xfd7zXZ\0", 0, "latin1");
  if (start < 0 || findOracle("xz") === undefined) return kernel.image;
  const args = ["-dc", "--single-stream"];
  const { stdout } = await run("xz", args, { input: wrapped.subarray(start), outputLimitBytes: 512 * 1024 * 1024 });
  const pvhNote = Buffer.from([0x12, 0, 0, 0, 0x58, 0x65, 0x6e, 0]);
  if (!stdout.subarray(0, 4).equals(Buffer.from("\x7fELF")) || !stdout.includes(pvhNote)) return kernel.image;
  writeAtOnce(path, stdout);
  return path;
}

/** Path of the initramfs for a kernel: made when it is not there yet, under a name that holds all that it is made of. */
async function guestInitramfs(kernel: LinuxKernel): Promise<string> {
  const source = readFileSync(WALK_SOURCE);
  const key = createHash("sha256").update(source).update(kernel.version).update(MODULES).digest("hex").slice(0, 16);
  const path = join(cacheFolder(), `${key}.cpio`);
  if (existsSync(path)) return path;
  const init = `${path}.init-${process.pid}`;
  try {
    await runText(oracle("gcc"), ["-static", "-O2", "-o", init, WALK_SOURCE]);
    const files: [string, Uint8Array][] = [["init", readFileSync(init)]];
    for (const [index, name] of moduleFiles(kernel, MODULES.split(" ")).entries()) {
      files.push([`modules/${String(index).padStart(3, "0")}.ko`, await plainModule(join(kernel.modules, name))]);
    }
    const [ramDisk = ""] = moduleFiles(kernel, ["brd"]);
    files.push(["brd.ko", await plainModule(join(kernel.modules, ramDisk))]);
    writeAtOnce(path, cpio(["modules"], files));
  } finally {
    rmSync(init, { force: true });
  }
  return path;
}

/** What is made once is kept here; the names hold all that the contents depend on. */
function cacheFolder(): string {
  const folder = join(tmpdir(), `pureboot-guest-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Another test run must find all of the file or nothing. */
function writeAtOnce(path: string, content: Uint8Array): void {
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, path);
}

/** Module files in an order in which each comes after those that it needs. Those built into the kernel are left out. */
function moduleFiles(kernel: LinuxKernel, names: readonly string[]): string[] {
  const needs = new Map<string, string[]>();
  for (const line of readFileSync(join(kernel.modules, "modules.dep"), "utf8").split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0)
      needs.set(
        line.slice(0, colon),
        line
          .slice(colon + 1)
          .split(" ")
          .filter(Boolean)
          .reverse(),
      );
  }
  const builtIn = readFileSync(join(kernel.modules, "modules.builtin"), "utf8").split("\n").map(moduleName);
  const order = new Set<string>();
  for (const name of names) {
    const file = [...needs.keys()].find((candidate) => moduleName(candidate) === name.replaceAll("-", "_"));
    if (file === undefined) {
      if (builtIn.includes(name.replaceAll("-", "_"))) continue;
      throw new Error(`kernel ${kernel.version} has no module ${name}`);
    }
    for (const needed of needs.get(file) ?? []) order.add(needed);
    order.add(file);
  }
  return [...order];
}

function moduleName(file: string): string {
  return (file.split("/").at(-1) ?? "").replace(/\.ko.*$/, "").replaceAll("-", "_");
}

/** Distributions compress modules; the guest has no program to undo that. */
async function plainModule(path: string): Promise<Uint8Array> {
  const program = path.endsWith(".xz")
    ? "xz"
    : path.endsWith(".zst")
      ? "zstd"
      : path.endsWith(".gz")
        ? "gzip"
        : undefined;
  if (program === undefined) return readFileSync(path);
  return (await run(program, ["-dc", path])).stdout;
}

/** A cpio archive in the "newc" format that Linux unpacks: root-owned, directories 0755, files 0755. */
function cpio(directories: readonly string[], files: readonly (readonly [string, Uint8Array])[]): Buffer {
  const pieces: Buffer[] = [];
  const add = (inode: number, name: string, mode: number, content: Uint8Array) => {
    const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}\0`;
    pieces.push(padToFour(Buffer.from(header, "latin1")), padToFour(content));
  };
  for (const [index, name] of directories.entries()) add(index + 1, name, 0o040755, new Uint8Array(0));
  for (const [index, [name, content]] of files.entries()) {
    add(directories.length + index + 1, name, 0o100755, content);
  }
  add(0, "TRAILER!!!", 0, new Uint8Array(0));
  return Buffer.concat(pieces);
}

function padToFour(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
