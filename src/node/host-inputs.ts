// Single files and small folders of the user's, given to a build beside its sources.

import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { byteString, type Content, ImageError } from "../bytes/index.ts";
import { errnoOf, inputError } from "./host-errors.ts";
import { hostFileContent } from "./host-files.ts";

export interface HostFile {
  readonly content: Content;
  /** Permission bits on this machine. */
  readonly mode: number;
}

/**
 * A regular file, read when its content is.
 * @throws ImageError "input-missing"
 */
export function openHostFile(file: string): HostFile {
  try {
    const stats = statSync(file);
    if (!stats.isFile()) throw new ImageError("input-missing", `${file}: is not a regular file`, { path: file });
    return { content: hostFileContent("", byteString(Buffer.from(file)), stats), mode: stats.mode & 0o777 };
  } catch (error) {
    throw inputError(error, file);
  }
}

/**
 * Those of the named files that a folder holds: in the folder itself, or at their places in an image (`etc/…`).
 * @param places file name → absolute path in an image
 * @throws ImageError "input-missing" when the folder holds none of them
 */
export function readKernelState(folder: string, places: Readonly<Record<string, string>>): Map<string, Content> {
  if (!isThere(folder)) throw new ImageError("input-missing", `${folder}: no such directory`, { path: folder });
  const found = new Map<string, Content>();
  for (const [name, place] of Object.entries(places)) {
    for (const candidate of [path.join(folder, name), path.join(folder, place)]) {
      if (!isThere(candidate)) continue;
      found.set(name, openHostFile(candidate).content);
      break;
    }
  }
  if (found.size === 0) {
    const names = Object.keys(places).slice(0, 4).join(", ");
    throw new ImageError(
      "input-missing",
      `${folder}: holds none of ${names}; copy them from /etc of an illumos system`,
      {
        path: folder,
      },
    );
  }
  return found;
}

function isThere(file: string): boolean {
  try {
    statSync(file);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return false;
    throw inputError(error, file);
  }
}

/** Lists and specifications that people write stay far below this. */
const MAX_TEXT_BYTES = 2 ** 28;

/**
 * A text file of the user's, as a byte string.
 * @throws ImageError "input-missing", "limit"
 */
export function readHostText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MAX_TEXT_BYTES)
      throw new ImageError("limit", `${file}: ${size} bytes are too many for a list`, { path: file });
    return readFileSync(file, "latin1");
  } catch (error) {
    throw inputError(error, file);
  }
}
