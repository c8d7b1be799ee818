// Progress on standard error: one line that is rewritten where people look, a line every few seconds where a log is kept,
// JSON lines for programs. Nothing is shown for work of less than a second.

import { formatSize } from "../bytes/index.ts";

export type ProgressMode = "auto" | "plain" | "tty" | "quiet" | "json";

export interface ProgressReporter {
  /**
   * Says how far a stage is. Call it as often as convenient; it looks at the clock first.
   * @param totalBytes undefined when it is not known
   */
  report(stage: string, doneBytes: number, totalBytes: number | undefined): void;
  /** Clears the line, if there is one. */
  end(): void;
}

/** What is needed of process.stderr. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface ProgressOptions {
  readonly stream?: ProgressStream;
  /** Milliseconds; default: performance.now. */
  readonly now?: () => number;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const QUIET_MS = 1000;
const INTERVAL_MS = { tty: 100, plain: 5000, json: 1000 } as const;
const CLEAR_LINE = "\r\x1b[K";

export function createProgress(mode: ProgressMode, options: ProgressOptions = {}): ProgressReporter {
  const { stream = process.stderr, now = () => performance.now(), environment = process.env } = options;
  const shape = mode === "auto" ? (stream.isTTY && environment["TERM"] !== "dumb" ? "tty" : "plain") : mode;
  if (shape === "quiet") return { report() {}, end() {} };

  const isColored = shape === "tty" && !environment["NO_COLOR"];
  const begun = now();
  let stageAtHand: string | undefined;
  let stageBegun = begun;
  let lastShown = begun;
  let isLineOpen = false;

  return {
    report(stage, doneBytes, totalBytes) {
      const time = now();
      if (stage !== stageAtHand) {
        stageAtHand = stage;
        stageBegun = time;
      }
      if (time - begun < QUIET_MS || time - lastShown < INTERVAL_MS[shape]) return;
      lastShown = time;
      const state = progressState(stage, doneBytes, totalBytes, (time - stageBegun) / 1000);
      if (shape === "json") stream.write(`${JSON.stringify(state)}\n`);
      else if (shape === "plain") stream.write(`${progressText(state)}\n`);
      else {
        const text = progressText(state).slice(0, (stream.columns ?? 80) - 1);
        stream.write(CLEAR_LINE + (isColored ? `\x1b[2m${text}\x1b[0m` : text));
        isLineOpen = true;
      }
    },
    end() {
      if (isLineOpen) stream.write(CLEAR_LINE);
      isLineOpen = false;
    },
  };
}

/** One JSON line. Members that are not known are left out. */
export interface ProgressState {
  readonly stage: string;
  readonly doneBytes: number;
  readonly totalBytes?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
  readonly secondsLeft?: number | undefined;
}

function progressState(
  stage: string,
  doneBytes: number,
  totalBytes: number | undefined,
  seconds: number,
): ProgressState {
  const bytesPerSecond = seconds > 0 && doneBytes > 0 ? Math.round(doneBytes / seconds) : undefined;
  const secondsLeft =
    totalBytes !== undefined && bytesPerSecond
      ? Math.ceil(Math.max(0, totalBytes - doneBytes) / bytesPerSecond)
      : undefined;
  return { stage, doneBytes, totalBytes, bytesPerSecond, secondsLeft };
}

/** "compress: 120.0 MiB of 464.0 MiB (25 %), 70.1 MiB/s, 5 s left" */
function progressText({ stage, doneBytes, totalBytes, bytesPerSecond, secondsLeft }: ProgressState): string {
  const parts = [
    totalBytes
      ? `${formatSize(doneBytes)} of ${formatSize(totalBytes)} (${Math.floor((100 * doneBytes) / totalBytes)} %)`
      : formatSize(doneBytes),
  ];
  if (bytesPerSecond !== undefined) parts.push(`${formatSize(bytesPerSecond)}/s`);
  if (secondsLeft !== undefined) parts.push(`${secondsLeft} s left`);
  return `${stage}: ${parts.join(", ")}`;
}
