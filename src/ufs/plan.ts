// From a tree to the layout of a UFS image. What it makes of an empty tree is what illumos' newfs or mkfs makes, bit for
// bit (mkfs.c: initcg, fsinit); a tree is put in by first-fit allocation. Nothing is read: sizes suffice.

import { encodedContent, ImageError } from "../bytes/index.ts";
import { type Extent, extent, type Layout, makeLayout } from "../layout/index.ts";
import { type Directory, directory, modeWithType, type Node, normalizePath, walk } from "../tree/index.ts";
import { contentOf, type Demand, demandOf, type Placement, placeAll } from "./allocate.ts";
import { encodeIndirect, firstLbnOfLevel, forEachBlock } from "./block-map.ts";
import { encodeCylinderGroup } from "./cylinder-group.ts";
import {
  csum,
  dinode,
  FSLARGEFILES,
  FSOKAY,
  LOSTFOUNDINO,
  MAXOFF32,
  NDADDR,
  NIADDR,
  SBOFF,
  SBSIZE,
  UFSROOTINO,
} from "./format.ts";
import { type FreeSpace, freeSpace, type Run } from "./free-space.ts";
import type { HolesOption } from "./holes.ts";
import { encodeDevice, shortId } from "./inode.ts";
import { lrand48 } from "./lrand48.ts";
import { type Device, type MkfsOperands, mkfs } from "./mkfs.ts";
import { type NewfsOptions, newfs } from "./newfs.ts";
import { type Numbering, numberInodes, withLostAndFound } from "./numbering.ts";
import {
  cgbase,
  cgsblock,
  cgtod,
  encodeSuperblock,
  INODE_BYTES,
  inodeOffset,
  itog,
  type Superblock,
} from "./superblock.ts";

/** How large, and how divided: by newfs' options, or by mkfs' operands (`imageBytes` defaults to size * 512). */
export type GeometryOption =
  | { readonly newfs: NewfsOptions }
  | {
      readonly mkfs: MkfsOperands;
      readonly device?: Device | undefined;
      readonly imageBytes?: number | undefined;
    };

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

export interface PlannedGeometry {
  readonly superblock: Superblock;
  readonly imageBytes: number;
  readonly warnings: readonly string[];
}

/** @throws ImageError "invalid-argument", "unsupported" where newfs or mkfs refuse */
export function planGeometry(geometry: GeometryOption): PlannedGeometry {
  if ("newfs" in geometry) {
    const { operands, device, warnings } = newfs(geometry.newfs);
    const made = mkfs(operands, device);
    return {
      superblock: made.superblock,
      imageBytes: geometry.newfs.imageBytes,
      warnings: [...warnings, ...made.warnings],
    };
  }
  const { superblock, warnings } = mkfs(geometry.mkfs, geometry.device);
  const imageBytes = geometry.imageBytes ?? Math.max(geometry.mkfs.size, superblock.fs_size * superblock.fs_nspf) * 512;
  if (imageBytes < superblock.fs_size * superblock.fs_fsize) {
    throw new ImageError(
      "invalid-argument",
      `an image of ${imageBytes} bytes cannot hold a file system of ${superblock.fs_size * superblock.fs_fsize}`,
    );
  }
  return { superblock, imageBytes, warnings };
}

/**
 * Plans the image of a tree. Pure: nothing is read, the same tree and options give the same layout.
 * @throws ImageError "no-space" saying what is missing; "limit" for what UFS cannot express; "invalid-argument" and
 *   "unsupported" for geometries
 */
export function planUfs(tree: Directory, options: UfsOptions): UfsPlan {
  const { superblock: empty, imageBytes, warnings } = planGeometry(options.geometry);
  const { timeSeconds } = options;
  if (!Number.isInteger(timeSeconds) || Math.abs(timeSeconds) >= 2 ** 31) {
    throw new ImageError("invalid-argument", `${timeSeconds}: the time must be whole seconds below 2^31`);
  }
  const lostAndFound = options.lostAndFound ?? true;
  const root = lostAndFound ? withLostAndFound(tree, timeSeconds) : tree;
  const inodes = numberInodes(root, lostAndFound);
  const free = freeSpace(empty);
  const demand = demandOf(empty, inodes, lostAndFound, options.holes);
  const placement = placeAll(empty, demand, free);
  checkSpace(empty, inodes, free);

  const summary = summarize(empty, inodes, free.runs());
  const sb: Superblock = {
    ...empty,
    ...summary.total,
    fs_time: timeSeconds,
    fs_state: (FSOKAY - timeSeconds) | 0,
    fs_flags: demand.sizes.some((size) => size > MAXOFF32) ? FSLARGEFILES : 0,
  };
  const generation = options.fsirand === "illumos" ? timeSeconds : undefined;
  const extents = [
    ...groupExtents(sb, summary, timeSeconds),
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

function checkSpace(sb: Superblock, inodes: Numbering, free: FreeSpace): void {
  const missingBytes = free.missingBlocks() * sb.fs_bsize;
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

interface Summary {
  /** Four counts a group: ndir, nbfree, nifree, nffree. */
  readonly groups: Int32Array;
  readonly total: Pick<Superblock, "fs_cstotal_ndir" | "fs_cstotal_nbfree" | "fs_cstotal_nifree" | "fs_cstotal_nffree">;
  readonly usedInodes: number;
  /** Free runs by address, and where those of each group begin. */
  readonly runs: readonly Run[];
  readonly firstRun: Int32Array;
}

function summarize(sb: Superblock, inodes: Numbering, runs: readonly Run[]): Summary {
  const groups = new Int32Array(4 * sb.fs_ncg);
  const add = (group: number, field: number, count: number): void => {
    groups[4 * group + field] = (groups[4 * group + field] ?? 0) + count;
  };
  inodes.nodes.forEach((node, inode) => {
    if (node?.type === "directory") add(itog(sb, inode), 0, 1);
  });
  for (let group = 0; group < sb.fs_ncg; group++) {
    add(group, 2, sb.fs_ipg - usedInodesOf(sb, inodes.nodes.length, group));
  }
  const firstRun = new Int32Array(sb.fs_ncg + 1);
  let group = 0;
  runs.forEach(({ frag, frags }, i) => {
    while (group < Math.floor(frag / sb.fs_fpg)) firstRun[++group] = i;
    if (frags % sb.fs_frag === 0) add(group, 1, frags / sb.fs_frag);
    else add(group, 3, frags);
  });
  while (group < sb.fs_ncg) firstRun[++group] = runs.length;
  const sum = (field: number): number => {
    let total = 0;
    for (let i = field; i < groups.length; i += 4) total += groups[i] ?? 0;
    return total;
  };
  return {
    groups,
    total: {
      fs_cstotal_ndir: sum(0),
      fs_cstotal_nbfree: sum(1),
      fs_cstotal_nifree: sum(2),
      fs_cstotal_nffree: sum(3),
    },
    usedInodes: inodes.nodes.length,
    runs,
    firstRun,
  };
}

/** Inodes are numbered without gaps: those of a group in use are its first ones. */
function usedInodesOf(sb: Superblock, usedInodes: number, group: number): number {
  return Math.min(sb.fs_ipg, Math.max(0, usedInodes - group * sb.fs_ipg));
}

/** Superblock, its copies, the groups' blocks and the summary array. */
function groupExtents(sb: Superblock, summary: Summary, timeSeconds: number): Extent[] {
  const superblock = encodedContent(SBSIZE, (target) => encodeSuperblock(sb, target));
  const extents = [extent(SBOFF, { what: "superblock" }, superblock)];
  for (let group = 0; group < sb.fs_ncg; group++) {
    const header = encodedContent(sb.fs_bsize, (target) => {
      const first = summary.firstRun[group] ?? 0;
      const runs = summary.runs.slice(first, summary.firstRun[group + 1]);
      const base = cgbase(sb, group);
      encodeCylinderGroup(
        sb,
        group,
        {
          time: timeSeconds,
          ndir: summary.groups[4 * group] ?? 0,
          usedInodes: usedInodesOf(sb, summary.usedInodes, group),
          free: runs.map(({ frag, frags }) => ({ frag: frag - base, frags })),
        },
        target,
      );
    });
    extents.push(
      extent(cgsblock(sb, group) * sb.fs_fsize, { what: `cg ${group} superblock copy` }, superblock),
      extent(cgtod(sb, group) * sb.fs_fsize, { what: `cg ${group} header` }, header),
    );
  }
  const array = encodedContent(sb.fs_cssize, (target) => {
    for (let group = 0; group < sb.fs_ncg; group++) {
      const [cs_ndir = 0, cs_nbfree = 0, cs_nifree = 0, cs_nffree = 0] = summary.groups.subarray(4 * group);
      csum.encode({ cs_ndir, cs_nbfree, cs_nifree, cs_nffree }, target, csum.sizeBytes * group);
    }
  });
  return [...extents, extent(sb.fs_csaddr * sb.fs_fsize, { what: "cylinder summary" }, array)];
}

/** One extent for each inode block that is not all zeros. */
function inodeExtents(sb: Superblock, demand: Demand, placement: Placement, seed: number | undefined): Extent[] {
  const used = demand.sizes.length;
  const all = sb.fs_ncg * sb.fs_ipg;
  const extents: Extent[] = [];
  for (let first = 0; first < (seed === undefined ? used : all); first += sb.fs_inopb) {
    const content = encodedContent(sb.fs_bsize, (target) => {
      const generations = seed === undefined ? undefined : generationNumbers(sb, seed, first);
      for (let i = 0; i < sb.fs_inopb; i++) {
        const inode = first + i;
        const ic_gen = generations?.[i] ?? 0;
        if (inode >= UFSROOTINO && inode < used) {
          encodeInode(sb, demand, placement, inode, ic_gen, target, i * INODE_BYTES);
        } else if (ic_gen !== 0) dinode.patch({ ic_gen }, target, i * INODE_BYTES);
      }
    });
    extents.push(extent(inodeOffset(sb, first), { what: `cg ${itog(sb, first)} inodes` }, content));
  }
  return extents;
}

/** mkfs draws a number for every inode in order, and then again for lost+found and the root. */
function generationNumbers(sb: Superblock, seed: number, first: number): Int32Array {
  const numbers = lrand48(seed, first, sb.fs_inopb);
  if (first === 0) {
    const [lostAndFound = 0, root = 0] = lrand48(seed, sb.fs_ncg * sb.fs_ipg, 2);
    numbers[LOSTFOUNDINO] = lostAndFound;
    numbers[UFSROOTINO] = root;
  }
  return numbers;
}

function encodeInode(
  sb: Superblock,
  { inodes, sizes }: Demand,
  placement: Placement,
  inode: number,
  ic_gen: number,
  target: Uint8Array,
  offset: number,
): void {
  const node = inodes.nodes[inode];
  if (node === undefined) return;
  const ic_db = new Array<number>(NDADDR).fill(0);
  const ic_ib = new Array<number>(NIADDR).fill(0);
  if (node.type === "character" || node.type === "block") ic_db[1] = encodeDevice(node, inodes.paths[inode] ?? "") | 0;
  forEachBlock(sb, placement.runsOf(inode), 0, NDADDR, (lbn, frag) => {
    ic_db[lbn] = frag;
  });
  for (const { level, firstLbn, frag } of placement.indirectOf(inode)) {
    if (firstLbn === firstLbnOfLevel(sb.fs_nindir, level)) ic_ib[level - 1] = frag;
  }
  const { uid, gid, mtimeSeconds } = node;
  dinode.encode(
    {
      ic_smode: modeWithType(node),
      ic_nlink: inodes.links[inode] ?? 0,
      ic_suid: shortId(uid),
      ic_sgid: shortId(gid),
      ic_lsize: sizes[inode] ?? 0,
      ic_atime: mtimeSeconds,
      ic_mtime: mtimeSeconds,
      ic_ctime: mtimeSeconds,
      ic_db,
      ic_ib,
      ic_blocks: placement.fragsOf(inode) * sb.fs_nspf,
      ic_gen,
      ic_uid: uid,
      ic_gid: gid,
    },
    target,
    offset,
  );
}

/** What the owner of an inode's data is called. */
export const DATA_OWNERS: Readonly<Record<Node["type"], string>> = {
  directory: "directory",
  file: "data",
  symlink: "symlink",
  character: "device",
  block: "device",
  fifo: "fifo",
  socket: "socket",
};

/** One extent for each run of data that is contiguous in the file and on disk, one for each indirect block. */
function dataExtents(sb: Superblock, demand: Demand, placement: Placement): Extent[] {
  const extents: Extent[] = [];
  demand.inodes.nodes.forEach((node, inode) => {
    if (node === undefined || demand.sizes[inode] === 0) return;
    const path = demand.inodes.paths[inode];
    const content = contentOf(sb, demand, inode);
    const owner = { what: DATA_OWNERS[node.type], path };
    const runs = placement.runsOf(inode);
    for (const { lbn, frag, frags } of runs) {
      const contentOffset = lbn * sb.fs_bsize;
      const length = Math.min(frags * sb.fs_fsize, content.sizeBytes - contentOffset);
      extents.push({ offset: frag * sb.fs_fsize, length, owner, content, contentOffset });
    }
    const blocks = placement.indirectOf(inode);
    for (const block of blocks) {
      const addresses = encodedContent(sb.fs_bsize, (target) => encodeIndirect(sb, block, runs, blocks, target));
      extents.push(extent(block.frag * sb.fs_fsize, { what: "indirect block", path }, addresses));
    }
  });
  return extents;
}
