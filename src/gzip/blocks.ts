// Blocks that are compressed on their own, on whatever thread, and joined to one deflate stream.

import type { DeflateEngine } from "./engine.ts";

/** The bytes are not the compressor's: input and dictionary must stay as they are, and output unread, until it answers. */
export interface BlockJob {
  readonly input: Uint8Array;
  /** The up to 32 KiB before `input`. */
  readonly dictionary: Uint8Array | undefined;
  /** 0 (stored) to 9 (smallest). */
  readonly level: number;
  /** Where the result goes, from its beginning on: `deflateRoomBytes` of the input's length. */
  readonly output: Uint8Array;
}

export interface CompressedBlock {
  /** Bytes of the output that are the result. */
  readonly sizeBytes: number;
  /** CRC-32 of the input. */
  readonly crc32: number;
  /** Whether it was known from an earlier build. */
  readonly isCached?: boolean | undefined;
}

export interface BlockCompressor {
  /** Blocks that are worked on at the same time. */
  readonly parallelism: number;
  /** Memory for jobs, zeroed: where there are threads, they share it, and nothing is copied to them. */
  allocate(sizeBytes: number): Uint8Array;
  compress(job: BlockJob): Promise<CompressedBlock>;
  /** Ends all threads. Jobs that are under way are rejected. */
  close(): Promise<void>;
}

/** Compresses one block here and now. `discard` gets the engine's own buffer, when it is not needed any more. */
export function compressBlock(
  engine: DeflateEngine,
  { input, dictionary, level, output }: BlockJob,
  discard: (buffer: ArrayBuffer) => void = () => {},
): CompressedBlock {
  const made = engine.deflateBlock(input, dictionary, level);
  const sizeBytes = made.length;
  output.set(made);
  discard(made.buffer);
  return { sizeBytes, crc32: engine.crc32(input) };
}

/** Compresses on the calling thread: for any runtime. */
export function inThreadCompressor(engine: DeflateEngine): BlockCompressor {
  return {
    parallelism: 1,
    allocate: (sizeBytes) => new Uint8Array(sizeBytes),
    compress: async (job) => compressBlock(engine, job),
    async close() {},
  };
}
