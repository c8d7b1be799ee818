// Looking for the borders of deflate blocks in the middle of deflate data. A border is recognized by what must follow it: the
// head of a block with codes of its own, which random bits are one time in some million, or the lengths of a stored block.
// Whether it is one, inflating from there shows.

import { isComplete, peekBits, readDynamicCodes } from "./dynamic-codes.ts";

/** BTYPE, 3.2.3, with a BFINAL of 0 before it. */
const STORED = 0b000;
const DYNAMIC = 0b100;

/** Bit offsets of what looks like a border, from bit `to` (exclusive) down to `from`; never that of a final block. */
export function* likelyBorders(bytes: Uint8Array, from: number, to: number): Generator<number> {
  for (let i = (to - 1) >>> 3; i >= from >>> 3; i--) {
    const bits = (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16);
    for (let k = 7; k >= 0; k--) {
      const bit = i * 8 + k;
      const type = (bits >>> k) & 7;
      if ((type !== DYNAMIC && (type !== STORED || k !== 5)) || bit < from || bit >= to) continue;
      if (type === DYNAMIC ? beginsDynamic(bytes, bit + 3, bits >>> (k + 3)) : beginsStored(bytes, i + 1)) yield bit;
    }
  }
}

/**
 * Whether the lengths of a stored block are here (the bits skipped before them are zeros), and a likely block behind it: inside of
 * stored data, anything that looks like a stored block gives the right bytes as far as it reaches.
 */
function beginsStored(bytes: Uint8Array, i: number): boolean {
  const length = storedLength(bytes, i);
  if (length === undefined) return false;
  const next = i + 4 + length;
  const bits = peekBits(bytes, next * 8);
  if ((bits & 7) === DYNAMIC) return beginsDynamic(bytes, next * 8 + 3, bits >>> 3);
  return (bits & 7) === STORED && storedLength(bytes, next + 1) !== undefined;
}

/** LEN, when its complement follows. */
function storedLength(bytes: Uint8Array, i: number): number | undefined {
  const [low = 0, high = 0, notLow = 0, notHigh = 0] = bytes.subarray(i, i + 4);
  return (low ^ notLow) === 0xff && (high ^ notHigh) === 0xff ? low | (high << 8) : undefined;
}

/** What cheaply refuses most: more codes than there are, and a code length code that is not complete. `counts` are the bits from `bit` on. */
function beginsDynamic(bytes: Uint8Array, bit: number, counts: number): boolean {
  if ((counts & 31) > 29 || ((counts >>> 5) & 31) > 29) return false;
  const codeLengths = (peekBits(bytes, bit + 10) & 15) + 4; // `counts` may end before
  let used = 0;
  for (let i = 0; i < codeLengths; i++) {
    const length = peekBits(bytes, bit + 14 + 3 * i) & 7;
    if (length > 0) used += 128 >>> length;
  }
  if (used !== 128) return false;
  const codes = readDynamicCodes(bytes, bit);
  return !("fault" in codes) && isComplete(codes.literalLengths);
}
