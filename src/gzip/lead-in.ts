// Taking up deflate data at a border of blocks with an inflater that can begin on the border of a byte only (zlib's, as Node
// gives it): the bits of the byte before the border are replaced by blocks that hold nothing (RFC 1951 3.2.6, 3.2.7).

import { CODE_LENGTH_ORDER, CODE_LENGTH_SYMBOLS } from "./huffman.ts";

/** A number's bits as deflate packs them, lowest first. */
const number = (value: number, count: number): string =>
  Array.from({ length: count }, (_, i) => (value >>> i) & 1).join("");

/** BFINAL 0, BTYPE 01, end of block: 10 bits. */
const EMPTY_FIXED: string = number(0b010, 3) + number(0, 7);

/**
 * An odd number of bits. BFINAL 0, BTYPE 10, 257 literal/length codes, 1 distance code; the code length code has 0 for a length of 1 and 1
 * for a run of zeros (18). 256 zeros, a length of 1 for end of block, one for the distance; end of block.
 */
const EMPTY_DYNAMIC: string = [
  number(0b100, 3),
  number(0, 5),
  number(0, 5),
  number(CODE_LENGTH_SYMBOLS - 4, 4),
  ...Array.from(CODE_LENGTH_ORDER, (symbol) => number(symbol === 1 || symbol === 18 ? 1 : 0, 3)),
  `1${number(138 - 11, 7)}`,
  `1${number(118 - 11, 7)}`,
  "0",
  "0",
  "0",
].join("");

/** By the bits wanted in the last byte: empty blocks of a length that leaves these over. */
const LEAD_INS: readonly string[] = Array.from({ length: 8 }, (_, bits) => {
  let text = bits % 2 === 1 ? EMPTY_DYNAMIC : "";
  while (text.length % 8 !== bits) text += EMPTY_FIXED;
  return text;
});

/** Room that a lead-in may need before the byte that the border is in. */
export const LEAD_BYTES: number = Math.max(...LEAD_INS.map(({ length }) => length >>> 3));

/**
 * Makes `room` deflate data that begin with the first byte of what is returned. The border is at bit `bit` (0 to 7) of room[LEAD_BYTES];
 * what is before it is overwritten.
 */
export function leadIn(room: Uint8Array, bit: number): Uint8Array {
  const lead = LEAD_INS[bit] ?? "";
  const from = LEAD_BYTES - (lead.length >>> 3);
  room.fill(0, from, LEAD_BYTES);
  room[LEAD_BYTES] = (room[LEAD_BYTES] ?? 0) & (0xff << bit);
  for (let i = 0; i < lead.length; i++) {
    const byte = from + (i >>> 3);
    if (lead[i] === "1") room[byte] = (room[byte] ?? 0) | (1 << (i & 7));
  }
  return room.subarray(from);
}
