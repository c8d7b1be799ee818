// A gzip file against RFC 1952 and against what boot loaders demand beyond it: one member, nothing behind it, a true ISIZE.
// (The illumos loader allocates by ISIZE, delivers the first member only, and never looks at the CRC.)

import {
  type Content,
  crc32,
  type Finding,
  type Hasher,
  ImageError,
  isAllZeros,
  readBytes,
  type Severity,
} from "../bytes/index.ts";
import { throwIfAborted } from "../layout/index.ts";
import { FHCRC, ISIZE_LIMIT, trailer } from "./format.ts";
import { createInflater, type SequentialInflater, startPosition } from "./inflate.ts";
import { type GzipHeader, isGzip, readGzipHeader, readIsize } from "./read.ts";

export interface GzipCheck {
  readonly findings: readonly Finding[];
  readonly header: GzipHeader;
  /** Length of the first member; what lies behind it has a finding. */
  readonly memberBytes: number;
  /** Length and CRC-32 of what the first member really holds. */
  readonly uncompressedBytes: number;
  readonly crc32: number;
}

export interface GzipCheckOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((uncompressedBytes: number) => void) | undefined;
  /** Get all uncompressed bytes of the first member, in order. */
  readonly hashers?: readonly Pick<Hasher, "update">[] | undefined;
  /** Inflates from front to back; default: ours. */
  readonly createInflater?: ((source: Content, offset: number) => SequentialInflater) | undefined;
  /** Continues a CRC-32; default: ours. */
  readonly crc32?: ((bytes: Uint8Array, previous: number) => number) | undefined;
}

const CHUNK_BYTES = 1 << 18;

/**
 * Inflates the whole first member. Damaged data become findings.
 * @throws ImageError as readGzipHeader (what has no readable header is no gzip file); "interrupted"
 */
export async function checkGzip(content: Content, options: GzipCheckOptions = {}): Promise<GzipCheck> {
  const findings: Finding[] = [];
  const find = (code: string, message: string, severity: Severity = "error"): void => {
    findings.push({ code, severity, message: `gzip: ${message}` });
  };
  const header = await readGzipHeader(content);
  await checkHeaderCrc(content, header, find);

  const data = await inflateAll(content, header.sizeBytes, options, find);
  const result = { findings, header, uncompressedBytes: data.uncompressedBytes, crc32: data.crc32 };
  if (data.endOffset === undefined) return { ...result, memberBytes: content.sizeBytes };

  const memberBytes = data.endOffset + trailer.sizeBytes;
  if (memberBytes > content.sizeBytes) {
    find("truncated", "the file ends inside of the trailer");
    return { ...result, memberBytes: content.sizeBytes };
  }
  const { CRC32, ISIZE } = trailer.decode(await readBytes(content, data.endOffset, trailer.sizeBytes));
  if (CRC32 !== data.crc32) find("crc", `the CRC-32 is ${hex(data.crc32)}, the trailer says ${hex(CRC32)}`);
  if (ISIZE !== data.uncompressedBytes % ISIZE_LIMIT) {
    find("isize", `the data are ${data.uncompressedBytes} bytes, the trailer (ISIZE) says ${ISIZE}`);
  }
  if (data.uncompressedBytes >= ISIZE_LIMIT) {
    find(
      "too-large",
      `the data are ${data.uncompressedBytes} bytes; boot loaders allocate by ISIZE, which ends at 4 GiB`,
    );
  }
  await checkRest(content, memberBytes, data.uncompressedBytes, find);
  return { ...result, memberBytes };
}

type Find = (code: string, message: string, severity?: Severity) => void;

/** FHCRC: the two lower bytes of the CRC-32 of the header before it. */
async function checkHeaderCrc(content: Content, { flags, crc16, sizeBytes }: GzipHeader, find: Find): Promise<void> {
  if (!(flags & FHCRC)) return;
  const actual = crc32(await readBytes(content, 0, sizeBytes - 2)) & 0xffff;
  if (actual !== crc16) find("header-crc", `the header's CRC-16 is ${hex(actual)}, the header says ${hex(crc16 ?? 0)}`);
}

interface Inflated {
  readonly uncompressedBytes: number;
  readonly crc32: number;
  /** Undefined when the data are damaged or do not end. */
  readonly endOffset: number | undefined;
}

async function inflateAll(content: Content, offset: number, options: GzipCheckOptions, find: Find): Promise<Inflated> {
  const { signal, onProgress, hashers = [], crc32: continueCrc = crc32 } = options;
  const inflater = options.createInflater?.(content, offset) ?? createInflater(content, startPosition(offset));
  const chunk = new Uint8Array(CHUNK_BYTES);
  let crc = 0;
  try {
    for (let length = chunk.length; length === chunk.length; ) {
      throwIfAborted(signal);
      length = await inflater.read(chunk);
      const bytes = chunk.subarray(0, length);
      crc = continueCrc(bytes, crc);
      for (const hasher of hashers) hasher.update(bytes);
      onProgress?.(inflater.outputOffset);
    }
  } catch (error) {
    if (!(error instanceof ImageError) || (error.code !== "bad-format" && error.code !== "truncated")) throw error;
    find(error.code === "truncated" ? "truncated" : "deflate", error.message);
  } finally {
    inflater.close?.();
  }
  return { uncompressedBytes: inflater.outputOffset, crc32: crc, endOffset: inflater.endOffset };
}

async function checkRest(content: Content, memberBytes: number, uncompressedBytes: number, find: Find): Promise<void> {
  const count = content.sizeBytes - memberBytes;
  if (count === 0) return;
  const rest = await readBytes(content, memberBytes, Math.min(count, CHUNK_BYTES));
  if (isGzip(rest)) {
    find("several-members", `a second member begins at byte ${memberBytes}; boot loaders deliver the first only`);
  } else {
    const what = isAllZeros(rest) ? "zero bytes" : "bytes that are not part of it";
    find("trailing-bytes", `${count} ${what} follow the member; boot loaders take the last four of the file for ISIZE`);
  }
  const isize = await readIsize(content);
  if (isize !== uncompressedBytes) {
    find("isize", `the file's last four bytes are ${isize}, the first member holds ${uncompressedBytes} bytes`);
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
