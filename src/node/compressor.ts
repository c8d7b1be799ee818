// Deflate blocks compressed on worker threads.

import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import type { BlockCompressor, BlockJob, CompressedBlock } from "../gzip/index.ts";
import { type BlockCompression, compressWithCache } from "./block-cache.ts";
import { chooseEngine, type EngineName } from "./engines.ts";
import { compiledModule, createThreadPool } from "./thread-pool.ts";

export interface CompressorOptions {
  readonly engine?: EngineName | "auto" | undefined;
  /** The level that will be asked for, so that the engine is tried at no other. */
  readonly level?: number | undefined;
  /** Threads; 0 compresses on the calling one. Default: as many as the machine runs at a time. */
  readonly workers?: number | undefined;
  /** Where compressed blocks are kept for later builds; default: nowhere. */
  readonly cacheDirectory?: string | undefined;
}

/**
 * A compressor on `workers` threads. The bytes do not depend on the number.
 * @throws ImageError "unsupported" (see chooseEngine)
 */
export function createCompressor(options: CompressorOptions = {}): BlockCompressor {
  const { cacheDirectory, level } = options;
  const engine = chooseEngine(options.engine ?? "auto", level === undefined ? undefined : [level]);
  const compression = { engine, cacheDirectory };
  const workers = options.workers ?? availableParallelism();
  const file = workers > 0 ? compiledModule("deflate-thread") : undefined;
  return file === undefined ? politeCompressor(compression) : threadedCompressor(file, workers, compression);
}

/** Also where only one thread compresses: others hash and write. */
const sharedBytes = (sizeBytes: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(sizeBytes));

/** Compresses on this thread, and lets signals and timers have their turn before each block. */
function politeCompressor(compression: BlockCompression): BlockCompressor {
  const compress = compressWithCache(compression);
  return {
    parallelism: 1,
    allocate: sharedBytes,
    async compress(job) {
      await setImmediate();
      return compress(job);
    },
    async close() {},
  };
}

/** Exported for tests: `file` is the threads' script. */
export function threadedCompressor(file: string, workers: number, compression: BlockCompression): BlockCompressor {
  const pool = createThreadPool<BlockJob, CompressedBlock>({
    file,
    threads: workers,
    workerData: compression,
    what: "compression",
  });
  pool.start(); // there is always much to do before the first block is there
  return {
    parallelism: workers,
    allocate: sharedBytes,
    compress: (job) => pool.run(job),
    close: () => pool.close(),
  };
}
