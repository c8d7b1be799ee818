// A tree from the members of an archive, in the order they come. Nothing can escape, since nothing is written: a name
// that leaves the root, lies under something that is no directory, or a hard link to nowhere is an error, not a file.

import { toText } from "../bytes/index.ts";
import { type Attributes, type Directory, directory, joinPath, type Node, pickAttributes } from "../tree/index.ts";
import { sourceError, type Warnings } from "./source.ts";

export interface TreeBuilder {
  /**
   * Puts a node; a later one replaces an earlier one, and a directory keeps what it holds.
   * Missing parents are made 0755 root:root with the node's time.
   * @throws ImageError "bad-format" (a name that cannot be), "wrong-type" (below a non-directory), "conflict"
   */
  put(name: string, node: Node): void;
  /** A second name of the inode at `target`, which may come later in the archive. */
  link(name: string, target: string): void;
  /** The node at `name` as it stands; undefined for directories and where nothing is. */
  get(name: string): Exclude<Node, Directory> | undefined;
  /** Mode, owner and time of what is at `name` as it stands, directories too. */
  attributes(name: string): Attributes | undefined;
  /** @throws ImageError "not-found" when the target of a hard link never came */
  finish(): Directory;
}

interface Growing {
  readonly type: "growing";
  attributes: Attributes;
  readonly entries: Map<string, Exclude<Node, Directory> | Growing>;
}

/** Longer names are an attack on the depth of the tree: illumos knows no path above 1,024 bytes. */
export const MAX_NAME_BYTES = 4096;

export function treeBuilder(warnings: Warnings): TreeBuilder {
  const root = grow({ mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0 });
  let rootIsGiven = false;
  let newestSeconds = 0;
  const pendingLinks: { name: string; target: string }[] = [];

  const parentOf = (names: readonly string[], name: string, attributes: Attributes): Growing => {
    let at = root;
    for (const step of names.slice(0, -1)) {
      let child = at.entries.get(step);
      if (child === undefined) {
        child = grow({ mode: 0o755, uid: 0, gid: 0, mtimeSeconds: attributes.mtimeSeconds });
        at.entries.set(step, child);
      }
      if (child.type !== "growing") {
        throw sourceError("wrong-type", name, `"${step}" on the way there is a ${child.type}, not a directory`);
      }
      at = child;
    }
    return at;
  };

  const noteAbsolute = (name: string): void => {
    if (name.startsWith("/")) warnings.add("absolute-name", name, 'the leading "/" was taken off');
  };

  const place = (name: string, node: Node): void => {
    const names = memberNames(name);
    const last = names.at(-1);
    if (node.type === "symlink" && node.target.includes("\0")) {
      throw sourceError("bad-format", name, "the target of the link holds a NUL byte");
    }
    newestSeconds = Math.max(newestSeconds, node.mtimeSeconds);
    if (last === undefined) {
      if (node.type !== "directory") throw sourceError("wrong-type", name, "the root must be a directory");
      root.attributes = pickAttributes(node);
      rootIsGiven = true;
      return;
    }
    const parent = parentOf(names, name, node);
    const before = parent.entries.get(last);
    if (node.type === "directory") {
      if (before?.type === "growing") {
        before.attributes = pickAttributes(node);
        return;
      }
      parent.entries.set(last, grow(pickAttributes(node)));
    } else {
      if (before?.type === "growing" && before.entries.size > 0) {
        throw sourceError("conflict", name, `a ${node.type} where a directory with entries is already`);
      }
      parent.entries.set(last, node);
    }
    if (before !== undefined) warnings.add("replaced", name, "occurs more than once, the last one counts");
  };

  const find = (name: string): Exclude<Node, Directory> | Growing | undefined => {
    let at: Exclude<Node, Directory> | Growing | undefined = root;
    for (const step of memberNames(name)) {
      if (at?.type !== "growing") return undefined;
      at = at.entries.get(step);
    }
    return at;
  };
  const get = (name: string): Exclude<Node, Directory> | undefined => {
    const found = find(name);
    return found?.type === "growing" ? undefined : found;
  };

  return {
    put(name, node) {
      noteAbsolute(name);
      place(name, node);
    },
    get,
    attributes(name) {
      const found = find(name);
      return found?.type === "growing" ? found.attributes : found && pickAttributes(found);
    },
    link(name, target) {
      noteAbsolute(name);
      const node = get(target);
      if (node) place(name, node);
      else {
        memberNames(name); // a name that cannot be is an error here, not at the end
        pendingLinks.push({ name, target });
      }
    },
    finish() {
      // Links that came before their target, and links to such links: each is made once its target is there.
      const waiting = new Map<string, string[]>();
      for (const { name, target } of pendingLinks) {
        const path = treePath(target);
        const names = waiting.get(path);
        if (names) names.push(name);
        else waiting.set(path, [name]);
      }
      const ready = [...waiting.keys()].filter((target) => get(target) !== undefined);
      for (let target = ready.pop(); target !== undefined; target = ready.pop()) {
        const node = get(target);
        for (const name of node ? (waiting.get(target) ?? []) : []) {
          if (node) place(name, node);
          ready.push(treePath(name));
        }
        waiting.delete(target);
      }
      for (const [target, [name = ""]] of waiting) {
        const what = `a hard link to "${toText(target)}", which is no file of this archive: it is damaged or a part`;
        throw sourceError("not-found", name, what);
      }
      if (!rootIsGiven) root.attributes = { ...root.attributes, mtimeSeconds: newestSeconds };
      return freeze(root);
    },
  };
}

function grow(attributes: Attributes): Growing {
  return { type: "growing", attributes, entries: new Map() };
}

function freeze(growing: Growing): Directory {
  const entries = new Map<string, Node>();
  for (const [name, node] of growing.entries) entries.set(name, node.type === "growing" ? freeze(node) : node);
  return directory(growing.attributes, entries);
}

/**
 * The steps of a member's name; "." and leading, trailing and doubled slashes do not count.
 * @throws ImageError "bad-format" on ".." and NUL, "limit" on endless names
 */
export function memberNames(name: string): string[] {
  if (name.length > MAX_NAME_BYTES) {
    const shown = `${name.slice(0, 60)}…`;
    throw sourceError("limit", shown, `the name is ${name.length} bytes; at most ${MAX_NAME_BYTES} are read`);
  }
  if (name.includes("\0")) throw sourceError("bad-format", name, "the name holds a NUL byte");
  const names = name.split("/").filter((step) => step !== "" && step !== ".");
  if (names.includes("..")) throw sourceError("bad-format", name, 'the name holds "..": it would leave the archive');
  return names;
}

/** "./usr//bin/" and "/usr/bin" to "/usr/bin". */
export function treePath(name: string): string {
  return memberNames(name).reduce(joinPath, "/");
}
