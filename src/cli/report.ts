// What a build says in the end: in words for people, or as one JSON document.

import { type Finding, formatSize, toText } from "../bytes/index.ts";
import { type BuildReport, guestMemoryBytes, type Planned } from "../image/index.ts";
import type { FinishedArchive, FinishedBuild } from "../node/index.ts";

/** Version of the JSON documents' form; it changes when a key changes its meaning or goes. */
export const SCHEMA = 1;

export interface PrintWords {
  readonly json?: boolean;
}

export function printJson(document: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify({ schema: SCHEMA, ...document }, undefined, 2)}\n`);
}

/** Findings to stderr, worst first; notes are left to the JSON document. */
export function printFindings(findings: readonly Finding[], warnings: readonly string[]): void {
  for (const severity of ["error", "warning"] as const) {
    for (const finding of findings) {
      if (finding.severity === severity) console.error(`pureboot: ${severity}: ${toText(finding.message)}`);
    }
  }
  for (const warning of warnings) console.error(`pureboot: warning: ${warning}`);
}

/** Rows of a summary: a name, and what there is to say about it. */
export function printRows(rows: readonly (readonly [string, string])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  for (const [name, text] of rows) console.log(`${name.padEnd(width)}${text}`);
}

function printEdits({ edits, overridden }: Pick<BuildReport, "edits" | "overridden">): void {
  for (const { edit, matched } of edits) console.log(`${edit}: ${matched} ${matched === 1 ? "path" : "paths"}`);
  if (overridden.length > 0) console.log(`layers: ${overridden.length} paths replaced by a later layer`);
}

function inputRow({ paths, contentBytes }: { paths: number; contentBytes: number }): [string, string] {
  return ["proto area", `${paths} paths, ${formatSize(contentBytes)}`];
}

/** What package manifests brought; nothing where there were none. */
function packageRows({ manifests, drivers }: Pick<BuildReport, "manifests" | "drivers">): [string, string][] {
  const rows: [string, string][] = [];
  if (manifests) {
    const actions = Object.values(manifests.actions).reduce((sum, count) => sum + count, 0);
    rows.push(["manifests", `${manifests.packages} packages, ${actions} actions`]);
  }
  if (drivers) {
    const { added, updated, aliases, majors } = drivers;
    rows.push(["drivers", `${added.length + updated.length} drivers, ${aliases} aliases, ${majors} majors`]);
  }
  return rows;
}

function ramdiskRow({ figures }: Pick<Planned["ramdisk"], "figures">): [string, string] {
  const { sizeBytes, freeBytes, freeInodes, usedInodes } = figures;
  return [
    "ramdisk",
    `${formatSize(sizeBytes)} UFS, ${formatSize(freeBytes)} free, ${usedInodes} inodes used, ${freeInodes} free`,
  ];
}

function memoryRow(ramdiskBytes: number): [string, string] {
  return ["to boot", `give the machine ${formatSize(guestMemoryBytes(ramdiskBytes))} of memory or more`];
}

export function printBuildReport({ planned, ...build }: FinishedBuild, words: PrintWords): void {
  if (words.json) {
    printJson({ command: "build", ...build });
    return;
  }
  printFindings(planned.staged.findings, build.warnings);
  printEdits(build);
  printRows([
    inputRow(build.input),
    ...packageRows(build),
    ramdiskRow({ figures: build.ramdisk }),
    ["archive", `${build.archive.path}, ${formatSize(build.archive.sizeBytes)}`],
    ["init", build.init],
    ["boot loader", `${build.loader}: ${build.loaderReason}`],
    memoryRow(build.ramdisk.sizeBytes),
    ["image", `${build.output}, ${formatSize(build.iso.sizeBytes)}`],
    ["sha256", build.sha256],
    ["time", `${build.seconds.toFixed(1)} s`],
  ]);
}

export function printArchiveReport({ planned, ...archive }: FinishedArchive, words: PrintWords): void {
  const { staged, ramdisk } = planned;
  if (words.json) {
    printJson({ command: "archive", ...planDocument(planned), ...archive });
    return;
  }
  printFindings(staged.findings, archive.warnings);
  printEdits(staged);
  printRows([
    inputRow(staged.input),
    ...packageRows(staged),
    ramdiskRow(ramdisk),
    ["init", staged.init],
    memoryRow(ramdisk.figures.sizeBytes),
    ["archive", `${archive.output}, ${formatSize(archive.sizeBytes)}`],
    ["sha1", `${archive.sha1} (of the uncompressed ramdisk)`],
    ["sha256", archive.sha256],
    ["time", `${archive.seconds.toFixed(1)} s`],
  ]);
}

/** What is known before anything is written. */
function planDocument({ staged, ramdisk }: Planned): Readonly<Record<string, unknown>> {
  const { input, medium, init, epochSeconds, findings, edits, manifests, drivers, overridden } = staged;
  return {
    input,
    ramdisk: ramdisk.figures,
    loader: medium.loader,
    loaderReason: medium.reason,
    init,
    epochSeconds,
    guestMemoryBytes: guestMemoryBytes(ramdisk.figures.sizeBytes),
    findings,
    edits,
    manifests,
    drivers,
    overridden,
  };
}

/** What `--dry-run` says. */
export function printPlan({ staged, ramdisk }: Planned, warnings: readonly string[], words: PrintWords): void {
  if (words.json) {
    printJson({ command: "plan", ...planDocument({ staged, ramdisk }), warnings });
    return;
  }
  printFindings(staged.findings, warnings);
  printEdits(staged);
  printRows([
    inputRow(staged.input),
    ...packageRows(staged),
    ramdiskRow(ramdisk),
    ["init", staged.init],
    ["boot loader", `${staged.medium.loader}: ${staged.medium.reason}`],
    memoryRow(ramdisk.figures.sizeBytes),
    ["written", "nothing (--dry-run)"],
  ]);
}
