// The bound: how long does it take to deflate these bytes on all processors, with nothing else to do? The image is read into
// memory first; zero blocks are left out, as pureboot leaves them out.
//
//   node dist/bench/deflate-bound.js IMAGE

import { readFileSync } from "node:fs";
import { isAllZeros } from "../src/bytes/index.ts";
import { DEFAULT_BLOCK_BYTES, DEFAULT_LEVEL } from "../src/gzip/index.ts";
import { createCompressor } from "../src/node/index.ts";

const image = readFileSync(process.argv[2] ?? "");
const compressor = createCompressor();
const underWay = new Set<Promise<unknown>>();
for (let at = 0; at < image.length; at += DEFAULT_BLOCK_BYTES) {
  const input = new Uint8Array(image.subarray(at, at + DEFAULT_BLOCK_BYTES));
  if (isAllZeros(input)) continue;
  const job = compressor.compress({ input, dictionary: undefined, level: DEFAULT_LEVEL });
  underWay.add(job);
  job.then(() => underWay.delete(job));
  if (underWay.size >= 2 * compressor.parallelism) await Promise.race(underWay);
}
await Promise.all(underWay);
await compressor.close();
