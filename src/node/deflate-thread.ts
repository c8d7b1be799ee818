// A thread of compressor.ts: one block in, the compressed block out.

import { MessageChannel, workerData } from "node:worker_threads";
import { type BlockJob, type CompressedBlock, compressBlock } from "../gzip/index.ts";
import { type EngineName, engineByName } from "./engines.ts";
import { answerRequests } from "./thread.ts";

export interface DeflateThreadSettings {
  readonly engine: EngineName;
}

const engine = engineByName((workerData as DeflateThreadSettings).engine);

/**
 * Frees an engine's buffer now: a message to a port that is closed takes it and is dropped. Left to the collector, which sees
 * little to do in a thread like this one, these buffers add up to 50 MB a thread.
 */
const { port1: nowhere, port2: closed } = new MessageChannel();
closed.close();
const discard = (buffer: ArrayBuffer): void => nowhere.postMessage(undefined, [buffer]);

answerRequests<BlockJob, CompressedBlock>((job) => {
  const block = compressBlock(engine, job, discard);
  return [block, [block.bytes.buffer]];
});
