// What newfs and mkfs have in common: an empty file system, written where the image is.

import { type Stats, statSync } from "node:fs";
import { type Command, Option } from "commander";
import { ImageError } from "../bytes/index.ts";
import { emit } from "../layout/index.ts";
import { createFileSink } from "../node/file-sink.ts";
import { inputError } from "../node/host-errors.ts";
import { STANDARD_STREAM } from "../node/output-sink.ts";
import { emptyRoot, type GeometryOption, mkfsReport, planUfs, superblockCopies } from "../ufs/index.ts";
import { sourceDateEpoch } from "./epoch.ts";
import { addOptions, RUN_GROUP } from "./help.ts";
import { jsonOption } from "./host.ts";
import { wholeNumber } from "./numbers.ts";
import { printJson } from "./output.ts";

export interface MakeWords {
  readonly epoch?: number;
  readonly fsirand: "zero" | "illumos";
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function defineMakeOptions(command: Command): void {
  const options = [
    new Option("--epoch <seconds>", "time of the file system; else SOURCE_DATE_EPOCH, else 0").argParser(
      wholeNumber(0, 0x7fffffff),
    ),
    new Option("--fsirand <how>", "generation numbers of inodes: zero, or those that illumos' mkfs draws at that time")
      .choices(["zero", "illumos"])
      .default("zero"),
    new Option("-N, --dry-run", "write nothing, print what would be written"),
    new Option("--force", "with a new size: replace an existing file"),
    jsonOption(),
  ];
  addOptions(command, RUN_GROUP, options);
}

/** The bytes of an existing file, or undefined. @throws ImageError "invalid-argument" for what can be no image file */
export function sizeOfFile(file: string): number | undefined {
  if (file === STANDARD_STREAM) {
    throw new ImageError(
      "invalid-argument",
      `"${file}": an empty file system is made in a file, to be filled there; name one`,
    );
  }
  let stats: Stats | undefined;
  try {
    stats = statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    throw inputError(error, file);
  }
  if (stats && !stats.isFile()) {
    throw new ImageError("output", `${file}: is no regular file; name an image file`, { path: file });
  }
  return stats?.size;
}

export interface Making {
  readonly command: "newfs" | "mkfs";
  readonly image: string;
  readonly geometry: GeometryOption;
  /** What newfs or mkfs said about the options before. */
  readonly warnings?: readonly string[];
  /** The line that newfs -v shows. */
  readonly mkfsCommand?: string | undefined;
  /** Whether the file may be there: it is one whose size was asked for, or --force was given. */
  readonly mayReplace: boolean;
}

export async function makeFileSystem(making: Making, words: MakeWords): Promise<void> {
  const { image, geometry, mkfsCommand } = making;
  const timeSeconds = words.epoch ?? sourceDateEpoch() ?? 0;
  const plan = planUfs(emptyRoot(timeSeconds), { geometry, timeSeconds, fsirand: words.fsirand });
  const { layout, superblock } = plan;
  if (!words.dryRun) {
    const sink = await createFileSink(image, { force: making.mayReplace });
    try {
      await sink.truncate(layout.sizeBytes);
      await emit(layout, sink);
      await sink.commit();
    } finally {
      await sink.discard();
    }
  }
  const warnings = [...(making.warnings ?? []), ...plan.warnings];
  if (words.json) {
    const { freeBytes, freeInodes } = plan;
    const backups = superblockCopies(superblock);
    printJson({
      command: making.command,
      image,
      sizeBytes: layout.sizeBytes,
      mkfsCommand,
      warnings,
      freeBytes,
      freeInodes,
      superblockBackups: backups,
    });
    return;
  }
  if (mkfsCommand) console.log(mkfsCommand);
  for (const line of [...warnings, ...mkfsReport(superblock, image)]) console.error(line);
}
