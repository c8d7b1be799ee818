// Versions, read where npm keeps them: of this package, of Node that it needs, and of the packages that it uses.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

interface Manifest {
  readonly version?: unknown;
  readonly engines?: { readonly node?: unknown };
}

/** What is in a package.json, if it is there and has a version. */
function manifestIn(file: URL | string): Manifest | undefined {
  try {
    const found: Manifest = JSON.parse(readFileSync(file, "utf8"));
    return found.version === undefined ? undefined : found;
  } catch {
    return undefined; // not there
  }
}

/** package.json is two levels above src/node and dist/cli, and three above dist/src/node. */
function packageManifest(): Manifest {
  for (const up of ["../../package.json", "../../../package.json"]) {
    const found = manifestIn(new URL(up, import.meta.url));
    if (found !== undefined) return found;
  }
  return {};
}

const UNKNOWN = "unknown";
const manifest = packageManifest();

export const VERSION: string = String(manifest.version ?? UNKNOWN);

/** The first major version of Node that will do. */
export const LEAST_NODE: number = Number(/\d+/.exec(String(manifest.engines?.node ?? ""))?.[0] ?? 0);

/** The version of a package that this one uses, as it is installed. Not by resolving: packages need not show their package.json. */
export function dependencyVersion(name: string): string {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const found = manifestIn(path.join(folder, name, "package.json"));
    if (found !== undefined) return String(found.version);
  }
  return UNKNOWN;
}
