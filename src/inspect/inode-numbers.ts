// Numbers of inodes, as `ls -i` shows them: the file system's own where it has some.

import { leaves, type SeenVolume } from "../iso9660-writer-ts/volume.ts";
import { joinPath, type Node, walk } from "../tree/index.ts";
import { UFSROOTINO } from "../ufs/format.ts";
import type { TreeLayer } from "./layer.ts";

/**
 * The number of the inode at every path: of UFS its own, of an ISO the POSIX File Serial Number (RRIP 1.12). Where there is
 * neither, inodes are numbered from 1 in the order of a walk, so that names of one file have one number.
 * @throws ImageError when the layer cannot be read
 */
export async function inodeNumbers(layer: TreeLayer): Promise<ReadonlyMap<string, number>> {
  if (layer.kind === "ufs") {
    const numbers = new Map([["/", UFSROOTINO]]);
    for (const { path, node } of walk(await layer.tree())) {
      if (node.type !== "directory") continue;
      for (const { name, inode } of await layer.ufs.list(path)) numbers.set(joinPath(path, name), inode);
    }
    return numbers;
  }
  if (layer.kind === "iso") {
    const serials = serialNumbers(await layer.volume());
    if (serials) return serials;
  }
  const numbers = new Map<string, number>();
  const known = new Map<Node, number>();
  for (const { path, node } of walk(await layer.tree())) {
    const number = known.get(node) ?? known.size + 1;
    known.set(node, number);
    numbers.set(path, number);
  }
  return numbers;
}

/** Undefined unless every record has one. */
function serialNumbers({ hierarchies }: SeenVolume): Map<string, number> | undefined {
  const numbers = new Map<string, number>();
  const hierarchy = hierarchies.find(({ usesRockRidge }) => usesRockRidge);
  if (!hierarchy) return undefined;
  for (const { path, self } of hierarchy.directories) {
    const serial = self?.rockRidge.posix?.serial;
    if (serial === undefined) return undefined;
    numbers.set(path, serial);
  }
  for (const { path, first } of leaves(hierarchy.root)) {
    const serial = first.rockRidge.posix?.serial;
    if (serial === undefined) return undefined;
    numbers.set(path, serial);
  }
  return numbers;
}
