// From a tree to inode numbers: the root is 2, lost+found 3, then the tree in walking order (parents before children,
// names bytewise). Hard links share a number. All limits of names, links and sizes that the format has are checked here.

import { fnv1a, fnv1aBegin, ImageError } from "../bytes/index.ts";
import { checkName, type Directory, directory, forEachNode, type Node, sortedNames } from "../tree/index.ts";
import { MAXLINK, MAXNAMLEN, MAXPATHLEN, UFS_MAXOFFSET_T, UFSROOTINO } from "./format.ts";
import { encodeDevice } from "./inode.ts";

export const LOST_FOUND = "lost+found";

export interface Numbering {
  /** By inode number; 0 and 1 are not used. */
  readonly nodes: readonly (Node | undefined)[];
  /** The first path of each inode. */
  readonly paths: readonly string[];
  /** fnv1a of these. */
  readonly pathHashes: Uint32Array;
  readonly links: Int32Array;
  /** Of directories: the inode of "..". */
  readonly parents: Int32Array;
  /** Of a directory: names and inodes, in the order in which they are stored. */
  entriesOf(inode: number): DirectoryEntry[];
  /** The same names alone. */
  namesOf(inode: number): readonly string[];
}

export interface DirectoryEntry {
  readonly name: string;
  readonly inode: number;
}

/**
 * The tree with lost+found as newfs makes it, or with its own where it has one.
 * @throws ImageError "conflict" when the tree has something else by that name
 */
export function withLostAndFound(root: Directory, timeSeconds: number): Directory {
  const own = root.entries.get(LOST_FOUND);
  if (own !== undefined && own.type !== "directory") {
    throw new ImageError(
      "conflict",
      `/${LOST_FOUND}: is a ${own.type}; fsck wants a directory there: rename it, or leave lost+found out`,
      { path: `/${LOST_FOUND}` },
    );
  }
  const lostAndFound = own ?? directory({ mode: 0o700, uid: 0, gid: 0, mtimeSeconds: timeSeconds });
  return directory(root, new Map([...root.entries, [LOST_FOUND, lostAndFound]]));
}

/** A tree as it is written, and its numbers. */
export interface NumberedTree {
  readonly root: Directory;
  /** Whether inode 3 is the lost+found that newfs makes. */
  readonly lostAndFound: boolean;
  readonly inodes: Numbering;
}

/**
 * The tree with lost+found, if that is wanted, numbered.
 * @throws ImageError as `withLostAndFound` and `numberInodes`
 */
export function numberTree(tree: Directory, lostAndFound: boolean, timeSeconds: number): NumberedTree {
  const root = lostAndFound ? withLostAndFound(tree, timeSeconds) : tree;
  return { root, lostAndFound, inodes: numberInodes(root, lostAndFound) };
}

/**
 * Numbers all inodes of a tree.
 * @throws ImageError "limit", "invalid-argument" naming the path
 */
export function numberInodes(root: Directory, lostAndFoundFirst: boolean): Numbering {
  let nodeCount = 0; // once a path
  forEachNode(root, () => nodeCount++);
  const inodeCount = UFSROOTINO + nodeCount; // at most: hard links share theirs
  const nodes: (Node | undefined)[] = [undefined, undefined];
  const paths: string[] = ["", ""];
  const pathHashes = new Uint32Array(inodeCount);
  const links = new Int32Array(inodeCount);
  const parents = new Int32Array(inodeCount);
  // The inodes of a directory's entries, one after the other, from firstEntry[inode] on.
  const firstEntry = new Int32Array(inodeCount);
  const entryInodes = new Int32Array(nodeCount);
  let entryCount = 0;
  const seen = new Map<Node, number>();

  const add = (node: Node, path: string, pathHash: number, parent: number): number => {
    const inode = nodes.push(node) - 1;
    paths.push(path);
    pathHashes[inode] = pathHash;
    links[inode] = node.type === "directory" ? 2 : 1;
    parents[inode] = parent;
    checkNode(node, path);
    return inode;
  };
  const link = (inode: number, path: string): void => {
    const count = (links[inode] ?? 0) + 1;
    if (count > MAXLINK) {
      const what = nodes[inode]?.type === "directory" ? "subdirectories" : "names";
      const most = what === "names" ? MAXLINK : MAXLINK - 2;
      throw new ImageError(
        "limit",
        `${path}: ${paths[inode]} has more than ${most} ${what}; UFS allows ${MAXLINK} links`,
        { path, field: "ic_nlink" },
      );
    }
    links[inode] = count;
  };

  const orderOf = (node: Directory, inode: number): readonly string[] => {
    const names = sortedNames(node);
    if (!lostAndFoundFirst || inode !== UFSROOTINO) return names;
    const isLostAndFound = (name: string): boolean => name === LOST_FOUND;
    return [...names.filter(isLostAndFound), ...names.filter((name) => !isLostAndFound(name))];
  };
  // Directories whose entries are being numbered, innermost last: a tree may be deeper than the stack.
  const open: OpenDirectory[] = [];
  const enter = (node: Directory, inode: number, prefix: string, begunHash: number): void => {
    firstEntry[inode] = entryCount;
    entryCount += node.entries.size;
    open.push({ inode, node, names: orderOf(node, inode), at: 0, prefix, begunHash });
  };
  enter(root, add(root, "/", fnv1a("/"), UFSROOTINO), "/", fnv1aBegin("/"));
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const name = top.names[top.at];
    if (name === undefined) {
      open.pop();
      continue;
    }
    const node = top.node.entries.get(name) as Node; // it is one of its names
    // Nothing may look into a path: a string that was only put together shares its parts, and takes a third of the memory.
    const path = top.prefix + name;
    checkNameLength(name, path);
    checkName(name, path);
    const slot = (firstEntry[top.inode] ?? 0) + top.at++;
    const known = node.type === "directory" ? undefined : seen.get(node);
    if (known !== undefined) {
      link(known, path);
      entryInodes[slot] = known;
      continue;
    }
    const inode = add(node, path, fnv1a(name, top.begunHash), top.inode);
    entryInodes[slot] = inode;
    if (node.type === "directory") {
      link(top.inode, path);
      enter(node, inode, `${path}/`, fnv1aBegin(`${name}/`, top.begunHash));
    } else seen.set(node, inode);
  }

  const namesOf = (inode: number): readonly string[] => {
    const node = nodes[inode];
    return node?.type === "directory" ? orderOf(node, inode) : [];
  };
  return {
    nodes,
    paths,
    pathHashes,
    links,
    parents,
    namesOf,
    entriesOf(inode) {
      const first = firstEntry[inode] ?? 0;
      return namesOf(inode).map((name, i) => ({ name, inode: entryInodes[first + i] ?? 0 }));
    },
  };
}

/** A directory whose entries have been numbered up to `at`. */
interface OpenDirectory {
  readonly inode: number;
  readonly node: Directory;
  readonly names: readonly string[];
  at: number;
  /** What the paths of its entries begin with, and the state of their hashes after it. */
  readonly prefix: string;
  readonly begunHash: number;
}

function checkNameLength(name: string, path: string): void {
  if (name.length <= MAXNAMLEN) return;
  throw new ImageError("limit", `${path}: name is ${name.length} bytes; UFS allows ${MAXNAMLEN}`, { path });
}

/** What the fields of an inode can hold. */
const LIMITS = [
  { key: "mode", min: 0, max: 0o7777, what: "mode", field: "ic_smode" },
  { key: "uid", min: 0, max: 0xffffffff, what: "uid", field: "ic_uid" },
  { key: "gid", min: 0, max: 0xffffffff, what: "gid", field: "ic_gid" },
  { key: "mtimeSeconds", min: -(2 ** 31), max: 2 ** 31 - 1, what: "modification time", field: "ic_mtime" },
] as const;
const SIZE_LIMIT = { min: 0, max: UFS_MAXOFFSET_T, what: "size", field: "ic_lsize" } as const;

function checkNode(node: Node, path: string): void {
  for (const limit of LIMITS) checkRange(node[limit.key], limit, path);
  if (node.type === "file") checkRange(node.content.sizeBytes, SIZE_LIMIT, path);
  if (node.type === "symlink" && node.target.length >= MAXPATHLEN) {
    throw new ImageError(
      "limit",
      `${path}: the target of the symbolic link is ${node.target.length} bytes; illumos allows ${MAXPATHLEN - 1}`,
      { path },
    );
  }
  if (node.type === "character" || node.type === "block") encodeDevice(node, path);
}

function checkRange(
  value: number,
  { min, max, what, field }: (typeof LIMITS)[number] | typeof SIZE_LIMIT,
  path: string,
): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new ImageError("limit", `${path}: ${what} ${value} is not in ${min}..${max}`, { path, field });
}
