// A layout to one gzip member, in order, with several blocks being compressed at a time. The bytes depend on the layout
// and the level only, not on the engine or the number of threads: block borders are fixed, each block is primed with
// the 32 KiB before it, blocks are joined by sync flushes, and an empty block ends the stream.

import { crc32Combine, type Hasher, ImageError, isAllZeros } from "../bytes/index.ts";
import { type Layout, type Sink, throwIfAborted, type Window, windows } from "../layout/index.ts";
import type { BlockCompressor, CompressedBlock } from "./blocks.ts";
import {
  CM_DEFLATE,
  DEFLATE_WINDOW_BYTES,
  EMPTY_FINAL_BLOCK,
  EMPTY_STORED_BLOCK,
  header,
  ID,
  ISIZE_LIMIT,
  OS_UNIX,
  trailer,
  XFL_FASTEST,
  XFL_SLOWEST,
} from "./format.ts";

export const DEFAULT_LEVEL = 6;
/** Measured: from 128 KiB to 1 MiB neither size nor speed differ by more than 0.1 % and 5 %. */
export const DEFAULT_BLOCK_BYTES: number = 256 * 1024;

export interface GzipOptions {
  /** 0 (stored) to 9 (smallest); default 6. */
  readonly level?: number | undefined;
  /** At least 32 KiB. The output depends on it. */
  readonly blockBytes?: number | undefined;
  /** Where in the sink the member begins; default 0. */
  readonly at?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of uncompressed bytes whose compressed form has been written so far. */
  readonly onProgress?: ((uncompressedBytes: number) => void) | undefined;
  /**
   * Whether a file of this many bytes ends where its reader can cope with it. Empty stored blocks (5 bytes each) are put
   * before the end until it does. Default: any size will do.
   */
  readonly endsWell?: ((sizeBytes: number) => boolean) | undefined;
  /** Get all uncompressed bytes, in order. */
  readonly hashers?: readonly Hasher[] | undefined;
}

export interface GzipFigures {
  /** Length of the member. */
  readonly sizeBytes: number;
  /** CRC-32 of the uncompressed bytes. */
  readonly crc32: number;
}

interface Block {
  readonly lengthBytes: number;
  readonly compressed: Promise<CompressedBlock>;
}

/**
 * Writes the layout as one gzip member, in order. Memory: a few blocks for each of the compressor's threads.
 * @throws ImageError "limit" from 4 GiB on; "interrupted"; whatever the layout's contents and the sink throw
 */
export async function emitGzip(
  layout: Layout,
  sink: Sink,
  compressor: BlockCompressor,
  options: GzipOptions = {},
): Promise<GzipFigures> {
  const {
    level = DEFAULT_LEVEL,
    blockBytes = DEFAULT_BLOCK_BYTES,
    at = 0,
    signal,
    onProgress,
    endsWell,
    hashers = [],
  } = options;
  checkOptions(layout, level, blockBytes);
  const maxBlocksUnderWay = 3 * compressor.parallelism; // one worked on, two waiting: a thread never waits for us
  const buffers = blockBuffers(blockBytes);
  const compressWindow = windowCompressor(compressor, level, buffers, hashers);
  const underWay: Block[] = [];
  let crc = 0;
  let doneBytes = 0;
  let sizeBytes = 0;
  const write = async (bytes: Uint8Array): Promise<void> => {
    await sink.write(bytes, at + sizeBytes);
    sizeBytes += bytes.length;
  };
  const finishFirst = async (): Promise<void> => {
    const first = underWay.shift();
    if (!first) return;
    const { bytes, crc32 } = await first.compressed;
    await write(bytes);
    buffers.giveBack(bytes);
    crc = crc32Combine(crc, crc32, first.lengthBytes);
    doneBytes += first.lengthBytes;
    onProgress?.(doneBytes);
  };

  await write(encodedHeader(level));
  try {
    for await (const window of windows(layout, { windowBytes: blockBytes, allocate: buffers.take, signal })) {
      underWay.push(compressWindow(window));
      while (underWay.length > maxBlocksUnderWay) await finishFirst();
    }
    while (underWay.length > 0) {
      throwIfAborted(signal);
      await finishFirst();
    }
  } finally {
    await Promise.allSettled(underWay.map(({ compressed }) => compressed));
  }
  await write(paddingFor(sizeBytes, endsWell));
  await write(encodedEnd(crc, layout.sizeBytes));
  return { sizeBytes, crc32: crc };
}

/** A file that has not ended well after so many empty blocks never will. */
const MAX_PADDING_BLOCKS = 2 ** 16;

function paddingFor(writtenBytes: number, endsWell: GzipOptions["endsWell"]): Uint8Array<ArrayBuffer> {
  const endBytes = EMPTY_FINAL_BLOCK.length + trailer.sizeBytes;
  let blocks = 0;
  while (endsWell && !endsWell(writtenBytes + blocks * EMPTY_STORED_BLOCK.length + endBytes)) {
    if (++blocks > MAX_PADDING_BLOCKS) throw new Error("gzip: no number of empty blocks ends well");
  }
  const bytes = new Uint8Array(blocks * EMPTY_STORED_BLOCK.length);
  for (let at = 0; at < bytes.length; at += EMPTY_STORED_BLOCK.length) bytes.set(EMPTY_STORED_BLOCK, at);
  return bytes;
}

function checkOptions(layout: Layout, level: number, blockBytes: number): void {
  if (layout.sizeBytes >= ISIZE_LIMIT) {
    throw new ImageError(
      "limit",
      `${layout.sizeBytes} bytes cannot be a gzip'd boot archive: its size field (ISIZE) ends at 4 GiB and the boot ` +
        "loader allocates by it; make the image smaller, or do not compress it",
      { field: "ISIZE" },
    );
  }
  if (!Number.isInteger(level) || level < 0 || level > 9) {
    throw new ImageError("invalid-argument", `gzip level ${level}: must be a whole number in 0..9`);
  }
  if (!Number.isInteger(blockBytes) || blockBytes < DEFLATE_WINDOW_BYTES || blockBytes > 2 ** 28) {
    throw new ImageError("invalid-argument", `gzip block of ${blockBytes} bytes: must be in 32k..256m`);
  }
}

interface BlockBuffers {
  /** All zeros. */
  readonly zeros: Uint8Array;
  /** Room for a block, behind room for its dictionary. */
  take(lengthBytes: number): Uint8Array<ArrayBuffer>;
  /** Takes back what is in a buffer of `take`, and nothing else. */
  giveBack(bytes: Uint8Array<ArrayBuffer>): void;
}

function blockBuffers(blockBytes: number): BlockBuffers {
  const bufferBytes = DEFLATE_WINDOW_BYTES + blockBytes;
  const spare: ArrayBuffer[] = [];
  return {
    zeros: new Uint8Array(blockBytes),
    take: (lengthBytes) =>
      new Uint8Array(spare.pop() ?? new ArrayBuffer(bufferBytes), DEFLATE_WINDOW_BYTES, lengthBytes),
    giveBack({ buffer }) {
      if (buffer.byteLength === bufferBytes) spare.push(buffer);
    },
  };
}

/**
 * Gives windows, which must come in order, to the compressor. A window of zeros is compressed once for each length, without
 * a dictionary (which would not help), and the block after it gets none either: it would be all zeros.
 */
function windowCompressor(
  compressor: BlockCompressor,
  level: number,
  buffers: BlockBuffers,
  hashers: readonly Hasher[],
): (window: Window) => Block {
  const zeroBlocks = new Map<number, Promise<CompressedBlock>>();
  const before = new Uint8Array(DEFLATE_WINDOW_BYTES); // a copy, because the block itself is taken away
  let isDataBefore = false;

  const compressZeros = (length: number): Promise<CompressedBlock> => {
    const known = zeroBlocks.get(length);
    if (known) return known;
    const compressed = quietly(compressor.compress({ input: new Uint8Array(length), dictionary: undefined, level }));
    zeroBlocks.set(length, compressed);
    return compressed;
  };

  return ({ length, bytes }) => {
    for (const hasher of hashers) hasher.update(bytes ?? buffers.zeros.subarray(0, length));
    if (bytes === undefined || isAllZeros(bytes)) {
      if (bytes) buffers.giveBack(bytes);
      isDataBefore = false;
      return { lengthBytes: length, compressed: compressZeros(length) };
    }
    let dictionary: Uint8Array<ArrayBuffer> | undefined;
    if (isDataBefore) {
      dictionary = new Uint8Array(bytes.buffer, 0, DEFLATE_WINDOW_BYTES);
      dictionary.set(before);
    }
    before.set(bytes.subarray(-DEFLATE_WINDOW_BYTES)); // only the last block can be shorter, and nothing follows it
    isDataBefore = true;
    return { lengthBytes: length, compressed: quietly(compressor.compress({ input: bytes, dictionary, level })) };
  };
}

/** A failure is reported when the block's turn comes; until then it must not count as unhandled. */
function quietly<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}

function encodedHeader(level: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(header.sizeBytes);
  const XFL = level === 9 ? XFL_SLOWEST : level === 1 ? XFL_FASTEST : 0;
  header.encode({ ID, CM: CM_DEFLATE, XFL, OS: OS_UNIX }, bytes);
  return bytes;
}

function encodedEnd(CRC32: number, ISIZE: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(EMPTY_FINAL_BLOCK.length + trailer.sizeBytes);
  bytes.set(EMPTY_FINAL_BLOCK);
  trailer.encode({ CRC32, ISIZE }, bytes, EMPTY_FINAL_BLOCK.length);
  return bytes;
}
