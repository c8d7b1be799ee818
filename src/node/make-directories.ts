// mkdir -p. node:fs's own `recursive` never ends where a directory can be neither made nor found, as in /proc.

import { mkdirSync, statSync } from "node:fs";
import path from "node:path";
import { errnoOf } from "./host-errors.ts";

/**
 * Makes a directory and those above it.
 * @returns the uppermost one that was made; undefined when all were there
 * @throws what mkdir(2) reports
 */
export function makeDirectories(directory: string): string | undefined {
  try {
    mkdirSync(directory);
    return directory;
  } catch (error) {
    if (errnoOf(error) === "EEXIST" && statSync(directory).isDirectory()) return undefined;
    const parent = path.dirname(directory);
    if (errnoOf(error) !== "ENOENT" || parent === directory) throw error;
    const made = makeDirectories(parent);
    mkdirSync(directory);
    return made ?? directory;
  }
}
