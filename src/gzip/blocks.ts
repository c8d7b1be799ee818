// Blocks that are compressed on their own, on whatever thread, and joined to one deflate stream.

import type { DeflateEngine } from "./engine.ts";

export interface BlockJob {
  /** The compressor takes the buffer away (it goes to another thread) and gives it back with the result. */
  readonly input: Uint8Array<ArrayBuffer>;
  /** The up to 32 KiB before `input`, perhaps in the same buffer; taken away as well. */
  readonly dictionary: Uint8Array<ArrayBuffer> | undefined;
  /** 0 (stored) to 9 (smallest). */
  readonly level: number;
}

export interface CompressedBlock {
  /** In the buffer of the job's input, where it fits: one buffer goes there and back, and nothing is left for the collector. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** CRC-32 of the input. */
  readonly crc32: number;
}

export interface BlockCompressor {
  /** Blocks that are worked on at the same time. */
  readonly parallelism: number;
  compress(job: BlockJob): Promise<CompressedBlock>;
  /** Ends all threads. Jobs that are under way are rejected. */
  close(): Promise<void>;
}

/** Compresses one block here and now. `discard` gets the engine's own buffer, when it is not needed any more. */
export function compressBlock(
  engine: DeflateEngine,
  { input, dictionary, level }: BlockJob,
  discard: (buffer: ArrayBuffer) => void = () => {},
): CompressedBlock {
  const crc32 = engine.crc32(input);
  const made = engine.deflateBlock(input, dictionary, level);
  if (made.length > input.buffer.byteLength) return { bytes: made, crc32 };
  const bytes = new Uint8Array(input.buffer, 0, made.length);
  bytes.set(made);
  discard(made.buffer);
  return { bytes, crc32 };
}

/** Compresses on the calling thread: for any runtime. */
export function inThreadCompressor(engine: DeflateEngine): BlockCompressor {
  return {
    parallelism: 1,
    compress: async (job) => compressBlock(engine, job),
    async close() {},
  };
}
