// pureboot build: proto area to bootable ISO.

import type { Command } from "commander";
import type { Edit } from "../image/index.ts";
import { buildIsoFile, planFiles } from "../node/index.ts";
import {
  defineContentOptions,
  defineMediumOptions,
  type ImageWords,
  imageOptions,
  layerPaths,
  type MediumWords,
  refuseMetadataOfPlan,
} from "./image-options.ts";
import { printBuildReport, printPlan } from "./report.ts";
import { defineRunOptions, type RunWords, withHost } from "./run.ts";

type Words = ImageWords &
  MediumWords &
  RunWords & { readonly output: string; readonly metadata?: string; readonly dryRun?: boolean };

export function define(command: Command): void {
  const edits: Edit[] = [];
  command
    .argument("[source...]", "proto area, and layers over it: later over earlier")
    .option("-o, --output <file>", "the ISO to write", "pureboot.iso")
    .option(
      "--metadata <file>",
      "also write what went in and came out, with hashes: provenance (SLSA), SBOM (CycloneDX)",
    )
    .option("--recipe <file>", "read sources and options from a JSON file (see pureboot recipe)")
    .option("--dry-run", "plan everything, write nothing, print what would be written");
  defineContentOptions(command, edits);
  defineMediumOptions(command);
  defineRunOptions(command);
  command
    .addHelpText(
      "after",
      `
Examples:
  pureboot build proto/root_i386 -o illumos.iso
  pureboot build proto/root_i386 -o illumos.iso --kernel-state state --remove 'usr/share/man'
  pureboot build proto/root_i386 -o illumos.iso --size 512m --nbpi 16384 --console ttya`,
    )
    .action(async (sources: string[], words: Words) => {
      await run(sources, words, edits);
    });
}

async function run(sources: readonly string[], words: Words, edits: readonly Edit[]): Promise<void> {
  refuseMetadataOfPlan(words);
  const options = imageOptions(words, words, edits);
  const job = { ...layerPaths(sources, words), output: words.output, metadata: words.metadata, force: words.force };
  await withHost(words, async (host) => {
    if (words.dryRun) printPlan(await planFiles(job, options, host.signal), words);
    else printBuildReport(await buildIsoFile(job, options, host), words);
  });
}
