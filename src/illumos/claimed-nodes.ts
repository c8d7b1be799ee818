// What a single file, link or hardlink action makes of the proto area.

import { type Directory, type File, file as fileNode, type Node, parentPath, resolve, symlink } from "../tree/index.ts";
import { type Action, attribute, manifestError } from "./actions.ts";
import type { Claim } from "./claims.ts";

const LINK_MODE = 0o777;
/** Links to links to …: zoneinfo has two steps. */
const MAX_HARD_LINK_STEPS = 40;

/**
 * The node of the proto area that a file action speaks of. In a gate's manifest a word after `file` names the payload by
 * its path in the proto area. A symbolic link is followed, as pkgsend(1) does: what is published is a file of its own.
 */
export function payloadOf(
  { tree, index }: { readonly tree: Directory; readonly index: ReadonlyMap<string, Node> },
  { action, path }: Claim,
): Node | undefined {
  const elsewhere = action.hash === undefined || action.hash === "NOHASH" ? undefined : `/${action.hash}`;
  const other = elsewhere === undefined || elsewhere === path ? undefined : resolve(tree, elsewhere)?.node;
  if (other?.type === "file") return copyOf(other);
  const node = index.get(path);
  if (node?.type !== "symlink") return node;
  const target = resolve(tree, path)?.node;
  return target?.type === "file" ? copyOf(target) : node;
}

function copyOf(source: File): File {
  return fileNode(source, source.content);
}

export function linkNode(action: Action, there: Node | undefined, timeSeconds: number): Node {
  const target = attribute(action, "target");
  if (target === undefined) throw manifestError(action, "link without target=");
  if (
    there?.type === "symlink" &&
    there.target === target &&
    there.mode === LINK_MODE &&
    there.uid === 0 &&
    there.gid === 0
  ) {
    return there;
  }
  const mtimeSeconds = there?.type === "symlink" ? there.mtimeSeconds : timeSeconds;
  return symlink({ mode: LINK_MODE, uid: 0, gid: 0, mtimeSeconds }, target);
}

/** Where a hard link leads, through other hard links; undefined when they lead in a circle. */
export function hardLinkTarget(claim: Claim, claims: ReadonlyMap<string, Claim>): string | undefined {
  let at: Claim | undefined = claim;
  for (let step = 0; step < MAX_HARD_LINK_STEPS; step++) {
    const target = attribute(at.action, "target");
    if (target === undefined) throw manifestError(at.action, "hardlink without target=");
    const path = joinTarget(parentPath(at.path), target);
    const next = claims.get(path);
    if (next?.action.name !== "hardlink") return path;
    at = next;
  }
  return undefined;
}

/** A hard link's target is relative to the directory of its path; ".." of the root is the root. */
function joinTarget(from: string, target: string): string {
  const names = target.startsWith("/") ? [] : from.split("/").filter(Boolean);
  for (const name of target.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return `/${names.join("/")}`;
}
