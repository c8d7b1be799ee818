// gunzip for sources (src/source): members of archives and payloads of packages are many and small, and zlib unpacks them
// whole, on other threads; what is big is read at random by src/gzip.

import { promisify } from "node:util";
import { gunzip as zlibGunzip } from "node:zlib";
import { type Content, ImageError, memoryContent, readAll } from "../bytes/index.ts";
import { gunzipContent, readGzipHeader, readIsize } from "../gzip/read.ts";
import { errnoOf } from "./host-errors.ts";

/** Packed and unpacked; below it, memory for a few at once does not matter. */
const WHOLE_BYTES = 8 << 20;

const unpack = promisify(zlibGunzip) as (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>;

/**
 * The plain bytes of a gzip stream. Small streams are unpacked and checked (CRC, size) at once, big ones as they are read.
 * @throws ImageError "bad-format", "truncated", "unsupported"
 */
export async function gunzip(content: Content): Promise<Content> {
  if (content.sizeBytes > WHOLE_BYTES) return gunzipContent(content);
  await readGzipHeader(content); // says what is wrong with it in our words
  const sizeBytes = await readIsize(content);
  if (sizeBytes > WHOLE_BYTES) return gunzipContent(content);
  try {
    return memoryContent(await unpack(await readAll(content), { maxOutputLength: Math.max(1, sizeBytes) }));
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const what = errnoOf(error) === "Z_BUF_ERROR" ? "the data end too early" : String((error as Error).message);
    throw new ImageError(errnoOf(error) === "Z_BUF_ERROR" ? "truncated" : "bad-format", `gzip: ${what}`, {
      cause: error,
    });
  }
}
