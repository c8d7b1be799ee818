// What fsck says, and where. Wording is that of fsck_ufs (usr/src/cmd/fs.d/ufs/fsck), without its questions; where it is
// silent, `beyondFsck` is set.

import type { Finding, Severity } from "../bytes/index.ts";

/** fsck's phases; "setup" comes before the first one, "state" after the last. */
export type Phase = "setup" | "1" | "1b" | "2" | "3a" | "3b" | "4" | "5" | "state";

export const PHASE_TITLES: readonly (readonly [Phase, string])[] = [
  ["1", "Check Blocks and Sizes"],
  ["1b", "Rescan For More DUPS"],
  ["2", "Check Pathnames"],
  ["3a", "Check Connectivity"],
  ["3b", "Verify Shadows/ACLs"],
  ["4", "Check Reference Counts"],
  ["5", "Check Cylinder Groups"],
];

export interface UfsFinding extends Finding {
  readonly phase: Phase;
  readonly inode?: number | undefined;
  /** First frag concerned. */
  readonly block?: number | undefined;
  /** Cylinder group. */
  readonly group?: number | undefined;
  /** Field of the structure, by the name that ufs_fs.h gives it. */
  readonly field?: string | undefined;
  /** fsck_ufs would not say so. */
  readonly beyondFsck?: boolean | undefined;
}

export type Where = Pick<UfsFinding, "inode" | "block" | "group" | "field" | "path" | "beyondFsck">;

export type Report = (phase: Phase, code: string, severity: Severity, message: string, where?: Where) => void;

/** Thrown to stop a check that would go on for ever; the findings so far stand. */
export const ENOUGH: unique symbol = Symbol("enough findings");
export const MAX_FINDINGS = 1000;
