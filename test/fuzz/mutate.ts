// Damage that a seed gives: fields of structures set to borders and beyond, blocks in other places, bytes put in and taken out,
// bits, ends that are missing. The same seed gives the same damage on every machine.

import { type Random, random } from "../../fixtures/random.ts";

/** A field of a structure in an image. */
export interface Place {
  readonly offset: number;
  readonly sizeBytes: number;
}

const BORDERS = [0, 1, 2, 3, 4, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
const BLOCKS = [16, 512, 1024, 2048, 8192];

/** `bytes` with damage of the kind and at the places that `seed` gives; `fields` are hit more often than what lies between. */
export function mutate(original: Uint8Array, fields: readonly Place[], seed: number): Uint8Array<ArrayBuffer> {
  const rng = random(seed);
  let bytes = Uint8Array.from(original);
  if (bytes.length === 0) return bytes;
  for (let count = 1 + rng.below(1 + rng.below(8)); count > 0 && bytes.length > 0; count--) {
    const kind = rng.below(16);
    if (kind < 9 && fields.length > 0) setField(bytes, rng.pick(fields), rng);
    else if (kind < 12) bytes[rng.below(bytes.length)] = rng.below(256);
    else if (kind < 13) copyBlock(bytes, rng);
    else if (kind < 14) bytes = shifted(bytes, rng);
    else if (kind < 15) fill(bytes, rng);
    else if (rng.below(3) === 0) bytes = bytes.slice(0, rng.below(bytes.length));
  }
  return bytes;
}

function setField(bytes: Uint8Array, { offset, sizeBytes }: Place, rng: Random): void {
  // In arrays one element; in what is longer than a number, one byte.
  const width = Math.min(sizeBytes, rng.pick([1, 2, 4, 4]));
  const at = offset + (sizeBytes > 4 ? rng.below(Math.floor(sizeBytes / width)) * width : 0);
  if (at + width > bytes.length) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const old = width === 1 ? view.getUint8(at) : width === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
  const value = [rng.pick(BORDERS), rng.below(2 ** 32), rng.below(4000), old + 1, old - 1, old ^ (1 << rng.below(32))][
    rng.below(6)
  ] as number; // an element of six
  const little = rng.below(8) > 0;
  if (width === 1) view.setUint8(at, value);
  else if (width === 2) view.setUint16(at, value, little);
  else view.setUint32(at, value, little);
}

function copyBlock(bytes: Uint8Array, rng: Random): void {
  const size = rng.pick(BLOCKS);
  const blocks = Math.floor(bytes.length / size);
  if (blocks < 2) return;
  const from = rng.below(blocks) * size;
  bytes.copyWithin(rng.below(blocks) * size, from, from + size);
}

function shifted(bytes: Uint8Array, rng: Random): Uint8Array<ArrayBuffer> {
  const at = rng.below(bytes.length);
  const length = 1 + rng.below(rng.pick([4, 600]));
  const head = bytes.subarray(0, at);
  const isCut = rng.below(2) === 0;
  const tail = bytes.subarray(isCut ? Math.min(bytes.length, at + length) : at);
  const between = isCut ? new Uint8Array(0) : Uint8Array.from({ length }, () => rng.below(256));
  const result = new Uint8Array(head.length + between.length + tail.length);
  result.set(head);
  result.set(between, head.length);
  result.set(tail, head.length + between.length);
  return result;
}

function fill(bytes: Uint8Array, rng: Random): void {
  const at = rng.below(bytes.length);
  bytes.fill(rng.pick([0, 0xff, 0x2f, 0x20]), at, at + 1 + rng.below(2048));
}
