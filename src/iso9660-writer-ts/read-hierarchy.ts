// One directory hierarchy of an image, walked: every directory with its records put together to entries. Whatever the
// bytes are, the walk ends: no directory is entered twice, and together directories and continuation areas may
// not be longer than the image.

import { byteString, type Content, fromText, readBytes } from "../bytes/index.ts";
import { joinPath } from "../tree/index.ts";
import { FILE_FLAGS, PARENT_IDENTIFIER, SECTOR_BYTES, SELF_IDENTIFIER } from "./format.ts";
import { ROCK_RIDGE_IDENTIFIERS, SP_CHECK_BYTES, sharingProtocol } from "./format-rockridge.ts";
import { identifierText } from "./names.ts";
import type { Complain } from "./problem.ts";
import type { HierarchyDescriptor } from "./read-descriptors.ts";
import { type Area, parseEntries, parseRecords, type RawEntry, type RawRecord } from "./read-records.ts";
import { interpret, type RockRidge } from "./read-rockridge.ts";

/** A record with what its System Use field says. */
export interface SeenRecord extends RawRecord {
  readonly entries: readonly RawEntry[];
  readonly rockRidge: RockRidge;
  readonly areas: readonly Area[];
  /** Bytes behind the last entry of the record's own System Use field. */
  readonly tailBytes: number;
}

/** A name in a directory, with one record, or one for each section of a long file. */
export interface SeenEntry {
  readonly name: string;
  readonly path: string;
  readonly first: SeenRecord;
  readonly records: readonly SeenRecord[];
  directory?: SeenDirectory;
}

export interface SeenDirectory {
  readonly path: string;
  readonly lba: number;
  readonly sizeBytes: number;
  readonly parent: SeenDirectory | undefined;
  /** Records for itself and its parent, if they are there. */
  self: SeenRecord | undefined;
  up: SeenRecord | undefined;
  /** All records but these two, in order. */
  records: SeenRecord[];
  /** Names, in order of records; relocated directories are where they belong. */
  entries: SeenEntry[];
}

export interface SeenHierarchy {
  readonly descriptor: HierarchyDescriptor;
  readonly root: SeenDirectory;
  /** Every directory once, parents before children. */
  readonly directories: readonly SeenDirectory[];
  /** Whether the names and attributes of Rock Ridge are used. */
  readonly usesRockRidge: boolean;
  /** Directories that are hidden from Rock Ridge readers since what they held was moved back. */
  readonly hidden: readonly SeenDirectory[];
}

/** Directories are read in pieces of whole sectors, which no record crosses. */
const WINDOW_BYTES = 1 << 20;

/** Links from one continuation area to the next; a symbolic link of 4 KiB needs three. */
const MAX_AREAS = 64;

interface Walk {
  readonly image: Content;
  readonly complain: Complain;
  /** The SUSP's Bytes Skipped, or undefined where System Use fields are not looked at. */
  skipBytes: number | undefined;
  directoryBytesLeft: number;
  areaBytesLeft: number;
}

/** Whether a root directory announces System Use entries (SP), which extensions it names, and how many bytes to skip. */
export interface SharingProtocol {
  readonly skipBytes: number;
  readonly hasRockRidge: boolean;
}

/**
 * Looks at the first record of a hierarchy's root.
 * @returns undefined when there is no SP entry
 */
export async function readSharingProtocol(
  image: Content,
  descriptor: HierarchyDescriptor,
  complain: Complain,
): Promise<SharingProtocol | undefined> {
  const walk = newWalk(image, complain);
  const root = rootOf(descriptor, complain);
  if (!root || !inImage(walk, root.lba, SECTOR_BYTES)) return undefined;
  const bytes = await readBytes(image, root.lba * SECTOR_BYTES, SECTOR_BYTES);
  for (const raw of parseRecords(bytes, "/", complain)) {
    const { bytes: sp } = parseEntries(raw.bytes.subarray(raw.systemUseOffset), "/", complain).entries[0] ?? {};
    if (!sp || byteString(sp, 0, 2) !== "SP" || sp.length < sharingProtocol.sizeBytes) return undefined;
    const values = sharingProtocol.decode(sp);
    const [first, second] = SP_CHECK_BYTES;
    if (values["Check Byte 1"] !== first || values["Check Byte 2"] !== second) return undefined;
    walk.skipBytes = 0;
    const { rockRidge } = await seenRecord(walk, raw, "/");
    const named = rockRidge.extensions.some((identifier) => ROCK_RIDGE_IDENTIFIERS.includes(identifier));
    return { skipBytes: values["Bytes Skipped"], hasRockRidge: named || rockRidge.posix !== undefined };
  }
  return undefined;
}

function newWalk(image: Content, complain: Complain): Walk {
  const { sizeBytes } = image;
  return { image, complain, skipBytes: undefined, directoryBytesLeft: sizeBytes, areaBytesLeft: sizeBytes };
}

function inImage({ image }: Walk, lba: number, sizeBytes: number): boolean {
  return lba * SECTOR_BYTES + sizeBytes <= image.sizeBytes;
}

function rootOf(
  { values, lba }: HierarchyDescriptor,
  complain: Complain,
): { lba: number; sizeBytes: number } | undefined {
  for (const record of parseRecords(values["Directory Record for Root Directory"], "/", complain)) {
    return { lba: firstBlock(record), sizeBytes: record.values["Data Length"] };
  }
  complain("bad-root", "error", `the descriptor at block ${lba} has no root directory`);
  return undefined;
}

/** Data begins behind the extended attributes, if any (9.1.2, 9.1.3). */
export function firstBlock({ values }: RawRecord): number {
  return values["Location of Extent"] + values["Extended Attribute Record Length"];
}

export function isDirectoryRecord({ values }: Pick<RawRecord, "values">): boolean {
  return (values["File Flags"] & FILE_FLAGS.directory) !== 0;
}

/** Walks a hierarchy. `rockRidge` is what readSharingProtocol said, or undefined for the plain names. */
export async function walkHierarchy(
  image: Content,
  descriptor: HierarchyDescriptor,
  rockRidge: SharingProtocol | undefined,
  complain: Complain,
): Promise<SeenHierarchy> {
  const walk = newWalk(image, complain);
  walk.skipBytes = rockRidge?.skipBytes;
  const extent = rootOf(descriptor, complain) ?? { lba: 0, sizeBytes: 0 };
  const root = newDirectory("/", extent.lba, extent.sizeBytes, undefined);
  const directories: SeenDirectory[] = [];
  const hidden: SeenDirectory[] = [];
  const pending = [root];
  const pendingHidden: [SeenEntry, SeenDirectory][] = [];
  const entered = new Set<number>([root.lba]);
  for (;;) {
    const parent = pending.shift();
    if (!parent) {
      // All that CL leads to has been entered: what RE hides and is still left over held the relocated directories.
      const [entry, home] = pendingHidden.shift() ?? [];
      if (!entry || !home) break;
      const child = await directoryOf(walk, entry, home);
      if (!child || entered.has(child.lba)) continue;
      entered.add(child.lba);
      hidden.push(child);
      pending.push(child);
      continue;
    }
    directories.push(parent);
    await readDirectory(walk, parent);
    for (const entry of entriesOf(walk, parent, descriptor.kind === "joliet")) {
      if (entry.first.rockRidge.isRelocated) {
        pendingHidden.push([entry, parent]);
        continue;
      }
      parent.entries.push(entry);
      const child = await directoryOf(walk, entry, parent);
      if (!child) continue;
      if (entered.has(child.lba)) {
        complain("directory-twice", "error", `directory at block ${child.lba} has a second record here`, entry.path);
        continue;
      }
      entered.add(child.lba);
      entry.directory = child;
      pending.push(child);
    }
  }
  return { descriptor, root, directories, usesRockRidge: rockRidge !== undefined, hidden };
}

function newDirectory(path: string, lba: number, sizeBytes: number, parent: SeenDirectory | undefined): SeenDirectory {
  return { path, lba, sizeBytes, parent, self: undefined, up: undefined, records: [], entries: [] };
}

async function readDirectory(walk: Walk, directory: SeenDirectory): Promise<void> {
  const { path, lba, sizeBytes } = directory;
  if (!inImage(walk, lba, sizeBytes)) {
    walk.complain(
      "beyond-image",
      "error",
      `directory of ${sizeBytes} bytes at block ${lba} ends beyond the image`,
      path,
    );
    return;
  }
  walk.directoryBytesLeft -= sizeBytes;
  if (walk.directoryBytesLeft < 0) {
    walk.complain("directories-overlap", "error", "directories overlap: together they are longer than the image", path);
    return;
  }
  for (let at = 0; at < sizeBytes; at += WINDOW_BYTES) {
    const bytes = await readBytes(walk.image, lba * SECTOR_BYTES + at, Math.min(WINDOW_BYTES, sizeBytes - at));
    for (const raw of parseRecords(bytes, path, walk.complain, at)) {
      const record = await seenRecord(walk, raw, path);
      if (raw.identifier === SELF_IDENTIFIER) directory.self ??= record;
      else if (raw.identifier === PARENT_IDENTIFIER) directory.up ??= record;
      else directory.records.push(record);
    }
  }
}

async function seenRecord(walk: Walk, raw: RawRecord, path: string): Promise<SeenRecord> {
  if (walk.skipBytes === undefined) {
    return { ...raw, entries: [], rockRidge: interpret([], path, walk.complain), areas: [], tailBytes: 0 };
  }
  const { complain } = walk;
  const isRootSelf = path === "/" && raw.identifier === SELF_IDENTIFIER;
  const skip = isRootSelf ? 0 : walk.skipBytes;
  const own = parseEntries(raw.bytes.subarray(raw.systemUseOffset + skip), path, complain);
  const entries = [...own.entries];
  const areas: Area[] = [];
  for (let next = own.next; next; ) {
    const area: Area = next;
    next = undefined;
    const again = areas.some(({ lba, offset }) => lba === area.lba && offset === area.offset);
    if (again || areas.length === MAX_AREAS) {
      complain("continuation-loop", "error", `continuation areas lead back to block ${area.lba}`, path);
      break;
    }
    if (!inImage(walk, area.lba, area.offset + area.length)) {
      complain("beyond-image", "error", `continuation area at block ${area.lba} lies beyond the image`, path);
      break;
    }
    walk.areaBytesLeft -= area.length;
    if (walk.areaBytesLeft < 0) {
      complain("continuations-overlap", "error", "continuation areas are together longer than the image", path);
      break;
    }
    areas.push(area);
    const bytes = await readBytes(walk.image, area.lba * SECTOR_BYTES + area.offset, area.length);
    const more = parseEntries(bytes, path, complain);
    entries.push(...more.entries);
    next = more.next;
  }
  return { ...raw, entries, rockRidge: interpret(entries, path, complain), areas, tailBytes: own.tailBytes };
}

/** Puts the records of a directory together: the sections of a file (6.5.1) under one name, and each name once. */
function entriesOf(walk: Walk, { path: at, records }: SeenDirectory, ucs2: boolean): SeenEntry[] {
  const entries: SeenEntry[] = [];
  const names = new Set<string>();
  for (let i = 0; i < records.length; i++) {
    const first = records[i] as SeenRecord; // i is inside of the array
    const sections = [first];
    while (isContinued(records[i]) && records[i + 1]?.identifier === first.identifier) {
      sections.push(records[++i] as SeenRecord); // just looked at
    }
    if (isContinued(records[i])) {
      walk.complain(
        "lost-section",
        "error",
        "the last section of a file is missing",
        joinPath(at, plainName(first, ucs2)),
      );
    }
    if ((first.values["File Flags"] & FILE_FLAGS.associatedFile) !== 0) continue;
    const plain = plainName(first, ucs2);
    const isOther = names.has(plain) && !hasVersion(first, ucs2); // "A" and "A.", where no dot is demanded
    const name = first.rockRidge.name ?? (isOther ? identifierText(first.identifier, ucs2) : plain);
    const path = joinPath(at, name);
    if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) {
      walk.complain("bad-name", "error", `a record has the name "${name}"`, at);
      continue;
    }
    if (!first.rockRidge.isRelocated && names.has(name)) {
      walk.complain("name-twice", "warning", "two records have this name; the first counts", path);
      continue;
    }
    names.add(name);
    entries.push({ name, path, first, records: sections });
  }
  return entries;
}

function isContinued(record: SeenRecord | undefined): boolean {
  return record !== undefined && (record.values["File Flags"] & FILE_FLAGS.multiExtent) !== 0;
}

function hasVersion({ identifier }: SeenRecord, ucs2: boolean): boolean {
  return /;\d+$/.test(identifierText(identifier, ucs2));
}

/** The name that readers without Rock Ridge show: without version, and without a dot that nothing follows. */
function plainName({ identifier }: SeenRecord, ucs2: boolean): string {
  const text = identifierText(identifier, ucs2).replace(/;\d+$/, "");
  if (ucs2) return fromText(text);
  return text.length > 1 && text.endsWith(".") ? text.slice(0, -1) : text;
}

/** The directory that an entry stands for, if it does: its own, or the one that CL leads to. */
async function directoryOf(walk: Walk, entry: SeenEntry, parent: SeenDirectory): Promise<SeenDirectory | undefined> {
  const { first, path } = entry;
  const { childLba } = first.rockRidge;
  if (childLba === undefined) {
    if (!isDirectoryRecord(first)) return undefined;
    return newDirectory(path, firstBlock(first), first.values["Data Length"], parent);
  }
  if (!inImage(walk, childLba, SECTOR_BYTES)) {
    walk.complain("beyond-image", "error", `relocated directory at block ${childLba} lies beyond the image`, path);
    return undefined;
  }
  const bytes = await readBytes(walk.image, childLba * SECTOR_BYTES, SECTOR_BYTES);
  for (const raw of parseRecords(bytes, path, walk.complain)) {
    if (raw.identifier === SELF_IDENTIFIER) return newDirectory(path, childLba, raw.values["Data Length"], parent);
    break;
  }
  walk.complain("bad-relocation", "error", `no directory at block ${childLba}, where CL leads`, path);
  return undefined;
}
