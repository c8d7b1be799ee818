// src/node as JavaScript, for what runs outside of the test runner: threads and child processes.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const top = path.resolve(import.meta.dirname, "../..");

export interface Compiled {
  /** The compiled form of src/node/NAME.ts. */
  file(name: string): string;
  remove(): void;
}

/** Compiles src/node and what it needs to a directory of its own below `dist`, where `pako` and package.json are found. */
export function compileNodeRoom(): Compiled {
  mkdirSync(path.join(top, "dist"), { recursive: true });
  const directory = mkdtempSync(path.join(top, "dist/test-"));
  const config = path.join(directory, "tsconfig.json");
  const compilerOptions = { rootDir: top, outDir: directory, declaration: false, sourceMap: false, noCheck: true };
  writeFileSync(
    config,
    JSON.stringify({
      extends: path.join(top, "tsconfig.json"),
      compilerOptions,
      include: [path.join(top, "src/node")],
    }),
  );
  execFileSync(process.execPath, [path.join(top, "node_modules/typescript/bin/tsc"), "-p", config]);
  return {
    file: (name) => path.join(directory, "src/node", `${name}.js`),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
