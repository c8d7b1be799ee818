// Requests answered by worker threads. Memory that is shared is not copied to them. Each thread is handed two requests at most, so that
// none waits for the next one and none hoards them. A thread that dies fails all requests, with the reason: nothing hangs.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { ImageError } from "../bytes/index.ts";
import type { ThreadAnswer, ThreadRequest } from "./thread.ts";

const REQUESTS_A_THREAD = 2;
/**
 * Threads make few objects, but each may hold a buffer of its own: with the usual size, hundreds of megabytes wait for a collection
 * (2 GB that do not compress: 385 MiB; so: 137 MiB).
 */
const maxYoungGenerationSizeMb = 2;

export interface ThreadPool<Request, Answer> {
  run(request: Request): Promise<Answer>;
  /** Starts all threads, so that they are ready when there is work. */
  start(): void;
  /** Ends all threads; what is under way is rejected. */
  close(): Promise<void>;
}

export interface ThreadPoolOptions {
  /** The thread's script; it calls `answerRequests`. */
  readonly file: string;
  readonly threads: number;
  readonly workerData?: unknown;
  /** What the threads do, for messages: "compression". */
  readonly what: string;
}

/**
 * The compiled file of a module of this room: beside this one, or, when the sources themselves run (tests), in `dist`.
 * @returns undefined when it was not built
 */
export function compiledModule(name: string): string | undefined {
  const folder = import.meta.url.endsWith(".ts") ? "../../dist/src/node/" : "./";
  const file = fileURLToPath(new URL(`${folder}${name}.js`, import.meta.url));
  return existsSync(file) ? file : undefined;
}

interface Pending<Request, Answer> {
  readonly message: ThreadRequest<Request>;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

interface Thread<Request, Answer> {
  readonly worker: Worker;
  readonly underWay: Map<number, Pending<Request, Answer>>;
}

/** Threads are started when there is work for them, or by `start`. */
export function createThreadPool<Request, Answer>(options: ThreadPoolOptions): ThreadPool<Request, Answer> {
  const { file, workerData, what } = options;
  const threads: Thread<Request, Answer>[] = [];
  const waiting: Pending<Request, Answer>[] = [];
  let nextId = 0;
  let broken: Error | undefined;

  const fail = (error: Error): void => {
    broken ??= error;
    const all = [...waiting.splice(0), ...threads.flatMap(({ underWay }) => [...underWay.values()])];
    for (const { underWay } of threads) underWay.clear();
    for (const { reject } of all) reject(broken);
  };

  const startThread = (): Thread<Request, Answer> => {
    const worker = new Worker(file, { workerData, execArgv: [], resourceLimits: { maxYoungGenerationSizeMb } });
    const thread: Thread<Request, Answer> = { worker, underWay: new Map() };
    worker.on("message", (answer: ThreadAnswer<Answer>) => {
      if (broken) return; // a late answer: who waits for the thread's end must not find the process gone
      const done = thread.underWay.get(answer.id);
      thread.underWay.delete(answer.id);
      if (thread.underWay.size === 0) worker.unref(); // an idle thread must not keep the process alive
      dispatch();
      if ("error" in answer) done?.reject(errorOf(answer.error, what));
      else done?.resolve(answer.answer);
    });
    worker.on("error", (cause) => {
      fail(new Error(`a ${what} thread died: ${cause instanceof Error ? cause.message : String(cause)}`, { cause }));
    });
    worker.on("exit", (status) => fail(new Error(`a ${what} thread ended with status ${status}`)));
    threads.push(thread);
    return thread;
  };

  const freeThread = (): Thread<Request, Answer> | undefined => {
    let idlest: Thread<Request, Answer> | undefined;
    for (const thread of threads) if (!idlest || thread.underWay.size < idlest.underWay.size) idlest = thread;
    if (idlest?.underWay.size === 0) return idlest;
    if (threads.length < options.threads) return startThread();
    return idlest && idlest.underWay.size < REQUESTS_A_THREAD ? idlest : undefined;
  };

  const dispatch = (): void => {
    while (waiting.length > 0) {
      const thread = freeThread();
      const next = thread && waiting.shift();
      if (!next) return;
      thread.underWay.set(next.message.id, next);
      thread.worker.ref();
      thread.worker.postMessage(next.message);
    }
  };

  return {
    run(request) {
      if (broken) return Promise.reject(broken);
      return new Promise((resolve, reject) => {
        waiting.push({ message: { id: nextId++, request }, resolve, reject });
        dispatch();
      });
    },
    start() {
      while (!broken && threads.length < options.threads) startThread().worker.unref();
    },
    async close() {
      fail(new Error(`${what} was ended`));
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

function errorOf(
  { code, message, path }: Extract<ThreadAnswer<unknown>, { error: unknown }>["error"],
  what: string,
): Error {
  return code === undefined ? new Error(`${what} failed: ${message}`) : new ImageError(code, message, { path });
}
