// The version of the package, read where npm keeps it.

import { readFileSync } from "node:fs";

/** package.json is two levels above src/cli, and three above dist/src/cli. */
function packageVersion(): string {
  for (const up of ["../../package.json", "../../../package.json"]) {
    try {
      const found: unknown = JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8"));
      if (typeof found === "object" && found !== null && "version" in found) return String(found.version);
    } catch {
      // not at this level
    }
  }
  return "unknown";
}

export const VERSION: string = packageVersion();
