// Listings with the columns of ls(1). Times are UTC and always whole: what "recent" is depends on a clock.

import { byteString, ImageError, readAll, toText } from "../bytes/index.ts";
import { type Directory, findFile, joinPath, type Node, sortedEntries, walk } from "../tree/index.ts";

/** One name in a listing. */
export interface ListRow {
  /** As shown: a name in a directory, or the path that was asked for. */
  readonly name: string;
  /** Path in the tree. */
  readonly path: string;
  readonly node: Node;
}

/** Names of users and groups by number. */
export interface AccountNames {
  readonly users: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, string>;
}

/** The entries of a directory, sorted by name. */
export function listDirectory(directory: Directory, path: string): ListRow[] {
  return sortedEntries(directory).map(([name, node]) => ({ name, path: joinPath(path, name), node }));
}

const TYPE_LETTERS: Readonly<Record<Node["type"], string>> = {
  directory: "d",
  file: "-",
  symlink: "l",
  character: "c",
  block: "b",
  fifo: "p",
  socket: "s",
};

/** "drwxr-xr-x", with set-id and sticky bits as ls shows them. */
export function modeText({ type, mode }: Pick<Node, "type" | "mode">): string {
  const triple = (shift: number, special: boolean, letter: string): string => {
    const bits = mode >> shift;
    const execute = special ? (bits & 1 ? letter : letter.toUpperCase()) : bits & 1 ? "x" : "-";
    return `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${execute}`;
  };
  const user = triple(6, (mode & 0o4000) !== 0, "s");
  const group = triple(3, (mode & 0o2000) !== 0, "s");
  const other = triple(0, (mode & 0o1000) !== 0, "t");
  return `${TYPE_LETTERS[type]}${user}${group}${other}`;
}

/** "2015-09-01 12:00". Times beyond what a date can be are shown as seconds. */
export function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `@${seconds}`;
  return date.toISOString().replace(/^\+/, "").slice(0, -8).replace("T", " ");
}

/** The same to the second: "2015-09-01 12:00:07". */
export function exactTimeText(seconds: number): string {
  const minutes = timeText(seconds);
  return minutes.startsWith("@") ? minutes : `${minutes}:${String(((seconds % 60) + 60) % 60).padStart(2, "0")}`;
}

/** How many names each inode has; of directories what st_nlink is, 2 and one for each directory in it. */
export function linkCounts(tree: Directory): ReadonlyMap<Node, number> {
  const counts = new Map<Node, number>();
  for (const { node } of walk(tree)) {
    if (node.type !== "directory") counts.set(node, (counts.get(node) ?? 0) + 1);
    else {
      let count = 2;
      for (const child of node.entries.values()) if (child.type === "directory") count++;
      counts.set(node, count);
    }
  }
  return counts;
}

const MAX_ACCOUNT_BYTES = 2 ** 22;

/** The names in the tree's own /etc/passwd and /etc/group; the first line of a number counts. Damaged files have no names. */
export async function accountNames(tree: Directory): Promise<AccountNames> {
  const read = async (path: string): Promise<Map<number, string>> => {
    const names = new Map<number, string>();
    const found = findFile(tree, path);
    if (found === undefined || found.content.sizeBytes > MAX_ACCOUNT_BYTES) return names;
    let text: string;
    try {
      text = byteString(await readAll(found.content));
    } catch (error) {
      if (error instanceof ImageError && error.code !== "interrupted") return names;
      throw error;
    }
    for (const line of text.split("\n")) {
      const [name = "", , number = ""] = line.split(":");
      if (/^[^#+-]/.test(name) && /^\d+$/.test(number) && !names.has(Number(number))) names.set(Number(number), name);
    }
    return names;
  };
  return { users: await read("/etc/passwd"), groups: await read("/etc/group") };
}

export interface LongColumns {
  readonly links: ReadonlyMap<Node, number>;
  /** Undefined: numbers. */
  readonly names?: AccountNames | undefined;
  readonly inodes?: ReadonlyMap<string, number> | undefined;
}

/** Lines of `ls -l`, in columns as wide as these rows need. */
export function longLines(rows: readonly ListRow[], { links, names, inodes }: LongColumns): string[] {
  const cells = rows.map(({ path, node }) => [
    ...(inodes ? [String(inodes.get(path) ?? "")] : []),
    modeText(node),
    String(links.get(node) ?? 1),
    toText(names?.users.get(node.uid) ?? String(node.uid)),
    toText(names?.groups.get(node.gid) ?? String(node.gid)),
    sizeText(node),
    timeText(node.mtimeSeconds),
  ]);
  const isLeft = [...(inodes ? [false] : []), true, false, true, true, false, true];
  const widths = isLeft.map((_, i) => Math.max(0, ...cells.map((row) => row[i]?.length ?? 0)));
  return cells.map((row, line) => {
    const columns = row.map((cell, i) => (isLeft[i] ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)));
    return `${columns.join(" ")} ${nameText(rows[line] as ListRow)}`; // one row a line
  });
}

/** The name, with a link's target. */
function nameText({ name, node }: ListRow): string {
  return node.type === "symlink" ? `${toText(name)} -> ${toText(node.target)}` : toText(name);
}

function sizeText(node: Node): string {
  switch (node.type) {
    case "file":
      return String(node.content.sizeBytes);
    case "symlink":
      return String(node.target.length);
    case "character":
    case "block":
      return `${node.major},${String(node.minor).padStart(4)}`;
    default:
      return "0";
  }
}
