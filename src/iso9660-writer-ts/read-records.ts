// Directory records and System Use fields as they lie in an image (ECMA-119 9.1, SUSP 4 and 5). Whatever the bytes are,
// parsing ends: it goes forward only, and what is damaged is reported and skipped.

import { byteString, roundUp, type StructValues } from "../bytes/index.ts";
import { directoryRecord, SECTOR_BYTES } from "./format.ts";
import { continuationArea, systemUseEntry } from "./format-rockridge.ts";
import type { Complain } from "./problem.ts";

export interface RawRecord {
  /** Byte offset in the directory. */
  readonly offset: number;
  readonly values: StructValues<typeof directoryRecord>;
  readonly identifier: string;
  /** All of the record, the System Use field from `systemUseOffset` on. */
  readonly bytes: Uint8Array;
  readonly systemUseOffset: number;
}

/** The records of whole sectors of a directory, in order; `base` is the place of the first sector in the directory. */
export function* parseRecords(bytes: Uint8Array, path: string, complain: Complain, base = 0): Generator<RawRecord> {
  const headBytes = directoryRecord.sizeBytes;
  let offset = 0;
  while (offset + headBytes <= bytes.length) {
    const sectorEnd = Math.min(roundUp(offset + 1, SECTOR_BYTES), bytes.length);
    const length = bytes[offset] ?? 0;
    if (length === 0) {
      offset = sectorEnd;
      continue;
    }
    const bad = (what: string): void => {
      complain("bad-record", "error", `directory record at byte ${base + offset} ${what}`, path);
    };
    if (length <= headBytes || offset + length > sectorEnd) {
      bad(length <= headBytes ? `has ${length} bytes only` : "crosses the end of its sector");
      offset = sectorEnd;
      continue;
    }
    const values = directoryRecord.decode(bytes, offset);
    const identifierLength = values["Length of File Identifier"];
    if (identifierLength === 0 || headBytes + identifierLength > length) {
      bad(`has an identifier of ${identifierLength} bytes in a record of ${length}`);
      offset += length;
      continue;
    }
    yield {
      offset: base + offset,
      values,
      identifier: byteString(bytes, offset + headBytes, offset + headBytes + identifierLength),
      bytes: bytes.subarray(offset, offset + length),
      systemUseOffset: roundUp(headBytes + identifierLength, 2),
    };
    offset += length;
  }
}

export interface RawEntry {
  readonly signature: string;
  readonly version: number;
  /** The entry from its first byte on. */
  readonly bytes: Uint8Array;
}

export interface Area {
  readonly lba: number;
  readonly offset: number;
  readonly length: number;
}

export interface ParsedEntries {
  readonly entries: readonly RawEntry[];
  /** Where the field continues, if it does. */
  readonly next: Area | undefined;
  /** Bytes behind the last entry that are not part of any. */
  readonly tailBytes: number;
}

/** The entries of one System Use field or continuation area. */
export function parseEntries(bytes: Uint8Array, path: string, complain: Complain): ParsedEntries {
  const headBytes = systemUseEntry.sizeBytes;
  const entries: RawEntry[] = [];
  let next: Area | undefined;
  let offset = 0;
  while (offset + headBytes <= bytes.length && bytes[offset] !== 0) {
    const length = bytes[offset + 2] ?? 0;
    const signature = byteString(bytes, offset, offset + 2);
    if (length < headBytes || offset + length > bytes.length) {
      const message = `System Use entry of ${length} bytes at byte ${offset} of ${bytes.length}`;
      complain("bad-entry", "error", message, path);
      break;
    }
    const entry = { signature, version: bytes[offset + 3] ?? 0, bytes: bytes.subarray(offset, offset + length) };
    offset += length;
    if (signature === "ST") break;
    entries.push(entry);
    if (signature === "CE") next = areaOf(entry, path, complain) ?? next;
  }
  return { entries, next, tailBytes: bytes.length - offset };
}

function areaOf({ bytes }: RawEntry, path: string, complain: Complain): Area | undefined {
  if (bytes.length < continuationArea.sizeBytes) {
    complain("bad-entry", "error", `CE of ${bytes.length} bytes`, path);
    return undefined;
  }
  const values = continuationArea.decode(bytes);
  const offset = values["Offset to Start of Continuation Area"];
  const length = values["Length of Continuation Area"];
  if (offset + length > SECTOR_BYTES) {
    const message = `continuation area of ${length} bytes at ${offset} crosses its block (SUSP 5.1)`;
    complain("continuation-crosses", "error", message, path);
    return undefined;
  }
  return { lba: values["Block Location of Continuation Area"], offset, length };
}
