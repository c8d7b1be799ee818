// What every command that works for a while has in common: progress as asked for, and a signal that Ctrl-C raises. Light:
// nothing of the formats is loaded.

import { Option } from "commander";
import { ImageError } from "../bytes/index.ts";
import { onInterrupt } from "../node/interrupt.ts";
import { STANDARD_STREAM } from "../node/output-sink.ts";
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

/** @throws ImageError "invalid-argument" when two of the names are standard input, which can be read once */
export function onlyOneStandardInput(names: readonly string[]): void {
  if (names.filter((name) => name === STANDARD_STREAM).length <= 1) return;
  throw new ImageError(
    "invalid-argument",
    '"-" was named twice: standard input can be read once; put one of them into a file',
  );
}

export interface ProgressHost {
  readonly signal: AbortSignal;
  readonly onProgress: ProgressReporter["report"];
  /** Told how many bytes a read of an input gave. */
  readonly onRead: (bytes: number) => void;
}

/** Runs `work` with progress shown, and cleared in the end. */
export async function withProgress(
  { progress }: ProgressWords,
  work: (host: ProgressHost) => Promise<void>,
): Promise<void> {
  const interruption = onInterrupt();
  const reporter = createProgress(progress);
  try {
    let readBytes = 0;
    const onRead = (bytes: number): void => {
      readBytes += bytes;
      reporter.reading(readBytes);
    };
    await work({ signal: interruption.signal, onProgress: reporter.report, onRead });
  } finally {
    reporter.end();
    interruption.release();
  }
}
