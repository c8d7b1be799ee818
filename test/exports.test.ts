// What the package shows to the outside: the subpaths of package.json, and the names that each exports. A name that comes,
// goes or changes its spelling changes test/exports.txt, where a reader sees it (vitest -u rewrites it). And what npm packs:
// every file that package.json names, and nothing that only developers need.

import { spawnSync } from "node:child_process";
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

test("npm packs what the exports and the command need, and no more", () => {
  const { exports, bin } = JSON.parse(readFileSync(path.join(top, "package.json"), "utf8"));
  const pack = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: top, encoding: "utf8" });
  const packed = new Set<string>(JSON.parse(pack.stdout)[0].files.map((file: { path: string }) => file.path));
  const exported = Object.values<string>(exports).map((file) => path.normalize(file));
  const typed = exported.filter((file) => file.endsWith(".js")).map((file) => file.replace(/js$/, "d.ts"));
  const commands = Object.values<string>(bin).map((file) => path.normalize(file));
  const others = ["LICENSE", "README.md", "SPEC.md", "fixtures/probe/probe.elf", "dist/fixtures/example.js"];
  expect([...exported, ...typed, ...commands, ...others].filter((file) => !packed.has(file))).toEqual([]);
  expect([...packed].filter((file) => /^(src|test|bench|dist\/bench|\.github)\/|\.map$/.test(file))).toEqual([]);
});
