// Writing synchronously until all is written: a call may write less than it is given.

import { writeSync } from "node:fs";

/** Writes `bytes` at `offset`. Throws as node:fs does. */
export function writeAll(descriptor: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, offset + done);
  }
}
