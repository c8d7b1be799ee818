// The entries of a directory as records, both ways. A name that is not a short one takes the slots of its long name,
// last piece first, before the slot of its short name.

import { ImageError, type Severity, toText } from "../bytes/index.ts";
import {
  ATTR_LONG_NAME,
  ATTR_LONG_NAME_MASK,
  ATTR_VOLUME_ID,
  directoryEntry,
  type FatType,
  LAST_LONG_ENTRY,
  longNameEntry,
  MAX_DIRECTORY_BYTES,
  NAME_END,
  NAME_FREE,
  UNITS_PER_LONG_ENTRY,
} from "./format.ts";
import { isLongNameText, isShortName, shortNameChecksum, shortNameText } from "./names.ts";
import type { FatTime } from "./time.ts";

/** What a file, directory or volume label has in its parent directory. */
export interface EntryRecord {
  /** DIR_Name, without its trailing spaces. */
  readonly shortName: string;
  /** The name for people, as text: the long one where there is one. */
  readonly name: string;
  /** DIR_Attr */
  readonly attributes: number;
  readonly firstCluster: number;
  /** DIR_FileSize */
  readonly sizeBytes: number;
  readonly written: FatTime;
}

/** One that was read, and where in its directory it is: the entry with the short name, and the first of the long one's. */
export interface ReadRecord extends EntryRecord {
  readonly offset: number;
  readonly firstOffset: number;
}

export const DOT = ".";
export const DOT_DOT = "..";

const SLOT = directoryEntry.sizeBytes;

function hasLongName({ shortName, name, attributes }: EntryRecord): boolean {
  return (attributes & ATTR_VOLUME_ID) === 0 && name !== shortNameText(shortName, 0) && !isDotName(shortName);
}

export function isDotName(shortName: string): boolean {
  return shortName === DOT || shortName === DOT_DOT;
}

/** 32-byte slots that a record takes. */
function slotsOf(record: EntryRecord): number {
  return 1 + (hasLongName(record) ? Math.ceil(record.name.length / UNITS_PER_LONG_ENTRY) : 0);
}

/** Slots of a directory's records. */
export function slotsOfAll(records: readonly EntryRecord[]): number {
  return records.reduce((sum, record) => sum + slotsOf(record), 0);
}

/** @throws ImageError "limit" when a directory needs more than FAT allows */
export function checkDirectorySize(slots: number, path: string): void {
  if (slots * SLOT <= MAX_DIRECTORY_BYTES) return;
  throw new ImageError(
    "limit",
    `${toText(path)}: its names need ${slots} directory entries; FAT allows ${MAX_DIRECTORY_BYTES / SLOT}; spread them over more directories`,
    { path },
  );
}

/** Writes the records one after the other into zeroed bytes that are long enough. */
export function encodeDirectory(records: readonly EntryRecord[], target: Uint8Array): void {
  let offset = 0;
  for (const record of records) {
    const { shortName, written, firstCluster } = record;
    if (hasLongName(record)) {
      encodeLongName(record.name, shortNameChecksum(shortName), target, offset);
      offset += (slotsOf(record) - 1) * SLOT;
    }
    directoryEntry.encode(
      {
        DIR_Name: shortName,
        DIR_Attr: record.attributes,
        DIR_CrtTimeTenth: written.tenth,
        DIR_CrtTime: written.time,
        DIR_CrtDate: written.date,
        DIR_LstAccDate: written.date,
        DIR_FstClusHI: firstCluster >>> 16,
        DIR_WrtTime: written.time,
        DIR_WrtDate: written.date,
        DIR_FstClusLO: firstCluster & 0xffff,
        DIR_FileSize: record.sizeBytes,
      },
      target,
      offset,
    );
    offset += SLOT;
  }
}

function encodeLongName(name: string, checksum: number, target: Uint8Array, offset: number): void {
  const pieces = Math.ceil(name.length / UNITS_PER_LONG_ENTRY);
  for (let piece = pieces; piece >= 1; piece--) {
    const start = (piece - 1) * UNITS_PER_LONG_ENTRY;
    const units = Array.from({ length: UNITS_PER_LONG_ENTRY }, (_, i) => {
      const at = start + i;
      return at < name.length ? name.charCodeAt(at) : at === name.length ? 0 : 0xffff;
    });
    longNameEntry.encode(
      {
        LDIR_Ord: piece | (piece === pieces ? LAST_LONG_ENTRY : 0),
        LDIR_Name1: units.slice(0, 5),
        LDIR_Attr: ATTR_LONG_NAME,
        LDIR_Chksum: checksum,
        LDIR_Name2: units.slice(5, 11),
        LDIR_Name3: units.slice(11),
      },
      target,
      offset + (pieces - piece) * SLOT,
    );
  }
}

/** Told of each thing that is wrong in a directory; `name` is what it is about, if anything. */
export type EntryReport = (code: string, severity: Severity, message: string, name?: string) => void;

/** A long name being put together: `pieces` from the last to the first. */
interface Pending {
  readonly checksum: number;
  /** LDIR_Ord of the piece read last. */
  readonly ord: number;
  readonly text: string;
}

/**
 * The records of a directory up to its end mark, free slots left out. A damaged long name is reported, and the short
 * name stands in for it.
 */
export function decodeDirectory(bytes: Uint8Array, fatType: FatType, report: EntryReport): ReadRecord[] {
  const records: ReadRecord[] = [];
  let pending: Pending | undefined;
  let firstOffset = 0;
  const orphan = () => {
    if (pending) report("long-name", "warning", `a long name's entries belong to no short name`);
    pending = undefined;
  };
  for (let offset = 0; offset + SLOT <= bytes.length; offset += SLOT) {
    const first = bytes[offset];
    if (first === NAME_END) break;
    if (first === NAME_FREE) {
      orphan();
      continue;
    }
    const entry = directoryEntry.decode(bytes, offset);
    if ((entry.DIR_Attr & ATTR_LONG_NAME_MASK) === ATTR_LONG_NAME) {
      const next = nextPending(pending, bytes, offset);
      if (next === undefined || (next.ord & LAST_LONG_ENTRY) !== 0) orphan();
      if (next === undefined) report("long-name", "warning", "an entry of a long name is out of order");
      if (pending === undefined) firstOffset = offset;
      pending = next;
      continue;
    }
    const shortName = entry.DIR_Name;
    const shown = shortNameText(shortName, entry.DIR_NTRes);
    const longName = takeLongName(pending, shortName, shown, report);
    if (pending === undefined) firstOffset = offset;
    pending = undefined;
    const name = longName ?? shown;
    const isLabel = (entry.DIR_Attr & ATTR_VOLUME_ID) !== 0;
    if (!isLabel && !isDotName(shortName) && !isShortName(shortName)) {
      report("short-name", "warning", `${toText(shortName)}: the short name holds what the standard forbids`, name);
    }
    if ((entry.DIR_Attr & 0xc0) !== 0) {
      report(
        "attributes",
        "warning",
        `attribute bits ${entry.DIR_Attr.toString(16)}: the upper two are reserved`,
        name,
      );
    }
    if (fatType !== 32 && entry.DIR_FstClusHI !== 0) {
      report("attributes", "note", `DIR_FstClusHI is ${entry.DIR_FstClusHI}; FAT${fatType} has no such field`, name);
    }
    records.push({
      shortName,
      name: isLabel ? shortName : name,
      attributes: entry.DIR_Attr,
      firstCluster: (fatType === 32 ? entry.DIR_FstClusHI * 2 ** 16 : 0) + entry.DIR_FstClusLO,
      sizeBytes: entry.DIR_FileSize,
      written: { date: entry.DIR_WrtDate, time: entry.DIR_WrtTime, tenth: 0 },
      offset,
      firstOffset,
    });
  }
  orphan();
  return records;
}

/** The long name with one more piece, or undefined when the entry at `offset` cannot be the next piece. */
function nextPending(pending: Pending | undefined, bytes: Uint8Array, offset: number): Pending | undefined {
  const entry = longNameEntry.decode(bytes, offset);
  const units = [...entry.LDIR_Name1, ...entry.LDIR_Name2, ...entry.LDIR_Name3];
  const isLast = (entry.LDIR_Ord & LAST_LONG_ENTRY) !== 0;
  const number = entry.LDIR_Ord & ~LAST_LONG_ENTRY;
  const ok =
    entry.LDIR_Type === 0 &&
    (isLast
      ? number >= 1 && number <= 20
      : pending !== undefined &&
        entry.LDIR_Chksum === pending.checksum &&
        number >= 1 &&
        number === (pending.ord & ~LAST_LONG_ENTRY) - 1);
  if (!ok) return undefined;
  const end = isLast && units.includes(0) ? units.indexOf(0) : units.length;
  const text = String.fromCharCode(...units.slice(0, end));
  return { checksum: entry.LDIR_Chksum, ord: entry.LDIR_Ord, text: text + (isLast ? "" : (pending?.text ?? "")) };
}

/** The long name that belongs to a short one; undefined (and reported, if there was something) when none does. */
function takeLongName(
  pending: Pending | undefined,
  shortName: string,
  shown: string,
  report: EntryReport,
): string | undefined {
  if (pending === undefined) return undefined;
  const why =
    (pending.ord & ~LAST_LONG_ENTRY) !== 1
      ? "its first piece is missing"
      : pending.checksum !== shortNameChecksum(shortName)
        ? "its checksum is of another short name"
        : isLongNameText(pending.text)
          ? undefined
          : "it holds characters that no name may hold";
  if (why === undefined) return pending.text;
  report("long-name", "warning", `the long name before it does not count: ${why}`, shown);
  return undefined;
}
