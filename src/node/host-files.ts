// The contents of files on disk. A file is opened, read and closed in one go, by synchronous calls: an asynchronous read costs
// several times the system calls themselves. After each read the file is compared with what it was when the tree was made.

import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { type Content, ImageError, toText } from "../bytes/index.ts";
import { errnoOf, inputError } from "./host-errors.ts";

/** A path as a byte string to what node:fs takes: text would be encoded as UTF-8, which is the same for ASCII only. */
export function hostPath(path: string): string | Buffer {
  return /[\x80-\xff]/.test(path) ? Buffer.from(path, "latin1") : path;
}

/** What a file looked like when the tree was made. */
export type FileState = Pick<Stats, "size" | "mtimeMs">;

/** Part of a file on disk. */
export interface HostRange extends FileState {
  /** A byte string. */
  readonly path: string;
  readonly offset: number;
}

/** Reads parts of files: here and now (directReader), or on other threads (file-reader.ts). */
export interface HostReader {
  /** Fills `target` from `range.offset` on. Throws as `readHostFile`. */
  read(range: HostRange, target: Uint8Array): Promise<void>;
}

export const directReader: HostReader = { read: async (range, target) => readHostFile(range, target) };

/**
 * The bytes of the file at `prefix` + `name` (byte strings), which looked like `state` when the tree was made. Reading throws as
 * `readHostFile`.
 * @param prefix what its path shares with others, so that it is in memory once: the directory's path and a slash
 */
export function hostFileContent(
  prefix: string,
  name: string,
  { size, mtimeMs }: FileState,
  reader: HostReader = directReader,
): Content {
  return new HostFileContent(prefix, name, size, mtimeMs, reader);
}

/** A class, since there is one a file of the tree: with a function and a path of its own, each would take three times the memory. */
class HostFileContent implements Content {
  readonly prefix: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly reader: HostReader;

  constructor(prefix: string, name: string, sizeBytes: number, mtimeMs: number, reader: HostReader) {
    this.prefix = prefix;
    this.name = name;
    this.sizeBytes = sizeBytes;
    this.mtimeMs = mtimeMs;
    this.reader = reader;
  }

  read(target: Uint8Array, offset: number): Promise<void> {
    const { prefix, name, sizeBytes: size, mtimeMs } = this;
    return this.reader.read({ path: prefix + name, size, mtimeMs, offset }, target);
  }
}

/**
 * Fills `target` from a file.
 * @throws ImageError "input-changed" when its size or time are not as they were, or it vanished; "input-missing" when it
 *   cannot be read
 */
export function readHostFile(range: HostRange, target: Uint8Array): void {
  const { path, offset } = range;
  const descriptor = openSource(path);
  try {
    let done = 0;
    while (done < target.length) {
      const count = readSync(descriptor, target, done, target.length - done, offset + done);
      if (count === 0) break; // shorter than it was: the comparison below tells
      done += count;
    }
    const now = fstatSync(descriptor);
    if (!now.isFile()) throw changed(path, NO_FILE);
    checkUnchanged(range, now);
    if (done < target.length) throw changed(path, "it became shorter");
  } catch (error) {
    if (errnoOf(error) === "EISDIR" || errnoOf(error) === "EAGAIN") throw changed(path, NO_FILE);
    throw inputError(error, toText(path));
  } finally {
    closeSync(descriptor);
  }
}

const NO_FILE = "it is no regular file any more";

function openSource(path: string): number {
  try {
    // Without O_NONBLOCK a fifo that took the file's place would block the thread for ever.
    return openSync(hostPath(path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw changed(path, "it vanished");
    throw inputError(error, toText(path));
  }
}

function checkUnchanged({ path, size, mtimeMs }: HostRange, now: FileState): void {
  if (now.size !== size) throw changed(path, `it had ${size} bytes and has ${now.size} now`);
  if (now.mtimeMs !== mtimeMs) throw changed(path, "it was written to");
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
