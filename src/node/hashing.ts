// Digests by node:crypto.

import { createHash } from "node:crypto";
import type { Hasher } from "../bytes/index.ts";

export function createHasher(algorithm: "sha1" | "sha256" | "sha512-256"): Hasher {
  const hash = createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digestHex: () => hash.digest("hex"),
  };
}
