// The superblock: where everything lies (the address macros of ufs_fs.h) and its encoding with the rotational tables
// that follow the declared structure (mkfs.c, "calculate the available blocks for each rotational position").

import { divideUp, roundUp, type StructValues } from "../bytes/index.ts";
import { fs, SBSIZE } from "./format.ts";

/** All fields of struct fs by name. */
export type Superblock = StructValues<typeof fs>;

/** First frag of a group. */
export const cgbase = (sb: Superblock, group: number): number => sb.fs_fpg * group;
/** Where the group's metadata begin: it moves on from group to group, so that they do not all lie on one platter. */
export const cgstart = (sb: Superblock, group: number): number =>
  cgbase(sb, group) + sb.fs_cgoffset * (group & ~sb.fs_cgmask);
/** The superblock copy. */
export const cgsblock = (sb: Superblock, group: number): number => cgstart(sb, group) + sb.fs_sblkno;
/** The cylinder group block. */
export const cgtod = (sb: Superblock, group: number): number => cgstart(sb, group) + sb.fs_cblkno;
/** The first inode block. */
export const cgimin = (sb: Superblock, group: number): number => cgstart(sb, group) + sb.fs_iblkno;
/** The first data after the metadata. */
export const cgdmin = (sb: Superblock, group: number): number => cgstart(sb, group) + sb.fs_dblkno;
/** End (exclusive) of a group; the last one may be short. */
export const cgend = (sb: Superblock, group: number): number => Math.min(cgbase(sb, group) + sb.fs_fpg, sb.fs_size);

/** The group that holds an inode. */
export const itog = (sb: Superblock, inode: number): number => Math.floor(inode / sb.fs_ipg);
/** Byte offset of an inode in the image. */
export const inodeOffset = (sb: Superblock, inode: number): number =>
  cgimin(sb, itog(sb, inode)) * sb.fs_fsize + (inode % sb.fs_ipg) * INODE_BYTES;
export const INODE_BYTES = 128;

/** Sectors in a block. */
export const nspb = (sb: Superblock): number => sb.fs_nspf * sb.fs_frag;
/** Cylinder, within its group, of a frag relative to cgbase. */
export const cbtocylno = (sb: Superblock, frag: number): number => Math.floor((frag * sb.fs_nspf) / sb.fs_spc);
/** Rotational position of a frag relative to cgbase. */
export const cbtorpos = (sb: Superblock, frag: number): number =>
  Math.floor(((((frag * sb.fs_nspf) % sb.fs_spc) % sb.fs_nsect) * sb.fs_nrpos) / sb.fs_nsect);

/** The frags of group 0 that the summary array takes. */
export const csumFrags = (sb: Superblock): number => Math.ceil(sb.fs_cssize / sb.fs_fsize);

/** sizeof (struct cg) for a 32-bit program: with the first bytes of the maps, and padding. */
export const SIZEOF_CG = 172;

/** Inodes in a group at most: their map may take a third of the group's block. */
export function maxipg(bsize: number, inopb: number = bsize / INODE_BYTES): number {
  return roundUp(Math.floor((bsize * 8) / 3), inopb);
}

export type Cgsize = Pick<Superblock, "fs_cpg" | "fs_nrpos" | "fs_ipg" | "fs_spc" | "fs_nspf">;

/** Bytes of a cylinder group block: struct cg, block totals, positions, inode map, frag map. */
export function cgsizeOf(sb: Cgsize): number {
  return (
    SIZEOF_CG +
    sb.fs_cpg * 4 +
    sb.fs_cpg * sb.fs_nrpos * 2 +
    divideUp(sb.fs_ipg, 8) +
    divideUp(Math.floor((sb.fs_cpg * sb.fs_spc) / sb.fs_nspf), 8)
  );
}

/** The SBSIZE bytes that stand at SBOFF and at every cgsblock: structure, rotational tables, zeros. */
export function encodeSuperblock(sb: Superblock, target: Uint8Array): void {
  fs.encode(sb, target);
  target.fill(0, fs.sizeBytes, SBSIZE);
  if (sb.fs_cpc > 0) encodeRotationalTables(sb, new DataView(target.buffer, target.byteOffset, SBSIZE));
}

function encodeRotationalTables(sb: Superblock, view: DataView): void {
  const postbl = (cylinder: number, position: number): number =>
    sb.fs_postbloff + 2 * (cylinder * sb.fs_nrpos + position);
  for (let i = 0; i < sb.fs_cpc * sb.fs_nrpos; i++) view.setInt16(sb.fs_postbloff + 2 * i, -1, true);
  for (let block = rotblSize(sb) - 1; block >= 0; block--) {
    const frag = block * sb.fs_frag;
    const first = postbl(cbtocylno(sb, frag), cbtorpos(sb, frag));
    const next = view.getInt16(first, true);
    view.setUint8(sb.fs_rotbloff + block, next === -1 ? 0 : (next - block) & 0xff);
    view.setInt16(first, block, true);
  }
}

/** Blocks in one cycle of cylinders: the entries of the table at fs_rotbloff. */
export function rotblSize(sb: Pick<Superblock, "fs_cpc" | "fs_spc" | "fs_nspf" | "fs_frag">): number {
  return Math.floor((sb.fs_cpc * sb.fs_spc) / (sb.fs_nspf * sb.fs_frag));
}
