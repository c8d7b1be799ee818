// Ctrl-C and termination become an AbortSignal, so that work ends in order: temporary files removed, threads ended.

import { ImageError } from "../bytes/index.ts";

/** What shells expect of a program that SIGINT ended: 128 + 2. */
export const INTERRUPTED_STATUS = 130;

export interface Interruption {
  readonly signal: AbortSignal;
  /** Stops listening. */
  release(): void;
}

/** The first SIGINT or SIGTERM aborts the signal; a second one ends the process at once (temporary files still go). */
export function onInterrupt(): Interruption {
  const controller = new AbortController();
  const handle = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED_STATUS);
    controller.abort(new ImageError("interrupted", "interrupted"));
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  return {
    signal: controller.signal,
    release() {
      process.off("SIGINT", handle);
      process.off("SIGTERM", handle);
    },
  };
}
