// A directory whose files are wanted by name: a package repository or a package directory, on disk (handed down from
// where disks are known) or inside an archive.

import type { Content } from "../bytes/index.ts";
import { type Directory, lookup } from "../tree/index.ts";

/** Paths are byte strings relative to the directory: "publisher/omnios/pkg", "" for itself; never with "..". */
export interface Files {
  /** The file at `path`, or undefined when there is no regular file. */
  read(path: string): Promise<Content | undefined>;
  /** Names in the directory at `path`; none when it is not there or no directory. Any order. */
  list(path: string): Promise<readonly string[]>;
}

/** A tree (of an archive) as files. */
export function treeFiles(tree: Directory): Files {
  return {
    async read(path) {
      const node = lookup(tree, path);
      return node?.type === "file" ? node.content : undefined;
    },
    async list(path) {
      const node = lookup(tree, path);
      return node?.type === "directory" ? [...node.entries.keys()] : [];
    },
  };
}

/** One directory of it. */
export function subdirectory(files: Files, path: string): Files {
  if (path === "") return files;
  return {
    read: (name) => files.read(`${path}/${name}`),
    list: (name) => files.list(name === "" ? path : `${path}/${name}`),
  };
}
