// A thread of compressor.ts: jobs in, results out. Inputs and outputs are in memory that the threads share.

import { MessageChannel, workerData } from "node:worker_threads";
import type { BlockJob, CompressedBlock } from "../gzip/index.ts";
import { type BlockCompression, compressWithCache } from "./block-cache.ts";
import { answerRequests } from "./thread.ts";

/**
 * Frees an engine's buffer now: a message to a port that is closed takes it and is dropped. Left to the collector, which sees
 * little to do in a thread like this one, these buffers add up to 50 MB a thread.
 */
const { port1: nowhere, port2: closed } = new MessageChannel();
closed.close();
const discard = (buffer: ArrayBuffer): void => nowhere.postMessage(undefined, [buffer]);

const compress = compressWithCache(workerData as BlockCompression, discard);

answerRequests<BlockJob, CompressedBlock>(compress);
