// What each path of a tree is, as one record, whoever says it: the host's disk, our tree, the boot probe, Linux.
// Two listings are compared field by field. Paths and targets are byte strings (latin1, see src/bytes).

import { createHash } from "node:crypto";
import { closeSync, type Dirent, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Content } from "../../../src/bytes/index.ts";
import { type Directory, type Node, type NodeType, walk } from "../../../src/tree/index.ts";

export interface ListedPath {
  /** "/" for the root, else "/etc/motd". */
  readonly path: string;
  readonly type: NodeType | "unknown";
  /** 0..0o7777 */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  /** Bytes of a file or of a link's target; what the file system says for others. */
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly inode: number;
  /** Of symbolic links. */
  readonly target?: string;
  /** Of devices: major, minor. */
  readonly device?: readonly [number, number];
  /** Of files: hex, in the listing's own algorithm. */
  readonly digest?: string;
}

export type Listing = ReadonlyMap<string, ListedPath>;
export type Digest = "crc32" | "sha256" | "none";
export type Field = Exclude<keyof ListedPath, "path"> | "hardLinks";

/** Everything that a copy of a tree must keep. `size` is compared for files and links only, inode numbers through `hardLinks`. */
export const ALL_FIELDS: readonly Field[] = [
  "type",
  "mode",
  "uid",
  "gid",
  "nlink",
  "size",
  "mtimeSeconds",
  "target",
  "device",
  "digest",
  "hardLinks",
];

const TYPE_OF_LETTER: Readonly<Record<string, ListedPath["type"]>> = {
  d: "directory",
  f: "file",
  l: "symlink",
  c: "character",
  b: "block",
  p: "fifo",
  s: "socket",
};

/** One `path …` record of the boot probe (fixtures/probe/ufs.c) or the Linux guest (fixtures/guest/walk.c). */
export function parsePathRecord(line: string): ListedPath {
  const [keyword, letter = "", mode = "", uid, gid, nlink, size, mtime, inode, value = "", path] = line.split(" ");
  if (keyword !== "path" || path === undefined) throw new Error(`not a path record: ${line}`);
  const type = TYPE_OF_LETTER[letter] ?? "unknown";
  const device = value.split(",").map(Number);
  return {
    path: unescapeBytes(path),
    type,
    mode: Number.parseInt(mode, 8),
    uid: Number(uid),
    gid: Number(gid),
    nlink: Number(nlink),
    size: Number(size),
    mtimeSeconds: Number(mtime),
    inode: Number(inode),
    ...(type === "symlink" && { target: Number(size) === 0 ? "" : unescapeBytes(value) }),
    ...((type === "character" || type === "block") && { device: [device[0] ?? Number.NaN, device[1] ?? Number.NaN] }),
    ...(type === "file" && { digest: value }),
  };
}

/** \ooo to bytes. */
export function unescapeBytes(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Records to a listing. @throws Error when a path comes twice */
export function toListing(records: Iterable<ListedPath>): Listing {
  const listing = new Map<string, ListedPath>();
  for (const record of records) {
    if (listing.has(record.path)) throw new Error(`${printable(record.path)} is listed twice`);
    listing.set(record.path, record);
  }
  return listing;
}

/** A folder on this machine, by lstat. */
export function listDirectory(folder: string, digest: Digest = "crc32"): Listing {
  const records: ListedPath[] = [];
  const visit = (host: Buffer, path: string) => {
    const record = listHostPath(host, path, digest);
    records.push(record);
    if (record.type !== "directory") return;
    const entries = readdirSync(host, { encoding: "buffer", withFileTypes: true }) as unknown as Dirent<Buffer>[];
    for (const { name } of entries) {
      visit(Buffer.concat([host, Buffer.from("/"), name]), `${path === "/" ? "" : path}/${name.toString("latin1")}`);
    }
  };
  visit(Buffer.from(folder), "/");
  return toListing(records);
}

function listHostPath(host: Buffer, path: string, digest: Digest): ListedPath {
  const status = lstatSync(host);
  const type = status.isDirectory()
    ? "directory"
    : status.isFile()
      ? "file"
      : status.isSymbolicLink()
        ? "symlink"
        : status.isCharacterDevice()
          ? "character"
          : status.isBlockDevice()
            ? "block"
            : status.isFIFO()
              ? "fifo"
              : status.isSocket()
                ? "socket"
                : "unknown";
  return {
    path,
    type,
    mode: status.mode & 0o7777,
    uid: status.uid,
    gid: status.gid,
    nlink: status.nlink,
    size: status.size,
    mtimeSeconds: Math.floor(status.mtimeMs / 1000),
    inode: status.ino,
    ...(type === "symlink" && { target: readlinkSync(host, "buffer").toString("latin1") }),
    ...((type === "character" || type === "block") && { device: splitLinuxDevice(status.rdev) }),
    ...(type === "file" && digest !== "none" && { digest: digestOfHostFile(host, digest) }),
  };
}

/** The dev_t of glibc: gnu_dev_major and gnu_dev_minor. */
function splitLinuxDevice(rdev: number): [number, number] {
  const device = BigInt(rdev);
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffffffffn);
  return [Number(major), Number(minor)];
}

const PIECE_BYTES = 1024 * 1024;
const piece = Buffer.alloc(PIECE_BYTES);

function digestOfHostFile(host: Buffer, algorithm: Digest): string {
  const descriptor = openSync(host, "r");
  try {
    return digestOfOpenFile(descriptor, algorithm);
  } finally {
    closeSync(descriptor);
  }
}

/** Of the next `sizeBytes` bytes of an open file, or of those up to its end. */
export function digestOfOpenFile(descriptor: number, algorithm: Digest, sizeBytes = Number.POSITIVE_INFINITY): string {
  const state = startDigest(algorithm);
  for (let left = sizeBytes; left > 0; ) {
    const length = readSync(descriptor, piece, 0, Math.min(left, piece.length), null);
    if (length === 0) break;
    state.update(piece.subarray(0, length));
    left -= length;
  }
  return state.hex();
}

function startDigest(algorithm: Digest): { update(bytes: Uint8Array): void; hex(): string } {
  if (algorithm === "sha256") {
    const hash = createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
  }
  let crc = 0;
  return {
    update: (bytes) => {
      crc = crc32(bytes, crc);
    },
    hex: () => crc.toString(16).padStart(8, "0"),
  };
}

/** A tree of ours (src/tree). Link counts are those that a Unix file system would show; inode numbers are made up. */
export async function listTree(root: Directory, digest: Digest = "crc32"): Promise<Listing> {
  const inodes = new Map<Node, number>();
  const links = new Map<Node, number>();
  const visits = [...walk(root)];
  for (const { node } of visits) {
    if (!inodes.has(node)) inodes.set(node, inodes.size + 2);
    links.set(node, (links.get(node) ?? 0) + 1);
  }
  const records: ListedPath[] = [];
  for (const { path, node } of visits) {
    const subdirectories = node.type === "directory" ? [...node.entries.values()].filter(isDirectory).length : 0;
    records.push({
      path,
      type: node.type,
      mode: node.mode,
      uid: node.uid,
      gid: node.gid,
      nlink: node.type === "directory" ? 2 + subdirectories : (links.get(node) ?? 0),
      size: node.type === "file" ? node.content.sizeBytes : node.type === "symlink" ? node.target.length : 0,
      mtimeSeconds: node.mtimeSeconds,
      inode: inodes.get(node) ?? 0,
      ...(node.type === "symlink" && { target: node.target }),
      ...((node.type === "character" || node.type === "block") && { device: [node.major, node.minor] as const }),
      ...(node.type === "file" && digest !== "none" && { digest: await digestOfContent(node.content, digest) }),
    });
  }
  return toListing(records);
}

function isDirectory(node: Node): boolean {
  return node.type === "directory";
}

async function digestOfContent(content: Content, algorithm: Digest): Promise<string> {
  const state = startDigest(algorithm);
  for (let offset = 0; offset < content.sizeBytes; offset += PIECE_BYTES) {
    const bytes = new Uint8Array(Math.min(PIECE_BYTES, content.sizeBytes - offset));
    await content.read(bytes, offset);
    state.update(bytes);
  }
  return state.hex();
}

export interface CompareOptions {
  /** Default ALL_FIELDS. */
  readonly fields?: readonly Field[];
  /** Paths that may be missing or differ in any way; a directory name here does not cover what is in it. */
  readonly ignore?: (path: string) => boolean;
  /** Default 50; one line more says how many were left out. */
  readonly limit?: number;
}

/** Differences for people, a line each; an empty array when the listings agree. */
export function compareListings(expected: Listing, actual: Listing, options: CompareOptions = {}): string[] {
  const fields = options.fields ?? ALL_FIELDS;
  const ignore = options.ignore ?? (() => false);
  const differences: string[] = [];
  const expectedLinks = fields.includes("hardLinks") ? hardLinkGroups(expected) : undefined;
  const actualLinks = fields.includes("hardLinks") ? hardLinkGroups(actual) : undefined;
  for (const [path, wanted] of expected) {
    if (ignore(path)) continue;
    const got = actual.get(path);
    if (got === undefined) {
      differences.push(`${printable(path)}: missing`);
      continue;
    }
    for (const field of fields) {
      if (field === "size" && wanted.type !== "file" && wanted.type !== "symlink") continue;
      const [left, right] =
        field === "hardLinks" ? [expectedLinks?.get(path), actualLinks?.get(path)] : [wanted[field], got[field]];
      if (show(field, left) !== show(field, right)) {
        differences.push(`${printable(path)}: ${field} is ${show(field, right)}, expected ${show(field, left)}`);
      }
    }
  }
  for (const path of actual.keys()) {
    if (!expected.has(path) && !ignore(path)) differences.push(`${printable(path)}: unexpected`);
  }
  const limit = options.limit ?? 50;
  if (differences.length <= limit) return differences;
  return [...differences.slice(0, limit), `… and ${differences.length - limit} more differences`];
}

/** For each path that shares its inode with others: the first name (bytewise) of its group. Directories have no groups. */
function hardLinkGroups(listing: Listing): Map<string, string> {
  const groups = new Map<number, string[]>();
  for (const { path, type, inode } of listing.values()) {
    if (type === "directory") continue;
    const group = groups.get(inode);
    if (group) group.push(path);
    else groups.set(inode, [path]);
  }
  const firstNames = new Map<string, string>();
  for (const group of groups.values()) {
    if (group.length === 1) continue;
    const first = group.sort()[0] ?? "";
    for (const path of group) firstNames.set(path, first);
  }
  return firstNames;
}

function show(field: Field, value: unknown): string {
  if (value === undefined) return "none";
  if (field === "mode") return (value as number).toString(8).padStart(4, "0");
  return typeof value === "string" ? JSON.stringify(printable(value)) : String(value);
}

/** A byte string on one line of ASCII. */
export function printable(bytes: string): string {
  return bytes.replace(/[^\x20-\x7e]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
}
