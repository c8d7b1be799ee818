// Programs of this machine: where they are, and what they say of their version.

import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";

/** Where system administrators' programs are, which is not in everybody's PATH. */
const MORE_FOLDERS = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

/** The program's path, as the shell would find it; undefined when it is not there. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(path.delimiter), ...MORE_FOLDERS].filter(
    (folder) => folder !== "",
  );
  return folders.map((folder) => path.join(folder, name)).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

const PATIENCE_MS = 5000;
const VERSION = /\d+(?:\.\d+)+[\w.+-]*/;

/** The first version number that a program prints when asked so; undefined when it prints none. */
export function programVersion(file: string, words: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = execFile(file, [...words], { timeout: PATIENCE_MS, maxBuffer: 1 << 20 }, (_, stdout, stderr) => {
      resolve(VERSION.exec(`${stdout}\n${stderr}`)?.[0]);
    });
    child.stdin?.end();
  });
}
