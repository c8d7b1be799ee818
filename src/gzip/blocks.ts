// Blocks that are compressed on their own, on whatever thread, and joined to one deflate stream.

import type { DeflateEngine } from "./engine.ts";

export interface BlockJob {
  /** The compressor may take the buffer away (transfer it to another thread): the caller must not use it any more. */
  readonly input: Uint8Array<ArrayBuffer>;
  /** The up to 32 KiB before `input`; may be taken away as well. */
  readonly dictionary: Uint8Array<ArrayBuffer> | undefined;
  /** 0 (stored) to 9 (smallest). */
  readonly level: number;
}

export interface CompressedBlock {
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

export function compressBlock(engine: DeflateEngine, { input, dictionary, level }: BlockJob): CompressedBlock {
  return { bytes: engine.deflateBlock(input, dictionary, level), crc32: engine.crc32(input) };
}

/** Compresses on the calling thread: for any runtime. */
export function inThreadCompressor(engine: DeflateEngine): BlockCompressor {
  return {
    parallelism: 1,
    compress: async (job) => compressBlock(engine, job),
    async close() {},
  };
}
