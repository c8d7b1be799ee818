// Digests by node:crypto, on the calling thread or on one of their own.

import { createHash } from "node:crypto";
import { type Hasher, inThreadStreamHasher, type StreamHasher } from "../bytes/index.ts";
import { compiledModule, createThreadPool } from "./thread-pool.ts";

export type HashAlgorithm = "sha1" | "sha256" | "sha512-256";

export function createHasher(algorithm: HashAlgorithm): Hasher {
  const hash = createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digestHex: () => hash.digest("hex"),
  };
}

/** What its thread (hash-thread.ts) is sent: bytes to consume, or undefined: the digests, please. */
export type HashRequest = Uint8Array | undefined;

export interface ClosableStreamHasher extends StreamHasher {
  close(): Promise<void>;
}

/** All algorithms on one thread. Bytes in shared memory are not copied to it. */
export function createStreamHasher(algorithms: readonly HashAlgorithm[]): ClosableStreamHasher {
  const file = compiledModule("hash-thread");
  if (file === undefined) return { ...inThreadStreamHasher(algorithms.map(createHasher)), async close() {} };
  const pool = createThreadPool<HashRequest, readonly string[]>({
    file,
    threads: 1,
    workerData: algorithms,
    what: "hashing",
  });
  return {
    update: async (bytes) => void (await pool.run(bytes)),
    digestsHex: () => pool.run(undefined),
    close: () => pool.close(),
  };
}
