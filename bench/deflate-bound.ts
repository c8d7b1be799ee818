// The bound: how long does it take to deflate these bytes on all processors, with nothing else to do? The image is read into
// memory first; zero blocks are left out, as pureboot leaves them out.
//
//   node dist/bench/deflate-bound.js IMAGE

import { readFileSync } from "node:fs";
import { isAllZeros } from "../src/bytes/index.ts";
import { DEFAULT_BLOCK_BYTES, DEFAULT_LEVEL, deflateRoomBytes } from "../src/gzip/index.ts";
import { createCompressor } from "../src/node/index.ts";

const image = readFileSync(process.argv[2] ?? "");
const compressor = createCompressor();
const underWay = new Set<Promise<unknown>>();
const spare: Uint8Array[] = [];
for (let at = 0; at < image.length; at += DEFAULT_BLOCK_BYTES) {
  const bytes = image.subarray(at, at + DEFAULT_BLOCK_BYTES);
  if (isAllZeros(bytes)) continue;
  const room = spare.pop() ?? compressor.allocate(DEFAULT_BLOCK_BYTES + deflateRoomBytes(DEFAULT_BLOCK_BYTES));
  const input = room.subarray(0, bytes.length);
  input.set(bytes);
  const output = room.subarray(DEFAULT_BLOCK_BYTES);
  const job = compressor.compress({ input, dictionary: undefined, level: DEFAULT_LEVEL, output });
  underWay.add(job);
  job.then(() => {
    underWay.delete(job);
    spare.push(room);
  });
  if (underWay.size >= 3 * compressor.parallelism) await Promise.race(underWay);
}
await Promise.all(underWay);
await compressor.close();
