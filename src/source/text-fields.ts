// Field types of archive headers, which write numbers as text.

import { byteString, byteStringToNul, bytesOf, type FieldType } from "../bytes/index.ts";

/** A byte string that ends at the first NUL, or fills the field. */
export function cString(length: number): FieldType<string> {
  return {
    name: `char[${length}]`,
    sizeBytes: length,
    zero: "",
    read: (view, offset) => byteStringToNul(bytesAt(view, offset, length)),
    write(view, offset, value) {
      if (value.length > length)
        throw new RangeError(`"${value}" is ${value.length} bytes, there is room for ${length}`);
      const field = bytesAt(view, offset, length);
      field.fill(0);
      field.set(bytesOf(value));
    },
  };
}

/**
 * A number in a tar header: octal digits with blanks before them, ended by a blank, a NUL or the field's end; nothing is 0.
 * Or, as GNU and star write what octal cannot hold, base 256: the first byte 0x80 (positive) or 0xff (two's complement).
 * Reads NaN where it is neither, and inexactly above 2^53: the reader checks. Writes octal where it fits, else base 256.
 */
export function tarNumber(length: number): FieldType<number> {
  const octalLimit = 8 ** (length - 1);
  const base256Limit = Math.min(2 ** 53, 256 ** (length - 1));
  return {
    name: `octal[${length}]`,
    sizeBytes: length,
    zero: 0,
    read(view, offset) {
      const field = bytesAt(view, offset, length);
      const first = field[0] ?? 0;
      return first & 0x80 ? readBase256(field) : readOctal(field);
    },
    write(view, offset, value) {
      const field = bytesAt(view, offset, length);
      if (Number.isSafeInteger(value) && value >= 0 && value < octalLimit) {
        field.set(bytesOf(value.toString(8).padStart(length - 1, "0")));
        field[length - 1] = 0;
        return;
      }
      if (!Number.isSafeInteger(value) || Math.abs(value) >= base256Limit) {
        throw new RangeError(`${value} does not fit ${length} bytes`);
      }
      let rest = value;
      for (let i = length - 1; i > 0; i--) {
        field[i] = ((rest % 256) + 256) % 256;
        rest = Math.floor(rest / 256);
      }
      field[0] = value < 0 ? 0xff : 0x80;
    },
  };
}

/** A number of exactly `length` digits (cpio's headers). Reads NaN where other characters are. */
export function digits(length: number, radix: 8 | 16): FieldType<number> {
  const wellFormed = radix === 8 ? /^[0-7]+$/ : /^[0-9a-fA-F]+$/;
  return {
    name: `${radix === 8 ? "octal" : "hex"} digits[${length}]`,
    sizeBytes: length,
    zero: 0,
    read(view, offset) {
      const text = byteString(bytesAt(view, offset, length));
      return wellFormed.test(text) ? Number.parseInt(text, radix) : Number.NaN;
    },
    write(view, offset, value) {
      if (!Number.isSafeInteger(value) || value < 0 || value >= radix ** length) {
        throw new RangeError(`${value} does not fit ${length} digits`);
      }
      bytesAt(view, offset, length).set(bytesOf(value.toString(radix).padStart(length, "0")));
    },
  };
}

function bytesAt(view: DataView, offset: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, length);
}

function readOctal(field: Uint8Array): number {
  let at = 0;
  while (at < field.length && field[at] === 0x20) at++;
  let value = 0;
  for (; at < field.length; at++) {
    const byte = field[at] ?? 0;
    if (byte === 0 || byte === 0x20) break;
    if (byte < 0x30 || byte > 0x37) return Number.NaN;
    value = value * 8 + (byte - 0x30);
  }
  return value;
}

function readBase256(field: Uint8Array): number {
  const negative = ((field[0] ?? 0) & 0x40) !== 0;
  let magnitude = 0;
  for (let i = 0; i < field.length; i++) {
    // The top bit says only that this is base 256; the next one is the sign, to be extended over it.
    const byte = i === 0 ? ((field[i] ?? 0) & 0x7f) | (negative ? 0x80 : 0) : (field[i] ?? 0);
    magnitude = magnitude * 256 + (negative ? ~byte & 0xff : byte);
  }
  return negative ? -magnitude - 1 : magnitude;
}
