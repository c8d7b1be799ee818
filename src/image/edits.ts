// Trimming and adding: the edits that a user asks for, applied in the order they were asked in.

import { type Content, fromText, ImageError } from "../bytes/index.ts";
import { type Accounts, lookupId } from "../illumos/index.ts";
import { applyMtree, type MtreeSpec } from "../source/index.ts";
import {
  type Attributes,
  type Directory,
  directory,
  draft,
  file,
  globMatcher,
  lookup,
  mapTree,
  type Node,
  normalizePath,
  prune,
  symlink,
  walk,
} from "../tree/index.ts";
import { type KeepList, keepOnly } from "./keep.ts";

export type Edit =
  | { readonly kind: "remove"; readonly pattern: string }
  | { readonly kind: "chmod"; readonly pattern: string; readonly mode: number }
  | { readonly kind: "chown"; readonly pattern: string; readonly user: string; readonly group: string }
  | { readonly kind: "add"; readonly path: string; readonly content: Content; readonly mode: number }
  | { readonly kind: "mkdir"; readonly path: string; readonly mode: number | undefined }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | { readonly kind: "keep"; readonly name: string; readonly list: KeepList }
  | { readonly kind: "mtree"; readonly name: string; readonly spec: MtreeSpec; readonly content?: Content };

export interface EditReport {
  /** The edit in the words of its option: "--remove usr/share/man". */
  readonly edit: string;
  /** Paths that it matched, removed (with all below), changed or made. */
  readonly matched: number;
  /** What it names and the tree does not have. */
  readonly unmatched?: readonly string[] | undefined;
}

/**
 * Applies edits in order. New nodes get `fresh` as attributes (with the edit's own mode).
 * @param accounts the image's own users and groups
 * @throws ImageError "wrong-type" when a parent of a new path is no directory; "not-found" for an unknown owner
 */
export async function applyEdits(
  tree: Directory,
  edits: readonly Edit[],
  fresh: Attributes,
  accounts: Accounts,
): Promise<{ tree: Directory; reports: EditReport[] }> {
  const reports: EditReport[] = [];
  let current = tree;
  for (const edit of edits) {
    const { tree: next, matched, unmatched } = await applyEdit(current, edit, fresh, accounts);
    reports.push({ edit: editText(edit), matched, ...(unmatched && { unmatched }) });
    current = next;
  }
  return { tree: current, reports };
}

/** The edit in the words of its option. */
export function editText(edit: Edit): string {
  switch (edit.kind) {
    case "remove":
      return `--remove ${edit.pattern}`;
    case "chmod":
      return `--chmod ${edit.pattern}=${edit.mode.toString(8).padStart(4, "0")}`;
    case "chown":
      return `--chown ${edit.pattern}=${edit.user}:${edit.group}`;
    case "symlink":
      return `--symlink ${edit.path}=${edit.target}`;
    case "keep":
      return `--keep-only ${edit.name}`;
    case "mtree":
      return `--mtree ${edit.name}`;
    default:
      return `--${edit.kind} ${edit.path}`;
  }
}

interface Applied {
  readonly tree: Directory;
  readonly matched: number;
  readonly unmatched?: readonly string[];
}

async function applyEdit(tree: Directory, edit: Edit, fresh: Attributes, accounts: Accounts): Promise<Applied> {
  switch (edit.kind) {
    case "remove":
      return removeMatching(tree, globMatcher(edit.pattern));
    case "chmod":
      return changeMatching(tree, globMatcher(edit.pattern), (node) =>
        node.type === "symlink" ? node : { ...node, mode: edit.mode },
      );
    case "chown": {
      const place = { file: editText(edit) };
      const uid = lookupId(accounts.users, fromText(edit.user), "user", place);
      const gid = lookupId(accounts.groups, fromText(edit.group), "group", place);
      return changeMatching(tree, globMatcher(edit.pattern), (node) => ({ ...node, uid, gid }));
    }
    case "add":
      return putNode(tree, edit.path, file({ ...fresh, mode: edit.mode }, edit.content), fresh);
    case "mkdir": {
      const there = lookup(tree, fromText(edit.path));
      const attributes = there?.type === "directory" ? there : { ...fresh, mode: 0o755 };
      const entries = there?.type === "directory" ? there.entries : new Map<string, Node>();
      return putNode(tree, edit.path, directory({ ...attributes, mode: edit.mode ?? attributes.mode }, entries), fresh);
    }
    case "keep":
      return keepOnly(tree, edit.list, fresh);
    case "mtree": {
      const applied = await applyMtree(tree, edit.spec, { accounts });
      const unmatched = applied.warnings.map(({ message }) => message);
      return { tree: applied.tree, matched: edit.spec.entries.length, unmatched };
    }
    case "symlink":
      return putNode(tree, edit.path, symlink({ ...fresh, mode: 0o777 }, fromText(edit.target)), fresh);
  }
}

function putNode(tree: Directory, path: string, node: Node, fresh: Attributes): Applied {
  const name = normalizePath(fromText(path));
  if (name === "/") throw new ImageError("invalid-argument", `${path}: the root cannot be replaced`, { path });
  if (node.type !== "directory" && lookup(tree, name)?.type === "directory") {
    const remedy = "--remove it first to put something else there";
    throw new ImageError("conflict", `${path}: is a directory, with all that is in it; ${remedy}`, { path });
  }
  const change = draft(tree);
  change.put(name, node, { ...fresh, mode: 0o755 });
  return { tree: change.tree(), matched: 1 };
}

function removeMatching(tree: Directory, matches: (path: string) => boolean): Applied {
  let matched = 0;
  const kept = prune(tree, (path) => {
    const drop = matches(path);
    if (drop) matched++;
    return drop;
  });
  return { tree: kept, matched };
}

/** Hard links: a match of any of a node's names changes the node, that is, all of its names. */
function changeMatching(tree: Directory, matches: (path: string) => boolean, change: (node: Node) => Node): Applied {
  const changed = new Set<Node>();
  const matchedDirectories = new Set<string>();
  let matched = 0;
  for (const { path, node } of walk(tree)) {
    if (!matches(path)) continue;
    matched++;
    if (node.type === "directory") matchedDirectories.add(path);
    else changed.add(node);
  }
  const next = mapTree(tree, (node, path) =>
    changed.has(node) || (node.type === "directory" && matchedDirectories.has(path)) ? change(node) : node,
  );
  return { tree: next, matched };
}
