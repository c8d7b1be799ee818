// What the commands that build have in common: threads, progress, interruption, output in words or as JSON.

import { type Command, Option } from "commander";
import { defaultCacheDirectory, type HostOptions, makeCacheDirectory } from "../node/index.ts";
import { addOptions, RUN_GROUP } from "./help.ts";
import { jsonOption, type ProgressWords, progressOption, withProgress } from "./host.ts";
import { wholeNumber } from "./numbers.ts";

export interface RunWords extends ProgressWords {
  readonly force?: boolean;
  readonly json?: boolean;
  /** False with --no-gzip, where a command has it. */
  readonly gzip: "auto" | "pako" | "zlib" | false;
  readonly workers?: number;
  /** A directory, or false with --no-cache. */
  readonly cache?: string | false;
}

export function defineRunOptions(command: Command): void {
  addOptions(command, RUN_GROUP, [
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
    progressOption(),
    jsonOption(),
  ]);
}

/** Options of commands that plan before they write. */
export function planOptions(): Option[] {
  return [
    new Option("--recipe <file>", "read sources and options from a JSON file (see pureboot recipe); - is stdin"),
    new Option("--dry-run", "plan everything, write nothing, print what would be written"),
  ];
}

export type Host = HostOptions & { readonly signal: AbortSignal };

/** Runs `work` with a signal that Ctrl-C raises, and with progress shown. */
export async function withHost(words: RunWords, work: (host: Host) => Promise<void>): Promise<void> {
  const compressor =
    words.gzip === false
      ? { workers: 0 }
      : { engine: words.gzip, workers: words.workers, cacheDirectory: cacheDirectory(words.cache) };
  await withProgress(words, ({ signal, onProgress }) => work({ ...compressor, signal, onProgress }));
}

/** @throws ImageError "output" for a directory that was named and cannot be made */
function cacheDirectory(asked: string | false | undefined): string | undefined {
  if (asked === false) return undefined;
  if (asked !== undefined) makeCacheDirectory(asked);
  return asked ?? defaultCacheDirectory();
}
