// From a tree to the layout of a UFS image. What it makes of an empty tree is what illumos' newfs or mkfs makes, bit for
// bit (mkfs.c: initcg, fsinit); a tree is put in by first-fit allocation. Nothing is read: sizes suffice.

import { ImageError } from "../bytes/index.ts";
import { type Layout, makeLayout } from "../layout/index.ts";
import { type Directory, directory, type Node, normalizePath, walk } from "../tree/index.ts";
import { type Arrangement, arrangementOf } from "./allocate.ts";
import { FSLARGEFILES, FSOKAY, MAXOFF32, UFSROOTINO } from "./format.ts";
import { type GeometryOption, planGeometry } from "./geometry.ts";
import type { HolesOption } from "./holes.ts";
import { type NumberedTree, type Numbering, numberTree } from "./numbering.ts";
import { dataExtents, groupExtents, inodeExtents } from "./plan-extents.ts";
import { settle } from "./settle.ts";
import { summarize } from "./summary.ts";
import type { Superblock } from "./superblock.ts";

export interface UfsOptions {
  readonly geometry: GeometryOption;
  /** fs_time, cg_time and the times of lost+found, seconds since 1970. */
  readonly timeSeconds: number;
  /** Whether there is a /lost+found as newfs makes it (default), or none but the tree's own. */
  readonly lostAndFound?: boolean | undefined;
  /** Whether files may have holes where their content says that it has no data (default: no). */
  readonly holes?: HolesOption | undefined;
  /** Generation numbers: 0 (default), or those that illumos' mkfs draws at `timeSeconds` with process id 0. */
  readonly fsirand?: "zero" | "illumos" | undefined;
}

export interface UfsPlan {
  readonly layout: Layout;
  readonly superblock: Superblock;
  /** What newfs and mkfs warn about, in their words. */
  readonly warnings: readonly string[];
  /** In whole blocks and frags; fs_minfree is not deducted. */
  readonly freeBytes: number;
  readonly freeInodes: number;
  readonly usedInodes: number;
  /** The inode at a path of the tree, or undefined. */
  inodeOf(path: string): number | undefined;
}

/** The root of an empty file system, as newfs makes it. */
export function emptyRoot(timeSeconds: number): Directory {
  return directory({ mode: 0o755, uid: 0, gid: 0, mtimeSeconds: timeSeconds });
}

/**
 * Plans the image of a tree. Pure: nothing is read, the same tree and options give the same layout.
 * @throws ImageError "no-space" saying what is missing; "limit" for what UFS cannot express; "invalid-argument" and
 *   "unsupported" for geometries
 */
export function planUfs(tree: Directory, options: UfsOptions): UfsPlan {
  return planNumbered(numberTree(tree, options.lostAndFound ?? true, options.timeSeconds), options);
}

/** The same, of a tree that was numbered, and perhaps arranged, already. */
export function planNumbered(
  tree: NumberedTree,
  options: UfsOptions,
  arranged: (sb: Superblock) => Arrangement = (sb) => arrangementOf(sb, tree, options.holes),
): UfsPlan {
  const { root, inodes } = tree;
  const { superblock: empty, imageBytes, warnings } = planGeometry(options.geometry);
  const { timeSeconds } = options;
  if (!Number.isInteger(timeSeconds) || Math.abs(timeSeconds) >= 2 ** 31) {
    throw new ImageError("invalid-argument", `${timeSeconds}: the time must be whole seconds below 2^31`);
  }
  const arrangement = arranged(empty);
  const { demand } = arrangement;
  const placement = settle(empty, arrangement);
  checkSpace(empty, inodes, placement.missingBlocks);

  const summary = summarize(empty, inodes, placement.free);
  const emptyTree = numberTree(emptyRoot(timeSeconds), tree.lostAndFound, timeSeconds);
  const asMade = summarize(empty, emptyTree.inodes, settle(empty, arrangementOf(empty, emptyTree)).free);
  const sb: Superblock = {
    ...empty,
    ...summary.total,
    fs_time: timeSeconds,
    fs_state: (FSOKAY - timeSeconds) | 0,
    fs_flags: demand.sizes.some((size) => size > MAXOFF32) ? FSLARGEFILES : 0,
  };
  const generation = options.fsirand === "illumos" ? timeSeconds : undefined;
  const extents = [
    ...groupExtents(sb, { ...sb, ...asMade.total }, summary, timeSeconds),
    ...inodeExtents(sb, demand, placement, generation),
    ...dataExtents(sb, demand, placement),
  ];
  let byPath: Map<string, number> | undefined;
  return {
    layout: makeLayout(imageBytes, extents),
    superblock: sb,
    warnings,
    freeBytes: sb.fs_cstotal_nbfree * sb.fs_bsize + sb.fs_cstotal_nffree * sb.fs_fsize,
    freeInodes: sb.fs_cstotal_nifree,
    usedInodes: inodes.nodes.length - UFSROOTINO,
    inodeOf(path) {
      byPath ??= inodesByPath(root, inodes);
      return byPath.get(normalizePath(path));
    },
  };
}

function inodesByPath(root: Directory, inodes: Numbering): Map<string, number> {
  const byPath = new Map<string, number>();
  const byNode = new Map<Node, number>();
  inodes.nodes.forEach((node, inode) => {
    if (node === undefined) return;
    byPath.set(inodes.paths[inode] ?? "", inode);
    if (node.type !== "directory") byNode.set(node, inode);
  });
  for (const { path, node } of walk(root)) {
    const inode = byNode.get(node);
    if (inode !== undefined) byPath.set(path, inode);
  }
  return byPath;
}

function checkSpace(sb: Superblock, inodes: Numbering, missingBlocks: number): void {
  const missingBytes = missingBlocks * sb.fs_bsize;
  const missingInodes = Math.max(0, inodes.nodes.length - sb.fs_ncg * sb.fs_ipg);
  if (missingBytes === 0 && missingInodes === 0) return;
  const missing = [
    ...(missingBytes > 0 ? [`${missingBytes} bytes`] : []),
    ...(missingInodes > 0 ? [`${missingInodes} inodes`] : []),
  ];
  throw new ImageError(
    "no-space",
    `the file system of ${sb.fs_size * sb.fs_fsize} bytes and ${sb.fs_ncg * sb.fs_ipg} inodes is too small: ` +
      `${missing.join(" and ")} are missing; take a larger size${missingInodes > 0 ? " or fewer bytes per inode (nbpi)" : ""}`,
  );
}
