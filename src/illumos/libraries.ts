// Libraries that programs of a tree need and that the runtime linker would not find in it.
// Source: ld.so.1(1); Linker and Libraries Guide, "Directories searched by the runtime linker", "Dynamic string tokens".

import { ImageError } from "../bytes/index.ts";
import { baseName, type Directory, type File, parentPath, resolve, walk } from "../tree/index.ts";
import { type ElfFile, readElf } from "./elf.ts";
import { ET_DYN, ET_EXEC } from "./format-elf.ts";

export interface MissingLibrary {
  /** The program or library that needs it. */
  readonly path: string;
  /** "libxml2.so.2", or the path of an interpreter. */
  readonly needs: string;
  /** Directories, in the order searched, tokens replaced. */
  readonly searched: readonly string[];
}

export interface LibraryReport {
  /** Programs and libraries that were looked at. */
  readonly checked: number;
  /** By path, then in the order that the file names them. */
  readonly missing: readonly MissingLibrary[];
  /** Files that begin as ELF does and cannot be read. */
  readonly damaged: readonly { readonly path: string; readonly reason: string }[];
}

const DEFAULT_DIRECTORIES = { 32: ["/lib", "/usr/lib"], 64: ["/lib/64", "/usr/lib/64"] } as const;

/** What tokens in a run path stand for on x86. $ORIGIN is the directory of the file itself. */
const TOKENS: Readonly<Record<string, readonly string[]>> = {
  ISALIST: ["amd64", "i386", "i86"],
  OSNAME: ["SunOS"],
  OSREL: ["5.11"],
  PLATFORM: ["i86pc"],
  MACHINE: ["i86pc"],
};
/** Token lists multiply. */
const MAX_DIRECTORIES = 64;

/** Kernel modules and boot programs: other linkers, other rules. */
const NOT_USERLAND = /^\/(?:boot\/|(?:platform\/[^/]+\/|usr\/)?kernel\/|usr\/platform\/[^/]+\/kernel\/)/;
const SHARED_OBJECT_NAME = /\.so(?:\.|$)/;
const MAX_READS_AT_ONCE = 16;

interface Program {
  readonly path: string;
  readonly elf: ElfFile;
}

/**
 * Looks at every file that may be executed or is named like a shared object.
 * @throws ImageError only what reading the tree's contents throws ("input-missing" …)
 */
export async function checkLibraries(tree: Directory): Promise<LibraryReport> {
  const candidates: { path: string; file: File }[] = [];
  for (const { path, node } of walk(tree)) {
    if (node.type !== "file" || NOT_USERLAND.test(path)) continue;
    if ((node.mode & 0o111) !== 0 || SHARED_OBJECT_NAME.test(baseName(path))) candidates.push({ path, file: node });
  }
  const elves = new Map<File, ElfFile>();
  const programs: Program[] = [];
  const damaged: { path: string; reason: string }[] = [];
  for (let from = 0; from < candidates.length; from += MAX_READS_AT_ONCE) {
    const batch = candidates.slice(from, from + MAX_READS_AT_ONCE);
    const read = await Promise.all(batch.map(({ file }) => readElf(file.content).catch(damageOf)));
    for (const [i, result] of read.entries()) {
      const candidate = batch[i];
      if (candidate === undefined || result === undefined) continue;
      if (result instanceof ImageError) {
        if (result.code !== "unsupported") damaged.push({ path: candidate.path, reason: result.message });
        continue;
      }
      elves.set(candidate.file, result);
      if (isUserProgram(result)) programs.push({ path: candidate.path, elf: result });
    }
  }
  return { checked: programs.length, missing: programs.flatMap((program) => missingOf(program, tree, elves)), damaged };
}

const DAMAGE: ReadonlySet<string> = new Set(["bad-format", "truncated", "limit", "unsupported"]);

/** An error that speaks of the file's bytes is a result; one that speaks of reading them ends the check. */
function damageOf(error: unknown): ImageError {
  if (error instanceof ImageError && DAMAGE.has(error.code)) return error;
  throw error;
}

/** Programs and libraries; the kernel's own (unix) name an interpreter that is no absolute path. */
function isUserProgram({ type, interpreter }: ElfFile): boolean {
  return (type === ET_EXEC || type === ET_DYN) && (interpreter === undefined || interpreter.startsWith("/"));
}

function missingOf({ path, elf }: Program, tree: Directory, elves: ReadonlyMap<File, ElfFile>): MissingLibrary[] {
  const missing: MissingLibrary[] = [];
  if (elf.interpreter !== undefined && !isThere(elf.interpreter, elf, tree, elves)) {
    missing.push({ path, needs: elf.interpreter, searched: [parentPath(elf.interpreter)] });
  }
  const defaults = elf.noDefaultDirectories ? [] : DEFAULT_DIRECTORIES[elf.bits];
  const searched = [...new Set([...elf.runpath.flatMap((directory) => withoutTokens(directory, path)), ...defaults])];
  for (const needs of elf.needed) {
    // A name with a slash is a path; one that is not absolute depends on where the program is started.
    const places = needs.includes("/")
      ? withoutTokens(needs, path)
      : searched.map((directory) => `${directory}/${needs}`);
    if (!places.some((place) => isThere(place, elf, tree, elves))) {
      missing.push({ path, needs, searched: needs.includes("/") ? places.map(parentPath) : searched });
    }
  }
  return missing;
}

/** Whether the linker would take what is there: a file of the same class and machine. Links are followed. */
function isThere(
  place: string,
  { bits, machine }: ElfFile,
  tree: Directory,
  elves: ReadonlyMap<File, ElfFile>,
): boolean {
  const found = resolve(tree, place)?.node;
  if (found?.type !== "file") return false;
  const library = elves.get(found);
  return library === undefined || (library.bits === bits && library.machine === machine);
}

/** A directory with its tokens replaced, `$ORIGIN` and `${ORIGIN}`; a token with several values gives several directories. */
function withoutTokens(directory: string, path: string): string[] {
  let texts = [""];
  for (const part of directory.split(/(\$\{[A-Z]+\}|\$[A-Z]+)/)) {
    const token = /^\$\{?([A-Z]+)\}?$/.exec(part)?.[1];
    const values = token === "ORIGIN" ? [parentPath(path)] : (TOKENS[token ?? ""] ?? [part]);
    texts = texts.flatMap((text) => values.map((value) => text + value)).slice(0, MAX_DIRECTORIES);
  }
  return texts.map((text) => text.replace(/(?<=.)\/+$/, ""));
}
