// A directory on disk as a tree. Names are bytes as the disk has them, symbolic links are never followed (only the top
// directory may be one), nothing is ever written. File contents stay on disk until they are read (host-files.ts).

import { lstatSync, readdirSync, readlinkSync, type Stats, statSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { byteString, ImageError, type ReportProgress, toText } from "../bytes/index.ts";
import { throwIfAborted } from "../layout/index.ts";
import {
  type Attributes,
  type Directory,
  device,
  directory,
  file,
  type Node,
  special,
  symlink,
  typeOfMode,
} from "../tree/index.ts";
import { inputError } from "./host-errors.ts";
import { type HostReader, hostFileContent, hostPath } from "./host-files.ts";

export interface DirectoryTree {
  readonly tree: Directory;
  /** One line each: what was left out and why. */
  readonly warnings: readonly string[];
}

export interface DirectoryOptions {
  /** Reads the contents; default: on the calling thread. */
  readonly reader?: HostReader | undefined;
  /** Whose everything is; default: as on disk. */
  readonly owner?: Owner | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ReportProgress | undefined;
}

type Owner = Pick<Attributes, "uid" | "gid">;

interface Walk {
  readonly inodes: Map<string, Node>;
  readonly warnings: string[];
  readonly reader: HostReader | undefined;
  readonly owner: Owner | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ReportProgress | undefined;
  visited: number;
  contentBytes: number;
}

/**
 * Walks `path` and all below it. Sockets are nodes like others; what no tree can hold (doors, event ports) is left out with a warning.
 * @param path host path, as the user gave it
 * @throws ImageError "input-missing" when it is missing, no directory, or something in it cannot be looked at; "interrupted"
 */
export async function readDirectoryTree(path: string, options: DirectoryOptions = {}): Promise<DirectoryTree> {
  const stats = attempt(path, () => statSync(path));
  if (!stats.isDirectory()) {
    throw new ImageError("input-missing", `${path}: is not a directory; a proto area is one`, { path });
  }
  const { reader, owner, signal, onProgress } = options;
  const walk: Walk = {
    inodes: new Map(),
    warnings: [],
    reader,
    owner,
    signal,
    onProgress,
    visited: 0,
    contentBytes: 0,
  };
  const top = byteString(Buffer.from(path));
  return { tree: await readDirectory(top, stats, walk), warnings: walk.warnings };
}

const PATHS_A_TURN = 2000;
/** Names as byte strings: Node's "latin1" is one character a byte. */
const BYTES = { encoding: "latin1" } as const;

/** A directory whose entries have been looked at up to `at`. */
interface OpenDirectory {
  /** What the paths of its entries begin with. */
  readonly prefix: string;
  readonly names: readonly string[];
  readonly entries: Map<string, Node>;
  at: number;
}

/** The walk itself is synchronous, which is several times as fast; now and then it lets signals and timers in. */
async function readDirectory(path: string, stats: Stats, walk: Walk): Promise<Directory> {
  const top = openDirectory(path);
  const open = [top]; // innermost last: a tree may be deeper than the stack
  while (readSome(open, walk)) {
    await setImmediate();
    throwIfAborted(walk.signal);
    walk.onProgress?.("looking for files", walk.contentBytes, undefined, walk.visited);
  }
  return directory(attributesOf(stats, walk), top.entries);
}

function openDirectory(path: string): OpenDirectory {
  const names = attempt(path, () => readdirSync(hostPath(path), BYTES));
  return { prefix: `${path}/`, names: names.sort(), entries: new Map(), at: 0 }; // in this order they will be walked many times
}

/** Looks at the next paths. Returns whether there are more. */
function readSome(open: OpenDirectory[], walk: Walk): boolean {
  let turn = PATHS_A_TURN;
  for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
    const { prefix, names, entries } = inner;
    const name = names[inner.at];
    if (name === undefined) {
      open.pop();
      continue;
    }
    if (turn-- === 0) return true;
    inner.at++;
    walk.visited++;
    const path = prefix + name;
    const stats = attempt(path, () => lstatSync(hostPath(path)));
    if (stats.isDirectory()) {
      const child = openDirectory(path);
      entries.set(name, directory(attributesOf(stats, walk), child.entries));
      open.push(child);
      continue;
    }
    const node = readLeaf(prefix, name, stats, walk);
    if (node) entries.set(name, node);
  }
  return false;
}

/** A node that is no directory; the same object for every name of one inode. */
function readLeaf(prefix: string, name: string, stats: Stats, walk: Walk): Node | undefined {
  if (stats.nlink === 1) return makeLeaf(prefix, name, stats, walk);
  const path = prefix + name;
  // As bigint: inode numbers of some file systems are beyond 2^53, where two of them would look the same.
  const { dev, ino } = attempt(path, () => lstatSync(hostPath(path), { bigint: true }));
  const inode = `${dev}:${ino}`;
  const known = walk.inodes.get(inode);
  if (known) return known;
  const node = makeLeaf(prefix, name, stats, walk);
  if (node) walk.inodes.set(inode, node);
  return node;
}

function makeLeaf(prefix: string, name: string, stats: Stats, walk: Walk): Node | undefined {
  const path = prefix + name;
  const attributes = attributesOf(stats, walk);
  const type = typeOfMode(stats.mode);
  switch (type) {
    case "file":
      walk.contentBytes += stats.size;
      return file(attributes, hostFileContent(prefix, name, stats, walk.reader));
    case "symlink":
      return symlink(
        attributes,
        attempt(path, () => readlinkSync(hostPath(path), BYTES)),
      );
    case "character":
    case "block": {
      const { rdev } = attempt(path, () => lstatSync(hostPath(path), { bigint: true }));
      return device(attributes, type, ...deviceNumbers(rdev, process.platform));
    }
    case "fifo":
    case "socket":
      return special(attributes, type);
    default:
      walk.warnings.push(
        `${toText(path)}: left out: its type (mode ${stats.mode.toString(8)}) is none that an image can hold`,
      );
      return undefined;
  }
}

function attributesOf(stats: Stats, walk: Walk): Attributes {
  const { uid, gid } = walk.owner ?? stats;
  return { mode: stats.mode & 0o7777, uid, gid, mtimeSeconds: Math.floor(stats.mtimeMs / 1000) };
}

/** st_rdev to major and minor, as the platform's makedev(3) puts them together. */
export function deviceNumbers(rdev: bigint, platform: NodeJS.Platform): [major: number, minor: number] {
  const bits = (from: bigint, mask: bigint): number => Number((rdev >> from) & mask);
  switch (platform) {
    case "darwin":
      return [bits(24n, 0xffn), bits(0n, 0xffffffn)];
    case "sunos":
      return [bits(32n, 0xffffffffn), bits(0n, 0xffffffffn)];
    case "freebsd":
      return [bits(32n, 0xffffff00n) + bits(8n, 0xffn), bits(24n, 0xff00n) + bits(0n, 0xffff00ffn)];
    default: // Linux: 12 + 20 bits in the lower half, the rest above (glibc's gnu_dev_major)
      return [bits(32n, 0xfffff000n) + bits(8n, 0xfffn), bits(12n, 0xffffff00n) + bits(0n, 0xffn)];
  }
}

function attempt<Value>(path: string, call: () => Value): Value {
  try {
    return call();
  } catch (error) {
    throw inputError(error, toText(path));
  }
}
