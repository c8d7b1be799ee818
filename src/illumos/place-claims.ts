// The tree that a set of claims makes of a proto area. Hard links stay hard links: nodes are made once for each node of
// the proto area and set of attributes, so two names of one inode part only where manifests give them other owners.

import { ImageError } from "../bytes/index.ts";
import {
  type Attributes,
  type Directory,
  type Draft,
  directory,
  draft,
  joinPath,
  type Node,
  parentPath,
} from "../tree/index.ts";
import type { Accounts } from "./accounts.ts";
import { type ActionAttributes, attributesOf } from "./action-attributes.ts";
import { hardLinkTarget, linkNode, payloadOf } from "./claimed-nodes.ts";
import { type Claim, type ManifestPath, whereOf } from "./claims.ts";

export interface Mismatch extends ManifestPath {
  /** What the manifest says: "dir". */
  readonly manifest: string;
  /** What the tree holds: "symlink". */
  readonly tree: string;
}

export interface Placement {
  readonly accounts: Accounts;
  /** Paths that only refused actions name: they go. */
  readonly refused: ReadonlySet<string>;
  /** What no claim names goes too (an image of some packages only). */
  readonly onlyClaimed: boolean;
  /** Claims of packages that were not selected, for the attributes of directories on the way. */
  readonly parents: ReadonlyMap<string, Claim>;
  readonly timeSeconds: number;
}

export interface Placed {
  readonly tree: Directory;
  readonly unpackaged: string[];
  readonly missing: ManifestPath[];
  readonly made: string[];
  readonly removed: string[];
  readonly mismatches: Mismatch[];
}

/** Directories that no manifest names and that a claimed path needs. */
const PARENT_MODE = 0o755;

type Leaf = Exclude<Node, Directory>;

interface Work extends Placement {
  readonly tree: Directory;
  /** Every path of `tree`: looking up 30,000 paths one by one would take longer than all the rest. */
  readonly index: ReadonlyMap<string, Node>;
  readonly claims: ReadonlyMap<string, Claim>;
  /** Of every claim that has some: a bad owner is an error even where the path is not there. */
  readonly attributes: ReadonlyMap<Claim, ActionAttributes>;
  readonly leaves: Leaves;
  readonly placed: Placed;
  /** Paths of the new tree: every directory, and whatever stands at a claimed path. */
  readonly present: Set<string>;
}

export function placeClaims(tree: Directory, claims: ReadonlyMap<string, Claim>, placement: Placement): Placed {
  const placed: Placed = { tree, unpackaged: [], missing: [], made: [], removed: [], mismatches: [] };
  const attributes = new Map<Claim, ActionAttributes>();
  for (const claim of claims.values()) {
    if (hasAttributes(claim)) attributes.set(claim, attributesOf(claim.action, placement.accounts));
  }
  const work: Work = {
    ...placement,
    tree,
    index: indexOf(tree),
    claims,
    attributes,
    leaves: newLeaves(),
    placed,
    present: new Set(),
  };
  const nodes = nodesOfClaims(work);
  const edit = draft(rebuild(tree, "/", nodes, work));
  addMissing(edit, nodes, work);
  return { ...placed, tree: edit.tree() };
}

function indexOf(tree: Directory): Map<string, Node> {
  const index = new Map<string, Node>([["/", tree]]);
  const visit = (at: Directory, path: string): void => {
    for (const [name, node] of at.entries) {
      const below = joinPath(path, name);
      index.set(below, node);
      if (node.type === "directory") visit(node, below);
    }
  };
  visit(tree, "/");
  return index;
}

function hasAttributes({ action }: Claim): boolean {
  return action.name === "dir" || action.name === "file";
}

/** Makes nodes with other attributes, the same one for the same node and attributes. */
interface Leaves {
  withAttributes<Kind extends Leaf>(node: Kind, to: Attributes): Kind;
  /** An unpackaged name of an inode; where a package knows the inode by another name, as that one: it cannot have two owners. */
  unpackaged(node: Leaf): Node;
}

function newLeaves(): Leaves {
  const made = new Map<Node, Node[]>();
  const withAttributes = <Kind extends Leaf>(node: Kind, to: Attributes): Kind => {
    const same = (other: Attributes): boolean =>
      other.mode === to.mode && other.uid === to.uid && other.gid === to.gid && other.mtimeSeconds === to.mtimeSeconds;
    const known = made.get(node);
    const found = known?.find(same);
    if (found) return found as Kind; // made from `node`, so of its kind
    const next: Kind = same(node) ? node : { ...node, ...to };
    if (known) known.push(next);
    else made.set(node, [next]);
    return next;
  };
  return {
    withAttributes,
    unpackaged: (node) =>
      made.get(node)?.[0] ?? withAttributes(node, { mode: node.mode, uid: 0, gid: 0, mtimeSeconds: node.mtimeSeconds }),
  };
}

function mismatch({ placed }: Work, claim: Claim, found: string): void {
  placed.mismatches.push({ ...whereOf(claim), manifest: claim.action.name, tree: found });
}

/** What claims put at their paths, directories aside. */
function nodesOfClaims(work: Work): Map<string, Node> {
  const { index, claims, leaves, placed } = work;
  const nodes = new Map<string, Node>();
  const hardLinks: Claim[] = [];
  for (const claim of claims.values()) {
    const { action, path } = claim;
    if (action.name === "file") {
      const source = payloadOf(work, claim);
      if (source === undefined) placed.missing.push(whereOf(claim));
      else if (source.type !== "file") mismatch(work, claim, source.type);
      else nodes.set(path, leaves.withAttributes(source, claimedAttributes(claim, source.mtimeSeconds, work)));
    } else if (action.name === "link") {
      const there = index.get(path);
      if (there?.type === "directory") mismatch(work, claim, there.type);
      else nodes.set(path, linkNode(action, there, work.timeSeconds));
    } else if (action.name === "hardlink") hardLinks.push(claim);
  }
  for (const claim of hardLinks) {
    const target = hardLinkTarget(claim, claims);
    const there = target === undefined ? undefined : (nodes.get(target) ?? index.get(target));
    if (target === undefined || there === undefined) placed.missing.push(whereOf(claim));
    else if (there.type === "directory" || index.get(claim.path)?.type === "directory") {
      mismatch(work, claim, "directory");
    } else nodes.set(claim.path, nodes.has(target) ? there : leaves.unpackaged(there));
  }
  return nodes;
}

/** A directory of the proto area as it becomes. */
function rebuild(old: Directory, path: string, nodes: ReadonlyMap<string, Node>, work: Work): Directory {
  const { claims, leaves, placed, present } = work;
  present.add(path);
  const entries = new Map<string, Node>();
  for (const [name, node] of old.entries) {
    const at = joinPath(path, name);
    const claim = claims.get(at);
    const goes = claim === undefined && (work.onlyClaimed || work.refused.has(at));
    if (node.type === "directory") {
      const below = rebuild(node, at, nodes, work);
      if (goes && below.entries.size === 0) {
        present.delete(at);
        placed.removed.push(at);
        continue;
      }
      entries.set(name, below);
      if (!isNamed(at, work)) placed.unpackaged.push(at);
      continue;
    }
    if (goes) {
      placed.removed.push(at);
      continue;
    }
    entries.set(name, nodes.get(at) ?? leaves.unpackaged(node));
    if (claim === undefined) placed.unpackaged.push(at);
    else {
      present.add(at);
      if (claim.action.name === "dir") mismatch(work, claim, node.type);
    }
  }
  return directory(directoryAttributes(path, old, work), entries);
}

function isNamed(path: string, { claims, parents }: Work): boolean {
  return claims.has(path) || parents.has(path);
}

function directoryAttributes(path: string, old: Attributes | undefined, work: Work): Attributes {
  const mtimeSeconds = old?.mtimeSeconds ?? work.timeSeconds;
  const claim = work.claims.get(path) ?? work.parents.get(path);
  if (claim?.action.name === "dir") return claimedAttributes(claim, mtimeSeconds, work);
  const mode = old === undefined || path === "/" ? PARENT_MODE : old.mode;
  return { mode, uid: 0, gid: 0, mtimeSeconds };
}

/** The time is the one given, unless the action says another. */
function claimedAttributes(claim: Claim, mtimeSeconds: number, work: Work): Attributes {
  const said = work.attributes.get(claim) ?? attributesOf(claim.action, work.accounts);
  return { ...said, mtimeSeconds: said.mtimeSeconds ?? mtimeSeconds };
}

/** Adds what manifests name and the proto area does not hold: directories, links. */
function addMissing(edit: Draft, nodes: ReadonlyMap<string, Node>, work: Work): void {
  const { claims, placed, present } = work;
  const add = (path: string, node: Node, claim: Claim): void => {
    try {
      addParents(path);
      edit.put(path, node);
      present.add(path);
      placed.made.push(path);
    } catch (error) {
      if (!(error instanceof ImageError) || error.code !== "wrong-type") throw error;
      mismatch(work, claim, "a parent that is no directory");
    }
  };
  const addParents = (path: string): void => {
    const parent = parentPath(path);
    if (present.has(parent)) return;
    if (edit.get(parent) !== undefined)
      throw new ImageError("wrong-type", `${parent} is no directory`, { path: parent });
    addParents(parent);
    edit.put(parent, directory(directoryAttributes(parent, undefined, work)));
    present.add(parent);
    placed.made.push(parent);
  };
  for (const claim of claims.values()) {
    if (claim.action.name !== "dir" || present.has(claim.path)) continue;
    add(claim.path, directory(directoryAttributes(claim.path, undefined, work)), claim);
  }
  for (const [path, node] of nodes) {
    const claim = claims.get(path);
    if (claim && !present.has(path)) add(path, node, claim);
  }
}
