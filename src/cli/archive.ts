// pureboot archive: only the ramdisk, gzip'd or raw, to boot from a disk or over the network.

import type { Command } from "commander";
import { bytesOf, digestOf } from "../bytes/index.ts";
import { buildArchive, type Edit, planImage } from "../image/index.ts";
import { createFileSink, createHasher } from "../node/index.ts";
import { defineContentOptions, type ImageWords, imageOptions } from "./image-options.ts";
import { printArchiveReport, printPlan } from "./report.ts";
import { defineRunOptions, type RunWords, withHost } from "./run.ts";
import { readLayers } from "./sources.ts";

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
  const options = imageOptions(words, undefined, edits);
  await withHost(words, async (host) => {
    const { layers, folders, warnings } = await readLayers(sources, words, host.signal);
    const planned = await planImage(layers, options);
    if (words.dryRun) {
      printPlan(planned, warnings, words);
      return;
    }
    const place = { force: words.force, sources: folders };
    const sink = await createFileSink(words.output, place);
    const hashSink = words.hash ? await createFileSink(`${words.output}.hash`, place) : undefined;
    try {
      const figures = await buildArchive(planned, words.gzip === false ? undefined : options.level, sink, host);
      const sha256 = await digestOf(sink, figures.sizeBytes, createHasher("sha256"));
      await hashSink?.write(bytesOf(`${figures.sha1}\n`), 0);
      await sink.commit();
      await hashSink?.commit();
      printArchiveReport(
        { output: words.output, sha256, seconds: host.elapsedSeconds(), ...figures },
        planned,
        warnings,
        words,
      );
    } finally {
      await sink.discard();
      await hashSink?.discard();
    }
  });
}
