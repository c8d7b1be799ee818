// What outside programs say of an ISO 9660 image: xorriso (boot catalog, system area), isoinfo (records and extents),
// isovfy (structure), bsdtar (another reader of Rock Ridge).

import { type ListedPath, type Listing, toListing, unescapeBytes } from "./listing.ts";
import { oracle } from "./programs.ts";
import { run, runText } from "./run.ts";

export interface BootImage {
  readonly platform: "BIOS" | "UEFI" | string;
  readonly bootable: boolean;
  /** "none" = no emulation. */
  readonly emulation: string;
  readonly loadSegment: number;
  /** In 512-byte sectors, as the catalog says. */
  readonly loadSectors: number;
  /** 2048-byte block. */
  readonly lba: number;
  /** Where the tree shows it; undefined when no file begins there. */
  readonly path: string | undefined;
  /** E.g. "boot-info-table". */
  readonly options: readonly string[];
}

export interface Partition {
  readonly number: number;
  readonly status: number;
  readonly type: number;
  /** 512-byte sectors. */
  readonly start: number;
  readonly sectors: number;
}

export interface BootReport {
  readonly catalogLba: number | undefined;
  readonly catalogPath: string | undefined;
  readonly images: readonly BootImage[];
  /** MBR partitions that are not empty. */
  readonly partitions: readonly Partition[];
  /** "System area summary", e.g. "MBR cyl-align-off"; empty without one. */
  readonly systemArea: string;
  /** All that xorriso printed. */
  readonly text: string;
}

/** `xorriso -report_el_torito plain -report_system_area plain`. @throws Error when xorriso cannot read the image */
export async function bootReport(image: string): Promise<BootReport> {
  const words = ["-indev", image, "-report_el_torito", "plain", "-report_system_area", "plain"];
  return parseBootReport(await runText(oracle("xorriso"), words));
}

export function parseBootReport(text: string): BootReport {
  const images = new Map<number, BootImage>();
  const partitions: Partition[] = [];
  let [catalogLba, catalogPath, systemArea]: [number | undefined, string | undefined, string] = [
    undefined,
    undefined,
    "",
  ];
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    const key = line.slice(0, Math.max(colon, 0)).trim();
    const value = line.slice(colon + 1).trim();
    const fields = value.split(/\s+/);
    const number = Number(fields[0]);
    if (key === "El Torito catalog") catalogLba = number;
    else if (key === "El Torito cat path") catalogPath = value;
    else if (key === "El Torito boot img") {
      const [, platform = "", bootable, emulation = "", segment, , sectors, lba] = fields;
      images.set(number, {
        platform,
        bootable: bootable === "y",
        emulation,
        loadSegment: Number(segment),
        loadSectors: Number(sectors),
        lba: Number(lba),
        path: undefined,
        options: [],
      });
    } else if (key === "El Torito img path" || key === "El Torito img opts") {
      const known = images.get(number);
      const rest = value.replace(/^\d+\s+/, "");
      const update = key.endsWith("path") ? { path: rest } : { options: rest.split(/\s+/) };
      if (known) images.set(number, { ...known, ...update });
    } else if (key === "MBR partition") {
      const [, status, type, start, sectors] = fields.map(Number);
      partitions.push({ number, status: status ?? 0, type: type ?? 0, start: start ?? 0, sectors: sectors ?? 0 });
    } else if (key === "System area summary") systemArea = value;
  }
  return { catalogLba, catalogPath, images: [...images.values()], partitions, systemArea, text };
}

export interface IsoinfoRecord {
  /** As `ls -l` prints them: "-rw-r--r--". */
  readonly permissions: string;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** First block of the extent. */
  readonly lba: number;
  /** File Flags of the directory record. */
  readonly flags: number;
  readonly target: string | undefined;
}

/** `isoinfo -l -R` (or -J, or plain names): every path, "/" for the root. */
export async function isoinfoListing(
  image: string,
  names: "rockridge" | "joliet" | "plain" = "rockridge",
): Promise<ReadonlyMap<string, IsoinfoRecord>> {
  const option = { rockridge: ["-R"], joliet: ["-J"], plain: [] }[names];
  const text = await runText(oracle("isoinfo"), ["-i", image, "-l", ...option]);
  const records = new Map<string, IsoinfoRecord>();
  let folder = "/";
  for (const line of text.split("\n")) {
    const heading = /^Directory listing of (\/.*)$/.exec(line)?.[1];
    if (heading !== undefined) folder = heading;
    const match = /^(\S{10}) +(\d+) +(\d+) +(\d+) +(\d+) \w{3} +\d+ +[\d:]+ \[ *(\d+) ([0-9a-f]{2})\] {2}(.*?) ?$/.exec(
      line,
    );
    if (match === null) continue;
    const [, permissions = "", nlink, uid, gid, size, lba, flags = "", text = ""] = match;
    const [name = "", target] = permissions.startsWith("l") ? text.split(" -> ") : [text];
    if (name === ".." || (name === "." && folder !== "/")) continue;
    records.set(name === "." ? "/" : `${folder}${name}`, {
      permissions,
      nlink: Number(nlink),
      uid: Number(uid),
      gid: Number(gid),
      size: Number(size),
      lba: Number(lba),
      flags: Number.parseInt(flags, 16),
      target,
    });
  }
  return records;
}

/** The descriptors as `isoinfo -d` prints them, by label: "Volume id", "Volume size is" … */
export async function isoinfoDescriptor(image: string): Promise<ReadonlyMap<string, string>> {
  const text = await runText(oracle("isoinfo"), ["-d", "-i", image]);
  const pairs = text.split("\n").map((line) => /^\s*([^:]+): ?(.*)$/.exec(line));
  return new Map(pairs.flatMap((pair) => (pair ? [[pair[1] ?? "", pair[2] ?? ""]] : [])));
}

/** What isovfy finds fault with; empty when it says "No errors found". */
export async function isovfy(image: string): Promise<string[]> {
  const { stdout, stderr } = await run(oracle("isovfy"), [image]);
  const lines = `${stdout.toString("latin1")}\n${stderr.toString("latin1")}`.split("\n").map((line) => line.trim());
  if (lines.includes("No errors found")) return [];
  return lines.filter((line) => line !== "" && !/^(Root at extent|\[\d+ \d+\])/.test(line));
}

const MTREE_WORDS = "type mode uid gid nlink size time link device sha256";

/**
 * An ISO image (or tar archive) as libarchive reads it; digests are SHA-256. bsdtar gives later names of a file without its
 * content: they get the first name's record. nlink is as the image says (1 where it says nothing), inode numbers are made up.
 */
export async function bsdtarListing(image: string): Promise<Listing> {
  const tar = oracle("bsdtar");
  const words = MTREE_WORDS.split(" ").map((word) => `,mtree:${word}`);
  const text = await runText(tar, ["-cf", "-", "--format=mtree", `--options=mtree:!all${words.join("")}`, `@${image}`]);
  const verbose = await runText(tar, ["-tvf", image]);
  const records = new Map<string, ListedPath>();
  for (const line of text.split("\n")) {
    if (!line.startsWith(".")) continue;
    const record = parseMtreeLine(line, records.size + 2);
    records.set(record.path, record);
  }
  for (const [, name = "", first = ""] of verbose.matchAll(/^-.* \w{3} +\d+ +[\d:]+ (.+?) link to (.+)$/gm)) {
    const path = `/${unescapeC(name)}`;
    const original = records.get(`/${unescapeC(first)}`);
    if (original) records.set(path, { ...original, path });
  }
  return toListing(records.values());
}

function parseMtreeLine(line: string, inode: number): ListedPath {
  const [name = "", ...words] = line.split(" ");
  const fields = new Map(words.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]));
  const number = (key: string) => Number(fields.get(key) ?? 0);
  const types: Readonly<Record<string, ListedPath["type"]>> = {
    dir: "directory",
    file: "file",
    link: "symlink",
    char: "character",
    block: "block",
    fifo: "fifo",
    socket: "socket",
  };
  const type = types[fields.get("type") ?? ""] ?? "unknown";
  const target = unescapeBytes(fields.get("link") ?? "");
  const device = (fields.get("device") ?? "").split(",").slice(1).map(Number);
  return {
    path: name === "." ? "/" : unescapeBytes(name.slice(1)),
    type,
    mode: Number.parseInt(fields.get("mode") ?? "0", 8),
    uid: number("uid"),
    gid: number("gid"),
    nlink: fields.has("nlink") ? number("nlink") : 1,
    size: type === "symlink" ? target.length : number("size"),
    mtimeSeconds: Math.floor(number("time")),
    inode,
    ...(type === "symlink" && { target }),
    ...((type === "character" || type === "block") && { device: [device[0] ?? 0, device[1] ?? 0] as const }),
    ...(type === "file" && { digest: fields.get("sha256digest") ?? fields.get("sha256") ?? "" }),
  };
}

/** The escapes of bsdtar -t: \ooo, \\ and C's letters. */
function unescapeC(text: string): string {
  const letters: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };
  return text.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (letters[code] ?? code),
  );
}
