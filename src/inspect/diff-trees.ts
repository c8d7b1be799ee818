// How two trees differ, path by path. Contents are compared only where everything else about a file allows that they are equal.

import type { Content } from "../bytes/index.ts";
import { type Directory, joinPath, type Node, sortedEntries, walk } from "../tree/index.ts";
import type { TreeLayer } from "./layer.ts";
import { firstDifference } from "./same-content.ts";

export type Aspect = "type" | "content" | "mode" | "owner" | "time" | "target" | "device" | "links";

export interface Change {
  readonly aspect: Aspect;
  /** Of contents: sizes in bytes. */
  readonly before: string | number;
  readonly after: string | number;
  /** Of contents of the same size, and of others where they agree for a while: the first byte that differs. */
  readonly firstDifference?: number | undefined;
}

export interface PathDifference {
  /** Through the layers, a byte string. */
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  /** Of what was added or removed. */
  readonly type?: Node["type"] | undefined;
  readonly sizeBytes?: number | undefined;
  /** Of what changed. */
  readonly changes: readonly Change[];
}

/** What the formats of two trees both know, so that it can be compared. */
export interface Comparable {
  /** Modes and owners. */
  readonly permissions: boolean;
  readonly hardLinks: boolean;
  /** Times that differ by less than this are equal: FAT knows even seconds only. */
  readonly timeUnitSeconds: number;
}

export function comparable(a: TreeLayer, b: TreeLayer): Comparable {
  const layers = [a, b];
  const isRough = layers.some(
    (layer) => layer.kind === "fat" || layer.kind === "disk" || (layer.kind === "iso" && !hasRockRidge(layer)),
  );
  const tellsLinks = layers.every(({ kind }) => kind !== "iso") || layers.every(({ kind }) => kind === "iso");
  return {
    permissions: !isRough,
    hardLinks: !isRough && tellsLinks,
    timeUnitSeconds: layers.some(({ kind }) => kind === "fat") ? 2 : 1,
  };
}

function hasRockRidge(layer: TreeLayer): boolean {
  return layer.kind === "iso" && layer.iso.nameSources.includes("rock-ridge");
}

/** Compares what is inside of two files that differ, if both are images. Undefined: they are not. */
export type CompareInside = (a: Content, b: Content, path: string) => Promise<boolean>;

/**
 * Compares two trees, in the order of a walk.
 * @param prefix before every path
 * @param inside gets files whose contents differ; where it returns true, that they differ is not told
 */
export async function* diffTrees(
  a: Directory,
  b: Directory,
  rules: Comparable,
  prefix: string,
  inside: CompareInside,
): AsyncGenerator<PathDifference> {
  const links = rules.hardLinks ? { a: firstNames(a), b: firstNames(b) } : undefined;
  const pending: { path: string; a: Node | undefined; b: Node | undefined }[] = [{ path: "/", a, b }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { path } = next;
    const shown = path === "/" ? prefix || "/" : prefix + path;
    if (next.a === undefined || next.b === undefined) {
      const node = next.a ?? next.b;
      if (node === undefined) continue;
      const kind = next.a === undefined ? "added" : "removed";
      for (const { path: below, node: one } of walk(node, path)) {
        const sizeBytes = one.type === "file" ? one.content.sizeBytes : undefined;
        yield { path: prefix + below, kind, type: one.type, sizeBytes, changes: [] };
      }
      continue;
    }
    const changes = attributeChanges(next.a, next.b, rules);
    if (links) changes.push(...linkChanges(links, next.a, next.b));
    if (next.a.type === "file" && next.b.type === "file") {
      const change = await contentChange(next.a.content, next.b.content);
      if (change && !(await inside(next.a.content, next.b.content, shown))) changes.unshift(change);
    }
    if (changes.length > 0) yield { path: shown, kind: "changed", changes };
    if (next.a.type === "directory" && next.b.type === "directory") {
      pending.push(...pairs(next.a, next.b, path).reverse());
    }
  }
}

/** The entries of two directories, those of one name together. */
function pairs(a: Directory, b: Directory, path: string): { path: string; a: Node | undefined; b: Node | undefined }[] {
  const all = new Map([...sortedEntries(a), ...sortedEntries(b)]);
  return [...all.keys()].sort().map((name) => ({
    path: joinPath(path, name),
    a: a.entries.get(name),
    b: b.entries.get(name),
  }));
}

function attributeChanges(a: Node, b: Node, { permissions, timeUnitSeconds }: Comparable): Change[] {
  const changes: Change[] = [];
  const compare = (aspect: Aspect, before: string | number, after: string | number): void => {
    if (before !== after) changes.push({ aspect, before, after });
  };
  compare("type", a.type, b.type);
  if (permissions) {
    // What a symbolic link's mode is, systems do not agree on; it means nothing.
    if (a.type !== "symlink" || b.type !== "symlink") compare("mode", octal(a.mode), octal(b.mode));
    compare("owner", `${a.uid}:${a.gid}`, `${b.uid}:${b.gid}`);
  }
  if (Math.abs(a.mtimeSeconds - b.mtimeSeconds) >= timeUnitSeconds) compare("time", a.mtimeSeconds, b.mtimeSeconds);
  if (a.type === "symlink" && b.type === "symlink") compare("target", a.target, b.target);
  compare("device", deviceText(a), deviceText(b));
  return changes;
}

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

function deviceText(node: Node): string {
  return node.type === "character" || node.type === "block" ? `${node.major},${node.minor}` : "";
}

async function contentChange(a: Content, b: Content): Promise<Change | undefined> {
  const first = a === b ? undefined : await firstDifference(a, b);
  if (first === undefined) return undefined;
  const isPrefix = first === Math.min(a.sizeBytes, b.sizeBytes);
  return {
    aspect: "content",
    before: a.sizeBytes,
    after: b.sizeBytes,
    firstDifference: isPrefix ? undefined : first,
  };
}

/** The first path of every inode with several names. */
function firstNames(tree: Directory): ReadonlyMap<Node, string> {
  const first = new Map<Node, string>();
  const several = new Map<Node, string>();
  for (const { path, node } of walk(tree)) {
    if (node.type === "directory") continue;
    const before = first.get(node);
    if (before === undefined) first.set(node, path);
    else several.set(node, before);
  }
  return several;
}

type FirstNames = ReadonlyMap<Node, string>;

function linkChanges({ a: linksA, b: linksB }: { a: FirstNames; b: FirstNames }, a: Node, b: Node): Change[] {
  const before = linksA.get(a) ?? "";
  const after = linksB.get(b) ?? "";
  return before === after ? [] : [{ aspect: "links", before, after }];
}
