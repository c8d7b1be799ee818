// SHA-256 of a planned image without writing it: windows that hold nothing are hashed as zeros.

import { createHash } from "node:crypto";
import { type Layout, windows } from "../../src/layout/index.ts";

export async function sha256(layout: Layout): Promise<string> {
  const hash = createHash("sha256");
  const zeros = new Uint8Array(1 << 20);
  for await (const { bytes, length } of windows(layout)) hash.update(bytes ?? zeros.subarray(0, length));
  return hash.digest("hex");
}
