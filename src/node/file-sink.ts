// The output file: written under a temporary name beside its place, and renamed when it is whole. Whatever ends the
// program before that, an error, Ctrl-C or process.exit, leaves neither the file nor the temporary one.
// Small writes are synchronous: they go to the page cache, which takes less time than handing them to another thread and back.

import { randomBytes } from "node:crypto";
import {
  closeSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  type Stats,
  unlinkSync,
  write,
} from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { ImageError } from "../bytes/index.ts";
import type { Sink } from "../layout/index.ts";
import { outputError } from "./host-errors.ts";
import { writeAll } from "./write-all.ts";

export interface FileSink extends Sink {
  /** Where the file will be. */
  readonly path: string;
  /** Sets the size; what was never written reads as zeros and takes no space where the file system knows holes. */
  truncate(sizeBytes: number): Promise<void>;
  /** Fills `target` from what was written at `offset`. */
  read(target: Uint8Array, offset: number): Promise<void>;
  /** Gives the file its name. Nothing may be written after it. */
  commit(): Promise<void>;
  /** Removes what was written; after `commit` it does nothing, so it may stand in a `finally`. */
  discard(): Promise<void>;
}

export interface FileSinkOptions {
  /** Whether an existing file may be replaced. */
  readonly force?: boolean | undefined;
  /** Directories that are being read: the output must not be inside of them, or it would become part of itself. */
  readonly sources?: readonly string[] | undefined;
}

/** Temporary files that must not outlive the process. */
const temporaryFiles = new Set<string>();
process.on("exit", () => {
  for (const file of temporaryFiles) unlinkQuietly(file);
});

/**
 * Begins an output file at `target`.
 * @throws ImageError "output" when it exists (without `force`), is no regular file, or cannot be made; "conflict" when it is
 *   inside a source
 */
export async function createFileSink(target: string, options: FileSinkOptions = {}): Promise<FileSink> {
  const place = resolvePlace(target);
  checkPlace(place, target, options);
  const name = `.${path.basename(place).slice(0, 60)}.${randomBytes(6).toString("hex")}.partial`;
  const temporary = path.join(path.dirname(place), name);
  const attempt = <Value>(work: () => Value): Value => {
    try {
      return work();
    } catch (error) {
      throw outputError(error, target);
    }
  };
  let descriptor: number | undefined = attempt(() => openSync(temporary, "wx+"));
  temporaryFiles.add(temporary);
  const opened = (): number => {
    if (descriptor === undefined) throw new Error(`${target}: the file is closed`);
    return descriptor;
  };
  const close = (): void => {
    const closing = opened();
    descriptor = undefined;
    closeSync(closing);
  };
  let untilTurnBytes = TURN_BYTES;

  return {
    path: target,
    async write(bytes, offset) {
      if (bytes.length >= LARGE_BYTES) {
        await writeElsewhere(opened(), bytes, offset).catch((error) => {
          throw outputError(error, target);
        });
        return;
      }
      attempt(() => writeAll(opened(), bytes, offset));
      untilTurnBytes -= bytes.length;
      if (untilTurnBytes > 0) return;
      untilTurnBytes = TURN_BYTES;
      await setImmediate();
    },
    async truncate(sizeBytes) {
      attempt(() => ftruncateSync(opened(), sizeBytes));
    },
    async read(bytes, offset) {
      attempt(() => readAll(opened(), bytes, offset));
    },
    async commit() {
      attempt(close); // some file systems report a full disk only now
      checkPlace(place, target, options);
      attempt(() => putInPlace(temporary, place));
      temporaryFiles.delete(temporary);
    },
    async discard() {
      if (descriptor !== undefined) {
        try {
          close();
        } catch {
          // the file goes anyway
        }
      }
      if (temporaryFiles.delete(temporary)) unlinkQuietly(temporary);
    },
  };
}

/**
 * Gives a file its name. What had it is moved aside first: where a rename replaces a file, ext4 begins to write all of the new one
 * to the disk there and then, which for a ramdisk takes as long as reading its sources.
 */
function putInPlace(temporary: string, place: string): void {
  const aside = `${temporary}.old`;
  const isReplaced = lstatSync(place, { throwIfNoEntry: false }) !== undefined;
  if (isReplaced) renameSync(place, aside);
  try {
    renameSync(temporary, place);
  } catch (error) {
    if (isReplaced) renameSync(aside, place);
    throw error;
  }
  if (isReplaced) unlinkQuietly(aside);
}

/** After so many bytes, signals and timers get their turn. */
const TURN_BYTES = 1 << 24;

/** From here on the copy to the page cache takes longer than the way to another thread. */
const LARGE_BYTES = 1 << 19;

/** The same as writeAll, on another thread. */
async function writeElsewhere(descriptor: number, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += await new Promise<number>((resolve, reject) => {
      write(descriptor, bytes, done, bytes.length - done, offset + done, (error, count) =>
        error ? reject(error) : resolve(count),
      );
    });
  }
}

function readAll(descriptor: number, target: Uint8Array, offset: number): void {
  for (let done = 0; done < target.length; ) {
    const count = readSync(descriptor, target, done, target.length - done, offset + done);
    if (count === 0) throw new Error(`byte ${offset + done} was never written`);
    done += count;
  }
}

/** The place with symbolic links resolved: a link to an image stays a link, what it points to is replaced. */
function resolvePlace(target: string): string {
  try {
    return realpathSync(target);
  } catch {
    // not there yet: its directory must be
  }
  try {
    return path.join(realpathSync(path.dirname(target)), path.basename(target));
  } catch (error) {
    throw outputError(error, target);
  }
}

function checkPlace(place: string, target: string, { force = false, sources = [] }: FileSinkOptions): void {
  if (target === "" || target === "-") {
    throw new ImageError("output", `"${target}": an image needs a file of its own, in which can be sought; name one`);
  }
  let stats: Stats | undefined;
  try {
    stats = lstatSync(place, { throwIfNoEntry: false });
  } catch (error) {
    throw outputError(error, target);
  }
  if (stats && !stats.isFile()) {
    const remedy = stats.isBlockDevice() ? "write an image file and copy it there with dd" : "name a file";
    throw new ImageError("output", `${target}: exists and is not a regular file; ${remedy}`, { path: target });
  }
  if (stats && !force) {
    throw new ImageError("output", `${target}: exists already; use --force to replace it`, { path: target });
  }
  for (const source of sources) {
    if (!isInside(place, source)) continue;
    throw new ImageError(
      "conflict",
      `${target}: is inside ${source}, or is it, and that is being read; write it somewhere else`,
      {
        path: target,
      },
    );
  }
}

function isInside(place: string, source: string): boolean {
  let top: string;
  try {
    top = realpathSync(source);
  } catch {
    return false; // a source that is missing is reported by whoever reads it
  }
  const relative = path.relative(top, place);
  return relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

function unlinkQuietly(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // gone already
  }
}
