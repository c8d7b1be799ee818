// The head of a deflate block with codes of its own (RFC 1951 3.2.7).

import {
  CODE_LENGTH_ORDER,
  CODE_LENGTH_SYMBOLS,
  type DecodeTable,
  DISTANCE_SYMBOLS,
  decodeTable,
  END_OF_BLOCK,
  LITERAL_LENGTH_SYMBOLS,
} from "./huffman.ts";

export interface DynamicCodes {
  readonly literalLengths: Uint8Array;
  readonly distanceLengths: Uint8Array;
  /** The bit behind them, where the block's symbols begin. */
  readonly at: number;
}

/** Why there are none, and the bit where that showed. */
export interface NoCodes {
  readonly fault: string;
  readonly at: number;
}

/** At least 17 bits from bit `at` on, bit 0 of a byte first; zeros behind the end. */
export function peekBits(input: Uint8Array, at: number): number {
  const i = at >>> 3;
  return ((input[i] ?? 0) | ((input[i + 1] ?? 0) << 8) | ((input[i + 2] ?? 0) << 16)) >>> (at & 7);
}

/** HLIT, HDIST, HCLEN and the code lengths from bit `at` on, which is behind the three bits of BFINAL and BTYPE. */
export function readDynamicCodes(input: Uint8Array, at: number): DynamicCodes | NoCodes {
  const take = (count: number): number => {
    const bits = peekBits(input, at) & ((1 << count) - 1);
    at += count;
    return bits;
  };
  const literalCount = take(5) + 257;
  const distanceCount = take(5) + 1;
  const codeLengthCount = take(4) + 4;
  if (literalCount > LITERAL_LENGTH_SYMBOLS || distanceCount > DISTANCE_SYMBOLS) {
    return { fault: "a block of too many codes", at };
  }
  const codeLengthLengths = new Uint8Array(CODE_LENGTH_SYMBOLS);
  for (let i = 0; i < codeLengthCount; i++) codeLengthLengths[CODE_LENGTH_ORDER[i] ?? 0] = take(3);
  if (!isComplete(codeLengthLengths)) return { fault: "a code length code that is no complete one", at };
  const { bits, entries }: DecodeTable = decodeTable(codeLengthLengths, "code length", false);

  const lengths = new Uint8Array(literalCount + distanceCount);
  for (let i = 0; i < lengths.length; ) {
    const entry = entries[peekBits(input, at) & ((1 << bits) - 1)] ?? 0;
    at += entry & 15;
    const symbol = entry >>> 4;
    if (symbol < 16) {
      lengths[i++] = symbol;
      continue;
    }
    if (symbol === 16 && i === 0) return { fault: "a repeated code length without one before it", at };
    const repeated = symbol === 16 ? (lengths[i - 1] ?? 0) : 0;
    const end = i + (symbol === 16 ? 3 + take(2) : symbol === 17 ? 3 + take(3) : 11 + take(7));
    if (end > lengths.length) return { fault: "more code lengths than codes", at };
    lengths.fill(repeated, i, end);
    i = end;
  }
  if (lengths[END_OF_BLOCK] === 0) return { fault: "a block without an end-of-block code", at };
  return { literalLengths: lengths.subarray(0, literalCount), distanceLengths: lengths.subarray(literalCount), at };
}

/** Whether every bit pattern begins with exactly one code of these lengths. */
export function isComplete(lengths: Uint8Array): boolean {
  let used = 0;
  for (const length of lengths) if (length > 0) used += 2 ** -length; // exact: powers of two
  return used === 1;
}
