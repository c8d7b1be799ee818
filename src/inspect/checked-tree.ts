// Trees of images, made when they are asked for.

import { ImageError } from "../bytes/index.ts";
import type { Directory } from "../tree/index.ts";
import { once } from "./layer.ts";

/** Deeper than any path that a system can name, and shallow enough for whatever walks a tree by recursion. */
const MAX_DEPTH = 1024;

/** Trees of hostile images may be deeper than call stacks. */
export function checkedTree(make: () => Promise<Directory>): () => Promise<Directory> {
  return once(async () => {
    const tree = await make();
    let level: readonly Directory[] = [tree];
    for (let depth = 0; level.length > 0; depth++) {
      if (depth > MAX_DEPTH) {
        throw new ImageError("limit", `directories are nested more than ${MAX_DEPTH} deep; such trees are not read`);
      }
      level = level.flatMap(({ entries }) => [...entries.values()].filter((node) => node.type === "directory"));
    }
    return tree;
  });
}
