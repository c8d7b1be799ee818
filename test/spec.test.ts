// SPEC.md holds the table of every declared structure, as declared: `<!-- struct ROOM/NAME -->` … `<!-- /struct -->`.
// UPDATE_SPEC=1 rewrites the tables in place.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type Fields, type Struct, structTable } from "../src/bytes/index.ts";

const top = path.resolve(import.meta.dirname, "..");
const specFile = path.join(top, "SPEC.md");
const MARKED = /<!-- struct (\S+?)\/(.+?) -->\n[\s\S]*?<!-- \/struct -->/g;

function isStruct(value: unknown): value is Struct<Fields> {
  return typeof value === "object" && value !== null && "fields" in value && "decode" in value && "sizeBytes" in value;
}

/** Every declared structure, by "room/name". Structures are declared in files named format*.ts, or exported by them. */
async function declaredStructs(): Promise<Map<string, Struct<Fields>>> {
  const found = new Map<string, Struct<Fields>>();
  for (const entry of readdirSync(path.join(top, "src"), { recursive: true, withFileTypes: true })) {
    if (!/^format[-a-z0-9]*\.ts$/.test(entry.name)) continue;
    const module: Record<string, unknown> = await import(path.join(entry.parentPath, entry.name));
    const room = path.basename(entry.parentPath);
    for (const value of Object.values(module)) if (isStruct(value)) found.set(`${room}/${value.name}`, value);
  }
  return found;
}

test("SPEC.md shows every declared structure as it is declared", async () => {
  const structs = await declaredStructs();
  const spec = readFileSync(specFile, "utf8");
  const shown = new Set<string>();
  const expected = spec.replace(MARKED, (_, room: string, name: string) => {
    shown.add(`${room}/${name}`);
    const declared = structs.get(`${room}/${name}`);
    return `<!-- struct ${room}/${name} -->\n${declared ? structTable(declared) : "no such structure"}\n<!-- /struct -->`;
  });
  if (process.env["UPDATE_SPEC"]) writeFileSync(specFile, expected);
  else expect(spec).toBe(expected);
  expect([...shown].filter((key) => !structs.has(key))).toEqual([]);
  expect([...structs.keys()].filter((key) => !shown.has(key))).toEqual([]);
});
