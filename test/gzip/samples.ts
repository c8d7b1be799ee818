// Bytes that compress about as an operating system's files do: runs, repeated phrases, noise. The same for the same seed.

import type { Sink } from "../../src/layout/index.ts";

export function sampleBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  const random = randomNumbers(seed);
  let at = 0;
  while (at < length) {
    const choice = random() % 8;
    const run = Math.min(length - at, 4 + (random() % 200));
    if (choice === 0) at += run;
    else if (choice < 5 && at > 300) {
      const distance = 1 + (random() % Math.min(at, 60_000));
      for (let i = 0; i < run; i++, at++) bytes[at] = bytes[at - distance] ?? 0;
    } else for (let i = 0; i < run; i++, at++) bytes[at] = choice === 5 ? random() & 0xff : 0x40 + (random() % 24);
  }
  return bytes;
}

/** xorshift32. */
export function randomNumbers(seed: number): () => number {
  let state = (seed + 1) * 0x9e3779b1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

export function concatenate(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Collects what is written in order, one piece after the other. */
export function collectingSink(): Sink & { bytes(): Uint8Array<ArrayBuffer> } {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  return {
    async write(bytes, offset) {
      if (offset !== sizeBytes) throw new Error(`written at ${offset}, expected ${sizeBytes}`);
      pieces.push(bytes.slice());
      sizeBytes += bytes.length;
    },
    bytes: () => concatenate(pieces),
  };
}
