// Blocks compressed on worker threads. Buffers are transferred, not copied. The pool hands each thread two jobs at most,
// so that none waits for the next and none hoards them.

import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import {
  type BlockCompressor,
  type BlockJob,
  type CompressedBlock,
  type DeflateEngine,
  inThreadCompressor,
} from "../gzip/index.ts";
import type { WorkerAnswer, WorkerRequest, WorkerSettings } from "./deflate-worker.ts";
import { chooseEngine, type EngineName, engineByName } from "./engines.ts";

const JOBS_A_THREAD = 2;

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
  const file = workers > 0 ? workerFile() : undefined;
  return file === undefined ? politeCompressor(engineByName(engine)) : workerPool(file, workers, engine);
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

/** The worker's compiled file: beside this one, or, when the sources themselves run (tests), in `dist` if it was built. */
function workerFile(): string | undefined {
  const here = fileURLToPath(import.meta.url);
  const file = here.endsWith(".ts")
    ? here.replace(/src([\\/])node([\\/])worker-pool\.ts$/, "dist$1src$1node$2deflate-worker.js")
    : here.replace(/worker-pool\.js$/, "deflate-worker.js");
  return existsSync(file) ? file : undefined;
}

interface PendingJob {
  readonly request: WorkerRequest;
  readonly resolve: (block: CompressedBlock) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly jobs: Map<number, PendingJob>;
}

/** Exported for tests: `file` is the worker's script. */
export function workerPool(file: string, workers: number, engine: EngineName): BlockCompressor {
  const threads: Thread[] = [];
  const waiting: PendingJob[] = [];
  let nextId = 0;
  let broken: Error | undefined;

  const fail = (error: Error): void => {
    broken ??= error;
    const pending = [...waiting.splice(0), ...threads.flatMap(({ jobs }) => [...jobs.values()])];
    for (const { jobs } of threads) jobs.clear();
    for (const { reject } of pending) reject(broken);
  };

  const start = (): Thread => {
    const workerData: WorkerSettings = { engine };
    const thread: Thread = { worker: new Worker(file, { workerData, execArgv: [] }), jobs: new Map() };
    thread.worker.on("message", (answer: WorkerAnswer) => {
      const done = thread.jobs.get(answer.id);
      thread.jobs.delete(answer.id);
      if (thread.jobs.size === 0) thread.worker.unref(); // an idle thread must not keep the process alive
      dispatch();
      if ("block" in answer) done?.resolve(answer.block);
      else done?.reject(new Error(`compression failed: ${answer.error}`));
    });
    thread.worker.on("error", (cause) => {
      fail(
        new Error(`a compression thread died: ${cause instanceof Error ? cause.message : String(cause)}`, { cause }),
      );
    });
    thread.worker.on("exit", (status) => fail(new Error(`a compression thread ended with status ${status}`)));
    threads.push(thread);
    return thread;
  };

  const freeThread = (): Thread | undefined => {
    const idlest = threads.reduce<Thread | undefined>(
      (best, thread) => (best === undefined || thread.jobs.size < best.jobs.size ? thread : best),
      undefined,
    );
    if (idlest?.jobs.size === 0) return idlest;
    if (threads.length < workers) return start();
    return idlest && idlest.jobs.size < JOBS_A_THREAD ? idlest : undefined;
  };

  const dispatch = (): void => {
    while (waiting.length > 0) {
      const thread = freeThread();
      const next = thread && waiting.shift();
      if (!next) return;
      thread.jobs.set(next.request.id, next);
      thread.worker.ref();
      const { input, dictionary } = next.request.job;
      thread.worker.postMessage(next.request, [...new Set([input.buffer, ...(dictionary ? [dictionary.buffer] : [])])]);
    }
  };

  return {
    parallelism: workers,
    compress(job: BlockJob) {
      if (broken) return Promise.reject(broken);
      return new Promise((resolve, reject) => {
        waiting.push({ request: { id: nextId++, job }, resolve, reject });
        dispatch();
      });
    },
    async close() {
      fail(new Error("the compressor was closed"));
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}
