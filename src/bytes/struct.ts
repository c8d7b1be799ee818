// Declared structures: one table states a structure of a standard (field name, offset, type, meaning). It gives the
// encoder, the decoder, the size, the annotated dump and the table in SPEC.md. No offset is written a second time.

import { byteString, bytesOf } from "./bytestring.ts";
import { ImageError } from "./errors.ts";

/** How a value lies in bytes. `zero` is the value of all-zero bytes and the default when encoding. */
export interface FieldType<Value> {
  readonly name: string;
  readonly sizeBytes: number;
  readonly zero: Value;
  read(view: DataView, offset: number): Value;
  write(view: DataView, offset: number, value: Value): void;
}

export interface Field<Value> {
  readonly offset: number;
  readonly type: FieldType<Value>;
  readonly meaning: string;
}

// biome-ignore lint/suspicious/noExplicitAny: a field table holds fields of any value type
export type Fields = Readonly<Record<string, Field<any>>>;

/** The values of a structure by field name, all of them. */
export type ValuesOf<F extends Fields> = { [K in keyof F]: F[K] extends Field<infer V> ? V : never };

/** The values type of a declared structure: `StructValues<typeof direct>`. */
export type StructValues<S> = S extends Struct<infer F> ? ValuesOf<F> : never;

export interface Struct<F extends Fields> {
  readonly name: string;
  readonly sizeBytes: number;
  readonly fields: F;
  /** @throws ImageError "truncated" when the structure is not wholly inside `bytes` */
  decode(bytes: Uint8Array, offset?: number): ValuesOf<F>;
  /**
   * Writes the given fields; fields left out are written as zero.
   * @throws ImageError "limit" when a value does not fit its field
   */
  encode(values: Partial<ValuesOf<F>>, target: Uint8Array, offset?: number): void;
  /** Writes only the given fields and leaves all other bytes as they are. */
  patch(values: Partial<ValuesOf<F>>, target: Uint8Array, offset?: number): void;
}

export function field<Value>(offset: number, type: FieldType<Value>, meaning: string): Field<Value> {
  return { offset, type, meaning };
}

/**
 * Declares a structure of `sizeBytes` bytes.
 * @throws Error (a mistake in the declaration) when fields overlap or stick out
 */
export function struct<F extends Fields>(name: string, sizeBytes: number, fields: F): Struct<F> {
  const entries = Object.entries(fields).sort(([, a], [, b]) => a.offset - b.offset);
  let end = 0;
  for (const [fieldName, { offset, type }] of entries) {
    if (offset < end) throw new Error(`struct ${name}: ${fieldName} overlaps the field before it`);
    end = offset + type.sizeBytes;
  }
  if (end > sizeBytes) throw new Error(`struct ${name}: fields end at ${end}, size is ${sizeBytes}`);

  /** Where the structure begins in the view of its buffer. */
  const startIn = (bytes: Uint8Array, offset: number): number => {
    if (offset < 0 || offset + sizeBytes > bytes.length) {
      throw new ImageError(
        "truncated",
        `${name} at byte ${offset} needs ${sizeBytes} bytes, ${bytes.length} are there`,
      );
    }
    return bytes.byteOffset + offset;
  };
  const writeFields = (values: Partial<ValuesOf<F>>, target: Uint8Array, start: number): void => {
    const view = viewOf(target.buffer);
    let at = "";
    try {
      for (const fieldName in values) {
        at = fieldName;
        const declared = fields[fieldName];
        if (declared === undefined) throw new Error(`struct ${name} has no field ${fieldName}`);
        declared.type.write(view, start + declared.offset, values[fieldName]);
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new ImageError("limit", `${name}.${at}: ${error.message}`, { field: at });
    }
  };

  // Copied for each decoded structure, so that all have one shape: built up key by key they would be slow hash tables.
  const blank: Readonly<Record<string, unknown>> = Object.fromEntries(
    entries.map(([fieldName, { type }]) => [fieldName, type.zero]),
  );

  return {
    name,
    sizeBytes,
    fields,
    decode(bytes, offset = 0) {
      const start = startIn(bytes, offset);
      const view = viewOf(bytes.buffer);
      const values: Record<string, unknown> = { ...blank };
      for (const [fieldName, { type, offset: at }] of entries) values[fieldName] = type.read(view, start + at);
      return values as ValuesOf<F>;
    },
    encode(values, target, offset = 0) {
      const start = startIn(target, offset);
      target.fill(0, offset, offset + sizeBytes);
      writeFields(values, target, start);
    },
    patch(values, target, offset = 0) {
      writeFields(values, target, startIn(target, offset));
    },
  };
}

/** The view of the buffer that was last worked on: structures come many in a buffer, and making a view takes longer than filling one. */
let lastView: DataView = new DataView(new ArrayBuffer(0));

function viewOf(buffer: ArrayBufferLike): DataView {
  if (lastView.buffer !== buffer) lastView = new DataView(buffer);
  return lastView;
}

function checkRange(value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${value} is not a whole number in ${min}..${max}`);
  }
}

function integer(
  name: string,
  sizeBytes: number,
  min: number,
  max: number,
  read: (view: DataView, offset: number) => number,
  write: (view: DataView, offset: number, value: number) => void,
): FieldType<number> {
  return {
    name,
    sizeBytes,
    zero: 0,
    read,
    write(view, offset, value) {
      checkRange(value, min, max);
      write(view, offset, value);
    },
  };
}

export const u8: FieldType<number> = integer(
  "u8",
  1,
  0,
  0xff,
  (v, o) => v.getUint8(o),
  (v, o, x) => v.setUint8(o, x),
);
export const u16: FieldType<number> = integer(
  "u16",
  2,
  0,
  0xffff,
  (v, o) => v.getUint16(o, true),
  (v, o, x) => v.setUint16(o, x, true),
);
export const i16: FieldType<number> = integer(
  "i16",
  2,
  -0x8000,
  0x7fff,
  (v, o) => v.getInt16(o, true),
  (v, o, x) => v.setInt16(o, x, true),
);
export const u32: FieldType<number> = integer(
  "u32",
  4,
  0,
  0xffffffff,
  (v, o) => v.getUint32(o, true),
  (v, o, x) => v.setUint32(o, x, true),
);
export const i32: FieldType<number> = integer(
  "i32",
  4,
  -0x80000000,
  0x7fffffff,
  (v, o) => v.getInt32(o, true),
  (v, o, x) => v.setInt32(o, x, true),
);
export const u16be: FieldType<number> = integer(
  "u16be",
  2,
  0,
  0xffff,
  (v, o) => v.getUint16(o, false),
  (v, o, x) => v.setUint16(o, x, false),
);
export const u32be: FieldType<number> = integer(
  "u32be",
  4,
  0,
  0xffffffff,
  (v, o) => v.getUint32(o, false),
  (v, o, x) => v.setUint32(o, x, false),
);

/** Little endian, as a JS number: exact up to 2^53, which every size and address here stays below. Larger values read inexactly. */
export const u64: FieldType<number> = integer(
  "u64",
  8,
  0,
  Number.MAX_SAFE_INTEGER,
  (v, o) => v.getUint32(o, true) + v.getUint32(o + 4, true) * 2 ** 32,
  (v, o, x) => {
    v.setUint32(o, x % 2 ** 32, true);
    v.setUint32(o + 4, Math.floor(x / 2 ** 32), true);
  },
);

/** A number stored in both byte orders, little endian first (ECMA-119 7.2.3 and 7.3.3). Reading takes the little-endian half. */
export const u16both: FieldType<number> = integer(
  "u16 both-endian",
  4,
  0,
  0xffff,
  (v, o) => v.getUint16(o, true),
  (v, o, x) => {
    v.setUint16(o, x, true);
    v.setUint16(o + 2, x, false);
  },
);
export const u32both: FieldType<number> = integer(
  "u32 both-endian",
  8,
  0,
  0xffffffff,
  (v, o) => v.getUint32(o, true),
  (v, o, x) => {
    v.setUint32(o, x, true);
    v.setUint32(o + 4, x, false);
  },
);

/** `count` values of one type, one after the other. Encoding takes up to `count` values; the rest is zero. */
export function array<Value>(element: FieldType<Value>, count: number): FieldType<readonly Value[]> {
  return {
    name: `${element.name}[${count}]`,
    sizeBytes: element.sizeBytes * count,
    zero: new Array<Value>(count).fill(element.zero),
    read(view, offset) {
      const values = new Array<Value>(count);
      for (let i = 0; i < count; i++) values[i] = element.read(view, offset + i * element.sizeBytes);
      return values;
    },
    write(view, offset, values) {
      if (values.length > count) throw new RangeError(`${values.length} values, there is room for ${count}`);
      values.forEach((value, i) => {
        element.write(view, offset + i * element.sizeBytes, value);
      });
    },
  };
}

/** Raw bytes, zero padded. */
export function rawBytes(length: number): FieldType<Uint8Array> {
  return {
    name: `bytes[${length}]`,
    sizeBytes: length,
    zero: new Uint8Array(length),
    read: (view, offset) => new Uint8Array(view.buffer, view.byteOffset + offset, length).slice(),
    write(view, offset, value) {
      if (value.length > length) throw new RangeError(`${value.length} bytes, there is room for ${length}`);
      new Uint8Array(view.buffer, view.byteOffset + offset, value.length).set(value);
    },
  };
}

/** A byte string, padded to the field's length with `pad` (0 for C strings, 0x20 for ISO 9660 identifiers). Reading removes the padding. */
export function paddedString(length: number, pad: number): FieldType<string> {
  return {
    name: `char[${length}]${pad === 0 ? "" : ` padded with 0x${pad.toString(16)}`}`,
    sizeBytes: length,
    zero: "",
    read(view, offset) {
      const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, length);
      let end = length;
      while (end > 0 && bytes[end - 1] === pad) end--;
      return byteString(bytes, 0, end);
    },
    write(view, offset, value) {
      if (value.length > length)
        throw new RangeError(`"${value}" is ${value.length} bytes, there is room for ${length}`);
      for (let i = 0; i < length; i++) {
        const byte = i < value.length ? value.charCodeAt(i) : pad;
        if (byte > 0xff) bytesOf(value); // refuses text
        view.setUint8(offset + i, byte);
      }
    },
  };
}

export interface DumpLine {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly name: string;
  readonly value: unknown;
  readonly meaning: string;
}

/** Every field of a structure with its absolute offset and value, in order of offset: for people who look at bytes. */
export function dumpStruct<F extends Fields>(declared: Struct<F>, bytes: Uint8Array, offset = 0, base = 0): DumpLine[] {
  const values = declared.decode(bytes, offset);
  return sortedFields(declared).map(([name, { offset: at, type, meaning }]) => ({
    offset: base + offset + at,
    sizeBytes: type.sizeBytes,
    name,
    value: values[name],
    meaning,
  }));
}

/** The structure as a Markdown table: what SPEC.md holds (a test compares). */
export function structTable<F extends Fields>(declared: Struct<F>): string {
  const rows = sortedFields(declared).map(
    ([name, { offset, type, meaning }]) => `| ${offset} | ${type.sizeBytes} | ${name} | ${type.name} | ${meaning} |`,
  );
  return [
    `**${declared.name}**, ${declared.sizeBytes} bytes`,
    "",
    "| offset | size | field | type | meaning |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function sortedFields<F extends Fields>(declared: Struct<F>): [string, Field<unknown>][] {
  return Object.entries(declared.fields).sort(([, a], [, b]) => a.offset - b.offset);
}
