// The contents of files on disk. Small files are opened, read and closed in one go, synchronously: an asynchronous read
// costs several times the system calls themselves. Large ones share a bounded number of open descriptors and are read by
// Node's I/O threads. After each read the file is compared with what it was when the tree was made.

import { closeSync, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { type Content, ImageError, toText } from "../bytes/index.ts";
import { errnoOf, inputError } from "./host-errors.ts";

/** A path as a byte string to what node:fs takes: text would be encoded as UTF-8, which is the same for ASCII only. */
export function hostPath(path: string): string | Buffer {
  return /[\x80-\xff]/.test(path) ? Buffer.from(path, "latin1") : path;
}

/** What a file looked like when the tree was made. */
export type FileState = Pick<Stats, "size" | "mtimeMs">;

/**
 * The bytes of the file at `path` (a byte string).
 * Reading throws ImageError "input-changed" when its size or time are not as in `state`, or it vanished; "input-missing"
 * when it cannot be read.
 */
export function hostFileContent(path: string, { size, mtimeMs }: FileState): Content {
  const state: FileState = { size, mtimeMs }; // not the whole Stats, which is larger than all else that a file needs here
  return {
    sizeBytes: size,
    async read(target, offset) {
      const descriptor = openSource(path);
      try {
        let done = 0;
        while (done < target.length) {
          const count = readSync(descriptor, target, done, target.length - done, offset + done);
          if (count === 0) break; // shorter than it was: the comparison below tells
          done += count;
        }
        checkUnchanged(path, state, fstatSync(descriptor));
        if (done < target.length) throw changed(path, "it became shorter");
      } catch (error) {
        throw inputError(error, toText(path));
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

function openSource(path: string): number {
  try {
    return openSync(hostPath(path), "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw changed(path, "it vanished");
    throw inputError(error, toText(path));
  }
}

function checkUnchanged(path: string, before: FileState, now: FileState): void {
  if (now.size !== before.size) throw changed(path, `it had ${before.size} bytes and has ${now.size} now`);
  if (now.mtimeMs !== before.mtimeMs) throw changed(path, "it was written to");
}

function changed(path: string, how: string): ImageError {
  const shown = toText(path);
  return new ImageError(
    "input-changed",
    `${shown}: changed while it was read: ${how}; build again when nothing writes there`,
    {
      path: shown,
    },
  );
}
