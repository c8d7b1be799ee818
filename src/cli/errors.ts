// How errors look to a person, and which exit status a program sees.

import { CommanderError } from "commander";
import { type ErrorCode, ImageError } from "../bytes/index.ts";

export const USAGE_STATUS = 2;
export const FINDINGS_STATUS = 3;

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  "invalid-argument": USAGE_STATUS,
  "input-missing": 4,
  interrupted: 130,
};

/** 0 good, 1 failed, 2 usage, 3 a check found something, 4 an input is missing or unreadable, 130 interrupted. */
export function exitStatusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_STATUS;
  if (error instanceof ImageError) return STATUS[error.code] ?? 1;
  return 1;
}

/** One line on stderr. Only an error that is our own mistake shows where in the code it happened. */
export function reportError(error: unknown): void {
  if (error instanceof CommanderError) return; // commander has printed it
  if (error instanceof ImageError) console.error(`pureboot: ${error.message}`);
  else console.error("pureboot: internal error, please report it:", error);
}
