// A tree written to a directory of this machine, and nowhere else. What images hold may be hostile: links that lead out,
// names that a case-blind file system takes for one another. And others may change the directory meanwhile. So every
// directory is opened by its name in the one above it, never through a link, and all is made by names relative to that.

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import path from "node:path";
import {
  bytesOf,
  type Content,
  fromText,
  ImageError,
  isAllZeros,
  type ReportProgress,
  toText,
} from "../bytes/index.ts";
import { throwIfAborted } from "../layout/index.ts";
import {
  checkName,
  type Device,
  type Directory,
  type File,
  type Node,
  sortedEntries,
  summarize,
} from "../tree/index.ts";
import { errnoOf, outputError } from "./host-errors.ts";
import { hostPath } from "./host-files.ts";
import { makeDirectories } from "./make-directories.ts";
import { writeAll } from "./write-all.ts";

export interface ExtractOptions {
  /** Make device nodes and fifos; only root may. Default: they are left out. */
  readonly devices?: boolean | undefined;
  /** Set owners. Default: when the process is root. */
  readonly owners?: boolean | undefined;
  /** Replace files that are there. Directories are kept, and what else is in them. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ReportProgress | undefined;
}

export interface Extracted {
  readonly directories: number;
  readonly files: number;
  readonly symlinks: number;
  /** Further names of files. */
  readonly hardLinks: number;
  readonly devices: number;
  readonly contentBytes: number;
  /** What was left out or made otherwise, a line each kind. */
  readonly warnings: readonly string[];
}

type Counts = { -readonly [K in Exclude<keyof Extracted, "warnings">]: number };

interface Extraction {
  readonly options: ExtractOptions;
  readonly owners: boolean;
  readonly top: string;
  readonly totalBytes: number;
  readonly counts: Counts;
  /** Where the first name of a file with several is. */
  readonly firstNames: Map<Node, { readonly names: readonly string[]; readonly inode: string }>;
  readonly leftOut: Map<string, { first: string; count: number }>;
}

/** An open directory. */
interface Folder {
  readonly fd: number;
  readonly names: readonly string[];
  readonly hostPath: string;
}

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW = 0, O_RDONLY, O_WRONLY } = fs.constants;

/**
 * Writes a tree below `target`, which is made when it is missing, with the attributes of the tree's root then. Modes, times, links and holes are kept; set-id bits only
 * together with owners, since they would give away the rights of whoever extracts.
 * @throws ImageError "output" when something is in the way or cannot be made; what reading contents throws; "interrupted".
 *   What was written until then stays.
 */
export async function extractTree(tree: Directory, target: string, options: ExtractOptions = {}): Promise<Extracted> {
  const isRoot = process.geteuid?.() === 0;
  if (options.devices && !isRoot) {
    throw new ImageError("invalid-argument", "device nodes can be made by root only: run as root, or leave them out");
  }
  const { path: top, isNew } = openTarget(target);
  const extraction: Extraction = {
    options,
    owners: options.owners ?? isRoot,
    top,
    totalBytes: summarize(tree).contentBytes,
    counts: { directories: 0, files: 0, symlinks: 0, hardLinks: 0, devices: 0, contentBytes: 0 },
    firstNames: new Map(),
    leftOut: new Map(),
  };
  const fd = attempt(top, () => fs.openSync(top, O_RDONLY | O_DIRECTORY));
  const folder: Folder = { fd, names: [], hostPath: fromText(top) };
  try {
    await extractInto(extraction, folder, tree);
    if (isNew) setAttributes(extraction, fd, tree, "/");
  } finally {
    fs.closeSync(fd);
  }
  const warnings = [...extraction.leftOut].map(([what, { first, count }]) => {
    return `${first}: ${what}${count > 1 ? ` (and ${count - 1} more)` : ""}`;
  });
  return { ...extraction.counts, warnings };
}

/** The real path of the target: links in what the user typed are the user's own. */
function openTarget(target: string): { path: string; isNew: boolean } {
  try {
    const made = makeDirectories(target);
    return { path: fs.realpathSync(target), isNew: made !== undefined };
  } catch (error) {
    throw outputError(error, target);
  }
}

/** The contents of a directory, then its own attributes, which could be in the way before. */
async function extractInto(extraction: Extraction, folder: Folder, directory: Directory): Promise<void> {
  const { options, counts } = extraction;
  for (const [name, node] of sortedEntries(directory)) {
    throwIfAborted(options.signal);
    const shown = imagePath(folder, name);
    checkName(name, shown);
    switch (node.type) {
      case "directory": {
        const child = openChild(extraction, folder, name);
        try {
          counts.directories++;
          await extractInto(extraction, child, node);
          setAttributes(extraction, child.fd, node, shown);
        } finally {
          fs.closeSync(child.fd);
        }
        break;
      }
      case "file":
        await extractFile(extraction, folder, name, node);
        break;
      case "symlink":
        if (node.target === "") {
          leaveOut(extraction, shown, "a symbolic link to nothing; left out");
          break;
        }
        clear(extraction, folder, name);
        attempt(shown, () => {
          const at = entryPath(folder, name);
          fs.symlinkSync(hostPath(node.target), at);
          if (extraction.owners) fs.lchownSync(at, node.uid, node.gid);
          fs.lutimesSync(at, node.mtimeSeconds, node.mtimeSeconds);
        });
        counts.symlinks++;
        break;
      case "socket":
        leaveOut(extraction, shown, "a socket; left out");
        break;
      default:
        if (options.devices) makeDevice(extraction, folder, name, node, shown);
        else leaveOut(extraction, shown, "a device or fifo; left out (--devices makes them, as root)");
    }
  }
}

const imagePath = ({ names }: Folder, name: string): string => `/${[...names, name].join("/")}`;

function leaveOut({ leftOut }: Extraction, shown: string, what: string): void {
  const before = leftOut.get(what);
  if (before) before.count++;
  else leftOut.set(what, { first: toText(shown), count: 1 });
}

/**
 * The path of an entry of an open directory. On Linux it leads through the open directory itself, whatever has become of
 * its name; elsewhere the directory must still be the one that its path leads to.
 */
function entryPath(folder: Folder, name: string): Buffer | string {
  if (process.platform === "linux") return Buffer.concat([Buffer.from(`/proc/self/fd/${folder.fd}/`), bytesOf(name)]);
  const opened = fs.fstatSync(folder.fd);
  const now = fs.lstatSync(hostPath(folder.hostPath));
  if (opened.dev !== now.dev || opened.ino !== now.ino) {
    const shown = toText(folder.hostPath);
    throw new ImageError("output", `${shown}: was replaced by something else while it was written to`, { path: shown });
  }
  return hostPath(`${folder.hostPath}/${name}`);
}

/** Makes a directory, or takes the one that is there, and opens it: a link to a directory is none. */
function openChild(extraction: Extraction, folder: Folder, name: string): Folder {
  const below = `${folder.hostPath}/${name}`;
  return attempt(below, () => {
    const at = entryPath(folder, name);
    const there = fs.lstatSync(at, { throwIfNoEntry: false });
    if (!there?.isDirectory()) {
      clear(extraction, folder, name);
      fs.mkdirSync(at, 0o700);
    }
    const fd = fs.openSync(at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      fs.fchmodSync(fd, 0o700); // what it will be may not let us in; the tree's mode comes last
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
    return { fd, names: [...folder.names, name], hostPath: below };
  });
}

/** Makes room for an entry: removes what is there, if that is allowed. */
function clear({ options }: Extraction, folder: Folder, name: string): void {
  const shown = `${folder.hostPath}/${name}`;
  attempt(shown, () => {
    const at = entryPath(folder, name);
    const there = fs.lstatSync(at, { throwIfNoEntry: false });
    if (there === undefined) return;
    if (!options.force) throw new ImageError("output", `${toText(shown)}: exists already; use --force to replace it`);
    if (there.isDirectory()) {
      throw new ImageError("output", `${toText(shown)}: is a directory, and the image has something else there`);
    }
    fs.unlinkSync(at);
  });
}

const PIECE_BYTES = 1 << 20;

async function extractFile(extraction: Extraction, folder: Folder, name: string, node: File): Promise<void> {
  const { counts, firstNames } = extraction;
  const shown = `${folder.hostPath}/${name}`;
  clear(extraction, folder, name);
  const first = firstNames.get(node);
  if (first && linkTo(extraction, first, folder, name)) {
    counts.hardLinks++;
    return;
  }
  const fd = attempt(shown, () =>
    fs.openSync(entryPath(folder, name), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600),
  );
  try {
    await writeContent(extraction, fd, node.content, shown);
    setAttributes(extraction, fd, node, imagePath(folder, name));
    if (!first) firstNames.set(node, { names: [...folder.names, name], inode: inodeOf(fs.fstatSync(fd)) });
  } finally {
    fs.closeSync(fd);
  }
  counts.files++;
}

const inodeOf = ({ dev, ino }: fs.Stats): string => `${dev}:${ino}`;

/** Gives a file a further name. False where the file system has no hard links: then the content is written again. */
function linkTo(
  { top }: Extraction,
  { names, inode }: { readonly names: readonly string[]; readonly inode: string },
  folder: Folder,
  name: string,
): boolean {
  const shown = `${folder.hostPath}/${name}`;
  return attempt(shown, () => {
    const parents: number[] = [];
    try {
      let parent: Folder = { fd: fs.openSync(top, O_RDONLY | O_DIRECTORY), names: [], hostPath: fromText(top) };
      parents.push(parent.fd);
      for (const step of names.slice(0, -1)) {
        const fd = fs.openSync(entryPath(parent, step), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        parents.push(fd);
        parent = { fd, names: [], hostPath: `${parent.hostPath}/${step}` };
      }
      const at = entryPath(folder, name);
      fs.linkSync(entryPath(parent, names.at(-1) ?? ""), at);
      if (inodeOf(fs.lstatSync(at)) === inode) return true;
      fs.unlinkSync(at);
      throw new ImageError("output", `${toText(shown)}: the file it is a link to was replaced meanwhile`);
    } catch (error) {
      if (["EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "EXDEV", "ENOSYS"].includes(errnoOf(error) ?? "")) return false;
      throw error;
    } finally {
      for (const fd of parents) fs.closeSync(fd);
    }
  });
}

/** What a content knows to be zeros is not read, and whole pieces of zeros are not written: they become holes. */
async function writeContent(extraction: Extraction, fd: number, content: Content, shown: string): Promise<void> {
  const { options, counts } = extraction;
  for (const { offset, length } of content.dataRanges ?? [{ offset: 0, length: content.sizeBytes }]) {
    for (let at = offset; at < offset + length; at += PIECE_BYTES) {
      throwIfAborted(options.signal);
      const piece = new Uint8Array(Math.min(PIECE_BYTES, offset + length - at));
      await content.read(piece, at);
      if (!isAllZeros(piece)) attempt(shown, () => writeAll(fd, piece, at));
      counts.contentBytes += piece.length;
      options.onProgress?.("extracting", counts.contentBytes, extraction.totalBytes);
    }
  }
  attempt(shown, () => fs.ftruncateSync(fd, content.sizeBytes));
}

const SET_ID_BITS = 0o6000;

/** Owner before mode: changing an owner takes set-id bits away. Times last. */
function setAttributes(extraction: Extraction, fd: number, node: Node, shown: string): void {
  attempt(shown, () => {
    if (extraction.owners) fs.fchownSync(fd, node.uid, node.gid);
    const keepsSetId = extraction.owners || node.type === "directory";
    if (!keepsSetId && (node.mode & SET_ID_BITS) !== 0) {
      leaveOut(extraction, shown, "set-user-id or set-group-id bit left out, since the owner is not the image's");
    }
    fs.fchmodSync(fd, keepsSetId ? node.mode : node.mode & ~SET_ID_BITS);
    fs.futimesSync(fd, node.mtimeSeconds, node.mtimeSeconds);
  });
}

const TEMPORARY_NAME = ".pureboot-device";

/** By mknod(1), since Node has no such call; under a plain name first, because names of images need not be text. */
function makeDevice(
  extraction: Extraction,
  folder: Folder,
  name: string,
  node: Exclude<Node, Directory | File>,
  shown: string,
): void {
  clear(extraction, folder, name);
  const isDevice = (one: Node): one is Device => one.type === "character" || one.type === "block";
  const kind = isDevice(node) ? [node.type === "character" ? "c" : "b", String(node.major), String(node.minor)] : ["p"];
  const cwd = process.platform === "linux" ? `/proc/self/fd/${folder.fd}` : toText(folder.hostPath);
  const mode = node.mode.toString(8);
  const made = spawnSync("mknod", ["-m", mode, TEMPORARY_NAME, ...kind], { cwd, encoding: "utf8" });
  if (made.status !== 0) {
    const why = made.error?.message ?? made.stderr.trim();
    throw new ImageError("output", `${toText(shown)}: mknod cannot make it: ${why}`, { path: shown });
  }
  attempt(shown, () => {
    const at = entryPath(folder, name);
    fs.renameSync(entryPath(folder, TEMPORARY_NAME), at);
    if (extraction.owners) fs.lchownSync(at, node.uid, node.gid);
    fs.lutimesSync(at, node.mtimeSeconds, node.mtimeSeconds);
  });
  extraction.counts.devices++;
}

function attempt<Value>(shown: string, call: () => Value): Value {
  try {
    return call();
  } catch (error) {
    throw outputError(error, toText(path.isAbsolute(shown) ? shown : `/${shown}`));
  }
}
