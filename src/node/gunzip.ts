// gunzip for sources (src/source): members of archives and payloads of packages are many and small, and zlib unpacks them
// whole, on other threads; what is big is read at random (gunzip-segments.ts).

import { promisify } from "node:util";
import { gunzip as zlibGunzip } from "node:zlib";
import { type Content, ImageError, memoryContent, readAll } from "../bytes/index.ts";
import { readGzipHeader, readIsize } from "../gzip/read.ts";
import { type Decompressed, unpackCache } from "../source/index.ts";
import { segmentedGunzip } from "./gunzip-segments.ts";
import { errnoOf } from "./host-errors.ts";

/** Packed and unpacked; below it, memory for a few at once does not matter. */
const WHOLE_BYTES = 8 << 20;

/** Plain bytes that are kept for the next read: what an image's order and an archive's differ by, and the windows of several reads. */
const CACHE_BYTES = 12 << 20;

const unpack = promisify(zlibGunzip) as (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>;

/**
 * Gives the plain bytes of gzip streams. Small streams are unpacked and checked (CRC, size) at once, big ones as they are read;
 * these share what memory they take.
 * @throws ImageError "bad-format", "truncated", "unsupported"
 */
export function createGunzip(): (compressed: Content) => Promise<Decompressed> {
  const cache = unpackCache(CACHE_BYTES);
  return async (content) => {
    if (content.sizeBytes > WHOLE_BYTES) return segmentedGunzip(content, cache);
    await readGzipHeader(content); // says what is wrong with it in our words
    const sizeBytes = await readIsize(content);
    if (sizeBytes > WHOLE_BYTES) return segmentedGunzip(content, cache);
    try {
      return memoryContent(await unpack(await readAll(content), { maxOutputLength: Math.max(1, sizeBytes) }));
    } catch (error) {
      if (error instanceof ImageError) throw error;
      // More than the trailer says: of several members, or damaged.
      if (errnoOf(error) === "ERR_BUFFER_TOO_LARGE") return segmentedGunzip(content, cache);
      const what = errnoOf(error) === "Z_BUF_ERROR" ? "the data end too early" : String((error as Error).message);
      throw new ImageError(errnoOf(error) === "Z_BUF_ERROR" ? "truncated" : "bad-format", `gzip: ${what}`, {
        cause: error,
      });
    }
  };
}
