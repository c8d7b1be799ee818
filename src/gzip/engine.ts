// What compresses one block. Every engine must give the same bytes for the same arguments, wherever it runs; pako is
// the reference. (src/node has one on node:zlib.)

import { Deflate, Z_SYNC_FLUSH } from "pako";
import { crc32 } from "../bytes/index.ts";

export interface DeflateEngine {
  readonly name: string;
  /**
   * Raw deflate data (RFC 1951) of `input`, ended by a sync flush: it ends on a byte border and whatever deflate data
   * comes next may be put right behind it.
   * @param dictionary the up to 32 KiB that come before `input` in the stream; matches may reach into them
   * @param level 0 (stored) to 9 (smallest)
   * @returns bytes in a buffer of their own, which may be larger
   */
  deflateBlock(input: Uint8Array, dictionary: Uint8Array | undefined, level: number): Uint8Array<ArrayBuffer>;
  crc32(bytes: Uint8Array): number;
}

/**
 * Room for whatever deflate makes of `inputBytes`, flush marker included (zlib's deflateBound is smaller). The output must
 * fit one piece: a flush that is continued in a second piece may add a second, empty marker.
 */
export function deflateRoomBytes(inputBytes: number): number {
  return inputBytes + (inputBytes >>> 3) + 4096;
}

/** pako: zlib's algorithm in plain JavaScript. */
export const pakoEngine: DeflateEngine = {
  name: "pako",
  deflateBlock(input, dictionary, level) {
    const deflate = new Deflate({
      raw: true,
      level,
      chunkSize: deflateRoomBytes(input.length),
      ...(dictionary && { dictionary }),
    });
    deflate.push(input, Z_SYNC_FLUSH);
    const [bytes, ...more] = deflate.chunks;
    if (deflate.err || bytes === undefined || more.length > 0) throw new Error(`pako: ${deflate.msg || "no output"}`);
    return bytes;
  },
  crc32: (bytes) => crc32(bytes),
};
