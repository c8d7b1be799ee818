// The machine as a build needs it: threads that compress, digests.

import type { BuildHost } from "../image/index.ts";
import { type CompressorOptions, createCompressor } from "./compressor.ts";
import { type ClosableStreamHasher, createStreamHasher } from "./hashing.ts";

export interface HostOptions extends CompressorOptions, Pick<BuildHost, "signal" | "onProgress"> {}

/** Runs `work` with threads, and ends them whatever happens. */
export async function withBuildHost<Result>(
  options: HostOptions,
  work: (host: BuildHost) => Promise<Result>,
): Promise<Result> {
  const { signal, onProgress, ...compressorOptions } = options;
  const compressor = createCompressor(compressorOptions);
  const hashers: ClosableStreamHasher[] = [];
  const createHasher: BuildHost["createHasher"] = (algorithms) => {
    const hasher = createStreamHasher(algorithms);
    hashers.push(hasher);
    return hasher;
  };
  try {
    return await work({ compressor, createHasher, signal, onProgress });
  } finally {
    await Promise.all([compressor, ...hashers].map((one) => one.close()));
  }
}
