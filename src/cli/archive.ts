// pureboot archive: only the ramdisk, gzip'd or raw, to boot from a disk or over the network.

import type { Command } from "commander";
import { ImageError } from "../bytes/index.ts";
import type { Edit } from "../image/index.ts";
import { buildArchiveFile, planFiles, STANDARD_STREAM } from "../node/index.ts";
import { addOptions, RUN_GROUP, teach } from "./help.ts";
import {
  defineContentOptions,
  type ImageWords,
  imageOptions,
  layerPaths,
  refuseMetadataOfPlan,
} from "./image-options.ts";
import { bothOnStdout } from "./output.ts";
import { printArchiveReport, printPlan } from "./report.ts";
import { defineRunOptions, planOptions, type RunWords, withHost } from "./run.ts";

interface Words extends ImageWords, RunWords {
  readonly output: string;
  readonly metadata?: string;
  readonly hash?: boolean;
  readonly dryRun?: boolean;
}

export function define(command: Command): void {
  teach(command, {
    about: "Makes only the ramdisk, gzip'd or raw: to boot from a disk or over the network, beside a kernel.",
    notes: "Sources are those of pureboot build.",
    examples: [
      ["pureboot archive proto/root_i386 -o boot_archive --hash", "with the hash that the kernel compares beside it"],
      [
        "pureboot archive proto/root_i386 -o ramdisk.ufs --no-gzip --size 512m --nbpi 16384",
        "a raw file system, of the size and density of pureboot.sh",
      ],
      ["tar -cf - -C proto . | pureboot archive - -o - > boot_archive", "from a pipe to a pipe"],
    ],
  });
  const edits: Edit[] = [];
  command
    .argument("[source...]", "proto area, and layers over it: later over earlier")
    .option("-o, --output <file>", "the archive to write; - is stdout", "boot_archive")
    .option("--hash", "write its SHA-1 beside it, as OUTPUT.hash, which the kernel compares")
    .option(
      "--metadata <file>",
      "also write what went in and came out, with hashes: provenance (SLSA), SBOM (CycloneDX)",
    )
    .option("--no-gzip", "the file system as it is, uncompressed");
  defineContentOptions(command, edits);
  addOptions(command, RUN_GROUP, planOptions());
  defineRunOptions(command);
  command.action(async (sources: string[], words: Words) => {
    await run(sources, words, edits);
  });
}

async function run(sources: readonly string[], words: Words, edits: readonly Edit[]): Promise<void> {
  for (const option of ["level", "cache"] as const) {
    if (words.gzip === false && words[option] !== undefined && words[option] !== false) {
      throw new ImageError("invalid-argument", `--${option} is gzip's; with --no-gzip it would go unused`);
    }
  }
  if (words.output === STANDARD_STREAM && !words.dryRun) {
    if (words.json) throw bothOnStdout();
    if (words.hash)
      throw new ImageError("invalid-argument", "--hash writes OUTPUT.hash: with -o - there is no name for it");
  }
  refuseMetadataOfPlan(words);
  const options = imageOptions(words, undefined, edits);
  const { output, metadata, force, hash = false } = words;
  const job = { ...layerPaths(sources, words), output, metadata, force, gzip: words.gzip !== false, hash };
  await withHost(words, async (host) => {
    if (words.dryRun) printPlan(await planFiles(job, options, host.signal), words);
    else printArchiveReport(await buildArchiveFile(job, options, host), words);
  });
}
