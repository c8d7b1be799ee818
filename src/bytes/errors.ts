// The one error class of the project: what went wrong, where, which limit, and what to do about it.

/** Stable, for programs. The exit status of the command line follows from it (see src/cli). */
export type ErrorCode =
  | "bad-format" // the bytes are not what the format demands
  | "unsupported" // recognised, but this program does not handle it
  | "truncated" // the bytes end before the structure does
  | "limit" // beyond what the format can express: name, links, size, device number
  | "no-space" // the file system that was asked for is too small
  | "not-found" // no such path in the tree or image
  | "wrong-type" // a directory where a file is wanted, and the like
  | "conflict" // two inputs that cannot both hold
  | "invalid-argument" // an option or operand out of range
  | "input-missing" // an input is missing or cannot be read
  | "input-changed" // an input changed while it was read
  | "requirement" // something that booting needs is not there
  | "output" // the output cannot be written
  | "interrupted"; // the user stopped it

export interface ErrorDetails {
  /** Path in the tree, image or host file system, as a byte string. */
  readonly path?: string | undefined;
  /** Field of the structure, by the standard's name. */
  readonly field?: string | undefined;
  readonly cause?: unknown;
}

/** Everything this project throws on purpose. `message` names path, limit and remedy in one line. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly field: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.path = details.path;
    this.field = details.field;
  }
}
