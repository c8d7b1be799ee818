// The version of the package, and of Node that it needs, read where npm keeps them.

import { readFileSync } from "node:fs";

interface Manifest {
  readonly version?: unknown;
  readonly engines?: { readonly node?: unknown };
}

/** package.json is two levels above src/cli, and three above dist/src/cli. */
function packageManifest(): Manifest {
  for (const up of ["../../package.json", "../../../package.json"]) {
    try {
      const found: Manifest = JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8"));
      if (found.version !== undefined) return found;
    } catch {
      // not at this level
    }
  }
  return {};
}

const manifest = packageManifest();

export const VERSION: string = String(manifest.version ?? "unknown");

/** The first major version of Node that will do. */
export const LEAST_NODE: number = Number(/\d+/.exec(String(manifest.engines?.node ?? ""))?.[0] ?? 0);
