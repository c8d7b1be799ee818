// What is measured on: generated trees, made when a case wants them and removed in the end.

import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { generateProto } from "../fixtures/generate.ts";
import { random } from "../fixtures/random.ts";

export type TreeName = "proto" | "quadruple" | "small" | "large" | "guard";

const MAKERS: Readonly<Record<TreeName, (directory: string) => void>> = {
  /** The proto area of the article. */
  proto: (directory) => void generateProto(directory, { sizeBytes: 464e6, paths: 37_000 }),
  /** Four times as much of everything. */
  quadruple: (directory) => void generateProto(directory, { sizeBytes: 4 * 464e6, paths: 4 * 37_000 }),
  /** A quarter of it, for a guard that must not take long. */
  guard: (directory) => void generateProto(directory, { sizeBytes: 116e6, paths: 9250 }),
  small: (directory) => smallFiles(directory, 100_000),
  large: (directory) => largeFile(directory, 2 ** 31),
};

/** A tree below `folder`, made unless it is there. */
export function treeAt(folder: string, name: TreeName): string {
  const directory = path.join(folder, name);
  try {
    mkdirSync(directory);
  } catch {
    return directory;
  }
  MAKERS[name](directory);
  return directory;
}

/** A proto area's least, and files of 100 to 2000 bytes, a thousand a directory. */
function smallFiles(directory: string, count: number): void {
  const { below } = random(2);
  const letters = Buffer.from(Array.from({ length: 4096 }, () => 32 + below(90)));
  for (let i = 0; i < count; i++) {
    const folder = path.join(directory, "usr", `d${Math.floor(i / 1000)}`);
    if (i % 1000 === 0) mkdirSync(folder, { recursive: true });
    const length = 100 + below(1900);
    const from = below(letters.length - length);
    writeFileSync(path.join(folder, `file${i}`), letters.subarray(from, from + length));
  }
}

/** One file whose bytes compress to a third, as those of programs do. */
function largeFile(directory: string, sizeBytes: number): void {
  const { below } = random(3);
  const piece = Buffer.alloc(1 << 20);
  const file = openSync(path.join(directory, "large"), "wx");
  try {
    for (let at = 0; at < sizeBytes; at += piece.length) {
      for (let i = 0; i < piece.length; i += 4) piece.writeUInt32LE(below(3) === 0 ? below(2 ** 32) : i & 0xff, i);
      writeSync(file, piece, 0, Math.min(piece.length, sizeBytes - at), at);
    }
    ftruncateSync(file, sizeBytes);
  } finally {
    closeSync(file);
  }
}

/** The path, relative to `tree`, of some file of 20 to 40 KB: one that is changed before a rebuild. */
export function someFile(tree: string): string {
  const found = readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .find((file) => {
      const { size, nlink } = statSync(file);
      return size > 20_000 && size < 40_000 && nlink === 1;
    });
  if (found === undefined) throw new Error(`${tree}: has no file of 20 to 40 KB to change`);
  return path.relative(tree, found);
}
