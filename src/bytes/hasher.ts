// A running digest, handed down from where there is one (src/node has node:crypto).

import type { Content } from "./content.ts";

export interface Hasher {
  /** The bytes are consumed before this returns: the caller may overwrite them. */
  update(bytes: Uint8Array): void;
  /** The digest of all bytes so far, in lower-case hex. Ends the hasher: call it once. */
  digestHex(): string;
}

const PIECE_BYTES = 1 << 20;

/** The digest of the first `sizeBytes` bytes of something readable. */
export async function digestOf(source: Pick<Content, "read">, sizeBytes: number, hasher: Hasher): Promise<string> {
  const buffer = new Uint8Array(Math.min(PIECE_BYTES, sizeBytes));
  for (let offset = 0; offset < sizeBytes; offset += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, sizeBytes - offset));
    await source.read(piece, offset);
    hasher.update(piece);
  }
  return hasher.digestHex();
}

/** Digests of a stream of bytes that are made while the caller goes on. */
export interface StreamHasher {
  /** Consumes the bytes, in the order of the calls; they must stay as they are until the promise is fulfilled. */
  update(bytes: Uint8Array): Promise<void>;
  /** The digests of all bytes in lower-case hex, one an algorithm. Ends the hasher. */
  digestsHex(): Promise<readonly string[]>;
}

/** Hashes on the calling thread: for any runtime. */
export function inThreadStreamHasher(hashers: readonly Hasher[]): StreamHasher {
  return {
    async update(bytes) {
      for (const hasher of hashers) hasher.update(bytes);
    },
    digestsHex: async () => hashers.map((hasher) => hasher.digestHex()),
  };
}
