// Ctrl-C and termination become an AbortSignal, so that work ends in order: temporary files removed, threads ended.

import { ImageError } from "../bytes/index.ts";

/** What shells expect of a program that SIGINT ended: 128 + 2. */
export const INTERRUPTED_STATUS = 130;

export interface Interruption {
  readonly signal: AbortSignal;
  /** Stops listening. */
  release(): void;
}

/** Ctrl-C, kill, and the terminal that goes away. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The first of these signals aborts the signal; a second one ends the process at once (temporary files still go). */
export function onInterrupt(): Interruption {
  const controller = new AbortController();
  const handle = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED_STATUS);
    controller.abort(new ImageError("interrupted", "interrupted"));
  };
  for (const name of SIGNALS) process.on(name, handle);
  return {
    signal: controller.signal,
    release() {
      for (const name of SIGNALS) process.off(name, handle);
    },
  };
}
