// Directory extents (ECMA-119 6.8.1, 9.1): records packed into sectors that none of them crosses, and behind them the
// continuation areas of their System Use fields. Every sector keeps a spare byte at its end: readers of the
// GRUB era look for the next record before they look for the end of the sector.

import { divideUp, roundUp, writeByteString } from "../bytes/index.ts";
import { fitsDate7 } from "./dates.ts";
import { directoryRecord, MAX_SECTION_BYTES, SECTOR_BYTES } from "./format.ts";
import { areaBytes, ce, type SystemUseEntry, type SystemUseParts, splitSystemUse, totalBytes } from "./rockridge.ts";

export interface RecordValues {
  readonly identifier: string;
  readonly lba: number;
  readonly sizeBytes: number;
  readonly flags: number;
  readonly mtimeSeconds: number;
  readonly systemUse: readonly SystemUseEntry[];
}

/** LEN_DR is one byte, and even (9.1.13). */
const MAX_RECORD_BYTES = 254;

/** Bytes of a record but for its System Use entries; the identifier is padded so that these begin at an even offset. */
function fixedBytes(identifier: string): number {
  return roundUp(directoryRecord.sizeBytes + identifier.length, 2);
}

/** A record and where it goes: offsets in its run's sectors, and in the run's continuation blocks. */
interface PlacedRecord {
  readonly offset: number;
  readonly length: number;
  readonly systemUse: SystemUseParts;
  readonly areaOffsets: readonly number[];
}

/** Records that are placed together: they begin at a sector, their continuation areas at a block. */
export interface Run {
  end: number;
  areasEnd: number;
}

export function newRun(): Run {
  return { end: 0, areasEnd: 0 };
}

export function sectorsOf({ end }: Run): number {
  return divideUp(end, SECTOR_BYTES);
}

export function continuationBlocksOf({ areasEnd }: Run): number {
  return divideUp(areasEnd, SECTOR_BYTES);
}

/** The offset for `length` bytes at or after `offset` that keeps them, and a spare byte, inside one sector. */
function fit(offset: number, length: number): number {
  const left = SECTOR_BYTES - (offset % SECTOR_BYTES);
  return length < left ? offset : offset + left;
}

/**
 * Places a record with this identifier and so many bytes of System Use entries, which may be found without making them.
 * Returns whether they all fit the record; if not, nothing was placed.
 */
export function placeWhole(run: Run, identifier: string, systemUseBytes: number): boolean {
  const length = roundUp(fixedBytes(identifier) + systemUseBytes, 2);
  if (length > MAX_RECORD_BYTES) return false;
  run.end = fit(run.end, length) + length;
  return true;
}

const CE_BYTES = ce(0, 0, 0).sizeBytes;
const NO_OFFSETS: readonly number[] = [];

/** Places of records depend on the sizes of what they say only, so that they can be found before any address is known. */
export function placeRecord(run: Run, { identifier, systemUse: entries }: RecordValues): PlacedRecord {
  const fixed = fixedBytes(identifier);
  const systemUse = splitSystemUse(entries, MAX_RECORD_BYTES - fixed);
  const { continuations } = systemUse;
  const link = continuations.length > 0 ? CE_BYTES : 0;
  const length = roundUp(fixed + totalBytes(systemUse.record) + link, 2);
  const offset = fit(run.end, length);
  run.end = offset + length;
  if (continuations.length === 0) return { offset, length, systemUse, areaOffsets: NO_OFFSETS };
  const areaOffsets = continuations.map((_, i) => {
    const size = areaBytes(systemUse, i);
    const areaOffset = fit(run.areasEnd, size);
    run.areasEnd = areaOffset + size;
    return areaOffset;
  });
  return { offset, length, systemUse, areaOffsets };
}

function linkTo(placed: PlacedRecord, index: number, continuationLba: number): SystemUseEntry {
  const at = placed.areaOffsets[index] ?? 0;
  const lba = continuationLba + Math.floor(at / SECTOR_BYTES);
  return ce(lba, at % SECTOR_BYTES, areaBytes(placed.systemUse, index));
}

/** Writes entries one after the other; returns where the last one ends. */
function writeEntries(entries: readonly SystemUseEntry[], target: Uint8Array, offset: number): number {
  for (const entry of entries) {
    entry.write(target, offset);
    offset += entry.sizeBytes;
  }
  return offset;
}

/** The sectors of a run's records. */
export function encodeRecords(records: readonly RecordValues[], continuationLba: number, target: Uint8Array): void {
  const run = newRun();
  for (const record of records) {
    const placed = placeRecord(run, record);
    const { offset, length, systemUse } = placed;
    encodeRecord(record, length, target, offset);
    const end = writeEntries(systemUse.record, target, offset + fixedBytes(record.identifier));
    if (systemUse.continuations.length > 0) linkTo(placed, 0, continuationLba).write(target, end);
  }
}

/** The blocks of a run's continuation areas. */
export function encodeContinuations(
  records: readonly RecordValues[],
  continuationLba: number,
  target: Uint8Array,
): void {
  const run = newRun();
  for (const record of records) {
    const placed = placeRecord(run, record);
    const { continuations } = placed.systemUse;
    continuations.forEach((entries, i) => {
      const end = writeEntries(entries, target, placed.areaOffsets[i] ?? 0);
      if (i + 1 < continuations.length) linkTo(placed, i + 1, continuationLba).write(target, end);
    });
  }
}

/** A record without System Use entries; `length` says how much room these take. */
export function encodeRecord(record: RecordValues, length: number, target: Uint8Array, offset: number): void {
  const { identifier, lba, sizeBytes, flags, mtimeSeconds } = record;
  directoryRecord.encode(
    {
      "Length of Directory Record": length,
      "Location of Extent": lba,
      "Data Length": sizeBytes,
      "Recording Date and Time": fitsDate7(mtimeSeconds) ? mtimeSeconds : undefined,
      "File Flags": flags,
      "Volume Sequence Number": 1,
      "Length of File Identifier": identifier.length,
    },
    target,
    offset,
  );
  writeByteString(identifier, target, offset + directoryRecord.sizeBytes);
}

export interface Section {
  readonly lba: number;
  readonly sizeBytes: number;
  readonly isLast: boolean;
}

/** The file sections (6.5.1) of data that lies in one piece: one, unless it is too long for a 32-bit length. */
export function sections(lba: number, sizeBytes: number): Section[] {
  const result: Section[] = [];
  let from = 0;
  do {
    const length = Math.min(MAX_SECTION_BYTES, sizeBytes - from);
    const isLast = from + length === sizeBytes;
    result.push({ lba: length === 0 ? 0 : lba + from / SECTOR_BYTES, sizeBytes: length, isLast });
    from += length;
  } while (from < sizeBytes);
  return result;
}
