// Many small reads at rising offsets (headers of an archive) out of few big ones.

import { type Content, ImageError } from "../bytes/index.ts";

export interface WindowReader {
  readonly sizeBytes: number;
  /**
   * The bytes at `offset`: a view that the next call may overwrite.
   * @throws ImageError "truncated" when they are not all there, before anything is allocated
   */
  bytes(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * Members that are further apart than a window cost one read each; what lies between them is not read.
 */
export function windowReader(content: Content, windowBytes: number = 1 << 16): WindowReader {
  let window = new Uint8Array(0);
  let start = 0;
  return {
    sizeBytes: content.sizeBytes,
    async bytes(offset, length) {
      if (!Number.isSafeInteger(offset + length) || offset < 0 || offset + length > content.sizeBytes) {
        throw new ImageError(
          "truncated",
          `wanted bytes ${offset}..${offset + length}, but there are only ${content.sizeBytes}`,
        );
      }
      if (offset < start || offset + length > start + window.length) {
        window = new Uint8Array(Math.min(Math.max(windowBytes, length), content.sizeBytes - offset));
        start = offset;
        await content.read(window, offset);
      }
      return window.subarray(offset - start, offset - start + length);
    },
  };
}
