// The records of a pax extended header: "LENGTH KEYWORD=VALUE\n", LENGTH counting all of the record in decimal
// (POSIX.1-2017 pax, "pax Extended Header"). Keywords and values are byte strings.

import { byteString } from "../bytes/index.ts";
import { sourceError } from "./source.ts";

export type PaxRecord = readonly [keyword: string, value: string];

/** @throws ImageError "bad-format" naming the member */
export function parsePaxRecords(bytes: Uint8Array, path: string): PaxRecord[] {
  const records: PaxRecord[] = [];
  const bad = (at: number) => sourceError("bad-format", path, `pax record at byte ${at} of its header is malformed`);
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] === 0) break; // some writers pad
    const blank = bytes.subarray(0, at + 20).indexOf(0x20, at);
    const digits = blank === -1 ? "" : byteString(bytes, at, blank);
    const end = at + Number(digits);
    if (!/^[0-9]+$/.test(digits) || end > bytes.length || end <= blank + 1 || bytes[end - 1] !== 0x0a) throw bad(at);
    const equals = bytes.subarray(0, end).indexOf(0x3d, blank + 1);
    if (equals === -1) throw bad(at);
    records.push([byteString(bytes, blank + 1, equals), byteString(bytes, equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** The records as one byte string. */
export function formatPaxRecords(records: readonly PaxRecord[]): string {
  return records.map(formatPaxRecord).join("");
}

function formatPaxRecord([keyword, value]: PaxRecord): string {
  const rest = ` ${keyword}=${value}\n`;
  // The length counts its own digits: one more digit may need yet one more.
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

/**
 * Lays records over what was said before: a later value wins, an empty one takes the keyword away
 * (and with it the header field that it stands for).
 */
export function applyPaxRecords(values: Map<string, string>, records: readonly PaxRecord[]): void {
  for (const [keyword, value] of records) {
    // Sparse format 0.0 repeats these two; they are kept together as the map of format 0.1.
    if (keyword === "GNU.sparse.offset" || keyword === "GNU.sparse.numbytes") {
      const map = values.get("GNU.sparse.map");
      values.set("GNU.sparse.map", map === undefined || map === "" ? value : `${map},${value}`);
    } else values.set(keyword, value);
  }
}

/**
 * A number of a pax record: whole, or with a fraction (times), which is cut off downwards.
 * @throws ImageError "bad-format" naming the member and the keyword
 */
export function paxNumber(value: string, keyword: string, path: string): number {
  const number = /^-?[0-9]+(\.[0-9]*)?$/.test(value) ? Math.floor(Number(value)) : Number.NaN;
  if (!Number.isSafeInteger(number)) {
    throw sourceError("bad-format", path, `${keyword} in its pax header is "${value.slice(0, 40)}", no number`);
  }
  return number;
}
