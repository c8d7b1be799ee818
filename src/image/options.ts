// What a build can be told. The command line and the JSON recipe both end here.

import type { Content } from "../bytes/index.ts";
import { DEFAULT_LEVEL } from "../gzip/index.ts";
import type { Edit } from "./edits.ts";
import type { ManifestChoice } from "./packages.ts";

export type InitChoice = "auto" | "shell" | "smf" | "keep";
export type LoaderChoice = "auto" | "grub" | "illumos" | "none";

/** How big the ramdisk is. */
export interface RamdiskSize {
  /** Bytes of the image file, or "auto": the smallest that holds the tree and `freeBytes`. */
  readonly imageBytes: number | "auto";
  /** Space to leave for the running system. Undefined: DEFAULT_FREE_BYTES with "auto", any with a given size. */
  readonly freeBytes?: number | undefined;
  /** Bytes per inode (newfs -i); chosen to fit when undefined. */
  readonly nbpi?: number | undefined;
}

export interface OutsideStage {
  /** Of stage2_eltorito on this machine, for messages. */
  readonly path: string;
  readonly content: Content;
  /** For USB: what starts from a disk. */
  readonly disk?: { readonly stage1: Content; readonly stage2: Content } | undefined;
}

export interface StageOptions {
  readonly init: InitChoice;
  /** Printed on the console before the shell. */
  readonly message?: string | undefined;
  /** Shell commands that run once, before the shell. */
  readonly startup?: Content | undefined;
  /** Remount the root read-write. */
  readonly rw: boolean;
  readonly loader: LoaderChoice;
  /** A GRUB stage from outside the proto area, with the files stage1 and stage2 of its folder if they are there. */
  readonly stage2?: OutsideStage | undefined;
  /** Whether the ISO also boots as a disk: illumos' loader only. */
  readonly hybrid: "auto" | "yes" | "no";
  /** Make an ISO with GRUB boot as a disk too. */
  readonly usbGrub: boolean;
  /** Bytes of the EFI system partition; undefined: as small as it can be. */
  readonly espBytes?: number | undefined;
  /** "text" or a serial port. */
  readonly console: string;
  readonly bootArgs: string;
  /** Seconds that the boot menu waits; negative: for ever; undefined: the loader's own default. */
  readonly menuTimeoutSeconds?: number | undefined;
  /** Kernel state files by name (name_to_major …), taken as they are. */
  readonly kernelState?: ReadonlyMap<string, Content> | undefined;
  /** Package manifests: owners, modes, links, accounts, drivers. */
  readonly manifests?: ManifestChoice | undefined;
  readonly edits: readonly Edit[];
  /** Look for libraries that programs need and the image lacks. */
  readonly checkLibraries: boolean;
  /** Seconds since 1970; undefined: the newest time of the input. */
  readonly epochSeconds?: number | undefined;
}

export interface ImageOptions extends StageOptions {
  readonly size: RamdiskSize;
  readonly volumeId: string;
  /** gzip level, 0..9. */
  readonly level: number;
}

export const DEFAULT_MESSAGE =
  "Welcome to illumos, without SMF: this is a shell on the console, and there is nothing else.";
export const DEFAULT_FREE_BYTES: number = 16 * 2 ** 20;

export const DEFAULT_OPTIONS: ImageOptions = {
  init: "auto",
  rw: false,
  loader: "auto",
  hybrid: "auto",
  usbGrub: false,
  console: "text",
  bootArgs: "",
  edits: [],
  checkLibraries: false,
  size: { imageBytes: "auto" },
  volumeId: "illumos",
  level: DEFAULT_LEVEL,
};
