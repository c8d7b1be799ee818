// How errors look to a person, and which exit status a program sees.

import { CommanderError } from "commander";
import { type ErrorCode, ImageError } from "../bytes/index.ts";
import { messageText, printJson, ReaderGone } from "./output.ts";

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
  if (error instanceof ReaderGone) return 0;
  if (error instanceof ImageError) return STATUS[error.code] ?? 1;
  return 1;
}

/** One line on stderr, and a document on stdout for programs. Only a mistake of our own shows where in the code it happened. */
export function reportError(error: unknown, json: boolean): void {
  if (exitStatusOf(error) === 0) return; // help was asked for, or nobody reads on
  if (json) printJson({ error: errorDocument(error), status: exitStatusOf(error) });
  if (error instanceof ImageError || error instanceof CommanderError)
    console.error(`pureboot: ${messageText(error.message)}`);
  else console.error("pureboot: internal error, please report it:", error);
}

function errorDocument(error: unknown): Readonly<Record<string, unknown>> {
  const message = error instanceof Error ? messageText(error.message) : String(error);
  if (!(error instanceof ImageError)) return { code: error instanceof CommanderError ? "usage" : "internal", message };
  return { code: error.code, message, path: error.path && messageText(error.path), field: error.field };
}
