// grub-fstest: GRUB's own file system drivers, UFS and ISO9660 among them, run on an image as it lies on the host. It shows
// names, sizes and times of a directory and the bytes of a file; it follows symbolic links and does not show dangling ones.

import { type Listing, printable } from "./listing.ts";
import { oracle } from "./programs.ts";
import { run } from "./run.ts";

export interface GrubEntry {
  readonly type: "directory" | "file";
  /** Of files; of what a link points to. */
  readonly size: number;
  readonly mtimeSeconds: number;
}

/** A directory as GRUB shows it, without `.` and `..`. Names are byte strings. @throws Error when GRUB cannot read it */
export async function grubList(image: string, path: string): Promise<ReadonlyMap<string, GrubEntry>> {
  const [listing = ""] = await grubRun(image, [["ls", "-l", "-a", `${path.replace(/\/$/, "")}/`]]);
  return parseList(listing);
}

/** The bytes of a file. @throws Error when GRUB cannot read it */
export async function grubCat(image: string, path: string): Promise<Buffer> {
  const [bytes = ""] = await grubRun(image, [["cat", path]]);
  return Buffer.from(bytes, "latin1");
}

export interface GrubCompareOptions {
  /** Whose contents are read (by CRC-32, so the listing must have these digests); default: all files. */
  readonly contents?: (path: string) => boolean;
  readonly timeoutMilliseconds?: number;
}

/**
 * Compares an image with a listing (digests CRC-32) as far as GRUB can see: names of directories and files, sizes, times,
 * contents. About 4 ms a directory and 4 ms a file.
 * @returns differences, a line each
 */
export async function compareWithGrub(
  image: string,
  expected: Listing,
  options: GrubCompareOptions = {},
): Promise<string[]> {
  const directories = [...expected.values()].filter(({ type }) => type === "directory");
  const wanted = options.contents ?? (() => true);
  const files = [...expected.values()].filter(({ type, path }) => type === "file" && wanted(path));
  const commands = [
    ...directories.map(({ path }) => ["ls", "-l", "-a", path === "/" ? "/" : `${path}/`]),
    ...files.map(({ path }) => ["crc", path]),
  ];
  const outputs = await grubRun(image, commands, options.timeoutMilliseconds, true);
  const differences: string[] = [];
  const shown = new Map<string, GrubEntry>();
  for (const [index, { path }] of directories.entries()) {
    for (const [name, entry] of parseList(outputs[index] ?? ""))
      shown.set(`${path === "/" ? "" : path}/${name}`, entry);
  }
  for (const { path, type, size, mtimeSeconds } of expected.values()) {
    if (path === "/" || (type !== "directory" && type !== "file")) continue;
    const entry = shown.get(path);
    if (entry === undefined) differences.push(`${printable(path)}: missing`);
    else if (entry.type !== type) differences.push(`${printable(path)}: is a ${entry.type}, expected a ${type}`);
    else if (type === "file" && entry.size !== size) {
      differences.push(`${printable(path)}: size is ${entry.size}, expected ${size}`);
    } else if (entry.mtimeSeconds !== mtimeSeconds) {
      differences.push(`${printable(path)}: mtime is ${entry.mtimeSeconds}, expected ${mtimeSeconds}`);
    }
  }
  for (const path of shown.keys()) if (!expected.has(path)) differences.push(`${printable(path)}: unexpected`);
  for (const [index, { path, digest }] of files.entries()) {
    const crc = (outputs[directories.length + index] ?? "").trim();
    if (crc !== digest) differences.push(`${printable(path)}: CRC is ${crc || "none"}, expected ${digest}`);
  }
  return differences;
}

function parseList(text: string): Map<string, GrubEntry> {
  const entries = new Map<string, GrubEntry>();
  // an entry ends where the next one begins: a name may hold line ends
  const pattern = /(DIR|\d+) +(\d{14}) (.*?)\n(?=(?:DIR|\d+) +\d{14} |\n*$)/gs;
  for (const [, size = "", stamp = "", name = ""] of text.matchAll(pattern)) {
    const directory = size === "DIR";
    const plain = directory ? name.replace(/\/$/, "") : name;
    if (plain === "." || plain === "..") continue;
    const [year, ...rest] = [stamp.slice(0, 4), ...(stamp.slice(4).match(/../g) ?? [])].map(Number);
    const [month = 1, day, hour, minute, second] = rest;
    const mtimeSeconds = Date.UTC(year ?? 0, month - 1, day, hour, minute, second) / 1000;
    entries.set(plain, { type: directory ? "directory" : "file", size: directory ? 0 : Number(size), mtimeSeconds });
  }
  return entries;
}

/**
 * Runs grub-fstest once for each command, all from one shell: an argument that Node passes would be UTF-8, a script is bytes.
 * @returns the output of each, as a byte string; with `lenient` a failing one is "", else it throws
 */
async function grubRun(
  image: string,
  commands: readonly (readonly string[])[],
  timeoutMilliseconds = 600_000,
  lenient = false,
): Promise<string[]> {
  const mark = "\n=== pureboot end of output ===\n";
  const script = commands.map((words) => {
    const [verb = "", ...operands] = words;
    const quoted = operands.map((word) => shellQuote(word.startsWith("/") ? `(loop0)${word}` : word));
    return `"$1" "$2" -- ${verb} ${quoted.join(" ")}${lenient ? "" : " || exit 1"}\nprintf '%s' "$3"\n`;
  });
  const args = ["-s", "--", oracle("grub-fstest"), image, mark];
  const result = await run("sh", args, { input: Buffer.from(script.join(""), "latin1"), timeoutMilliseconds });
  if (result.status !== 0 && !lenient) throw new Error(`grub-fstest ${image}: ${result.stderr.toString("latin1")}`);
  if (result.stopped !== undefined) throw new Error(`grub-fstest ${image}: ${result.stopped}`);
  return result.stdout.toString("latin1").split(mark).slice(0, commands.length);
}

function shellQuote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
