// Where an image goes: a file, or standard output. Images are not written from front to back (an ISO's descriptors say how
// large its archive became), so what goes to a pipe lies in a temporary file until it is whole. A build that fails sends nothing.

import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import { ImageError } from "../bytes/index.ts";
import { createFileSink, type FileSink, type FileSinkOptions } from "./file-sink.ts";
import { errnoOf, outputError } from "./host-errors.ts";

/** The name of standard output, and of standard input, where a file can be named. */
export const STANDARD_STREAM = "-";

/**
 * Begins an output: a file (see createFileSink), or "-" for standard output.
 * @throws ImageError "output", also when standard output is a terminal; "conflict"
 */
export function createOutput(target: string, options: FileSinkOptions = {}): Promise<FileSink> {
  return target === STANDARD_STREAM ? createStandardOutput() : createFileSink(target, options);
}

const PIECE_BYTES = 1 << 20;

async function createStandardOutput(): Promise<FileSink> {
  if (process.stdout.isTTY) {
    const message =
      "standard output is a terminal: send it to a file or a program (> FILE, | PROGRAM), or name a file with -o";
    throw new ImageError("output", message);
  }
  const spool = await createFileSink(path.join(tmpdir(), `pureboot-${randomBytes(6).toString("hex")}`));
  let sizeBytes = 0;
  return {
    ...spool,
    path: STANDARD_STREAM,
    async write(bytes, offset) {
      await spool.write(bytes, offset);
      sizeBytes = Math.max(sizeBytes, offset + bytes.length);
    },
    async truncate(size) {
      await spool.truncate(size);
      sizeBytes = size;
    },
    async commit() {
      for (let offset = 0; offset < sizeBytes; offset += PIECE_BYTES) {
        const piece = new Uint8Array(Math.min(PIECE_BYTES, sizeBytes - offset));
        await spool.read(piece, offset);
        await send(piece);
      }
      await spool.discard();
    },
  };
}

function send(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => {
      if (!error) resolve();
      else if (errnoOf(error) === "EPIPE" || errnoOf(error) === "ERR_STREAM_DESTROYED") {
        reject(new ImageError("output", "standard output: its reader ended before it had the whole image"));
      } else reject(outputError(error, "standard output"));
    });
  });
}
