// Inflating by node:zlib, from front to back: for whole passes over an archive, about three times as fast as ours, which is
// there for random access and says where damaged data are.

import * as zlib from "node:zlib";
import { type Content, crc32, ImageError } from "../bytes/index.ts";
import type { SequentialInflater } from "../gzip/index.ts";
import { errnoOf } from "./host-errors.ts";

const PIECE_BYTES = 1 << 18;

/**
 * The deflate data that begin at `offset` of `source`.
 * Reading throws ImageError "bad-format" or "truncated" as the one in src/gzip does, and whatever the source throws.
 */
export function createZlibInflater(source: Content, offset: number): SequentialInflater {
  const stream = zlib.createInflateRaw({ chunkSize: PIECE_BYTES, finishFlush: zlib.constants.Z_FINISH });
  let outputOffset = 0;
  let endOffset: number | undefined;
  let chunk: Uint8Array = new Uint8Array(0);
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let isFed = false;

  /** Hands the source over, piece by piece, as fast as the stream takes it. */
  async function feed(): Promise<void> {
    for (let at = offset; at < source.sizeBytes && !stream.destroyed && !stream.readableEnded; ) {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, source.sizeBytes - at));
      await source.read(piece, at);
      at += piece.length;
      if (!stream.write(piece)) await written(stream);
    }
    stream.end();
  }

  async function next(): Promise<boolean> {
    if (!isFed) {
      isFed = true;
      feed().catch((error: unknown) => stream.destroy(error instanceof Error ? error : new Error(String(error))));
    }
    try {
      const result = await chunks.next();
      if (!result.done) {
        chunk = result.value;
        return true;
      }
    } catch (error) {
      throw inflateError(error, outputOffset);
    }
    endOffset = offset + stream.bytesWritten;
    return false;
  }

  return {
    get outputOffset() {
      return outputOffset;
    },
    get endOffset() {
      return endOffset;
    },
    async read(target) {
      let done = 0;
      while (done < target.length && endOffset === undefined) {
        if (chunk.length === 0 && !(await next())) break;
        const piece = chunk.subarray(0, target.length - done);
        target.set(piece, done);
        chunk = chunk.subarray(piece.length);
        done += piece.length;
        outputOffset += piece.length;
      }
      return done;
    },
    close() {
      stream.on("error", () => {});
      stream.destroy();
    },
  };
}

/** CRC-32 continued; `zlib.crc32` came with Node 20.15. */
export function continueCrc32(bytes: Uint8Array, previous: number): number {
  return "crc32" in zlib ? zlib.crc32(bytes, previous) : crc32(bytes, previous);
}

/** Until the stream takes more, or nothing any more. */
function written(stream: zlib.InflateRaw): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ["drain", "close", "end", "error"]) stream.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close", "end", "error"]) stream.on(event, done);
  });
}

function inflateError(error: unknown, outputOffset: number): unknown {
  switch (errnoOf(error)) {
    case "Z_BUF_ERROR":
      return new ImageError("truncated", "deflate: the data go on where the file ends");
    case "Z_DATA_ERROR":
    case "Z_NEED_DICT": {
      const what = error instanceof Error ? error.message : String(error);
      return new ImageError("bad-format", `deflate: ${what}, behind byte ${outputOffset} of the plain data`);
    }
    default:
      return error;
  }
}
