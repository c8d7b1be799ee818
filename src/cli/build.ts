// pureboot build: proto area to bootable ISO.

import type { Command } from "commander";
import { digestOf } from "../bytes/index.ts";
import { buildIso, type Edit, planImage } from "../image/index.ts";
import { createFileSink, createHasher } from "../node/index.ts";
import {
  defineContentOptions,
  defineMediumOptions,
  type ImageWords,
  imageOptions,
  type MediumWords,
} from "./image-options.ts";
import { printBuildReport, printPlan } from "./report.ts";
import { defineRunOptions, type RunWords, withHost } from "./run.ts";
import { readLayers } from "./sources.ts";

type Words = ImageWords & MediumWords & RunWords & { readonly output: string; readonly dryRun?: boolean };

export function define(command: Command): void {
  const edits: Edit[] = [];
  command
    .argument("[source...]", "proto area, and layers over it: later over earlier")
    .option("-o, --output <file>", "the ISO to write", "pureboot.iso")
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
  const options = imageOptions(words, words, edits);
  await withHost(words, async (host) => {
    const { layers, folders, warnings } = await readLayers(sources, words, host.signal);
    if (words.dryRun) {
      printPlan(await planImage(layers, options), warnings, words);
      return;
    }
    const sink = await createFileSink(words.output, { force: words.force, sources: folders });
    try {
      const report = await buildIso(await planImage(layers, options), options, sink, host);
      const sha256 = await digestOf(sink, report.iso.sizeBytes, createHasher("sha256"));
      await sink.commit();
      printBuildReport({ output: words.output, sha256, seconds: host.elapsedSeconds(), ...report }, warnings, words);
    } finally {
      await sink.discard();
    }
  });
}
