// Going through a tree: always in bytewise order of names, so that no output depends on the order of a directory on disk.

import { compareByteStrings, ImageError } from "../bytes/index.ts";
import type { Directory, File, Node } from "./node.ts";
import { joinPath, splitPath } from "./path.ts";

export interface Visit {
  readonly path: string;
  readonly node: Node;
}

/** Trees do not change and are walked many times: each directory is sorted once. */
const sorted = new WeakMap<Directory["entries"], readonly string[]>();

/** Names in one directory in bytewise order. */
export function sortedNames({ entries }: Directory): readonly string[] {
  const known = sorted.get(entries);
  if (known) return known;
  const names = [...entries.keys()].sort(compareByteStrings);
  sorted.set(entries, names);
  return names;
}

/** Entries of one directory in bytewise order of names. */
export function sortedEntries(directory: Directory): (readonly [name: string, node: Node])[] {
  return sortedNames(directory).map((name) => [name, directory.entries.get(name) as Node]); // it is one of its names
}

/**
 * Every path with its node, parents before children, names in bytewise order. Starts with `path` itself. Without recursion:
 * an image may hold directories deeper than any call stack.
 */
export function* walk(node: Node, path = "/"): Generator<Visit> {
  const pending: Visit[] = [{ path, node }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    yield next;
    if (next.node.type !== "directory") continue;
    const names = sortedNames(next.node);
    for (let i = names.length - 1; i >= 0; i--) {
      const name = names[i] as string; // 0 <= i < length, and so it is one of the entries
      pending.push({ path: joinPath(next.path, name), node: next.node.entries.get(name) as Node });
    }
  }
}

/** Calls `visit` for each node, once a path, in no order: several times as fast as `walk`, which knows paths. */
export function forEachNode(root: Node, visit: (node: Node) => void): void {
  const pending: Node[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    visit(node);
    if (node.type === "directory") for (const child of node.entries.values()) pending.push(child);
  }
}

/** Whether any node is as `test` says. */
export function someNode(root: Node, test: (node: Node) => boolean): boolean {
  let found = false;
  forEachNode(root, (node) => {
    found ||= test(node);
  });
  return found;
}

/** The node at `path`, or undefined. Symbolic links are not followed. */
export function lookup(root: Directory, path: string): Node | undefined {
  let node: Node | undefined = root;
  for (const name of splitPath(path)) {
    if (node?.type !== "directory") return undefined;
    node = node.entries.get(name);
  }
  return node;
}

export const MAX_SYMLINKS_FOLLOWED = 40;

/**
 * The node at `path` with symbolic links followed as the kernel would, inside the tree (".." of the root is the root).
 * Undefined where nothing is there, or where links loop.
 */
export function resolve(root: Directory, path: string): { path: string; node: Node } | undefined {
  const pending = path.split("/").reverse();
  const names: string[] = [];
  const parents: Directory[] = [root];
  let followed = 0;
  let leaf: Node = root;
  while (pending.length > 0) {
    const name = pending.pop() ?? "";
    if (name === "" || name === ".") continue;
    if (leaf.type !== "directory") return undefined;
    if (name === "..") {
      if (parents.length > 1) {
        parents.pop();
        names.pop();
      }
      leaf = parents[parents.length - 1] ?? root;
      continue;
    }
    const child: Node | undefined = leaf.entries.get(name);
    if (child === undefined) return undefined;
    if (child.type === "symlink") {
      if (++followed > MAX_SYMLINKS_FOLLOWED) return undefined;
      if (child.target.startsWith("/")) {
        parents.length = 1;
        names.length = 0;
        leaf = root;
      }
      pending.push(...child.target.split("/").reverse());
      continue;
    }
    names.push(name);
    if (child.type === "directory") parents.push(child);
    leaf = child;
  }
  return { path: `/${names.join("/")}`, node: leaf };
}

/** The regular file that `path` leads to (links followed), or undefined when there is no such file. */
export function findFile(root: Directory, path: string): File | undefined {
  const found = resolve(root, path)?.node;
  return found?.type === "file" ? found : undefined;
}

/** @throws ImageError "not-found" */
export function mustLookup(root: Directory, path: string): Node {
  const node = lookup(root, path);
  if (node === undefined) throw new ImageError("not-found", `${path}: no such path`, { path });
  return node;
}

/** What a tree holds, counted. Hard links count once as an inode and each time as a path. */
export interface TreeSummary {
  readonly paths: number;
  readonly inodes: number;
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly others: number;
  /** Names beyond the first of inodes that have several. */
  readonly hardLinks: number;
  readonly contentBytes: number;
  readonly newestMtimeSeconds: number;
}

/** Of trees that are there: several parts of a build ask for the same. */
const summaries = new WeakMap<Directory, TreeSummary>();

export function summarize(root: Directory): TreeSummary {
  const known = summaries.get(root);
  if (known) return known;
  const summary = count(root);
  summaries.set(root, summary);
  return summary;
}

function count(root: Directory): TreeSummary {
  const seen = new Set<Node>();
  const counts = { paths: 0, files: 0, directories: 0, symlinks: 0, others: 0, hardLinks: 0, contentBytes: 0 };
  let newestMtimeSeconds = Number.NEGATIVE_INFINITY;
  forEachNode(root, (node) => {
    counts.paths++;
    if (node.type !== "directory") {
      if (seen.has(node)) {
        counts.hardLinks++;
        return;
      }
      seen.add(node);
    }
    newestMtimeSeconds = Math.max(newestMtimeSeconds, node.mtimeSeconds);
    if (node.type === "file") {
      counts.files++;
      counts.contentBytes += node.content.sizeBytes;
    } else if (node.type === "directory") counts.directories++;
    else if (node.type === "symlink") counts.symlinks++;
    else counts.others++;
  });
  return { ...counts, inodes: counts.paths - counts.hardLinks, newestMtimeSeconds };
}
