// Progress on standard error: one line that is rewritten where people look, a line every few seconds where a log is kept,
// JSON lines for programs. Nothing is shown for work of less than a second.

import { formatSize, type ReportProgress } from "../bytes/index.ts";

export type ProgressMode = "auto" | "plain" | "tty" | "quiet" | "json";

export interface ProgressReporter {
  readonly report: ReportProgress;
  /**
   * Says how many bytes have been read, of nobody knows how many. Shown only where no stage says more: at the beginning, and
   * when the last one has said nothing for a second.
   */
  reading(doneBytes: number): void;
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
const READING = "reading";
const CLEAR_LINE = "\r\x1b[K";

export function createProgress(mode: ProgressMode, options: ProgressOptions = {}): ProgressReporter {
  const { stream = process.stderr, now = () => performance.now(), environment = process.env } = options;
  const shape = mode === "auto" ? (stream.isTTY && environment["TERM"] !== "dumb" ? "tty" : "plain") : mode;
  if (shape === "quiet") return { report() {}, reading() {}, end() {} };

  const isColored = shape === "tty" && !environment["NO_COLOR"];
  const begun = now();
  let stageAtHand: string | undefined;
  let stageBegun = begun;
  let stageBytes = 0;
  let lastShown = begun;
  let isLineOpen = false;
  let lastStageReport = Number.NEGATIVE_INFINITY;

  const show = (time: number, stage: string, doneBytes: number, totalBytes?: number, donePaths?: number): void => {
    if (stage !== stageAtHand) {
      stageAtHand = stage;
      stageBegun = time;
      stageBytes = stage === READING ? doneBytes : 0;
    }
    if (time - begun < QUIET_MS || time - lastShown < INTERVAL_MS[shape]) return;
    lastShown = time;
    const seconds = (time - stageBegun) / 1000;
    const rate = donePaths === undefined && seconds > 0 ? Math.round((doneBytes - stageBytes) / seconds) : 0;
    const state = progressState(stage, doneBytes, totalBytes, rate, donePaths);
    if (shape === "json") stream.write(`${JSON.stringify(state)}\n`);
    else if (shape === "plain") stream.write(`${progressText(state)}\n`);
    else {
      const text = progressText(state).slice(0, (stream.columns ?? 80) - 1);
      stream.write(CLEAR_LINE + (isColored ? `\x1b[2m${text}\x1b[0m` : text));
      isLineOpen = true;
    }
  };

  return {
    report(stage, doneBytes, totalBytes, donePaths) {
      lastStageReport = now();
      show(lastStageReport, stage, doneBytes, totalBytes, donePaths);
    },
    reading(doneBytes) {
      const time = now();
      if (time - lastStageReport >= QUIET_MS) show(time, READING, doneBytes);
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
  /** Where names are looked at: how many; then `doneBytes` is what the files hold. */
  readonly donePaths?: number | undefined;
}

function progressState(
  stage: string,
  doneBytes: number,
  totalBytes: number | undefined,
  rate: number,
  donePaths: number | undefined,
): ProgressState {
  const bytesPerSecond = rate > 0 ? rate : undefined;
  const secondsLeft =
    totalBytes !== undefined && bytesPerSecond
      ? Math.ceil(Math.max(0, totalBytes - doneBytes) / bytesPerSecond)
      : undefined;
  return { stage, doneBytes, totalBytes, bytesPerSecond, secondsLeft, donePaths };
}

/** "compress: 120.0 MiB of 464.0 MiB (25 %), 70.1 MiB/s, 5 s left" */
function progressText({ stage, doneBytes, totalBytes, bytesPerSecond, secondsLeft, donePaths }: ProgressState): string {
  const parts = [
    totalBytes
      ? `${formatSize(doneBytes)} of ${formatSize(totalBytes)} (${Math.floor((100 * doneBytes) / totalBytes)} %)`
      : formatSize(doneBytes),
  ];
  if (donePaths !== undefined) parts.unshift(`${donePaths} paths`);
  if (bytesPerSecond !== undefined) parts.push(`${formatSize(bytesPerSecond)}/s`);
  if (secondsLeft !== undefined) parts.push(`${secondsLeft} s left`);
  return `${stage}: ${parts.join(", ")}`;
}
