// The thread of worker-pool.ts: one job in, one compressed block out, until the pool ends it.

import { parentPort, workerData } from "node:worker_threads";
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

parentPort?.on("message", ({ id, job }: WorkerRequest) => {
  try {
    const block = compressBlock(engine, job);
    parentPort?.postMessage({ id, block } satisfies WorkerAnswer, [block.bytes.buffer]);
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) } satisfies WorkerAnswer);
  }
});
