// The thread of hashing.ts: bytes in, which it shares with others; digests out, at the end.

import { workerData } from "node:worker_threads";
import { createHasher, type HashAlgorithm, type HashRequest } from "./hashing.ts";
import { answerRequests } from "./thread.ts";

const hashers = (workerData as readonly HashAlgorithm[]).map(createHasher);

answerRequests<HashRequest, readonly string[]>((bytes) => {
  if (bytes === undefined) return hashers.map((hasher) => hasher.digestHex());
  for (const hasher of hashers) hasher.update(bytes);
  return [];
});
