// A running digest, handed down from where there is one (src/node has node:crypto).

export interface Hasher {
  /** The bytes are consumed before this returns: the caller may overwrite them. */
  update(bytes: Uint8Array): void;
  /** The digest of all bytes so far, in lower-case hex. Ends the hasher: call it once. */
  digestHex(): string;
}
