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
function fixedBytes({ identifier }: RecordValues): number {
  return roundUp(directoryRecord.sizeBytes + identifier.length, 2);
}

interface PlacedRecord {
  readonly record: RecordValues;
  readonly offset: number;
  readonly length: number;
  readonly systemUse: SystemUseParts;
  /** Where each continuation area begins, in bytes from the start of the run's continuation blocks. */
  readonly areaOffsets: readonly number[];
}

/** Records that are placed together: they begin at a sector, their continuation areas at a block. */
export interface PlacedRun {
  readonly records: readonly PlacedRecord[];
  readonly sectors: number;
  readonly continuationBlocks: number;
}

/** The offset for `length` bytes at or after `offset` that keeps them, and a spare byte, inside one sector. */
function fit(offset: number, length: number): number {
  const left = SECTOR_BYTES - (offset % SECTOR_BYTES);
  return length < left ? offset : offset + left;
}

/** Places of records depend on the sizes of what they say only, so that they can be found before any address is known. */
export function placeRun(records: Iterable<RecordValues>): PlacedRun {
  let end = 0;
  let areasEnd = 0;
  const placed: PlacedRecord[] = [];
  for (const record of records) {
    const fixed = fixedBytes(record);
    const systemUse = splitSystemUse(record.systemUse, MAX_RECORD_BYTES - fixed);
    const link = systemUse.continuations.length > 0 ? CE_BYTES : 0;
    const length = roundUp(fixed + totalBytes(systemUse.record) + link, 2);
    const offset = fit(end, length);
    end = offset + length;
    const areaOffsets = systemUse.continuations.map((_, i) => {
      const size = areaBytes(systemUse, i);
      const areaOffset = fit(areasEnd, size);
      areasEnd = areaOffset + size;
      return areaOffset;
    });
    placed.push({ record, offset, length, systemUse, areaOffsets });
  }
  return {
    records: placed,
    sectors: divideUp(end, SECTOR_BYTES),
    continuationBlocks: divideUp(areasEnd, SECTOR_BYTES),
  };
}

const CE_BYTES = ce(0, 0, 0).sizeBytes;

function linkTo(placed: PlacedRecord, index: number, continuationLba: number): SystemUseEntry {
  const at = placed.areaOffsets[index] ?? 0;
  const lba = continuationLba + Math.floor(at / SECTOR_BYTES);
  return ce(lba, at % SECTOR_BYTES, areaBytes(placed.systemUse, index));
}

function writeEntries(entries: readonly SystemUseEntry[], target: Uint8Array, offset: number): void {
  for (const entry of entries) {
    entry.write(target, offset);
    offset += entry.sizeBytes;
  }
}

/** The sectors of a run's records. */
export function encodeRecords(run: PlacedRun, continuationLba: number, target: Uint8Array): void {
  for (const placed of run.records) {
    const { record, offset, length, systemUse } = placed;
    encodeRecord(record, length, target, offset);
    const link = systemUse.continuations.length > 0 ? [linkTo(placed, 0, continuationLba)] : [];
    writeEntries([...systemUse.record, ...link], target, offset + fixedBytes(record));
  }
}

/** The blocks of a run's continuation areas. */
export function encodeContinuations(run: PlacedRun, continuationLba: number, target: Uint8Array): void {
  for (const placed of run.records) {
    placed.systemUse.continuations.forEach((entries, i) => {
      const link = i + 1 < placed.systemUse.continuations.length ? [linkTo(placed, i + 1, continuationLba)] : [];
      writeEntries([...entries, ...link], target, placed.areaOffsets[i] ?? 0);
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
