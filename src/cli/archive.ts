// pureboot archive: only the ramdisk, gzip'd or raw, to boot from a disk or over the network.

import type { Command } from "commander";
import { ImageError } from "../bytes/index.ts";
import type { Edit } from "../image/index.ts";
import { buildArchiveFile, planFiles } from "../node/index.ts";
import { defineContentOptions, type ImageWords, imageOptions, layerPaths } from "./image-options.ts";
import { printArchiveReport, printPlan } from "./report.ts";
import { defineRunOptions, type RunWords, withHost } from "./run.ts";

interface Words extends ImageWords, RunWords {
  readonly output: string;
  readonly hash?: boolean;
  readonly dryRun?: boolean;
}

export function define(command: Command): void {
  const edits: Edit[] = [];
  command
    .argument("[source...]", "proto area, and layers over it: later over earlier")
    .option("-o, --output <file>", "the archive to write", "boot_archive")
    .option("--hash", "write its SHA-1 beside it, as OUTPUT.hash, which the kernel compares")
    .option("--recipe <file>", "read sources and options from a JSON file (see pureboot recipe)")
    .option("--dry-run", "plan everything, write nothing, print what would be written");
  defineContentOptions(command, edits);
  defineRunOptions(command);
  command.option("--no-gzip", "the file system as it is, uncompressed");
  command.addHelpText(
    "after",
    `
Examples:
  pureboot archive proto/root_i386 -o boot_archive --hash
  pureboot archive proto/root_i386 -o ramdisk.ufs --no-gzip --size 512m --nbpi 16384`,
  );
  command.action(async (sources: string[], words: Words) => {
    await run(sources, words, edits);
  });
}

async function run(sources: readonly string[], words: Words, edits: readonly Edit[]): Promise<void> {
  for (const option of ["level", "cache"] as const) {
    if (words.gzip === false && words[option] !== undefined && words[option] !== false) {
      throw new ImageError("conflict", `--${option} is gzip's; with --no-gzip it would go unused`);
    }
  }
  const options = imageOptions(words, undefined, edits);
  const { output, force, hash = false } = words;
  const job = { ...layerPaths(sources, words), output, force, gzip: words.gzip !== false, hash };
  await withHost(words, async (host) => {
    if (words.dryRun) printPlan(await planFiles(job, options, host.signal), words);
    else printArchiveReport(await buildArchiveFile(job, options, host), words);
  });
}
