// The prefix codes of deflate (RFC 1951 3.2.2 to 3.2.7): from code lengths to a table that the next bits look up directly.

import { ImageError } from "../bytes/index.ts";

export const MAX_CODE_BITS = 15;
export const END_OF_BLOCK = 256;

export interface DecodeTable {
  /** Bits that are looked up at a time: the longest code's. */
  readonly bits: number;
  /** By the next `bits` bits, first bit lowest: symbol << 4 | code length; 0 where no code begins so. */
  readonly entries: Uint16Array;
}

/** Number of code length, literal/length and distance codes that a block may use. */
export const CODE_LENGTH_SYMBOLS = 19;
export const LITERAL_LENGTH_SYMBOLS = 286;
export const DISTANCE_SYMBOLS = 30;

/** The order in which code lengths of the code length code are stored (3.2.7). */
export const CODE_LENGTH_ORDER: Uint8Array = Uint8Array.of(
  16,
  17,
  18,
  0,
  8,
  7,
  9,
  6,
  10,
  5,
  11,
  4,
  12,
  3,
  13,
  2,
  14,
  1,
  15,
);

/** 3.2.5: base value and number of extra bits of length symbols 257.. and of distance symbols 0.. */
export const LENGTH_EXTRA_BITS: Uint8Array = Uint8Array.from({ length: 29 }, (_, i) =>
  i < 8 || i === 28 ? 0 : (i >>> 2) - 1,
);
export const LENGTH_BASE: Uint16Array = running(LENGTH_EXTRA_BITS, 3);
LENGTH_BASE[28] = 258; // the last one breaks the rule: it would continue at 259
export const DISTANCE_EXTRA_BITS: Uint8Array = Uint8Array.from({ length: 30 }, (_, i) => (i < 2 ? 0 : (i >>> 1) - 1));
export const DISTANCE_BASE: Uint16Array = running(DISTANCE_EXTRA_BITS, 1);

function running(extraBits: Uint8Array, first: number): Uint16Array {
  let base = first;
  return Uint16Array.from(extraBits, (bits) => {
    const value = base;
    base += 1 << bits;
    return value;
  });
}

/** 3.2.6: the code lengths of blocks with fixed codes. Symbols 286, 287 and distances 30, 31 have codes but must not occur. */
export const FIXED_LITERAL_LENGTHS: Uint8Array = Uint8Array.from({ length: 288 }, (_, symbol) =>
  symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
);
export const FIXED_DISTANCE_LENGTHS: Uint8Array = new Uint8Array(32).fill(5);

/**
 * The table of a code with the given lengths (0: symbol does not occur). Codes that leave bit patterns unused are refused as
 * zlib refuses them: all but a code of a single one-bit symbol, or of none, and these only with `mayBeIncomplete`.
 * @throws ImageError "bad-format"
 */
export function decodeTable(lengths: Uint8Array, what: string, mayBeIncomplete: boolean): DecodeTable {
  const counts = new Uint16Array(MAX_CODE_BITS + 1);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  counts[0] = 0;
  let bits = MAX_CODE_BITS;
  while (bits > 0 && counts[bits] === 0) bits--;

  let unused = 1; // bit patterns of the length at hand that no code begins with
  let code = 0;
  const nextCode = new Uint16Array(MAX_CODE_BITS + 1);
  for (let length = 1; length <= MAX_CODE_BITS; length++) {
    const count = counts[length] ?? 0;
    code = (code + (counts[length - 1] ?? 0)) << 1;
    nextCode[length] = code;
    unused = unused * 2 - count;
    if (unused < 0) throw new ImageError("bad-format", `deflate: ${what} code has more codes than bit patterns`);
  }
  if (unused > 0 && !(mayBeIncomplete && bits <= 1)) {
    throw new ImageError("bad-format", `deflate: ${what} code is incomplete`);
  }

  const entries = new Uint16Array(1 << bits);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol] ?? 0;
    if (length === 0) continue;
    const first = reverse(nextCode[length] ?? 0, length);
    nextCode[length] = (nextCode[length] ?? 0) + 1;
    const entry = (symbol << 4) | length;
    for (let i = first; i < entries.length; i += 1 << length) entries[i] = entry;
  }
  return { bits, entries };
}

/** Codes are packed most significant bit first (3.1.1), everything else least significant first. */
function reverse(code: number, length: number): number {
  let reversed = 0;
  for (let i = 0; i < length; i++) reversed |= ((code >>> i) & 1) << (length - 1 - i);
  return reversed;
}
