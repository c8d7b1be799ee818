// pureboot build: proto area to bootable ISO.

import type { Command } from "commander";
import type { Edit } from "../image/index.ts";
import { buildIsoFile, planFiles, STANDARD_STREAM } from "../node/index.ts";
import { addOptions, RUN_GROUP, teach } from "./help.ts";
import {
  defineContentOptions,
  defineMediumOptions,
  type ImageWords,
  imageOptions,
  layerPaths,
  type MediumWords,
  refuseMetadataOfPlan,
} from "./image-options.ts";
import { bothOnStdout } from "./output.ts";
import { printBuildReport, printPlan } from "./report.ts";
import { defineRunOptions, planOptions, type RunWords, withHost } from "./run.ts";

type Words = ImageWords &
  MediumWords &
  RunWords & { readonly output: string; readonly metadata?: string; readonly dryRun?: boolean };

export function define(command: Command): void {
  teach(command, {
    about:
      "Makes a bootable ISO of a proto area: a UFS ramdisk of all that is in it, gzip'd, with the boot loader and the kernel around it. The sources are only read.",
    notes:
      "A source is a directory, an archive (tar, tar.gz, cpio, zip), a repository or archive of packages (IPS, p5p, SVR4, zap), or - for an archive on standard input. Later ones lie over earlier ones.",
    examples: [
      ["pureboot build proto/root_i386 -o illumos.iso", "a proto area as an illumos build leaves it"],
      [
        "pureboot build proto/root_i386 -o illumos.iso --manifests usr/src/pkg",
        "with owners, modes and drivers from the package manifests",
      ],
      [
        "pureboot build proto/root_i386 -o small.iso --remove usr/share/man --add etc/motd=motd.txt",
        "trimmed, and with a file of one's own",
      ],
      [
        "pureboot build base.p5p overlay/ -o illumos.iso --console ttya",
        "of a package archive with a directory over it, for a serial console",
      ],
      ["pureboot build --recipe illumos.json --dry-run", "what a recipe would make"],
      [
        "pureboot build proto/root_i386 -o - | ssh host 'cat > illumos.iso'",
        "through a pipe: the ISO is sent when it is whole",
      ],
    ],
  });
  const edits: Edit[] = [];
  command
    .argument("[source...]", "proto area, and layers over it: later over earlier")
    .option("-o, --output <file>", "the ISO to write; - is stdout", "pureboot.iso")
    .option(
      "--metadata <file>",
      "also write what went in and came out, with hashes: provenance (SLSA), SBOM (CycloneDX)",
    );
  defineContentOptions(command, edits);
  defineMediumOptions(command);
  addOptions(command, RUN_GROUP, planOptions());
  defineRunOptions(command);
  command.action(async (sources: string[], words: Words) => {
    await run(sources, words, edits);
  });
}

async function run(sources: readonly string[], words: Words, edits: readonly Edit[]): Promise<void> {
  refuseMetadataOfPlan(words);
  if (words.json && words.output === STANDARD_STREAM && !words.dryRun) throw bothOnStdout();
  const options = imageOptions(words, words, edits);
  const job = { ...layerPaths(sources, words), output: words.output, metadata: words.metadata, force: words.force };
  await withHost(words, async (host) => {
    if (words.dryRun) printPlan(await planFiles(job, options, host.signal), words);
    else printBuildReport(await buildIsoFile(job, options, host), words);
  });
}
