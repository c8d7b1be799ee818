// pureboot demo: the main job on the embedded example, and, on request, the proof that what it made boots.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Command } from "commander";
import { ImageError } from "../bytes/index.ts";
import { buildIsoFile, STANDARD_STREAM } from "../node/index.ts";
import { bootDemo, findQemu } from "./demo-boot.ts";
import { findStage } from "./grub-stages.ts";
import { teach } from "./help.ts";
import { outsideStage } from "./image-options.ts";
import { printBuildReport } from "./report.ts";
import { defineRunOptions, type Host, type RunWords, withHost } from "./run.ts";

interface Words extends RunWords {
  readonly output: string;
  readonly stage2?: string;
  readonly boot?: boolean;
}

const OWN_OUTPUT = "pureboot-demo.iso";
const NEXT_STEP_WITHOUT_STAGE = "To see its kernel and ramdisk start: pureboot demo --boot (needs QEMU).";
const NEXT_STEP = "To see it boot: pureboot demo --boot (needs QEMU), or give the ISO to a virtual machine as its CD.";
const NO_STAGE =
  "no GRUB stage here, so the ISO will not start by itself; `apt install grub-legacy` brings one, or name one with --stage2 FILE";

export function define(command: Command): void {
  teach(command, {
    about:
      "Builds an ISO of the embedded example proto area, and boots it in QEMU on request: the machine reads every file back, and the checksums are compared.",
    examples: [
      "pureboot demo",
      ["pureboot demo --boot", "needs QEMU (pureboot doctor tells whether it is here)"],
      "pureboot demo -o demo.iso --stage2 /usr/lib/grub/x86_64-pc/stage2_eltorito",
    ],
  });
  command
    .option("-o, --output <file>", "the ISO to write; the demo's own is replaced", OWN_OUTPUT)
    .option("--stage2 <file>", "GRUB's El Torito stage; Debian's grub-legacy is found by itself")
    .option("--boot", "boot it in QEMU and compare every file's checksum");
  defineRunOptions(command);
  command.action(run);
}

async function run(words: Words): Promise<void> {
  if (words.output === STANDARD_STREAM) {
    throw new ImageError("invalid-argument", "the demo writes a file; for standard output use pureboot build -o -");
  }
  if (words.boot) findQemu(); // told now, not after the build
  const stage = words.stage2 ?? findStage();
  if (stage === undefined) console.error(`pureboot: ${NO_STAGE}`);
  await withHost(words, async (host) => {
    const folder = mkdtempSync(path.join(tmpdir(), "pureboot-demo-"));
    try {
      const { writeExampleProto } = await import("../../fixtures/example.ts");
      const proto = path.join(folder, "proto");
      const notes = writeExampleProto(proto);
      await buildAndBoot(proto, stage, notes, words, host);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function buildAndBoot(
  proto: string,
  stage: string | undefined,
  notes: readonly string[],
  words: Words,
  host: Host,
): Promise<void> {
  const options = {
    menuTimeoutSeconds: 0,
    message: "This is pureboot's demo.",
    ...(stage === undefined ? { loader: "none" as const } : { stage2: outsideStage(stage) }),
  };
  const own = words.output === OWN_OUTPUT;
  const job = { sources: [proto], output: words.output, force: own || words.force };
  const finished = await buildIsoFile(job, options, host);
  printBuildReport({ ...finished, warnings: [...finished.warnings, ...notes] }, words);
  if (!words.boot) {
    if (!words.json) console.log(`\n${stage === undefined ? NEXT_STEP_WITHOUT_STAGE : NEXT_STEP}`);
    return;
  }
  const { ramdisk } = finished.planned.staged;
  const verdict = await bootDemo(words.output, ramdisk, stage !== undefined, host.signal);
  if (!words.json) console.log(`\n${verdict.text}`);
  if (!verdict.good) throw new ImageError("bad-format", `${words.output}: what booted is not what was built`);
}
