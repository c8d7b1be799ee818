// What each directory record says: the directory itself, its parent, then its entries, with the Rock Ridge entries of
// each (RRIP 4.1, SUSP 5.3 and 5.5).

import { ImageError, toText } from "../bytes/index.ts";
import { type Directory, type Node, walk } from "../tree/index.ts";
import { fitsDate17 } from "./dates.ts";
import { newRun, placeRecord, placeWhole, type RecordValues, type Run, sections } from "./directory.ts";
import { FILE_FLAGS, MAX_SECTION_BYTES, PARENT_IDENTIFIER, SELF_IDENTIFIER } from "./format.ts";
import type { RockRidgeVersion } from "./format-rockridge.ts";
import type { HierarchyDirectory, HierarchyEntry } from "./hierarchy.ts";
import { attributeBytes, cl, er, nameBytes, nm, pl, pn, px, re, type SystemUseEntry, sl, sp, tf } from "./rockridge.ts";

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

export function newInode(node: Node, path: string | undefined, serial: number, links = 1): Inode {
  return { node, path, serial, links, lba: 0 };
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
      inodes.set(node, newInode(node, path, inodes.size + 1, links));
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
export function recordsOf(
  directory: HierarchyDirectory,
  from: number,
  to: number,
  context: RecordContext,
): RecordValues[] {
  const records: RecordValues[] = [];
  for (let i = from; i < to; i++) addRecords(records, directory, i, context);
  return records;
}

/** The same records placed, without making those that have nothing out of the ordinary: planning is several times as fast. */
export function measureRecords(directory: HierarchyDirectory, from: number, to: number, context: RecordContext): Run {
  const run = newRun();
  for (let i = from; i < to; i++) {
    const entry = directory.entries[i - 2];
    const plainBytes = plainSystemUseBytes(directory, i, context);
    const identifier = entry?.identifier ?? SELF_IDENTIFIER; // the parent's is as long
    if (plainBytes !== undefined && placeWhole(run, identifier, plainBytes)) continue;
    const records: RecordValues[] = [];
    addRecords(records, directory, i, context);
    for (const record of records) placeRecord(run, record);
  }
  return run;
}

function addRecords(
  records: RecordValues[],
  directory: HierarchyDirectory,
  index: number,
  context: RecordContext,
): void {
  const entry = directory.entries[index - 2];
  if (index === 0) records.push(selfRecord(directory, context));
  else if (index === 1) records.push(parentRecord(directory, context));
  else if (entry) addEntryRecords(records, entry, context);
}

function directoryValues(
  { lba, sizeBytes, node: { mtimeSeconds } }: HierarchyDirectory,
  identifier: string,
  systemUse: readonly SystemUseEntry[],
): RecordValues {
  return { identifier, lba, sizeBytes, flags: FILE_FLAGS.directory, mtimeSeconds, systemUse };
}

function selfRecord(directory: HierarchyDirectory, context: RecordContext): RecordValues {
  const systemUse = attributes(directory.node, context);
  if (context.rockRidge && directory.parent === directory) {
    systemUse.unshift(sp());
    systemUse.push(er(context.rockRidge));
  }
  return directoryValues(directory, SELF_IDENTIFIER, systemUse);
}

function parentRecord({ parent, trueParent }: HierarchyDirectory, context: RecordContext): RecordValues {
  const systemUse = attributes((trueParent ?? parent).node, context);
  if (trueParent) systemUse.unshift(pl(trueParent.lba));
  return directoryValues(parent, PARENT_IDENTIFIER, systemUse);
}

/** Adds the records of an entry: one, or one for each section of a big file. */
function addEntryRecords(records: RecordValues[], entry: HierarchyEntry, context: RecordContext): void {
  const { identifier, node, directory, isPlaceholder } = entry;
  const systemUse = entrySystemUse(entry, context);
  if (directory && !isPlaceholder) {
    records.push(directoryValues(directory, identifier, systemUse));
    return;
  }
  const fileBytes = node.type === "file" ? node.content.sizeBytes : 0;
  const firstLba = context.inodes.get(node)?.lba ?? 0;
  for (const { lba, sizeBytes, isLast } of sections(firstLba, fileBytes)) {
    const flags = isLast ? 0 : FILE_FLAGS.multiExtent;
    records.push({ identifier, lba, sizeBytes, flags, mtimeSeconds: node.mtimeSeconds, systemUse });
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

/** Bytes of the System Use entries where there is one record, with a name, attributes and a time only, as most have; else undefined. */
function plainSystemUseBytes(
  directory: HierarchyDirectory,
  index: number,
  { rockRidge }: RecordContext,
): number | undefined {
  const { parent, trueParent } = directory;
  if (index < 2) {
    if (parent === directory || trueParent) return undefined; // SP and ER, PL
    return rockRidge ? attributeBytes((index === 0 ? directory : parent).node.mtimeSeconds, rockRidge) : 0;
  }
  const entry = directory.entries[index - 2];
  if (!entry) return undefined;
  const { name, node, isPlaceholder, directory: child } = entry;
  if (node.type === "file" ? node.content.sizeBytes > MAX_SECTION_BYTES : node.type !== "directory") return undefined;
  if (isPlaceholder || child?.trueParent || child?.isMovedHome) return undefined; // CL, RE
  return rockRidge ? nameBytes(name) + attributeBytes(node.mtimeSeconds, rockRidge) : 0;
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
