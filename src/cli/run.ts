// What every command that works for a while has in common: threads, progress, interruption, output in words or as JSON.

import { type Command, Option } from "commander";
import {
  createProgress,
  defaultCacheDirectory,
  type HostOptions,
  makeCacheDirectory,
  onInterrupt,
  type ProgressMode,
} from "../node/index.ts";
import { wholeNumber } from "./image-options.ts";

export interface RunWords {
  readonly force?: boolean;
  readonly json?: boolean;
  /** False with --no-gzip, where a command has it. */
  readonly gzip: "auto" | "pako" | "zlib" | false;
  readonly workers?: number;
  /** A directory, or false with --no-cache. */
  readonly cache?: string | false;
  readonly progress: ProgressMode;
}

const GROUP = "How it runs:";

export function defineRunOptions(command: Command): void {
  const options = [
    new Option("--force", "replace an existing output"),
    new Option("--gzip <engine>", "deflate engine; both give the same bytes")
      .choices(["auto", "pako", "zlib"])
      .default("auto"),
    new Option("--workers <n>", "threads that compress; default: all processors").argParser(wholeNumber(0, 256)),
    new Option(
      "--cache <dir>",
      "where compressed blocks are kept for later builds; default: the platform's cache folder",
    ),
    new Option("--no-cache", "compress everything anew, and keep nothing"),
    new Option("--progress <how>", "progress on stderr")
      .choices(["auto", "plain", "tty", "quiet", "json"])
      .default("auto"),
    new Option("--json", "print one JSON document on stdout"),
  ];
  for (const option of options) command.addOption(option.helpGroup(GROUP));
}

export type Host = HostOptions & { readonly signal: AbortSignal };

/** Runs `work` with a signal that Ctrl-C raises, and with progress shown. */
export async function withHost(words: RunWords, work: (host: Host) => Promise<void>): Promise<void> {
  const interruption = onInterrupt();
  const progress = createProgress(words.progress);
  const compressor =
    words.gzip === false
      ? { workers: 0 }
      : { engine: words.gzip, workers: words.workers, cacheDirectory: cacheDirectory(words.cache) };
  try {
    await work({ ...compressor, signal: interruption.signal, onProgress: progress.report });
  } finally {
    progress.end();
    interruption.release();
  }
}

/** @throws ImageError "output" for a directory that was named and cannot be made */
function cacheDirectory(asked: string | false | undefined): string | undefined {
  if (asked === false) return undefined;
  if (asked !== undefined) makeCacheDirectory(asked);
  return asked ?? defaultCacheDirectory();
}
