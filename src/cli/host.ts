// What every command that works for a while has in common: progress as asked for, and a signal that Ctrl-C raises. Light:
// nothing of the formats is loaded.

import { Option } from "commander";
import { onInterrupt } from "../node/interrupt.ts";
import { createProgress, type ProgressMode, type ProgressReporter } from "../node/terminal.ts";

export interface ProgressWords {
  readonly progress: ProgressMode;
}

export function progressOption(): Option {
  return new Option(
    "--progress <how>",
    "progress on stderr: auto is tty on a terminal, else plain; json: a line for programs",
  )
    .choices(["auto", "plain", "tty", "quiet", "json"])
    .default("auto");
}

export function jsonOption(): Option {
  return new Option("--json", "print one JSON document on stdout");
}

export interface ProgressHost {
  readonly signal: AbortSignal;
  readonly onProgress: ProgressReporter["report"];
}

/** Runs `work` with progress shown, and cleared in the end. */
export async function withProgress(
  { progress }: ProgressWords,
  work: (host: ProgressHost) => Promise<void>,
): Promise<void> {
  const interruption = onInterrupt();
  const reporter = createProgress(progress);
  try {
    await work({ signal: interruption.signal, onProgress: reporter.report });
  } finally {
    reporter.end();
    interruption.release();
  }
}
