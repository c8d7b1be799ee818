// A directory hierarchy of the volume (ECMA-119 6.8): the tree as one volume descriptor shows it, with identifiers
// assigned, records and path table in the standard's order, and deep directories moved if asked (RRIP 4.1.5).
// A volume has one hierarchy for each descriptor; all share the files' data.

import { compareByteStrings, ImageError, toText } from "../bytes/index.ts";
import { type Directory, directory, joinPath, type Node, sortedEntries } from "../tree/index.ts";
import { SELF_IDENTIFIER } from "./format.ts";
import { identifiers, type Named, type NameRules, orderKey } from "./names.ts";

export interface HierarchyRules {
  readonly names: NameRules;
  /** Whether records carry Rock Ridge; without it there are only files and directories. */
  readonly rockRidge: boolean;
  /** Without Rock Ridge: leave out what it alone can express, instead of refusing it. */
  readonly leaveOutSpecials: boolean;
  /** Move directories below the eighth level to one of their own. */
  readonly relocate: boolean;
}

/** One record of a directory, beside those for itself and its parent; one for each section of a big file. */
export interface HierarchyEntry extends Named {
  readonly node: Node;
  identifier: string;
  /** The directory, when the node is one. */
  readonly directory: HierarchyDirectory | undefined;
  /** The directory lies elsewhere, and this record, a file's, only leads to it (CL). */
  readonly isPlaceholder: boolean;
}

function makeEntry(
  name: string,
  path: string,
  node: Node,
  directory?: HierarchyDirectory,
  isPlaceholder = false,
): HierarchyEntry {
  const isDirectory = directory !== undefined && !isPlaceholder;
  return { name, path, node, identifier: "", directory, isPlaceholder, isDirectory };
}

export interface HierarchyDirectory {
  readonly path: string;
  readonly node: Directory;
  readonly level: number;
  /** The directory that holds its record; the root's is the root. */
  readonly parent: HierarchyDirectory;
  /** Where it belongs in the tree, if it was moved. */
  readonly trueParent: HierarchyDirectory | undefined;
  /** The directory that was made to hold those that were moved. */
  readonly isMovedHome: boolean;
  /** Whether this is that directory, or lies in it. */
  readonly isMoved: boolean;
  entries: HierarchyEntry[];
  /** Identifier of its record in the parent, and position in the path table, from 1 (6.9.1). */
  identifier: string;
  number: number;
  /** First block and bytes: known when the volume is laid out. */
  lba: number;
  sizeBytes: number;
}

/** ECMA-119 6.8.2.1 */
export const MAX_LEVEL = 8;
const MOVED_HOME_NAME = "rr_moved";

function makeDirectory(
  path: string,
  node: Directory,
  parent: HierarchyDirectory | undefined,
  more: { trueParent?: HierarchyDirectory; isMovedHome?: boolean } = {},
): HierarchyDirectory {
  const made: Omit<HierarchyDirectory, "parent"> & { parent: HierarchyDirectory | undefined } = {
    path,
    node,
    level: (parent?.level ?? 0) + 1,
    parent,
    trueParent: more.trueParent,
    isMovedHome: more.isMovedHome ?? false,
    isMoved: more.isMovedHome ?? parent?.isMoved ?? false,
    entries: [],
    identifier: SELF_IDENTIFIER,
    number: 1,
    lba: 0,
    sizeBytes: 0,
  };
  made.parent ??= made as HierarchyDirectory;
  return made as HierarchyDirectory;
}

/**
 * The directories of a tree in the order of the path table (6.9.1): by level, then by parent, then by identifier.
 * @throws ImageError "unsupported" for nodes that the rules cannot express
 */
export function buildHierarchy(root: Directory, rules: HierarchyRules): HierarchyDirectory[] {
  const top = structure(root, rules);
  const ordered = [top];
  for (const parent of ordered) {
    assignIdentifiers(parent, rules);
    for (const { directory: child, isPlaceholder, identifier } of parent.entries) {
      if (!child || isPlaceholder) continue;
      child.identifier = identifier;
      ordered.push(child);
      child.number = ordered.length;
    }
  }
  return ordered;
}

/**
 * The order in which directories lie on the volume: the root, those that were moved, the others. libarchive, which reads
 * a volume from its beginning to its end, must meet a moved directory before the record that leads to it.
 */
export function volumeOrder([root, ...directories]: readonly HierarchyDirectory[]): HierarchyDirectory[] {
  const moved = directories.filter(({ isMoved }) => isMoved);
  const others = directories.filter(({ isMoved }) => !isMoved);
  return [...(root ? [root] : []), ...moved, ...others];
}

/** Who holds whom, before anything has an identifier. */
function structure(root: Directory, rules: HierarchyRules): HierarchyDirectory {
  const top = makeDirectory("/", root, undefined);
  let movedHome: HierarchyDirectory | undefined;
  const pending = [top];
  for (const parent of pending) {
    for (const [name, node] of sortedEntries(parent.node)) {
      if (parent.isMovedHome) break;
      const path = joinPath(parent.path, name);
      if (!isExpressible(node, path, rules)) continue;
      if (node.type !== "directory") parent.entries.push(makeEntry(name, path, node));
      else if (!rules.relocate || parent.level < MAX_LEVEL) {
        const child = makeDirectory(path, node, parent);
        parent.entries.push(makeEntry(name, path, node, child));
        pending.push(child);
      } else {
        movedHome ??= addMovedHome(top);
        const child = makeDirectory(path, node, movedHome, { trueParent: parent });
        movedHome.entries.push(makeEntry(name, path, node, child));
        parent.entries.push(makeEntry(name, path, node, child, true));
        pending.push(child);
      }
    }
  }
  return top;
}

function addMovedHome(top: HierarchyDirectory): HierarchyDirectory {
  let name = MOVED_HOME_NAME;
  while (top.node.entries.has(name)) name += "_";
  const node = directory({ ...top.node, mode: 0o755 });
  const home = makeDirectory(joinPath("/", name), node, top, { isMovedHome: true });
  top.entries.push(makeEntry(name, home.path, node, home));
  return home;
}

function isExpressible(node: Node, path: string, rules: HierarchyRules): boolean {
  if (node.type === "directory" || node.type === "file") return true;
  if (rules.leaveOutSpecials) return false;
  if (node.type === "socket") {
    throw new ImageError("unsupported", `${toText(path)}: a socket has no place on a CD; leave it out`, { path });
  }
  if (rules.rockRidge) return true;
  const message = `${toText(path)}: a ${node.type} needs Rock Ridge; turn it on or leave the path out`;
  throw new ImageError("unsupported", message, { path });
}

function assignIdentifiers(parent: HierarchyDirectory, { names }: HierarchyRules): void {
  const assigned = identifiers(parent.entries, names);
  const keyed = parent.entries.map((entry, i) => {
    entry.identifier = assigned[i] ?? "";
    return { entry, key: orderKey(entry.identifier, names.characters === "ucs2") };
  });
  keyed.sort((a, b) => compareByteStrings(a.key, b.key));
  parent.entries = keyed.map(({ entry }) => entry);
}
