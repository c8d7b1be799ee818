// What the package shows to the outside: the subpaths of package.json, and the names that each exports. A name that comes,
// goes or changes its spelling changes test/exports.txt, where a reader sees it (vitest -u rewrites it).

import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const top = path.resolve(import.meta.dirname, "..");

test("public names are those of test/exports.txt", async () => {
  const manifest: { exports: Record<string, string> } = JSON.parse(
    readFileSync(path.join(top, "package.json"), "utf8"),
  );
  const lines: string[] = [];
  for (const [subpath, file] of Object.entries(manifest.exports)) {
    if (!file.endsWith(".js")) continue;
    const source = path.join(top, file.replace(/^\.\/dist\//, "").replace(/\.js$/, ".ts"));
    const module: Record<string, unknown> = await import(source);
    lines.push(`pureboot${subpath.slice(1)}: ${Object.keys(module).sort().join(" ")}`);
  }
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("exports.txt");
});
