// The file allocation table: for each cluster the next one of its file, or why there is none. A run is a stretch of
// clusters that follow each other on disk; volumes made here have one run a file.

import type { FatType } from "./format.ts";
import { FIRST_CLUSTER } from "./geometry.ts";

/** `count` clusters from `first` on, chained one to the next. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

const MASK: Readonly<Record<FatType, number>> = { 12: 0xfff, 16: 0xffff, 32: 0x0fffffff };

export const FREE = 0;

/** What the last cluster of a file holds when we write it. Any value from `endMarks` on means the same. */
function endOfChain(fatType: FatType): number {
  return MASK[fatType];
}

/** The least of the values that end a chain: 0xFF8, 0xFFF8, 0x0FFFFFF8. */
export function endMarks(fatType: FatType): number {
  return MASK[fatType] - 7;
}

/** The mark of a cluster that must not be used. */
export function badCluster(fatType: FatType): number {
  return MASK[fatType] - 8;
}

/** FAT[0]: the media byte with all other bits set. FAT[1]: all bits set (a clean volume, no read errors). */
export function reservedEntries(fatType: FatType, media: number): readonly [number, number] {
  return [(MASK[fatType] & ~0xff) | media, MASK[fatType]];
}

/** The entry of a cluster. `fat` holds the table from its beginning, at least up to that entry. */
export function readEntry(fat: Uint8Array, fatType: FatType, cluster: number): number {
  const byte = (index: number) => fat[index] ?? 0;
  switch (fatType) {
    case 12: {
      const at = cluster + (cluster >> 1);
      const pair = byte(at) | (byte(at + 1) << 8);
      return cluster % 2 === 0 ? pair & 0xfff : pair >> 4;
    }
    case 16:
      return byte(cluster * 2) | (byte(cluster * 2 + 1) << 8);
    case 32: {
      const at = cluster * 4;
      return byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | ((byte(at + 3) & 0x0f) << 24);
    }
  }
}

/** Writes an entry into a zeroed table whose first entry is the one of cluster `base` (even). */
function writeEntry(fat: Uint8Array, fatType: FatType, index: number, value: number): void {
  const put = (at: number, bits: number) => {
    fat[at] = (fat[at] ?? 0) | (bits & 0xff);
  };
  switch (fatType) {
    case 12: {
      const at = index + (index >> 1);
      const shifted = index % 2 === 0 ? value : value << 4;
      put(at, shifted);
      put(at + 1, shifted >> 8);
      return;
    }
    case 16:
      put(index * 2, value);
      put(index * 2 + 1, value >> 8);
      return;
    case 32:
      for (let i = 0; i < 4; i++) put(index * 4 + i, value >> (8 * i));
  }
}

/**
 * Long tables are planned and encoded in pieces of this many bytes (whole entries of each type, whole sectors), so that
 * no table need be in memory at once.
 */
export const FAT_PIECE_BYTES: number = 192 * 1024;

/**
 * Encodes the part of a table that begins `offset` bytes into it (a multiple of FAT_PIECE_BYTES).
 * @param runs the chains, in order of their first cluster, not overlapping
 */
export function encodeFatPiece(
  target: Uint8Array,
  offset: number,
  fatType: FatType,
  media: number,
  runs: readonly Run[],
): void {
  const base = (offset * 8) / fatType;
  const end = base + Math.floor((target.length * 8) / fatType);
  if (base === 0) {
    for (const [index, value] of reservedEntries(fatType, media).entries()) writeEntry(target, fatType, index, value);
  }
  for (let i = firstRunAt(runs, base); i < runs.length; i++) {
    const run = runs[i];
    if (run === undefined || run.first >= end) break;
    const last = run.first + run.count - 1;
    for (let cluster = Math.max(run.first, base); cluster <= Math.min(last, end - 1); cluster++) {
      writeEntry(target, fatType, cluster - base, cluster === last ? endOfChain(fatType) : cluster + 1);
    }
  }
}

/** Index of the first run that ends after `cluster`. */
function firstRunAt(runs: readonly Run[], cluster: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const run = runs[middle];
    if (run !== undefined && run.first + run.count <= cluster) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function isDataCluster(cluster: number, clusters: number): boolean {
  return cluster >= FIRST_CLUSTER && cluster < clusters + FIRST_CLUSTER;
}
