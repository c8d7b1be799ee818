// A structure as it lies in an image, taken apart by its declaration: what `stat` and `dump` show.

import { type DumpLine, dumpStruct, type Fields, type Struct, toText } from "../bytes/index.ts";
import { exactTimeText } from "./list.ts";

export interface Structure {
  /** What it is: "inode 57", "directory record of /boot/loader". */
  readonly title: string;
  /** The declared structure's name: "dinode". */
  readonly name: string;
  /** Bytes from the beginning of the layer. */
  readonly offset: number;
  readonly sizeBytes: number;
  readonly fields: readonly DumpLine[];
}

/** Any declared structure, as far as taking bytes apart goes. */
export type Declared = Pick<Struct<Fields>, "name" | "sizeBytes" | "fields">;

/** A declared structure in `bytes` at `at`, which is byte `offset` of the layer. */
export function structureOf(
  declared: Declared,
  title: string,
  bytes: Uint8Array,
  at: number,
  offset: number,
): Structure {
  const fields = dumpStruct(declared as Struct<Fields>, bytes, at, offset - at);
  return { title, name: declared.name, offset, sizeBytes: declared.sizeBytes, fields };
}

const MAX_SHOWN_BYTES = 32;

/** A field's value for people; times also as dates, large numbers also in hexadecimal. */
export function valueText({ name, value }: Pick<DumpLine, "name" | "value">): string {
  if (value === undefined) return "not recorded";
  if (typeof value === "number") {
    if (/(time|MTIME|Date and Time|time stamp)$/.test(name) && value !== 0)
      return `${value} (${exactTimeText(value)} UTC)`;
    if (/mode$/i.test(name)) return `0${value.toString(8)}`;
    return Math.abs(value) < 256
      ? String(value)
      : `${value} (${value < 0 ? "-" : ""}0x${Math.abs(value).toString(16)})`;
  }
  if (typeof value === "string") return `"${toText(value)}"`;
  if (value instanceof Uint8Array) return bytesText(value);
  if (Array.isArray(value)) return listText(value);
  return String(value);
}

function bytesText(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  if (end === 0) return "zeros";
  const shown = Array.from(bytes.subarray(0, Math.min(end, MAX_SHOWN_BYTES)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  const rest = end > MAX_SHOWN_BYTES ? " …" : end < bytes.length ? " 00 …" : "";
  return shown.join(" ") + rest;
}

function listText(values: readonly unknown[]): string {
  let end = values.length;
  while (end > 0 && values[end - 1] === 0) end--;
  const shown = values.slice(0, end).map((value) => (value instanceof Uint8Array ? bytesText(value) : String(value)));
  return end === 0 ? "zeros" : shown.join(" ") + (end < values.length ? " 0 …" : "");
}
