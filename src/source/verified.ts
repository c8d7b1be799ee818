// Contents that are checked against what is said about them (a hash, a sum) before the first byte of them is given out.

import { type Content, crc32, type Hasher, memoryContent } from "../bytes/index.ts";

/** Reads a whole content and throws an ImageError when it is not what it should be. */
export type Verify = (content: Content) => Promise<void>;

/** `content`, of which nothing is given out before `verify` has seen all of it. */
export function verifiedContent(content: Content, verify: Verify): Content {
  let verdict: Promise<void> | undefined;
  return {
    sizeBytes: content.sizeBytes,
    dataRanges: content.dataRanges,
    async read(target, offset) {
      if (verdict === undefined && target.length === content.sizeBytes) {
        await content.read(target, 0); // all of it is wanted at once: read it once only
        await verify(memoryContent(target));
        verdict = Promise.resolve();
        return;
      }
      verdict ??= verify(content);
      await verdict;
      await content.read(target, offset);
    },
  };
}

const WINDOW_BYTES = 1 << 20;

/** Passes a whole content through `consume`, piece by piece; a piece is overwritten by the next. */
export async function consumeContent(content: Content, consume: (piece: Uint8Array) => void): Promise<void> {
  const window = new Uint8Array(Math.min(WINDOW_BYTES, content.sizeBytes));
  for (let offset = 0; offset < content.sizeBytes; offset += window.length) {
    const piece = window.subarray(0, Math.min(window.length, content.sizeBytes - offset));
    await content.read(piece, offset);
    consume(piece);
  }
}

/** The digest of a whole content, in lower-case hexadecimal. */
export async function hashContent(content: Content, hasher: Hasher): Promise<string> {
  await consumeContent(content, (piece) => hasher.update(piece));
  return hasher.digestHex();
}

export async function crc32OfContent(content: Content): Promise<number> {
  let crc = 0;
  await consumeContent(content, (piece) => {
    crc = crc32(piece, crc);
  });
  return crc;
}

/** The sum of all bytes: what cpio's crc format and sum(1) of System V begin with. Exact below 2^45 bytes. */
export async function sumOfBytes(content: Content): Promise<number> {
  let sum = 0;
  await consumeContent(content, (piece) => {
    for (const byte of piece) sum += byte;
  });
  return sum;
}

/** The 16-bit checksum that sum(1) of System V prints and a pkgmap holds, from the sum of the bytes. */
export function systemVSum(byteSum: number): number {
  const sum = byteSum % 2 ** 32;
  const folded = (sum % 2 ** 16) + Math.floor(sum / 2 ** 16);
  return (folded % 2 ** 16) + Math.floor(folded / 2 ** 16);
}
