// What lies where in a planned image, and the encoder of each: metadata, inodes, data.

import { encodedContent } from "../bytes/index.ts";
import { type Extent, extent } from "../layout/index.ts";
import { modeWithType, type Node } from "../tree/index.ts";
import { type DataRun, encodeIndirect, firstLbnOfLevel, forEachBlock, type IndirectBlock } from "./block-map.ts";
import { encodeCylinderGroup } from "./cylinder-group.ts";
import { contentOf, type Demand } from "./demand.ts";
import { csum, dinode, LOSTFOUNDINO, NDADDR, NIADDR, SBOFF, SBSIZE, UFSROOTINO } from "./format.ts";
import { encodeDevice, shortId } from "./inode.ts";
import { lrand48 } from "./lrand48.ts";
import type { Placement } from "./settle.ts";
import { type Summary, usedInodesOf } from "./summary.ts";
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

/**
 * Superblock, its copies, the groups' blocks and the summary array. The totals in the copies are those of the empty file system: the
 * kernel keeps only the first superblock up to date, and a change to the tree must not change every group.
 */
export function groupExtents(sb: Superblock, copy: Superblock, summary: Summary, timeSeconds: number): Extent[] {
  const superblock = encodedContent(SBSIZE, (target) => encodeSuperblock(sb, target));
  const superblockCopy = encodedContent(SBSIZE, (target) => encodeSuperblock(copy, target));
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
      extent(cgsblock(sb, group) * sb.fs_fsize, { what: `cg ${group} superblock copy` }, superblockCopy),
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
export function inodeExtents(sb: Superblock, demand: Demand, placement: Placement, seed: number | undefined): Extent[] {
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
export function dataExtents(sb: Superblock, demand: Demand, placement: Placement): Extent[] {
  const { nodes, paths } = demand.inodes;
  const extents: Extent[] = [];
  for (let inode = UFSROOTINO; inode < nodes.length; inode++) {
    const node = nodes[inode];
    if (node === undefined || demand.sizes[inode] === 0) continue;
    const content = contentOf(sb, demand, inode);
    const owner = { what: DATA_OWNERS[node.type], path: paths[inode] };
    const runs = placement.runsOf(inode);
    for (const { lbn, frag, frags } of runs) {
      const contentOffset = lbn * sb.fs_bsize;
      const length = Math.min(frags * sb.fs_fsize, content.sizeBytes - contentOffset);
      extents.push({ offset: frag * sb.fs_fsize, length, owner, content, contentOffset });
    }
    const blocks = placement.indirectOf(inode);
    for (const each of indirectExtents(sb, paths[inode], runs, blocks)) extents.push(each);
  }
  return extents;
}

function indirectExtents(
  sb: Superblock,
  path: string | undefined,
  runs: readonly DataRun[],
  blocks: readonly IndirectBlock[],
): Extent[] {
  return blocks.map((block) => {
    const addresses = encodedContent(sb.fs_bsize, (target) => encodeIndirect(sb, block, runs, blocks, target));
    return extent(block.frag * sb.fs_fsize, { what: "indirect block", path }, addresses);
  });
}
