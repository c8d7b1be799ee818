// mkfs_ufs: from its operands to a superblock (usr/src/cmd/fs.d/ufs/mkfs/mkfs.c). Arithmetic is that of a 32-bit program; a
// 64-bit one makes other layouts.

import { divideUp, isPowerOfTwo, log2Floor, roundUp } from "../bytes/index.ts";
import { FS_DYNAMICPOSTBLFMT, FS_MAGIC, FSCLEAN, FSOKAY, fs, SBSIZE } from "./format.ts";
import { refuseCramped } from "./mkfs-cramped.ts";
import {
  type CheckedOperands,
  checkOperands,
  type Device,
  type MkfsOperands,
  plainDevice,
  refuse,
} from "./mkfs-operands.ts";
import {
  type Cgsize,
  cgbase,
  cgdmin,
  cgend,
  cgsblock,
  cgsizeOf,
  csumFrags,
  INODE_BYTES,
  maxipg,
  rotblSize,
  type Superblock,
} from "./superblock.ts";

export interface Mkfs {
  /** With fs_time 0 and no totals: those depend on what is put in. */
  readonly superblock: Superblock;
  /** What mkfs prints before it reports the layout, line by line. */
  readonly warnings: readonly string[];
}

const SECTOR = 512;
const INT_MAX = 2 ** 31 - 1;

/**
 * What mkfs makes of its operands.
 * @throws ImageError "invalid-argument" where mkfs gives up, with its words; "unsupported" for multi-terabyte
 */
export function mkfs(operands: MkfsOperands, device: Device = plainDevice(operands.size)): Mkfs {
  const warnings: string[] = [];
  const superblock = layOut(checkOperands(operands, device, warnings), warnings);
  return { superblock, warnings };
}

function layOut(given: CheckedOperands, warnings: string[]): Superblock {
  const { bsize, fragsize, nsect, ntrack, nbpi, size } = given;
  const frag = bsize / fragsize;
  const nspf = fragsize / SECTOR;
  const inopb = bsize / INODE_BYTES;
  const inopf = inopb / frag;
  const spc = ntrack * nsect - given.apc;
  if (spc > INT_MAX) refuse([`${ntrack} tracks of ${nsect} sectors are more than a cylinder can have`]);

  const sblkno = roundUp(divideUp(8192 + SBSIZE, fragsize), frag);
  const cblkno = sblkno + roundUp(divideUp(SBSIZE, fragsize), frag);
  const iblkno = cblkno + frag;
  const cgoffset = roundUp(divideUp(nsect, nspf), frag);
  const cgmask = -1 << (log2Floor(ntrack) + (isPowerOfTwo(ntrack) ? 0 : 1));

  // Cylinders after which blocks and cylinders meet again: groups are multiples of them.
  let mincpc = nspf * frag;
  for (let rest = spc; mincpc > 1 && rest % 2 === 0; rest /= 2) mincpc /= 2;

  const mostInodes = maxipg(bsize);
  const inodesOfCylinder = Math.min(roundUp(Math.floor((spc * SECTOR) / INODE_BYTES), inopb), mostInodes);
  const usedSectors = (iblkno + Math.floor(inodesOfCylinder / inopf)) * nspf;
  // Frags and sectors are added up as if they were the same unit: so mkfs does it.
  const mincpgcnt = divideUp(cgoffset * ~cgmask + usedSectors, spc);
  const mincpg = roundUp(mincpgcnt, mincpc);
  const groupOf = (fs_cpg: number, fs_ipg: number): Cgsize => ({
    fs_cpg,
    fs_ipg,
    fs_nrpos: given.nrpos,
    fs_spc: spc,
    fs_nspf: nspf,
  });
  const inodesFor = (cpg: number): number =>
    roundUp(Math.floor((cpg * spc * SECTOR - usedSectors * SECTOR) / nbpi), inopb);

  if (cgsizeOf(groupOf(mincpg, inodesOfCylinder)) > bsize || inodesFor(mincpg) > mostInodes) {
    refuseCramped(given, { spc, mincpc, mincpgcnt, mincpg, usedSectors, inodesOfCylinder });
  }

  let cpg = given.cpg;
  if (cpg % mincpc !== 0) {
    cpg = roundUp(cpg, mincpc);
    warnings.push(
      `Warning: cylinder groups must have a multiple of ${mincpc} cylinders with the given`,
      "         parameters",
      `Rounded cgsize up to ${cpg}`,
    );
  }
  while (cpg >= mincpg && inodesFor(cpg) > mostInodes) cpg -= mincpc;
  while (cpg >= mincpg && cgsizeOf(groupOf(cpg, inodesFor(cpg))) > bsize) cpg -= mincpc;
  if (cpg < mincpg) refuse([`With the given parameters, cgsize must be at least ${mincpg}; please re-run mkfs`]);
  const ipg = inodesFor(cpg);

  let fsSize = Math.floor(size / nspf);
  if (fsSize > INT_MAX) refuse(["There are too many fragments in the system, increase fragment size"]);
  let ncyl = divideUp(fsSize * nspf, spc);
  let shortCylinder = fsSize * nspf < ncyl * spc;

  const fpg = (cpg * spc) / nspf;
  let ncg = divideUp(ncyl, cpg);
  const superblock: Superblock = {
    ...fs.decode(new Uint8Array(fs.sizeBytes)),
    fs_sblkno: sblkno,
    fs_cblkno: cblkno,
    fs_iblkno: iblkno,
    fs_dblkno: iblkno + ipg / inopf,
    fs_cgoffset: cgoffset,
    fs_cgmask: cgmask,
    fs_bsize: bsize,
    fs_fsize: fragsize,
    fs_frag: frag,
    fs_minfree: given.minfree,
    fs_rps: given.rps,
    fs_bmask: -bsize,
    fs_fmask: -fragsize,
    fs_bshift: log2Floor(bsize),
    fs_fshift: log2Floor(fragsize),
    fs_maxcontig: given.maxcontig,
    fs_maxbpg: bsize / 4,
    fs_fragshift: log2Floor(frag),
    fs_fsbtodb: log2Floor(nspf),
    fs_csmask: -(bsize / 16),
    fs_csshift: log2Floor(bsize / 16),
    fs_nindir: bsize / 4,
    fs_inopb: inopb,
    fs_nspf: nspf,
    fs_optim: given.optim,
    fs_state: FSOKAY,
    fs_cgsize: roundUp(cgsizeOf(groupOf(cpg, ipg)), fragsize),
    fs_ntrak: ntrack,
    fs_nsect: nsect,
    fs_spc: spc,
    fs_cpg: cpg,
    fs_ipg: ipg,
    fs_fpg: fpg,
    fs_clean: FSCLEAN,
    fs_version: given.version,
    fs_npsect: nsect,
    fs_qbmask: bsize - 1,
    fs_qfmask: fragsize - 1,
    fs_postblformat: FS_DYNAMICPOSTBLFMT,
    fs_nrpos: given.nrpos,
    fs_magic: FS_MAGIC,
    ...rotationalTables({ spc, nspf, frag, mincpc, given, warnings }),
  };

  const mostRotated = Math.min(~cgmask, ncg - 1);
  const metadataFrags = (group: number): number => cgdmin(superblock, group) - cgbase(superblock, group);
  if (metadataFrags(mostRotated) >= fpg) {
    refuse([
      // The division by frags a block binds to cgbase only: so mkfs prints it.
      `inode blocks/cyl group (${cgdmin(superblock, mostRotated) - Math.floor(cgbase(superblock, mostRotated) / frag)})` +
        ` >= data blocks (${Math.floor(fpg / frag)})`,
      `number of cylinders per cylinder group (${cpg}) must be increased.`,
      "Note that cgsize may have been adjusted to allow struct cg to fit.",
    ]);
  }
  const last = ncg - 1;
  const rest = fsSize - last * fpg;
  if (rest < fpg && metadataFrags(last) > rest) {
    if (ncg === 1) {
      refuse([
        "File system creation failed. There is only one cylinder group and that is not even big enough to hold the inodes.",
      ]);
    }
    warnings.push(
      `Warning: inode blocks/cyl group (${Math.floor(metadataFrags(last) / frag)}) >= data blocks (${Math.floor(rest / frag)}) in last`,
      `    cylinder group. This implies ${rest * nspf} sector(s) cannot be allocated.`,
    );
    ncg--;
    ncyl = ncg * cpg;
    fsSize = ncg * fpg;
    shortCylinder = false;
  }
  if (shortCylinder && given.apc === 0) {
    warnings.push(`Warning: ${ncyl * spc - fsSize * nspf} sector(s) in last cylinder unallocated`);
  }

  const whole: Superblock = {
    ...superblock,
    fs_size: fsSize,
    fs_ncyl: ncyl,
    fs_ncg: ncg,
    fs_csaddr: cgdmin(superblock, 0),
    fs_cssize: roundUp(ncg * 16, fragsize),
  };
  checkSummarySize(whole);
  checkFirstGroup(whole);
  return { ...whole, fs_dsize: dataFrags(whole) };
}

/** Frags that can hold data: below and above each group's metadata, without the summary array. */
function dataFrags(sb: Superblock): number {
  let frags = -csumFrags(sb);
  for (let group = 0; group < sb.fs_ncg; group++) {
    if (group > 0) frags += cgsblock(sb, group) - cgbase(sb, group);
    frags += cgend(sb, group) - cgdmin(sb, group);
  }
  return frags;
}

/** The summary array has to fit into the data of group 0. */
function checkSummarySize(sb: Superblock): void {
  const blocks = Math.floor((cgend(sb, 0) - cgdmin(sb, 0)) / sb.fs_frag);
  const mostFrags = blocks * (sb.fs_bsize / 16) * sb.fs_fpg;
  if (sb.fs_size > mostFrags) {
    refuse([
      `Too many cylinder groups with ${sb.fs_size * sb.fs_nspf} sectors;`,
      `try increasing cgsize, or decreasing fssize to ${mostFrags * sb.fs_nspf}`,
    ]);
  }
}

/** lost+found and the root go into group 0, each into a block of its own. */
function checkFirstGroup(sb: Superblock): void {
  const from = divideUp(cgdmin(sb, 0) + csumFrags(sb), sb.fs_frag);
  if (Math.floor(cgend(sb, 0) / sb.fs_frag) - from < 2) refuse(["first cylinder group ran out of space"]);
}

interface Rotation {
  readonly spc: number;
  readonly nspf: number;
  readonly frag: number;
  readonly mincpc: number;
  readonly given: CheckedOperands;
  readonly warnings: string[];
}

/** Where the rotational tables go, if there are any: a disk of one track, or tables that do not fit, has none. */
function rotationalTables({ spc, nspf, frag, mincpc, given, warnings }: Rotation): Partial<Superblock> {
  const withoutTables = { fs_cpc: 0, fs_sbsize: roundUp(fs.sizeBytes, given.fragsize) };
  if (given.ntrack === 1) return withoutTables;
  const inStaticSpace = given.nrpos === 8 && mincpc <= 16;
  const postblsize = inStaticSpace ? 0 : given.nrpos * mincpc * 2;
  const fs_postbloff = inStaticSpace ? fs.fields.fs_opostbl.offset : FS_SPACE;
  const fs_rotbloff = FS_SPACE + postblsize;
  const total = fs.sizeBytes + postblsize + rotblSize({ fs_cpc: mincpc, fs_spc: spc, fs_nspf: nspf, fs_frag: frag });
  if (total > given.bsize || given.nsect > 256 * nspf * frag) {
    warnings.push(
      "Warning: insufficient space in super block for",
      `rotational layout tables with nsect ${given.nsect}, ntrack ${given.ntrack}, and nrpos ${given.nrpos}.`,
      "Omitting tables - file system performance may be impaired.",
    );
    return { ...withoutTables, fs_postbloff, fs_rotbloff };
  }
  return { fs_cpc: mincpc, fs_sbsize: roundUp(total, given.fragsize), fs_postbloff, fs_rotbloff };
}

/** Where the declared fields end: fs_space[0], four bytes before the structure's padded end. */
const FS_SPACE: number = fs.fields.fs_magic.offset + fs.fields.fs_magic.type.sizeBytes;
