// The layers of the input laid over each other, later over earlier.

import { type Directory, directory, type Merged, mergeTrees, type Node } from "../tree/index.ts";
import type { Layer } from "./layer.ts";
import { ownedByRoot } from "./metadata.ts";

export type Layers = readonly [Layer, ...Layer[]];

/**
 * One tree of all layers. Owners of layers that do not know them become root:root. A directory that merges takes what the later layer
 * says of it, unless that layer only brings files into directories of others.
 */
export function mergeLayers([first, ...rest]: Layers): Merged {
  const owned = ({ tree, ownersKnown }: Layer): Directory => (ownersKnown ? tree : ownedByRoot(tree));
  let merged: Merged = mergeTrees([owned(first)]);
  for (const layer of rest) {
    const upper = layer.keepsDirectories ? likeBelow(owned(layer), merged.tree) : owned(layer);
    const { tree, overridden, retyped } = mergeTrees([merged.tree, upper]);
    merged = { tree, overridden: [...merged.overridden, ...overridden], retyped: [...merged.retyped, ...retyped] };
  }
  return { tree: merged.tree, overridden: [...merged.overridden].sort(), retyped: [...merged.retyped].sort() };
}

/** `upper` with the owners, modes and times that its directories have in `lower`, where they are there. */
function likeBelow(upper: Directory, lower: Directory): Directory {
  const entries = new Map<string, Node>();
  for (const [name, node] of upper.entries) {
    const below = lower.entries.get(name);
    entries.set(name, node.type === "directory" && below?.type === "directory" ? likeBelow(node, below) : node);
  }
  return directory(lower, entries);
}
