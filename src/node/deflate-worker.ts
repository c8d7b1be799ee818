// The thread of worker-pool.ts: one job in, one compressed block out, until the pool ends it.

import { MessageChannel, parentPort, workerData } from "node:worker_threads";
import { type BlockJob, type CompressedBlock, compressBlock } from "../gzip/index.ts";
import { type EngineName, engineByName } from "./engines.ts";

export interface WorkerSettings {
  readonly engine: EngineName;
}

export interface WorkerRequest {
  readonly id: number;
  readonly job: BlockJob;
}

export type WorkerAnswer =
  | { readonly id: number; readonly block: CompressedBlock }
  | { readonly id: number; readonly error: string };

const engine = engineByName((workerData as WorkerSettings).engine);

/**
 * Frees an engine's buffer now: a message to a port that is closed takes it and is dropped. Left to the collector, which sees
 * little to do in a thread like this one, these buffers add up to 50 MB a thread.
 */
const { port1: nowhere, port2: closed } = new MessageChannel();
closed.close();
const discard = (buffer: ArrayBuffer): void => nowhere.postMessage(undefined, [buffer]);

parentPort?.on("message", ({ id, job }: WorkerRequest) => {
  try {
    const block = compressBlock(engine, job, discard);
    parentPort?.postMessage({ id, block } satisfies WorkerAnswer, [block.bytes.buffer]);
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) } satisfies WorkerAnswer);
  }
});
