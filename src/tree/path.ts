// Paths in a tree: byte strings that begin with "/", names joined by "/". The root is "/".

import { ImageError } from "../bytes/index.ts";

/** "/usr/bin" + "ls" = "/usr/bin/ls". */
export function joinPath(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
}

/**
 * The names of a path; "/" gives none. Leading, trailing and doubled slashes do not matter.
 * @throws ImageError "invalid-argument" on "." and "..": a tree has no such entries, so they would never match
 */
export function splitPath(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "");
  for (const name of names) checkName(name, path);
  return names;
}

/** The canonical spelling: one leading slash, none trailing. */
export function normalizePath(path: string): string {
  return `/${splitPath(path).join("/")}`;
}

export function parentPath(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** @throws ImageError "invalid-argument" when `name` cannot be a directory entry in any tree */
export function checkName(name: string, path: string): void {
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) {
    throw new ImageError("invalid-argument", `${path}: "${name}" cannot be the name of a directory entry`, { path });
  }
}
