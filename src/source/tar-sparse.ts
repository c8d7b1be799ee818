// Sparse files in tar: where the data lies in the archive, where it belongs in the file
// (GNU tar manual, "Storing Sparse Files": the old GNU format and the pax formats 0.0, 0.1 and 1.0).

import { byteString, type Content, type Range } from "../bytes/index.ts";
import { extent, layoutContent, makeLayout } from "../layout/index.ts";
import { gnuSparse, gnuSparseExtension, gnuSparseHeader, TAR_BLOCK_BYTES } from "./format-tar.ts";
import { sourceError } from "./source.ts";
import type { WindowReader } from "./window.ts";

export interface SparseMap {
  readonly ranges: readonly Range[];
  /** Where the first range's data begins in the archive; the others follow without a gap. */
  readonly dataOffset: number;
}

/** Guards memory: 2^20 ranges, 16 MiB of map. Real maps have some dozens. */
const MAX_RANGES = 1 << 20;

/** The map in an old GNU header of type S and in the blocks that follow it. */
export async function readOldGnuMap(
  reader: WindowReader,
  headerOffset: number,
  path: string,
): Promise<{ readonly map: SparseMap; readonly realSizeBytes: number }> {
  const first = gnuSparseHeader.decode(await reader.bytes(headerOffset, TAR_BLOCK_BYTES));
  const entries = [...first.sp];
  let next = headerOffset + TAR_BLOCK_BYTES;
  for (let more = first.isextended !== ""; more; next += TAR_BLOCK_BYTES) {
    const extension = gnuSparseExtension.decode(await reader.bytes(next, TAR_BLOCK_BYTES));
    entries.push(...extension.sp);
    if (entries.length > MAX_RANGES) throw tooMany(path);
    more = extension.isextended !== "";
  }
  const ranges = entries
    .map((bytes) => gnuSparse.decode(bytes))
    .filter(({ numbytes }) => numbytes !== 0)
    .map(({ offset, numbytes }) => ({ offset, length: numbytes }));
  return { map: { ranges, dataOffset: next }, realSizeBytes: first.realsize };
}

/** "0,512,8192,512" (formats 0.0 and 0.1). */
export function parsePaxMap(map: string, dataOffset: number, path: string): SparseMap {
  const numbers = map === "" ? [] : map.split(",", MAX_RANGES * 2 + 1).map(decimal);
  if (numbers.length > MAX_RANGES * 2) throw tooMany(path);
  return { ranges: pairs(numbers, path), dataOffset };
}

/** Format 1.0: the map stands before the data, a number a line, padded to a block; the first says how many pairs. */
export async function readPaxMapInData(
  reader: WindowReader,
  dataOffset: number,
  dataEnd: number,
  path: string,
): Promise<SparseMap> {
  let text = "";
  let next = dataOffset;
  let wanted = 1;
  const lines: string[] = [];
  while (lines.length < wanted) {
    if (next + TAR_BLOCK_BYTES > dataEnd) throw sourceError("truncated", path, "its sparse map has no end");
    text += byteString(await reader.bytes(next, TAR_BLOCK_BYTES));
    next += TAR_BLOCK_BYTES;
    const complete = text.split("\n");
    text = complete.pop() ?? "";
    lines.push(...complete);
    if (text.length > TAR_BLOCK_BYTES) throw sourceError("bad-format", path, "its sparse map is no list of numbers");
    if (lines.length > 0) wanted = 1 + 2 * count(lines[0] ?? "", path);
  }
  return { ranges: pairs(lines.slice(1, wanted).map(decimal), path), dataOffset: next };
}

function count(line: string, path: string): number {
  const value = decimal(line);
  if (!Number.isSafeInteger(value)) throw sourceError("bad-format", path, "its sparse map is no list of numbers");
  if (value > MAX_RANGES) throw tooMany(path);
  return value;
}

const decimal = (line: string): number => (/^[0-9]+$/.test(line) ? Number(line) : Number.NaN);

function pairs(numbers: readonly number[], path: string): Range[] {
  if (numbers.length % 2 !== 0) throw sourceError("bad-format", path, "its sparse map ends with half a pair");
  const ranges: Range[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    ranges.push({ offset: numbers[i] ?? Number.NaN, length: numbers[i + 1] ?? Number.NaN });
  }
  return ranges;
}

function tooMany(path: string) {
  return sourceError("limit", path, `its sparse map has more than ${MAX_RANGES} pieces`);
}

/**
 * The file with its holes.
 * @throws ImageError "bad-format" when pieces overlap, are not in order, or lie beyond the file's or the archive's end
 */
export function sparseContent(
  archive: Content,
  { ranges, dataOffset }: SparseMap,
  dataEnd: number,
  realSizeBytes: number,
  path: string,
): Content {
  let fileEnd = 0;
  let from = dataOffset;
  const extents = [];
  for (const { offset, length } of ranges) {
    const end = offset + length;
    if (!(offset >= fileEnd && length >= 0 && end <= realSizeBytes && from + length <= dataEnd)) {
      throw sourceError("bad-format", path, `its sparse map is not in order, or says more than there is, at ${offset}`);
    }
    extents.push({ ...extent(offset, { what: "data", path }, archive), length, contentOffset: from });
    fileEnd = end;
    from += length;
  }
  return layoutContent(makeLayout(realSizeBytes, extents));
}
