// A thread of file-reader.ts: parts of files in, their bytes out, one after the other in one buffer.

import { type HostRange, readHostFile } from "./host-files.ts";
import { answerRequests } from "./thread.ts";

export interface ReadRequest {
  readonly ranges: readonly (HostRange & { readonly lengthBytes: number })[];
  /** Room for all of them. */
  readonly buffer: ArrayBuffer;
}

answerRequests<ReadRequest, ArrayBuffer>(({ ranges, buffer }) => {
  let at = 0;
  for (const range of ranges) {
    readHostFile(range, new Uint8Array(buffer, at, range.lengthBytes));
    at += range.lengthBytes;
  }
  return [buffer, [buffer]];
});
