// Compressed blocks of earlier builds, on disk, under the hash of what went in: engine, level, dictionary and bytes. Looking
// one up costs a hash and a read, a tenth of compressing it; so a rebuild compresses what changed. The bytes of an image are the
// same with the cache and without.
//
// A block is a file of its own in one of 256 directories. Files are renamed into place when they are whole, so builds may use one
// cache at the same time; one that is damaged is told by its checksum and dropped. Each directory is kept below its share
// of the bound by whoever writes there; what was not used for longest goes first. A cache that cannot be written to is no error:
// the build goes on without it.

import { createHash, randomBytes } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { field, type Struct, struct, u32 } from "../bytes/index.ts";
import { type BlockJob, type CompressedBlock, compressBlock } from "../gzip/index.ts";
import { type EngineName, engineByName, PROBE_CRC32 } from "./engines.ts";
import { errnoOf, outputError } from "./host-errors.ts";
import { makeDirectories } from "./make-directories.ts";
import { writeAll } from "./write-all.ts";

/** What a compressing thread has to know. */
export interface BlockCompression {
  readonly engine: EngineName;
  /** Where blocks are kept; undefined: nowhere. */
  readonly cacheDirectory?: string | undefined;
}

const entryFields = {
  magic: field(0, u32, "0x31425a47"),
  inputCrc32: field(4, u32, "CRC-32 of the block before compression"),
  outputCrc32: field(8, u32, "CRC-32 of the bytes behind this header"),
};
/** The head of a cached block; the compressed bytes follow. */
const entry: Struct<typeof entryFields> = struct("cached block", 12, entryFields);
const MAGIC = 0x31425a47;

/** Of all directories together. */
export const CACHE_LIMIT_BYTES: number = 2 * 2 ** 30;
const DIRECTORIES = 256;
/** A directory is looked through at one of so many blocks that are written to it. */
const PRUNE_ONE_OF = 8;
/** A block that was used has its time set, unless it is newer than this: hundreds of blocks are used by every build. */
const USED_LATELY_MS = 3_600_000;
/** Temporary files older than this belong to a build that was killed. */
const STALE_MS = 3_600_000;

/** The platform's place for caches, with a directory of ours in it. */
export function defaultCacheDirectory(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const xdg = environment["XDG_CACHE_HOME"];
  if (xdg && path.isAbsolute(xdg)) return path.join(xdg, "pureboot");
  if (platform === "darwin") return path.join(homedir(), "Library", "Caches", "pureboot");
  if (platform === "win32") {
    return path.join(environment["LOCALAPPDATA"] ?? path.join(homedir(), "AppData", "Local"), "pureboot", "Cache");
  }
  return path.join(homedir(), ".cache", "pureboot");
}

/**
 * Makes a directory that was asked for by name.
 * @throws ImageError "output"
 */
export function makeCacheDirectory(directory: string): void {
  try {
    makeDirectories(directory);
    accessSync(directory, constants.W_OK);
  } catch (error) {
    throw outputError(error, directory);
  }
}

/** Compresses on the calling thread; blocks that are in the cache are taken from there, others are put there. */
export function compressWithCache(
  { engine: name, cacheDirectory }: BlockCompression,
  discard?: (buffer: ArrayBuffer) => void,
): (job: BlockJob) => CompressedBlock {
  const engine = engineByName(name);
  if (cacheDirectory === undefined) return (job) => compressBlock(engine, job, discard);
  let isWritable = true;
  return (job) => {
    const key = keyOf(job);
    const place = path.join(cacheDirectory, key.slice(0, 2), key.slice(2));
    const known = readEntry(place, job.output, engine.crc32);
    if (known) return known;
    const made = compressBlock(engine, job, discard);
    isWritable &&= writeEntry(place, job.output.subarray(0, made.sizeBytes), made.crc32, engine.crc32);
    if (isWritable && Number.parseInt(key.slice(-4), 16) % PRUNE_ONE_OF === 0) {
      pruneDirectory(path.dirname(place), CACHE_LIMIT_BYTES / DIRECTORIES);
    }
    return made;
  };
}

/** All engines give the same bytes, which the probe's checksums stand for; so they share a cache. */
function keyOf({ input, dictionary, level }: BlockJob): string {
  const hash = createHash("sha256");
  hash.update(`${PROBE_CRC32[level]} ${level} ${dictionary?.length ?? 0} ${input.length}\n`);
  if (dictionary) hash.update(dictionary);
  return hash.update(input).digest("hex").slice(0, 40);
}

type Crc32 = (bytes: Uint8Array) => number;

/** The compressed bytes are read right to where they are wanted. */
function readEntry(place: string, output: Uint8Array, crc32: Crc32): CompressedBlock | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(place, constants.O_RDONLY);
  } catch {
    return undefined;
  }
  try {
    const head = new Uint8Array(entry.sizeBytes);
    const { size, mtimeMs } = fstatSync(descriptor);
    const sizeBytes = size - head.length;
    if (sizeBytes < 0 || sizeBytes > output.length) return drop(place);
    const compressed = output.subarray(0, sizeBytes);
    readSync(descriptor, head);
    const { magic, inputCrc32, outputCrc32 } = entry.decode(head);
    if (magic !== MAGIC || readSync(descriptor, compressed) < sizeBytes || crc32(compressed) !== outputCrc32) {
      return drop(place);
    }
    const now = Date.now();
    if (now - mtimeMs > USED_LATELY_MS) quietly(() => futimesSync(descriptor, now / 1000, now / 1000));
    return { sizeBytes, crc32: inputCrc32, isCached: true };
  } catch {
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

function drop(place: string): undefined {
  quietly(() => unlinkSync(place));
  return undefined;
}

/** Returns whether that went well, so that a full or read-only disk is not tried again for every block. */
function writeEntry(place: string, compressed: Uint8Array, inputCrc32: number, crc32: Crc32): boolean {
  const head = new Uint8Array(entry.sizeBytes);
  entry.encode({ magic: MAGIC, inputCrc32, outputCrc32: crc32(compressed) }, head);
  const temporary = path.join(path.dirname(place), `.${randomBytes(8).toString("hex")}`);
  const write = (): void => writeNew(temporary, head, compressed);
  try {
    try {
      write();
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      makeDirectories(path.dirname(place));
      write();
    }
    renameSync(temporary, place);
    return true;
  } catch {
    quietly(() => unlinkSync(temporary));
    return false;
  }
}

/** Head and bytes are written apart: put together first, they would take up memory that a thread is slow to give back. */
function writeNew(place: string, head: Uint8Array, compressed: Uint8Array): void {
  const descriptor = openSync(place, "wx");
  try {
    writeAll(descriptor, head, 0);
    writeAll(descriptor, compressed, head.length);
  } finally {
    closeSync(descriptor);
  }
}

/** Removes what was not used for longest, until `limitBytes` are left, and what killed builds left behind. Exported for tests. */
export function pruneDirectory(directory: string, limitBytes: number, nowMs: number = Date.now()): void {
  quietly(() => {
    const entries = readdirSync(directory).map((name) => {
      const place = path.join(directory, name);
      const { size, mtimeMs } = statSync(place, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
      return { place, size, mtimeMs, isTemporary: name.startsWith(".") };
    });
    let bytes = entries.reduce((sum, { size }) => sum + size, 0);
    for (const { place, size, mtimeMs, isTemporary } of entries.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (isTemporary ? nowMs - mtimeMs < STALE_MS : bytes <= limitBytes) continue;
      quietly(() => unlinkSync(place));
      bytes -= size;
    }
  });
}

/** Whatever goes wrong with a cache is no error. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // another build was quicker, or the disk does not want it
  }
}
