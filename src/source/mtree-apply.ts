// A specification applied to a tree, as makefs(8) -F does: it sets what it names (owner, mode, time, link target, device
// number) and adds directories, links and special files that are missing. What it does not name stays as it is.

import { type Content, toText } from "../bytes/index.ts";
import { type Accounts, lookupId } from "../illumos/index.ts";
import {
  type Attributes,
  type Directory,
  device,
  directory,
  draft,
  file,
  lookup,
  mapTree,
  type Node,
  pickAttributes,
  special,
  symlink,
} from "../tree/index.ts";
import type { MtreeEntry, MtreeSpec } from "./mtree-parse.ts";
import { collectWarnings, type Source, sourceError, type Warnings } from "./source.ts";

export interface MtreeOptions {
  /** For uname and gname without uid and gid. */
  readonly accounts: Accounts;
  /** What `contents=` names; without it such files are missing. */
  readonly contents?: ((path: string) => Promise<Content | undefined>) | undefined;
}

/**
 * @throws ImageError "not-found" for an unknown user or group, with file and line; "wrong-type" for a path below something
 *   that is no directory
 */
export async function applyMtree(tree: Directory, spec: MtreeSpec, options: MtreeOptions): Promise<Source> {
  const warnings = collectWarnings();
  for (const [keyword, line] of spec.unknownKeywords) {
    warnings.add("unknown-keyword", keyword, `(line ${line}) is no keyword of mtree(5), ignored`, keyword);
  }
  // By path for directories, which mapTree makes anew, and by node for the rest: all names of an inode change together.
  const changes = new Map<string | Node, MtreeEntry>();
  const missing = new Map<string, MtreeEntry>();
  for (const entry of spec.entries) {
    const node = lookup(tree, entry.path);
    if (node === undefined) missing.set(entry.path, { ...missing.get(entry.path), ...entry });
    else if (entry.type !== undefined && entry.type !== node.type) {
      const what = `is a ${node.type} in the tree and a ${entry.type} in ${toText(entry.file)}, line ${entry.line}; left as it is`;
      warnings.add("type-differs", entry.path, what);
    } else {
      const key = node.type === "directory" ? entry.path : node;
      changes.set(key, { ...changes.get(key), ...entry });
    }
  }
  const changed = mapTree(tree, (node, path) => {
    const entry = changes.get(node.type === "directory" ? path : node);
    return entry ? changedNode(node, entry, options.accounts) : node;
  });
  const edit = draft(changed);
  const seconds = tree.mtimeSeconds;
  const parents: Attributes = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: seconds };
  for (const [path, entry] of [...missing].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const node = await missingNode(entry, seconds, options, warnings);
    if (node === undefined) continue;
    edit.put(path, node, parents);
  }
  return { tree: edit.tree(), warnings: warnings.list() };
}

function attributesOf(entry: MtreeEntry, before: Attributes, { users, groups }: Accounts): Attributes {
  const { uname, gname } = entry;
  return {
    mode: entry.mode ?? before.mode,
    uid: entry.uid ?? (uname === undefined ? before.uid : lookupId(users, uname, "user", entry)),
    gid: entry.gid ?? (gname === undefined ? before.gid : lookupId(groups, gname, "group", entry)),
    mtimeSeconds: entry.mtimeSeconds ?? before.mtimeSeconds,
  };
}

function changedNode(node: Node, entry: MtreeEntry, accounts: Accounts): Node {
  const attributes = attributesOf(entry, pickAttributes(node), accounts);
  if (node.type === "symlink") return { ...node, ...attributes, target: entry.link ?? node.target };
  if (node.type === "character" || node.type === "block") {
    const [major, minor] = entry.device ?? [node.major, node.minor];
    return { ...node, ...attributes, major, minor };
  }
  return { ...node, ...attributes };
}

async function missingNode(
  entry: MtreeEntry,
  mtimeSeconds: number,
  { accounts, contents }: MtreeOptions,
  warnings: Warnings,
): Promise<Node | undefined> {
  const { type, path } = entry;
  const mode = type === "directory" ? 0o755 : type === "symlink" ? 0o777 : 0o644;
  const attributes = attributesOf(entry, { mode, uid: 0, gid: 0, mtimeSeconds }, accounts);
  const lacking = (what: string) => sourceError("bad-format", path, `${toText(entry.file)}:${entry.line}: ${what}`);
  switch (type) {
    case "directory":
      return directory(attributes);
    case "symlink":
      if (entry.link === undefined) throw lacking("a link without link=");
      return symlink(attributes, entry.link);
    case "block":
    case "character":
      if (entry.device === undefined) throw lacking("a device without device=");
      return device(attributes, type, ...entry.device);
    case "fifo":
    case "socket":
      return special(attributes, type);
    default: {
      const content = entry.contents === undefined ? undefined : await contents?.(entry.contents);
      if (content) return file(attributes, content);
      if (entry.optional !== true) {
        warnings.add("missing-file", path, `is in ${toText(entry.file)}, line ${entry.line}, but not in the tree`);
      }
      return undefined;
    }
  }
}
