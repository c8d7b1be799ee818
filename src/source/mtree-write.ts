// The canonical mtree(5) text of a tree: one line a path with everything that a tree says, parents before children, names
// in bytewise order. Read by bsdtar, FreeBSD's and NetBSD's mtree(8), and made to be compared with diff(1).

import { type Directory, type Node, walk } from "../tree/index.ts";
import type { Hashing } from "./source.ts";
import { hashContent } from "./verified.ts";
import { visEncode } from "./vis.ts";

const TYPE_WORDS: Readonly<Record<Node["type"], string>> = {
  block: "block",
  character: "char",
  directory: "dir",
  fifo: "fifo",
  file: "file",
  socket: "socket",
  symlink: "link",
};

/** What libarchive knows an mtree file by. */
export const MTREE_SIGNATURE = "#mtree";

/**
 * The text in lines, each with its newline. Files are read for their digest, one after the other.
 * `nlink` is what a Unix file system shows: names of the inode, for directories 2 and one for each directory in it.
 */
export async function* formatMtree(tree: Directory, hashing: Hashing): AsyncGenerator<string> {
  yield `${MTREE_SIGNATURE} v2.0\n`;
  const links = new Map<Node, number>();
  for (const { node } of walk(tree)) links.set(node, (links.get(node) ?? 0) + 1);
  const digests = new Map<Node, string>(); // of files with several names
  for (const { path, node } of walk(tree)) {
    const names = links.get(node) ?? 1;
    const words = [
      path === "/" ? "." : `.${visEncode(path)}`,
      `type=${TYPE_WORDS[node.type]}`,
      `mode=0${node.mode.toString(8).padStart(3, "0")}`,
      `uid=${node.uid}`,
      `gid=${node.gid}`,
      `nlink=${node.type === "directory" ? 2 + countDirectories(node) : names}`,
    ];
    if (node.type === "file") words.push(`size=${node.content.sizeBytes}`);
    words.push(`time=${node.mtimeSeconds}.0`);
    if (node.type === "symlink") words.push(`link=${visEncode(node.target)}`);
    if (node.type === "character" || node.type === "block") words.push(`device=native,${node.major},${node.minor}`);
    if (node.type === "file") {
      const digest = digests.get(node) ?? (await hashContent(node.content, hashing("sha256")));
      if (names > 1) digests.set(node, digest);
      words.push(`sha256digest=${digest}`);
    }
    yield `${words.join(" ")}\n`;
  }
}

function countDirectories({ entries }: Directory): number {
  let count = 0;
  for (const node of entries.values()) if (node.type === "directory") count++;
  return count;
}
