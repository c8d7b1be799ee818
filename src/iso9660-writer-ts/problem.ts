// How the parsers say that something is wrong and go on. Reading stops at the first error; checking collects them all.

import { type Finding, ImageError, type Severity, toText } from "../bytes/index.ts";

/**
 * Reports one problem of the volume or of a path in it. It may throw; when it returns, the parser goes on without the
 * damaged part.
 */
export type Complain = (code: string, severity: Severity, message: string, path?: string) => void;

export function findingOf(code: string, severity: Severity, message: string, path?: string): Finding {
  return { code, severity, message: path === undefined ? message : `${toText(path)}: ${message}`, path };
}

/** Throws at errors, and lets the rest pass. */
export const throwErrors: Complain = (code, severity, message, path) => {
  if (severity === "error")
    throw new ImageError("bad-format", findingOf(code, severity, message, path).message, { path });
};
