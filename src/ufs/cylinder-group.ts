// The cylinder group block: header, block totals by cylinder and rotational position, inode map, frag map
// (ufs_fs.h, struct cg; mkfs.c, initcg).

import { divideUp, roundUp, type StructValues } from "../bytes/index.ts";
import { CG_MAGIC, cg } from "./format.ts";
import { cbtocylno, cbtorpos, cgbase, cgdmin, cgend, csumFrags, nspb, type Superblock } from "./superblock.ts";

export type CylinderGroup = StructValues<typeof cg>;

export interface CgOffsets {
  readonly cg_btotoff: number;
  readonly cg_boff: number;
  readonly cg_iusedoff: number;
  readonly cg_freeoff: number;
  readonly cg_nextfreeoff: number;
}

/** Where the tables and maps lie in every group's block. */
export function cgOffsets(sb: Superblock): CgOffsets {
  const cg_btotoff = cg.sizeBytes;
  const cg_boff = cg_btotoff + 4 * sb.fs_cpg;
  const cg_iusedoff = cg_boff + 2 * sb.fs_cpg * sb.fs_nrpos;
  const cg_freeoff = cg_iusedoff + divideUp(sb.fs_ipg, 8);
  const cg_nextfreeoff = cg_freeoff + divideUp(Math.floor((sb.fs_cpg * sb.fs_spc) / sb.fs_nspf), 8);
  return { cg_btotoff, cg_boff, cg_iusedoff, cg_freeoff, cg_nextfreeoff };
}

/** Cylinders of a group: the last one has what is left. */
export function cylindersOf(sb: Superblock, group: number): number {
  return group === sb.fs_ncg - 1 ? sb.fs_ncyl - sb.fs_cpg * group : sb.fs_cpg;
}

/** What follows from a frag map. */
export interface Tally {
  readonly nbfree: number;
  readonly nffree: number;
  readonly frsum: readonly number[];
  /** By cylinder: fs_cpg counts. */
  readonly btot: Int32Array;
  /** By cylinder and rotational position: fs_cpg * fs_nrpos counts. */
  readonly b: Int32Array;
}

/** Counts the free blocks and the free runs of a frag map (bit set = free) of `frags` frags. */
export function tally(sb: Superblock, map: Uint8Array, frags: number): Tally {
  const { fs_frag: blockFrags } = sb;
  const full = (1 << blockFrags) - 1;
  const btot = new Int32Array(sb.fs_cpg);
  const b = new Int32Array(sb.fs_cpg * sb.fs_nrpos);
  const frsum = new Array<number>(8).fill(0);
  let nbfree = 0;
  let nffree = 0;
  for (let frag = 0; frag < frags; frag += blockFrags) {
    const bits = ((map[frag >> 3] as number) >> (frag & 7)) & full; // blockFrags divides 8: one byte holds the block
    if (bits === full) {
      const cylinder = cbtocylno(sb, frag);
      nbfree++;
      btot[cylinder] = (btot[cylinder] ?? 0) + 1;
      const position = cylinder * sb.fs_nrpos + cbtorpos(sb, frag);
      b[position] = (b[position] ?? 0) + 1;
    } else if (bits !== 0) {
      nffree += countRuns(bits, blockFrags, frsum);
    }
  }
  return { nbfree, nffree, frsum, btot, b };
}

/** Adds the runs of set bits in a block to `frsum` and returns the number of bits. */
function countRuns(bits: number, blockFrags: number, frsum: number[]): number {
  let total = 0;
  let run = 0;
  for (let i = 0; i <= blockFrags; i++) {
    if (i < blockFrags && bits & (1 << i)) run++;
    else {
      if (run > 0) frsum[run] = (frsum[run] ?? 0) + 1;
      total += run;
      run = 0;
    }
  }
  return total;
}

export interface GroupState {
  readonly time: number;
  readonly ndir: number;
  /** Inodes [0, usedInodes) of the group are in use. */
  readonly usedInodes: number;
  /** Free runs, relative to cgbase, none across a block that is partly used. */
  readonly free: Iterable<{ readonly frag: number; readonly frags: number }>;
}

/** Writes the block of a group into `target`, which is zeroed. */
export function encodeCylinderGroup(sb: Superblock, group: number, state: GroupState, target: Uint8Array): void {
  const offsets = cgOffsets(sb);
  const frags = cgend(sb, group) - cgbase(sb, group);
  const inodeMap = target.subarray(offsets.cg_iusedoff, offsets.cg_freeoff);
  setBits(inodeMap, 0, state.usedInodes);
  const fragMap = target.subarray(offsets.cg_freeoff, offsets.cg_nextfreeoff);
  for (const run of state.free) setBits(fragMap, run.frag, run.frag + run.frags);
  const counts = tally(sb, fragMap, frags);
  if (sb.fs_spc < nspb(sb)) addMiscount(sb, group, counts);

  cg.patch(
    {
      cg_magic: CG_MAGIC,
      cg_time: state.time,
      cg_cgx: group,
      cg_ncyl: cylindersOf(sb, group),
      cg_niblk: sb.fs_ipg,
      cg_ndblk: frags,
      cg_cs_ndir: state.ndir,
      cg_cs_nbfree: counts.nbfree,
      cg_cs_nifree: sb.fs_ipg - state.usedInodes,
      cg_cs_nffree: counts.nffree,
      cg_frsum: counts.frsum,
      ...offsets,
    },
    target,
  );
  const view = new DataView(target.buffer, target.byteOffset, target.length);
  counts.btot.forEach((blocks, i) => {
    view.setInt32(offsets.cg_btotoff + 4 * i, blocks, true);
  });
  counts.b.forEach((blocks, i) => {
    view.setInt16(offsets.cg_boff + 2 * i, blocks, true);
  });
}

/** Sets bits [from, to), least significant first. */
export function setBits(map: Uint8Array, from: number, to: number): void {
  let bit = from;
  for (; bit < to && (bit & 7) !== 0; bit++) map[bit >> 3] = (map[bit >> 3] ?? 0) | (1 << (bit & 7));
  if (bit + 8 <= to) {
    map.fill(0xff, bit >> 3, to >> 3);
    bit = to & ~7;
  }
  for (; bit < to; bit++) map[bit >> 3] = (map[bit >> 3] ?? 0) | (1 << (bit & 7));
}

/**
 * Where a block is longer than a cylinder, mkfs steps on by one cylinder a block when it counts the free blocks above the
 * metadata, and so books most of them on the wrong one; what is allocated later is booked off the right one. This
 * adds the difference.
 */
function addMiscount(sb: Superblock, group: number, { btot, b }: Tally): void {
  const start = cgdmin(sb, group) - cgbase(sb, group) + (group === 0 ? csumFrags(sb) : 0);
  const first = roundUp(start, sb.fs_frag);
  const frags = cgend(sb, group) - cgbase(sb, group);
  const hasSpares = sb.fs_spc !== sb.fs_ntrak * sb.fs_nsect;
  const add = (counts: Int32Array, index: number, count: number): void => {
    counts[index] = (counts[index] ?? 0) + count;
  };
  let cylinder = cbtocylno(sb, first);
  for (let frag = first; frag + sb.fs_frag <= frags; frag += sb.fs_frag, cylinder++) {
    const right = cbtocylno(sb, frag);
    add(btot, cylinder, 1);
    add(btot, right, -1);
    if (hasSpares) continue; // then mkfs looks up cylinder and position of each block
    add(b, cylinder * sb.fs_nrpos + cbtorpos(sb, frag), 1);
    add(b, right * sb.fs_nrpos + cbtorpos(sb, frag), -1);
  }
}
