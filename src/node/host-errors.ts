// What the operating system says, as errors of ours: what, where, and the remedy.

import { ImageError } from "../bytes/index.ts";

/** The errno name of a failed system call ("ENOENT"), or undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

const INPUT_REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  ENOTDIR: "something on the way there is not a directory",
  EACCES: "permission denied; make it readable, or run as a user who may read it",
  EPERM: "not permitted; make it readable, or run as a user who may read it",
  EISDIR: "is a directory, not a file",
  ELOOP: "symbolic links lead in a circle",
  EIO: "the disk reports a read error",
  EMFILE: "too many open files; raise the limit (ulimit -n)",
  ENFILE: "too many open files on this machine",
};

/** `shown` is the path as people are to read it. */
export function inputError(error: unknown, shown: string): ImageError {
  if (error instanceof ImageError) return error;
  const reason = INPUT_REASONS[errnoOf(error) ?? ""] ?? String(error instanceof Error ? error.message : error);
  return new ImageError("input-missing", `${shown}: ${reason}`, { path: shown, cause: error });
}

const OUTPUT_REASONS: Readonly<Record<string, string>> = {
  ENOENT: "its directory does not exist; make it first",
  ENOTDIR: "its directory is not a directory",
  EEXIST: "something else is there; name another place",
  EACCES: "permission denied; write somewhere else",
  EPERM: "not permitted; write somewhere else",
  EROFS: "the file system is read-only; write somewhere else",
  ENOSPC: "no space left on the disk; free some, or write somewhere else",
  EDQUOT: "the disk quota is used up; free some space, or write somewhere else",
  EFBIG: "larger than this file system allows; write somewhere else",
  EINVAL: "this file system refuses it; write somewhere else",
  ENAMETOOLONG: "the name is too long",
  EIO: "the disk reports a write error",
};

export function outputError(error: unknown, shown: string): ImageError {
  if (error instanceof ImageError) return error;
  const reason = OUTPUT_REASONS[errnoOf(error) ?? ""] ?? String(error instanceof Error ? error.message : error);
  return new ImageError("output", `${shown}: cannot write: ${reason}`, { path: shown, cause: error });
}
