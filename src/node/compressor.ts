// Deflate blocks compressed on worker threads.

import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import {
  type BlockCompressor,
  type BlockJob,
  type CompressedBlock,
  type DeflateEngine,
  inThreadCompressor,
} from "../gzip/index.ts";
import type { DeflateThreadSettings } from "./deflate-thread.ts";
import { chooseEngine, type EngineName, engineByName } from "./engines.ts";
import { compiledModule, createThreadPool } from "./thread-pool.ts";

export interface CompressorOptions {
  readonly engine?: EngineName | "auto" | undefined;
  /** Threads; 0 compresses on the calling one. Default: as many as the machine runs at a time. */
  readonly workers?: number | undefined;
}

/**
 * A compressor on `workers` threads. The bytes do not depend on the number.
 * @throws ImageError "unsupported" (see chooseEngine)
 */
export function createCompressor(options: CompressorOptions = {}): BlockCompressor {
  const engine = chooseEngine(options.engine ?? "auto");
  const workers = options.workers ?? availableParallelism();
  const file = workers > 0 ? compiledModule("deflate-thread") : undefined;
  return file === undefined ? politeCompressor(engineByName(engine)) : threadedCompressor(file, workers, engine);
}

/** Compresses on this thread, and lets signals and timers have their turn before each block. */
function politeCompressor(engine: DeflateEngine): BlockCompressor {
  const compressor = inThreadCompressor(engine);
  return {
    ...compressor,
    async compress(job) {
      await setImmediate();
      return compressor.compress(job);
    },
  };
}

/** Exported for tests: `file` is the threads' script. */
export function threadedCompressor(file: string, workers: number, engine: EngineName): BlockCompressor {
  const workerData: DeflateThreadSettings = { engine };
  const pool = createThreadPool<BlockJob, CompressedBlock>({ file, threads: workers, workerData, what: "compression" });
  return {
    parallelism: workers,
    compress(job) {
      const buffers = new Set([job.input.buffer, ...(job.dictionary ? [job.dictionary.buffer] : [])]); // perhaps the same one
      return pool.run(job, [...buffers]);
    },
    close: () => pool.close(),
  };
}
