// Edits to a tree. A draft copies a directory when it is first written to; `tree()` gives the new tree and shares all
// that was not touched. The tree that the draft began with never changes.

import { ImageError } from "../bytes/index.ts";
import { type Attributes, type Directory, directory, type Node } from "./node.ts";
import { baseName, joinPath, normalizePath, parentPath, splitPath } from "./path.ts";
import { lookup, sortedEntries, walk } from "./walk.ts";

export interface Draft {
  /** The tree as it stands now. */
  tree(): Directory;
  get(path: string): Node | undefined;
  /**
   * Puts a node at `path` in place of what was there. Missing parents are made with `parentAttributes`.
   * @throws ImageError "wrong-type" when a parent is no directory; "not-found" when one is missing and may not be made
   */
  put(path: string, node: Node, parentAttributes?: Attributes): void;
  /** Removes a path and all below it. Returns whether it was there. */
  remove(path: string): boolean;
}

interface MutableDirectory {
  readonly source: Directory;
  readonly entries: Map<string, Node | MutableDirectory>;
}

const isMutable = (node: Node | MutableDirectory): node is MutableDirectory => "source" in node;
const open = (source: Directory): MutableDirectory => ({ source, entries: new Map(source.entries) });

function freeze(mutable: MutableDirectory): Directory {
  const entries = new Map<string, Node>();
  for (const [name, node] of mutable.entries) entries.set(name, isMutable(node) ? freeze(node) : node);
  return directory(mutable.source, entries);
}

/** Begins editing. */
export function draft(start: Directory): Draft {
  let frozen: Directory = start;
  let root: MutableDirectory | undefined;

  const descend = (names: string[], path: string, parentAttributes: Attributes | undefined): MutableDirectory => {
    root ??= open(frozen);
    let at = root;
    for (const name of names) {
      let child = at.entries.get(name);
      if (child === undefined) {
        if (!parentAttributes) throw new ImageError("not-found", `${path}: its parent directory is missing`, { path });
        child = directory(parentAttributes);
      }
      if (!isMutable(child)) {
        if (child.type !== "directory") {
          throw new ImageError(
            "wrong-type",
            `${path}: "${name}" on the way there is a ${child.type}, not a directory`,
            { path },
          );
        }
        child = open(child);
        at.entries.set(name, child);
      }
      at = child;
    }
    return at;
  };
  const tree = (): Directory => {
    if (root) {
      frozen = freeze(root);
      root = undefined;
    }
    return frozen;
  };
  const get = (path: string): Node | undefined => {
    if (!root) return lookup(frozen, path);
    let at: Node | MutableDirectory | undefined = root;
    for (const name of splitPath(path)) {
      if (at === undefined) return undefined;
      if (!isMutable(at) && at.type !== "directory") return undefined;
      at = at.entries.get(name);
    }
    return at && isMutable(at) ? freeze(at) : at;
  };

  return {
    tree,
    get,
    put(path, node, parentAttributes) {
      const names = splitPath(path);
      const name = names.pop();
      if (name === undefined) {
        if (node.type !== "directory") throw new ImageError("wrong-type", "/: the root must be a directory", { path });
        frozen = node;
        root = undefined;
        return;
      }
      descend(names, path, parentAttributes).entries.set(name, node);
    },
    remove(path) {
      if (get(path) === undefined) return false;
      const normal = normalizePath(path);
      if (normal === "/") throw new ImageError("invalid-argument", "/: the root cannot be removed", { path });
      return descend(splitPath(parentPath(normal)), path, undefined).entries.delete(baseName(normal));
    },
  };
}

/**
 * A new tree with every node passed through `change`, children before their directory. A node with several names is passed
 * once, with the first of its paths, so that hard links stay hard links.
 */
export function mapTree(root: Directory, change: (node: Node, path: string) => Node): Directory {
  const done = new Map<Node, Node>();
  const visit = (node: Node, path: string): Node => {
    if (node.type !== "directory") {
      const known = done.get(node);
      if (known !== undefined) return known;
      const changed = change(node, path);
      done.set(node, changed);
      return changed;
    }
    const entries = sortedEntries(node).map(([name, child]): [string, Node] => [
      name,
      visit(child, joinPath(path, name)),
    ]);
    const same = entries.every(([name, child]) => node.entries.get(name) === child);
    return change(same ? node : directory(node, new Map(entries)), path);
  };
  const changed = visit(root, "/");
  if (changed.type !== "directory")
    throw new ImageError("wrong-type", "/: the root must stay a directory", { path: "/" });
  return changed;
}

/** A new tree without the paths that `drop` says, and all below them. Other names of the same node stay. */
export function prune(root: Directory, drop: (path: string, node: Node) => boolean): Directory {
  const visit = (at: Directory, path: string): Directory => {
    const entries = new Map<string, Node>();
    let same = true;
    for (const [name, child] of at.entries) {
      const childPath = joinPath(path, name);
      if (drop(childPath, child)) {
        same = false;
        continue;
      }
      const kept = child.type === "directory" ? visit(child, childPath) : child;
      entries.set(name, kept);
      same &&= kept === child;
    }
    return same ? at : directory(at, entries);
  };
  return visit(root, "/");
}

export interface Merged {
  readonly tree: Directory;
  /** Paths whose node of a lower layer was replaced by one of a higher layer (directories that merge are not among them). */
  readonly overridden: readonly string[];
  /** Those of them where one of the two is a directory: a directory over a symbolic link hides all that the link led to. */
  readonly retyped: readonly string[];
}

/**
 * Layers laid over each other, later over earlier: directories merge (attributes of the later), all else is replaced.
 */
export function mergeTrees(layers: readonly [Directory, ...Directory[]]): Merged {
  const overridden: string[] = [];
  const retyped: string[] = [];
  const overlay = (lower: Directory, upper: Directory, path: string): Directory => {
    const entries = new Map(lower.entries);
    for (const [name, node] of upper.entries) {
      const below = entries.get(name);
      const at = joinPath(path, name);
      if (below?.type === "directory" && node.type === "directory") entries.set(name, overlay(below, node, at));
      else {
        if (below !== undefined) overridden.push(at);
        if (below !== undefined && (below.type === "directory" || node.type === "directory")) retyped.push(at);
        entries.set(name, node);
      }
    }
    return directory(upper, entries);
  };
  const [first, ...rest] = layers;
  const tree = rest.reduce((lower, upper) => overlay(lower, upper, "/"), first);
  return { tree, overridden: overridden.sort(), retyped: retyped.sort() };
}

/** A tree from paths and nodes; missing parents are made with `parentAttributes`. */
export function treeOf(nodes: Iterable<readonly [string, Node]>, parentAttributes: Attributes): Directory {
  const edit = draft(directory(parentAttributes));
  for (const [path, node] of nodes) edit.put(path, node, parentAttributes);
  return edit.tree();
}

/** Every path of a tree, in walking order. */
export function pathsOf(root: Directory): string[] {
  return Array.from(walk(root), ({ path }) => path);
}
