// What a build says in the end: in words for people, or as one JSON document.

import { formatSize } from "../bytes/index.ts";
import { type BuildReport, type PlanReport, planReport, type RamdiskFigures } from "../image/index.ts";
import type { FinishedArchive, FinishedBuild, PlannedFiles } from "../node/index.ts";
import { STANDARD_STREAM } from "../node/output-sink.ts";
import { type PrintWords, printFindings, printJson, printRows, sizeText } from "./output.ts";

type Say = (line: string) => void;

/** Where words go: beside an image on standard output, to standard error. */
const sayBeside = (output: string): Say => (output === STANDARD_STREAM ? console.error : console.log);

const shownOutput = (output: string): string => (output === STANDARD_STREAM ? "standard output" : output);

function printEdits({ edits, overridden }: Pick<BuildReport, "edits" | "overridden">, say: Say): void {
  for (const { edit, matched } of edits) say(`${edit}: ${matched} ${matched === 1 ? "path" : "paths"}`);
  if (overridden.length > 0)
    say(`layers: ${overridden.length} ${overridden.length === 1 ? "path" : "paths"} replaced by a later layer`);
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

function ramdiskRow({ sizeBytes, freeBytes, freeInodes, usedInodes }: RamdiskFigures): [string, string] {
  return [
    "ramdisk",
    `${sizeText(sizeBytes)} UFS, ${formatSize(freeBytes)} free, ${usedInodes} inodes used, ${freeInodes} free`,
  ];
}

function memoryRow(bytes: number): [string, string] {
  return ["to boot", `give the machine ${formatSize(bytes)} of memory or more`];
}

/** The rows that every summary has. */
function planRows(report: PlanReport): [string, string][] {
  return [
    inputRow(report.input),
    ...packageRows(report),
    ramdiskRow(report.ramdisk),
    ["init", report.init],
    ["boot loader", `${report.loader}: ${report.loaderReason}`],
    memoryRow(report.guestMemoryBytes),
  ];
}

function metadataRows({ metadata }: { metadata?: string | undefined }): [string, string][] {
  return metadata === undefined ? [] : [["metadata", metadata]];
}

/** How much of the ramdisk did not have to be compressed. */
function knownPart({ ramdisk, archive }: Pick<BuildReport, "ramdisk"> & { archive: { cachedBytes: number } }): string {
  const percent = Math.round((100 * archive.cachedBytes) / ramdisk.sizeBytes);
  return percent > 0 ? ` (${percent} % of the ramdisk compressed in an earlier build)` : "";
}

export function printBuildReport({ planned, ...build }: FinishedBuild, words: PrintWords): void {
  if (words.json) {
    printJson({ command: "build", ...build });
    return;
  }
  printFindings(build.findings, build.warnings);
  const say = sayBeside(build.output);
  printEdits(build, say);
  const rows: [string, string][] = [
    ...planRows(build),
    ["archive", `${build.archive.path}, ${sizeText(build.archive.sizeBytes)}${knownPart(build)}`],
    ["image", `${shownOutput(build.output)}, ${sizeText(build.iso.sizeBytes)}`],
    ["sha256", build.sha256],
    ...metadataRows(build),
    ["time", `${build.seconds.toFixed(1)} s`],
  ];
  printRows(rows, "", say);
}

export function printArchiveReport({ planned, ...archive }: FinishedArchive, words: PrintWords): void {
  const report = planReport(planned);
  if (words.json) {
    printJson({ command: "archive", ...report, ...archive });
    return;
  }
  printFindings(report.findings, archive.warnings);
  const say = sayBeside(archive.output);
  printEdits(report, say);
  const rows: [string, string][] = [
    ...planRows(report).filter(([name]) => name !== "boot loader"),
    ["archive", `${shownOutput(archive.output)}, ${sizeText(archive.sizeBytes)}${knownPart({ ...report, archive })}`],
    ["sha1", `${archive.sha1} (of the uncompressed ramdisk)`],
    ["sha256", archive.sha256],
    ...metadataRows(archive),
    ["time", `${archive.seconds.toFixed(1)} s`],
  ];
  printRows(rows, "", say);
}

/** What `--dry-run` says. */
export function printPlan({ planned, warnings }: PlannedFiles, words: PrintWords): void {
  const report = planReport(planned);
  if (words.json) {
    printJson({ command: "plan", ...report, warnings });
    return;
  }
  printFindings(report.findings, warnings);
  printEdits(report, console.log);
  printRows([...planRows(report), ["written", "nothing (--dry-run)"]]);
}
