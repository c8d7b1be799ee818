// Keeping only what a list names: the opposite of --remove, for small images. The lists are those of mvix.sh: `*.files`
// name files (or whole directories) to keep, `*.dirs` name directories that are kept, or made, empty. Only the top-level
// directories that a list speaks of are thinned; a list of usr and lib leaves etc and kernel alone.

import { type Attributes, type Directory, directory, draft, lookup, prune, splitPath, walk } from "../tree/index.ts";

export interface KeepList {
  /** Paths without globs, byte strings. */
  readonly files: readonly string[];
  readonly dirs: readonly string[];
}

export interface Kept {
  readonly tree: Directory;
  /** Paths that stayed below the thinned directories. */
  readonly matched: number;
  /** Names in the list of which the tree has nothing, in words. */
  readonly unmatched: readonly string[];
}

/** Names a line or several a line, `#` begins a comment line. */
export function parseKeepList(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .flatMap((line) => line.split(/\s+/))
    .filter((name) => name !== "");
}

/** @param fresh attributes of directories that are made */
export function keepOnly(tree: Directory, { files, dirs }: KeepList, fresh: Attributes): Kept {
  const canonical = (name: string): string => `/${splitPath(name).join("/")}`;
  const wanted = new Set(files.map(canonical));
  const ways = new Set<string>();
  const thinned = new Set<string>();
  for (const path of [...wanted, ...dirs.map(canonical)]) {
    const names = splitPath(path);
    thinned.add(`/${names[0] ?? ""}`);
    names.forEach((_, i) => {
      ways.add(`/${names.slice(0, i + 1).join("/")}`);
    });
  }
  const isBelowWanted = (path: string): boolean => {
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1))
      if (wanted.has(path.slice(0, end))) return true;
    return false;
  };
  const isThinned = (path: string): boolean => thinned.has(path.slice(0, `${path}/`.indexOf("/", 1)));
  const kept = prune(tree, (path) => isThinned(path) && !ways.has(path) && !isBelowWanted(path));

  const edit = draft(kept);
  for (const dir of dirs.map(canonical)) {
    if (edit.get(dir) === undefined) edit.put(dir, directory({ ...fresh, mode: 0o755 }), { ...fresh, mode: 0o755 });
  }
  const result = edit.tree();
  let matched = 0;
  for (const { path } of walk(result)) if (path !== "/" && isThinned(path)) matched++;
  const lost = [...wanted].filter((path) => lookup(tree, path) === undefined);
  return { tree: result, matched, unmatched: lost.map((path) => `${path}: not there`) };
}
