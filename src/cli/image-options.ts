// The options of `build` and `archive`: how they are written, and what they mean for the image.

import { existsSync } from "node:fs";
import path from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { fromText, ImageError } from "../bytes/index.ts";
import { KERNEL_STATE_FILES } from "../illumos/index.ts";
import {
  DEFAULT_OPTIONS,
  type Edit,
  type ImageOptions,
  type InitChoice,
  type LoaderChoice,
  type ManifestChoice,
  type OutsideStage,
  parseKeepList,
} from "../image/index.ts";
import {
  type LayerPaths,
  openHostFile,
  type PackageChoice,
  readHostText,
  readKernelState,
  readManifestTexts,
} from "../node/index.ts";
import { parseMtree } from "../source/index.ts";
import { sourceDateEpoch } from "./epoch.ts";
import { addOptions } from "./help.ts";
import { onlyOneStandardInput } from "./host.ts";
import { size, wholeNumber } from "./numbers.ts";

/** What commander leaves of the options of a ramdisk. */
export interface ImageWords {
  readonly overlay: readonly string[];
  readonly adjunct: readonly string[];
  readonly kernelState?: string;
  readonly manifests?: string;
  readonly package: readonly string[];
  readonly variant: readonly string[];
  readonly facet: readonly string[];
  readonly strict?: boolean;
  readonly checkLibraries?: boolean;
  readonly init: InitChoice;
  readonly message?: string;
  readonly startup?: string;
  readonly rw?: boolean;
  readonly size: number | "auto";
  readonly free?: number;
  readonly nbpi?: number;
  readonly level?: number;
  readonly epoch?: number;
}

/** What it leaves of the options of a medium. */
export interface MediumWords {
  readonly loader: LoaderChoice;
  readonly stage2?: string;
  readonly hybrid: "auto" | "yes" | "no";
  readonly usbGrub?: boolean;
  readonly espSize?: number;
  readonly console: string;
  readonly bootArgs: string;
  readonly menuTimeout?: number;
  readonly volumeId: string;
}

const GROUPS = {
  content: "What is in the ramdisk:",
  edits: "What is changed in it, in the order given:",
  init: "What runs in it:",
  ramdisk: "How it is written:",
  medium: "The medium:",
} as const;

function sizeOrAuto(text: string): number | "auto" {
  return text === "auto" ? "auto" : size(text);
}

const repeated = (text: string, previous: readonly string[] = []): string[] => [...previous, text];

/** Options of what is in the ramdisk. Edits are pushed to `edits` in the order in which they stand on the command line. */
export function defineContentOptions(command: Command, edits: Edit[]): void {
  const defaults = DEFAULT_OPTIONS;
  addOptions(command, GROUPS.content, [
    new Option("--adjunct <dir>", "populated adjunct proto area, laid under the sources")
      .argParser(repeated)
      .default([], "none"),
    new Option("--overlay <dir>", "directory laid over the sources").argParser(repeated).default([], "none"),
    new Option("--kernel-state <dir>", "ready-made name_to_major, driver_aliases, driver_classes, minor_perm …"),
    new Option("--manifests <dir>", "package manifests: owners, modes, links, accounts and driver files"),
    new Option("--package <name>", "only this package and what it needs; may be repeated")
      .argParser(repeated)
      .default([], "all"),
    new Option("--variant <name=value>", "choose a variant of packages (opensolaris.zone=global)")
      .argParser(repeated)
      .default([], "i386, global zone"),
    new Option("--facet <name=true|false>", "leave out what has a facet (doc.man=false, locale.*=false)")
      .argParser(repeated)
      .default([], "all"),
    new Option("--strict", "what would only be reported of packages is an error"),
    new Option("--check-libraries", "warn about libraries that programs need and the image lacks"),
  ]);
  addOptions(command, GROUPS.edits, editOptions(edits));
  addOptions(command, GROUPS.init, [
    new Option("--init <kind>", "what init starts").choices(["auto", "shell", "smf", "keep"]).default(defaults.init),
    new Option("--message <text>", "printed on the console before the shell; default: a welcome"),
    new Option("--startup <file>", "shell commands to run once, before the shell"),
    new Option("--rw", "remount the root read-write"),
  ]);
  addOptions(command, GROUPS.ramdisk, [
    new Option("--size <size>", "size of the ramdisk, or auto: the smallest that holds the tree")
      .argParser(sizeOrAuto)
      .default("auto"),
    new Option("--free <size>", "space to leave free; default: 16m with --size auto").argParser(size),
    new Option("--nbpi <bytes>", "bytes per inode (newfs -i); chosen to fit when not given").argParser(
      wholeNumber(512, 2 ** 21),
    ),
    new Option("--level <n>", `gzip level; default: ${defaults.level}`).argParser(wholeNumber(0, 9)),
    new Option(
      "--epoch <seconds>",
      "latest time in the image; else SOURCE_DATE_EPOCH, else the newest file's",
    ).argParser(wholeNumber(0, 0x7fffffff)),
  ]);
}

/** Options of the ISO around the ramdisk. */
export function defineMediumOptions(command: Command): void {
  const defaults = DEFAULT_OPTIONS;
  addOptions(command, GROUPS.medium, [
    new Option("--loader <name>", "boot loader").choices(["auto", "grub", "illumos", "none"]).default(defaults.loader),
    new Option("--stage2 <file>", "GRUB stage (stage2_eltorito) from outside the proto area"),
    new Option("--hybrid <when>", "make the ISO boot from USB too (illumos loader)")
      .choices(["auto", "yes", "no"])
      .default(defaults.hybrid),
    new Option("--usb-grub", "make the ISO boot from USB too (GRUB; needs stage1 and stage2)"),
    new Option("--esp-size <size>", "size of the EFI system partition; as small as it can be when not given").argParser(
      size,
    ),
    new Option("--console <device>", "where the system talks")
      .choices(["text", "ttya", "ttyb", "ttyc", "ttyd"])
      .default(defaults.console),
    new Option("--boot-args <text>", "kernel flags and -B properties").default(defaults.bootArgs, "none"),
    new Option("--menu-timeout <seconds>", "time until the menu's first entry starts; -1 waits").argParser(
      wholeNumber(-1, 3600),
    ),
    new Option("--volume-id <id>", "ISO 9660 volume identifier").default(defaults.volumeId),
  ]);
}

/** Splits "LEFT=RIGHT" at the last or first "=", with an error that shows the form. */
function pair(text: string, form: string, at: "first" | "last"): [string, string] {
  const index = at === "first" ? text.indexOf("=") : text.lastIndexOf("=");
  if (index <= 0 || index === text.length - 1) throw new InvalidArgumentError(`It must be ${form}.`);
  return [text.slice(0, index), text.slice(index + 1)];
}

function octalMode(text: string): number {
  if (!/^[0-7]{1,4}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not an octal mode such as 0755.`);
  return Number.parseInt(text, 8);
}

function editOptions(edits: Edit[]): Option[] {
  const edit = (flags: string, description: string, parse: (text: string) => Edit): Option =>
    new Option(flags, description).argParser((text: string) => {
      edits.push(parse(text));
      return text;
    });
  return [
    new Option(
      "--keep-only <file>",
      "keep only what a list names (mvix.sh's .files and .dirs); may be repeated",
    ).argParser((file: string) => {
      const names = parseKeepList(readHostText(file));
      const last = edits.at(-1);
      const before = last?.kind === "keep" ? last : undefined;
      if (before) edits.pop();
      const { files = [], dirs = [] } = before?.list ?? {};
      const list = file.endsWith(".dirs")
        ? { files, dirs: [...dirs, ...names] }
        : { files: [...files, ...names], dirs };
      edits.push({ kind: "keep", name: before ? `${before.name} ${file}` : file, list });
      return file;
    }),
    edit("--mtree <file>", "apply an mtree(5) specification, as makefs -F does", (file) => ({
      kind: "mtree",
      name: file,
      spec: parseMtree(readHostText(file), file),
      content: openHostFile(file).content,
    })),
    edit("--remove <glob>", "leave paths out (with all below)", (pattern) => ({ kind: "remove", pattern })),
    edit("--add <dest=file>", "add a file of this machine", (text) => {
      const [path, file] = pair(text, "DEST=FILE", "first");
      const { content, mode } = openHostFile(file);
      return { kind: "add", path, content, mode };
    }),
    edit("--mkdir <path[=mode]>", "make a directory (mode 0755 when not given)", (text) => {
      const [path = "", mode] = text.split("=");
      return { kind: "mkdir", path, mode: mode === undefined ? undefined : octalMode(mode) };
    }),
    edit("--symlink <path=target>", "make a symbolic link", (text) => {
      const [path, target] = pair(text, "PATH=TARGET", "first");
      return { kind: "symlink", path, target };
    }),
    edit("--chmod <glob=mode>", "change modes, octal", (text) => {
      const [pattern, mode] = pair(text, "GLOB=MODE", "last");
      return { kind: "chmod", pattern, mode: octalMode(mode) };
    }),
    edit("--chown <glob=user:group>", "change owners, by name (of the image) or number", (text) => {
      const [pattern, owner] = pair(text, "GLOB=USER:GROUP", "last");
      const [user = "", group = ""] = owner.split(":");
      if (user === "" || group === "") throw new InvalidArgumentError("It must be GLOB=USER:GROUP.");
      return { kind: "chown", pattern, user, group };
    }),
  ];
}

/** The options as the image takes them. Files are opened here, so that a wrong path is told before anything else begins. */
export function imageOptions(words: ImageWords, medium: MediumWords | undefined, edits: readonly Edit[]): ImageOptions {
  return {
    ...(medium ? mediumOptions(medium) : { ...DEFAULT_OPTIONS, loader: "none" }),
    init: words.init,
    message: words.message,
    startup: words.startup === undefined ? undefined : openHostFile(words.startup).content,
    rw: words.rw ?? false,
    manifests: manifestChoice(words),
    checkLibraries: words.checkLibraries ?? false,
    kernelState: words.kernelState === undefined ? undefined : readKernelState(words.kernelState, KERNEL_STATE_FILES),
    edits,
    epochSeconds: words.epoch ?? sourceDateEpoch(),
    size: { imageBytes: words.size, freeBytes: words.free, nbpi: words.nbpi },
    level: words.level ?? DEFAULT_OPTIONS.level,
  };
}

/**
 * What is wanted of packages, be they in manifests or in the sources.
 * @throws ImageError "invalid-argument" for malformed words
 */
export function packageChoice(words: ImageWords): PackageChoice {
  const facets = assignments(words.facet, "--facet").map(([name, value]): [string, boolean] => {
    if (value !== "true" && value !== "false") {
      throw new ImageError("invalid-argument", `--facet ${name}=${value}: must be true or false`);
    }
    return [name, value === "true"];
  });
  return {
    packages: words.package,
    variants: Object.fromEntries(assignments(words.variant, "--variant")),
    facets: Object.fromEntries(facets),
    strict: words.strict ?? false,
  };
}

function manifestChoice(words: ImageWords): ManifestChoice | undefined {
  if (words.manifests === undefined) return undefined;
  const choice = packageChoice(words);
  const packages = choice.packages.map(fromText);
  return { ...choice, packages, name: words.manifests, files: readManifestTexts(words.manifests) };
}

/** @throws ImageError "invalid-argument" for an option that would go unused */
export function refuseMetadataOfPlan({ dryRun, metadata }: { dryRun?: boolean; metadata?: string }): void {
  if (!dryRun || metadata === undefined) return;
  throw new ImageError("invalid-argument", "--metadata says what was written; with --dry-run that is nothing");
}

/** The sources in their order. With --manifests, packages are chosen from these; without, from the sources. */
export function layerPaths(sources: readonly string[], words: ImageWords): LayerPaths {
  onlyOneStandardInput([...words.adjunct, ...sources, ...words.overlay]);
  const choice = words.manifests === undefined ? packageChoice(words) : undefined;
  return { sources, adjuncts: words.adjunct, overlays: words.overlay, choice };
}

function assignments(words: readonly string[], option: string): [string, string][] {
  return words.map((word) => {
    const at = word.indexOf("=");
    if (at <= 0) throw new ImageError("invalid-argument", `${option} ${word}: must be NAME=VALUE`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
}

function mediumOptions(words: MediumWords): Pick<ImageOptions, MediumKey> {
  return {
    loader: words.loader,
    stage2: words.stage2 === undefined ? undefined : outsideStage(words.stage2),
    hybrid: words.hybrid,
    usbGrub: words.usbGrub ?? false,
    espBytes: words.espSize,
    console: words.console,
    bootArgs: words.bootArgs,
    menuTimeoutSeconds: words.menuTimeout,
    volumeId: fromText(words.volumeId),
  };
}

/** A stage with those of its folder that start from a disk. */
export function outsideStage(file: string): OutsideStage {
  const beside = (name: string): string => path.join(path.dirname(file), name);
  const [stage1, stage2] = [beside("stage1"), beside("stage2")];
  const content = openHostFile(file).content;
  if (!existsSync(stage1) || !existsSync(stage2)) return { path: file, content };
  return { path: file, content, disk: { stage1: openHostFile(stage1).content, stage2: openHostFile(stage2).content } };
}

type MediumKey =
  | "loader"
  | "stage2"
  | "hybrid"
  | "usbGrub"
  | "espBytes"
  | "console"
  | "bootArgs"
  | "menuTimeoutSeconds"
  | "volumeId";
