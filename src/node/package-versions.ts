// Versions, read where npm keeps them: of this package, and of those it uses.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

/** package.json is two levels above src/node, and three above dist/src/node. */
function packageVersion(): string {
  for (const up of ["../../package.json", "../../../package.json"]) {
    const found = versionIn(new URL(up, import.meta.url));
    if (found !== undefined) return found;
  }
  return UNKNOWN;
}

const UNKNOWN = "unknown";

function versionIn(file: URL | string): string | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof found === "object" && found !== null && "version" in found ? String(found.version) : undefined;
  } catch {
    return undefined; // not there
  }
}

export const VERSION: string = packageVersion();

/** The version of a package that this one uses, as it is installed. Not by resolving: packages need not show their package.json. */
export function dependencyVersion(name: string): string {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const found = versionIn(path.join(folder, name, "package.json"));
    if (found !== undefined) return found;
  }
  return UNKNOWN;
}
