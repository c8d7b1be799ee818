// A thread of file-reader.ts: parts of files are read, one after the other, to memory that it shares.

import { type HostRange, readHostFile } from "./host-files.ts";
import { answerRequests } from "./thread.ts";

export type ReadRequest = readonly (HostRange & { readonly target: Uint8Array })[];

answerRequests<ReadRequest, void>((ranges) => {
  for (const range of ranges) readHostFile(range, range.target);
});
