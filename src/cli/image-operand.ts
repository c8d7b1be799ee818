// What the commands that look into images have in common: the image, a path in it, the boot archive instead of the medium,
// progress and interruption. Only what they need is loaded: listing a file must not cost the time of loading builders.

import { type Command, Option } from "commander";
import { fromText, ImageError } from "../bytes/index.ts";
import { bootArchive, type Layer, type LocateOptions, locate, type Place } from "../inspect/index.ts";
import { onInterrupt } from "../node/interrupt.ts";
import { openImageFile } from "../node/open-image.ts";
import { createProgress, type ProgressMode, type ProgressReporter } from "../node/terminal.ts";
import { printWarnings } from "./output.ts";

export interface ImageWords {
  readonly archive?: boolean;
  readonly json?: boolean;
  readonly progress: ProgressMode;
}

export const IMAGE_OPERAND =
  "ISO, file system, disk, tar … , compressed or not; a directory; or a path inside of one (x.iso/boot/loader); - is stdin";

export function archiveOption(): Option {
  return new Option("-a, --archive", "look into the boot archive of an ISO");
}

export function defineImageOptions(command: Command, { json = true } = {}): void {
  if (json) command.option("--json", "print one JSON document on stdout");
  command.addOption(
    new Option("--progress <how>", "progress on stderr")
      .choices(["auto", "plain", "tty", "quiet", "json"])
      .default("auto"),
  );
}

export interface OpenedOperand {
  readonly layer: Layer;
  /** Where `layer` lies: "" or a path that goes before others in what is shown. */
  readonly prefix: string;
  /** The path that came with the image's name; a byte string, "" for none. */
  readonly path: string;
  readonly signal: AbortSignal;
  readonly onProgress: ProgressReporter["report"];
}

/** Opens the image that a user named, and closes it again whatever happens. */
export async function withImage(
  name: string,
  words: ImageWords,
  work: (opened: OpenedOperand) => Promise<void>,
): Promise<void> {
  const interruption = onInterrupt();
  const progress = createProgress(words.progress);
  try {
    const { signal } = interruption;
    const opened = await openImageFile(name, { signal, onProgress: progress.report });
    printWarnings(opened.warnings);
    try {
      const { layer, path: prefix } = words.archive
        ? await bootArchive(opened.layer)
        : { layer: opened.layer, path: "" };
      await work({ layer, prefix, path: opened.path, signal, onProgress: progress.report });
    } finally {
      await opened.close();
    }
  } finally {
    progress.end();
    interruption.release();
  }
}

/** What is at a path (a byte string) below the one that came with the image's name. */
export function locateBelow(
  { layer, prefix, path }: OpenedOperand,
  below: string,
  options: Omit<LocateOptions, "prefix">,
): Promise<Place> {
  return locate(layer, `${path}/${below}`, { ...options, prefix });
}

/** What is at a path that a user typed, below the one that came with the image's name. */
export function locateWord(
  opened: OpenedOperand,
  word: string,
  options: Omit<LocateOptions, "prefix">,
): Promise<Place> {
  return locateBelow(opened, fromText(word), options);
}

/** Paths of a command that wants at least one, when none came with the image's name. */
export function wantedPaths({ path }: OpenedOperand, paths: readonly string[], example: string): readonly string[] {
  if (paths.length > 0) return paths;
  if (path !== "") return [""];
  throw new ImageError("invalid-argument", `no path: name what is wanted of the image (${example})`);
}
