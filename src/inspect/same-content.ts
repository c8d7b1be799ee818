// Whether two contents are equal, read side by side until they differ.

import type { Content } from "../bytes/index.ts";

const PIECE_BYTES = 1 << 18;

export async function sameContent(a: Content, b: Content): Promise<boolean> {
  return a === b || (a.sizeBytes === b.sizeBytes && (await firstDifference(a, b)) === undefined);
}

/** The first byte that differs, or where the shorter one ends; undefined when there is none. @throws ImageError what reading throws */
export async function firstDifference(a: Content, b: Content): Promise<number | undefined> {
  const common = Math.min(a.sizeBytes, b.sizeBytes);
  const bytesA = new Uint8Array(Math.min(PIECE_BYTES, common));
  const bytesB = new Uint8Array(bytesA.length);
  for (let offset = 0; offset < common; offset += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, common - offset);
    const pieceA = bytesA.subarray(0, length);
    const pieceB = bytesB.subarray(0, length);
    await Promise.all([a.read(pieceA, offset), b.read(pieceB, offset)]);
    const at = differenceIn(pieceA, pieceB);
    if (at !== -1) return offset + at;
  }
  return a.sizeBytes === b.sizeBytes ? undefined : common;
}

function differenceIn(a: Uint8Array, b: Uint8Array): number {
  const words = a.length >>> 2;
  const wordsA = new Int32Array(a.buffer, a.byteOffset, words);
  const wordsB = new Int32Array(b.buffer, b.byteOffset, words);
  let i = 0;
  while (i < words && wordsA[i] === wordsB[i]) i++;
  for (i *= 4; i < a.length; i++) if (a[i] !== b[i]) return i;
  return -1;
}
