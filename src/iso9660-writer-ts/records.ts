// What each directory record says: the directory itself, its parent, then its entries, with the Rock Ridge entries of
// each (RRIP 4.1, SUSP 5.3 and 5.5).

import { ImageError, toText } from "../bytes/index.ts";
import { type Directory, type Node, walk } from "../tree/index.ts";
import { fitsDate17 } from "./dates.ts";
import { type RecordValues, sections } from "./directory.ts";
import { FILE_FLAGS, PARENT_IDENTIFIER, SELF_IDENTIFIER } from "./format.ts";
import type { RockRidgeVersion } from "./format-rockridge.ts";
import type { HierarchyDirectory, HierarchyEntry } from "./hierarchy.ts";
import { cl, er, nm, pl, pn, px, re, type SystemUseEntry, sl, sp, tf } from "./rockridge.ts";

/** What the volume knows of a node. */
export interface Inode {
  readonly node: Node;
  /** The first of its paths; undefined when it lies on the volume without a name. */
  readonly path: string | undefined;
  /** Position in the order of paths, from 1. */
  readonly serial: number;
  /** Link count. */
  links: number;
  /** First block of a file's data, when it has its place; 0 until then, and for an empty file. */
  lba: number;
}

export function newInode(node: Node, path: string | undefined, serial: number): Inode {
  return { node, path, serial, links: 1, lba: 0 };
}

const MAX_ID = 2 ** 32 - 1;

/** @throws ImageError "limit" when a node's attributes are beyond what Rock Ridge can say */
function checkAttributes({ mode, uid, gid, mtimeSeconds }: Node, path: string): void {
  const refuse = (what: string): never => {
    throw new ImageError("limit", `${toText(path)}: ${what}`, { path });
  };
  if (!Number.isSafeInteger(mode) || mode < 0 || mode > 0o7777) refuse(`mode ${mode} is not in 0..0o7777`);
  for (const id of [uid, gid]) {
    if (!Number.isSafeInteger(id) || id < 0 || id > MAX_ID) refuse(`owner ${uid}:${gid}; ids are 0..${MAX_ID}`);
  }
  if (!fitsDate17(mtimeSeconds)) refuse(`time ${mtimeSeconds} is outside of the years 1..9999 that ISO 9660 knows`);
}

/**
 * Every node once, in the order of paths.
 * @throws ImageError "limit" when its attributes cannot be recorded
 */
export function inodesOf(root: Directory): Map<Node, Inode> {
  const inodes = new Map<Node, Inode>();
  for (const { path, node } of walk(root)) {
    const known = inodes.get(node);
    if (known) known.links++;
    else {
      checkAttributes(node, path);
      const links = node.type === "directory" ? 2 + subdirectories(node) : 1;
      inodes.set(node, { ...newInode(node, path, inodes.size + 1), links });
    }
  }
  return inodes;
}

function subdirectories({ entries }: Directory): number {
  let count = 0;
  for (const child of entries.values()) if (child.type === "directory") count++;
  return count;
}

/** What records need to know of the volume. Addresses may still be 0 as long as only sizes matter. */
export interface RecordContext {
  readonly rockRidge: RockRidgeVersion | false;
  readonly inodes: ReadonlyMap<Node, Inode>;
}

/** The number of a directory's entries with those for itself and its parent; each gives one record or more. */
export function entryCount({ entries }: HierarchyDirectory): number {
  return 2 + entries.length;
}

/** Records of the entries `from` … `to` (exclusive) of a directory. */
export function* recordsOf(
  directory: HierarchyDirectory,
  from: number,
  to: number,
  context: RecordContext,
): Generator<RecordValues> {
  for (let i = from; i < to; i++) {
    if (i === 0) yield selfRecord(directory, context);
    else if (i === 1) yield parentRecord(directory, context);
    else {
      const entry = directory.entries[i - 2];
      if (entry) yield* entryRecords(entry, context);
    }
  }
}

function directoryValues({ lba, sizeBytes, node }: HierarchyDirectory) {
  return { lba, sizeBytes, flags: FILE_FLAGS.directory, mtimeSeconds: node.mtimeSeconds };
}

function selfRecord(directory: HierarchyDirectory, context: RecordContext): RecordValues {
  const systemUse = attributes(directory.node, context);
  if (context.rockRidge && directory.parent === directory) {
    systemUse.unshift(sp());
    systemUse.push(er(context.rockRidge));
  }
  return { ...directoryValues(directory), identifier: SELF_IDENTIFIER, systemUse };
}

function parentRecord({ parent, trueParent }: HierarchyDirectory, context: RecordContext): RecordValues {
  const systemUse = attributes((trueParent ?? parent).node, context);
  if (trueParent) systemUse.unshift(pl(trueParent.lba));
  return { ...directoryValues(parent), identifier: PARENT_IDENTIFIER, systemUse };
}

function* entryRecords(entry: HierarchyEntry, context: RecordContext): Generator<RecordValues> {
  const { identifier, node, directory, isPlaceholder } = entry;
  const systemUse = entrySystemUse(entry, context);
  if (directory && !isPlaceholder) {
    yield { ...directoryValues(directory), identifier, systemUse };
    return;
  }
  const sizeBytes = node.type === "file" ? node.content.sizeBytes : 0;
  const lba = context.inodes.get(node)?.lba ?? 0;
  for (const section of sections(lba, sizeBytes)) {
    const flags = section.isLast ? 0 : FILE_FLAGS.multiExtent;
    const { mtimeSeconds } = node;
    yield { identifier, lba: section.lba, sizeBytes: section.sizeBytes, flags, mtimeSeconds, systemUse };
  }
}

function entrySystemUse(entry: HierarchyEntry, context: RecordContext): SystemUseEntry[] {
  if (!context.rockRidge) return [];
  const { name, path, node, directory, isPlaceholder } = entry;
  const systemUse = nm(name);
  if (directory && isPlaceholder) systemUse.push(cl(directory.lba));
  // The directory that holds the moved ones hides itself like these: readers of Rock Ridge see the tree as it was.
  else if (directory && (directory.trueParent || directory.isMovedHome)) systemUse.push(re());
  systemUse.push(...attributes(node, context));
  if (node.type === "character" || node.type === "block") systemUse.push(pn(path, node.major, node.minor));
  if (node.type === "symlink") systemUse.push(...sl(node.target));
  return systemUse;
}

/** The directory that holds relocated ones is none of the tree's nodes. */
const NO_SERIAL = 0;
const EMPTY_DIRECTORY_LINKS = 2;

function attributes(node: Node, { rockRidge, inodes }: RecordContext): SystemUseEntry[] {
  if (!rockRidge) return [];
  const inode = inodes.get(node);
  const serial = rockRidge === "1.12" ? (inode?.serial ?? NO_SERIAL) : undefined;
  return [px(node, inode?.links ?? EMPTY_DIRECTORY_LINKS, serial), tf(node.mtimeSeconds)];
}
