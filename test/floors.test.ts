// The house has floors: a room imports only from floors below its own, rooms on one floor do not know each other,
// and `node:` (whatever is not plain ECMAScript) stays in src/node and src/cli, so that the rest runs in a browser.

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const FLOORS: readonly (readonly string[])[] = [
  ["bytes"],
  ["tree", "layout"],
  ["ufs", "iso9660-writer-ts", "fat", "disk", "gzip"],
  ["illumos"],
  ["source"],
  ["image", "inspect"],
  ["node"],
  ["cli"],
];
const ROOMS_WITH_NODE = new Set(["node", "cli"]);
/** Packages that a room outside of `node` and `cli` may use: they run in any JavaScript runtime. */
const PURE_PACKAGES = new Set(["pako", "picomatch"]);

const src = path.resolve(import.meta.dirname, "../src");
const floorOf = (room: string): number => FLOORS.findIndex((rooms) => rooms.includes(room));

function sourceFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^\s*import\s+|\bnew URL\(\s*)["']([^"']+)["']/gm)].map(
    (m) => m[1] ?? "",
  );
}

/** What is wrong with one import, or undefined. */
function complaint(file: string, imported: string): string | undefined {
  const room = path.relative(src, file).split(path.sep)[0] ?? "";
  if (room === "index.ts") return undefined; // the package root shows the main job of every floor
  const where = `${path.relative(src, file)} imports ${imported}`;
  if (!imported.startsWith(".")) {
    if (ROOMS_WITH_NODE.has(room) || PURE_PACKAGES.has(imported)) return undefined;
    return `${where}: only ${[...ROOMS_WITH_NODE].join(" and ")} may`;
  }
  const other = path.relative(src, path.resolve(path.dirname(file), imported)).split(path.sep)[0] ?? "";
  if (other === room) return undefined;
  if (other === "..") return room === "cli" ? undefined : `${where}: outside of src`;
  if (floorOf(other) === -1) return `${where}: no such room`;
  return floorOf(other) < floorOf(room) ? undefined : `${where}: floor ${floorOf(other)} is not below ${floorOf(room)}`;
}

describe("floors", () => {
  test("every room stands on a floor", () => {
    const rooms = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(rooms.map(({ name }) => name).filter((name) => floorOf(name) === -1)).toEqual([]);
  });

  test("imports go downward only", () => {
    const wrong = sourceFiles(src).flatMap((file) => importsOf(file).map((imported) => complaint(file, imported)));
    expect(wrong.filter((text) => text !== undefined)).toEqual([]);
  });

  test("the check itself sees a wrong import", () => {
    expect(complaint(path.join(src, "bytes/x.ts"), "../tree/index.ts")).toMatch(/not below/);
    expect(complaint(path.join(src, "ufs/x.ts"), "../gzip/index.ts")).toMatch(/not below/);
    expect(complaint(path.join(src, "ufs/x.ts"), "node:fs")).toMatch(/only node and cli/);
    expect(complaint(path.join(src, "cli/x.ts"), "node:fs")).toBeUndefined();
  });
});
