// mkfs_ufs: from its operands to a superblock, with its range checks, its corrections and its refusals
// (usr/src/cmd/fs.d/ufs/mkfs/mkfs.c). Arithmetic is that of a 32-bit program; a 64-bit one makes other layouts.

import { divideUp, ImageError, isPowerOfTwo, log2Floor, roundUp } from "../bytes/index.ts";
import { FS_DYNAMICPOSTBLFMT, FS_MAGIC, FSCLEAN, FSOKAY, fs, SBSIZE, UFS_EFISTYLE4NONEFI_VERSION_2 } from "./format.ts";
import { cgbase, cgdmin, cgend, cgsblock, csumFrags, INODE_BYTES, rotblSize, type Superblock } from "./superblock.ts";

/** The operands of mkfs, by their names in its manual page. What is left out takes mkfs' default. */
export interface MkfsOperands {
  /** Sectors of 512 bytes. */
  readonly size: number;
  /** Sectors in a track. */
  readonly nsect?: number | undefined;
  /** Tracks in a cylinder; -1: as the device has it. */
  readonly ntrack?: number | undefined;
  /** Bytes in a block, 4096 or 8192. */
  readonly bsize?: number | undefined;
  /** Bytes in a frag. */
  readonly fragsize?: number | undefined;
  /** Cylinders in a group; -1: as many as possible. */
  readonly cgsize?: number | undefined;
  /** Percent kept free. */
  readonly free?: number | undefined;
  /** Revolutions a second. */
  readonly rps?: number | undefined;
  /** Bytes for each inode. */
  readonly nbpi?: number | undefined;
  /** "s" space, "t" time. */
  readonly opt?: string | undefined;
  /** Spare sectors in a cylinder. */
  readonly apc?: number | undefined;
  /** Rotational delay: no longer has an effect. */
  readonly gap?: number | undefined;
  /** Rotational positions. */
  readonly nrpos?: number | undefined;
  /** Blocks in an I/O cluster; -1: as the device has it. */
  readonly maxcontig?: number | undefined;
  /** "y": multi-terabyte. */
  readonly mtb?: string | undefined;
}

/** What mkfs asks the device for. */
export interface Device {
  /** Sectors that the driver reports. */
  readonly sectors: number;
  /** Sectors that can be read: lofi reports whole cylinders only, what lies behind them is there all the same. */
  readonly readableSectors: number;
  /** dkg_nsect and dkg_nhead, or undefined for a disk with an EFI label. */
  readonly geometry?: { readonly nsect: number; readonly nhead: number } | undefined;
  /** Largest transfer in bytes: dki_maxtransfer * 512, else the system's maxphys up to 1 MiB. */
  readonly maxtransferBytes: number;
}

export interface Mkfs {
  /** With fs_time 0 and no totals: those depend on what is put in. */
  readonly superblock: Superblock;
  /** What mkfs prints before it reports the layout, line by line. */
  readonly warnings: readonly string[];
}

/** Disks with more sectors cannot be addressed by cylinder, head and sector: mkfs then makes up a geometry. */
export const CHSLIMIT: number = 63 * 256 * 1024;
const SECTOR = 512;
const SECTORS_PER_TERABYTE = 2 ** 31;
const SIZEOF_CG = 172;
const MAXFRAG = 8;
const MINBSIZE = 4096;
const MAXBSIZE = 8192;
const INT_MAX = 2 ** 31 - 1;
const DESBLKSIZE = 8192;
const DESFRAGSIZE = 1024;
const DESCPG = 16;
const EFI_NSECT = 128;
const EFI_NTRACK = 48;
const MAXNBPI = 2 * 1024 * 1024;

/** Inodes in a group at most: their map may take a third of the group's block. */
export function maxipg(bsize: number, inopb: number = bsize / INODE_BYTES): number {
  return roundUp(Math.floor((bsize * 8) / 3), inopb);
}

type Cgsize = Pick<Superblock, "fs_cpg" | "fs_nrpos" | "fs_ipg" | "fs_spc" | "fs_nspf">;

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

interface Checked {
  readonly size: number;
  readonly nsect: number;
  readonly ntrack: number;
  readonly bsize: number;
  readonly fragsize: number;
  readonly cpg: number;
  readonly minfree: number;
  readonly rps: number;
  readonly nbpi: number;
  readonly optim: number;
  readonly apc: number;
  readonly nrpos: number;
  readonly maxcontig: number;
  readonly version: number;
}

/**
 * What mkfs makes of its operands.
 * @throws ImageError "invalid-argument" where mkfs gives up, with its words; "unsupported" for multi-terabyte
 */
export function mkfs(operands: MkfsOperands, device: Device = plainDevice(operands.size)): Mkfs {
  const warnings: string[] = [];
  const superblock = layOut(checkOperands(operands, device, warnings), warnings);
  return { superblock, warnings };
}

/** A disk of which only the size is known, with mkfs' own geometry of 16 heads and 32 sectors. */
export function plainDevice(sectors: number): Device {
  return { sectors, readableSectors: sectors, geometry: { nsect: 32, nhead: 16 }, maxtransferBytes: 1 << 20 };
}

/** The warning of newfs and mkfs about a size that the driver does not report but that can be read. */
export function beyondReported(size: number, device: Device): string[] {
  return [
    "Warning: the requested size of this file system",
    `(${size} sectors) is greater than the size of the`,
    `device reported by the driver (${device.sectors} sectors).`,
    "However, a read of the device at the requested size",
    "does succeed, so the requested size will be used.",
  ];
}

function refuse(lines: readonly string[]): never {
  throw new ImageError("invalid-argument", `mkfs: ${lines.join(" ")}`);
}

/** Defaults, ranges and corrections, in mkfs' order: each may depend on those before it. */
function checkOperands(operands: MkfsOperands, device: Device, warnings: string[]): Checked {
  const inRange = (
    name: string,
    given: number | undefined,
    preset: number,
    [min, max]: readonly [number, number],
    fallback = preset,
  ): number => {
    const value = given ?? preset;
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    if (given !== undefined) {
      warnings.push(`mkfs: bad value for ${name}: ${value} must be between ${min} and ${max}`);
      warnings.push(`mkfs: ${name} reset to default ${fallback}`);
    }
    return fallback;
  };

  const mtb = checkLetter(operands.mtb?.toLowerCase(), operands.mtb, MTB, warnings);
  const opt = checkLetter(operands.opt, operands.opt, OPT, warnings);

  // From the block size as given, before it is checked.
  const fromDevice = Math.floor(device.maxtransferBytes / (operands.bsize || DESBLKSIZE));
  const maxcontig = operands.maxcontig === undefined || operands.maxcontig === -1 ? fromDevice : operands.maxcontig;

  let bsize = inRange("bsize", operands.bsize, DESBLKSIZE, [MINBSIZE, MAXBSIZE]);
  if (!isPowerOfTwo(bsize)) {
    warnings.push(`block size must be a power of 2, not ${bsize}`, `mkfs: bsize reset to default ${DESBLKSIZE}`);
    bsize = DESBLKSIZE;
  }
  if (device.sectors < 1024) {
    refuse([`size must be at least 1024 sectors, not ${device.sectors}: make the image larger`]);
  }
  let most = device.sectors;
  if (operands.size > most && operands.size <= device.readableSectors) {
    most = operands.size;
    warnings.push(...beyondReported(most, device));
  }
  const size = inRange("size", operands.size, most, [1024, most]);
  if (mtb === "y" || size >= SECTORS_PER_TERABYTE) {
    throw new ImageError(
      "unsupported",
      "mkfs: a multi-terabyte file system (mtb=y, or 1 TiB and more) has the magic number 0xdecade, which the boot " +
        "reader does not know: it could never be booted; use less than 1 TiB",
    );
  }

  // ntrack -1 comes from newfs and means "you decide"; so does giving none of the three.
  const byDevice =
    operands.ntrack === -1 ||
    (operands.nsect === undefined && operands.ntrack === undefined && operands.cgsize === undefined);
  const efiStyle = byDevice && (device.geometry === undefined || device.sectors > CHSLIMIT);
  const isEfi = device.geometry === undefined;
  let nsect = EFI_NSECT;
  let ntrack = EFI_NTRACK;
  if (!efiStyle) {
    const { nsect: nsectGiven, ntrack: ntrackGiven } =
      byDevice && device.geometry ? { nsect: device.geometry.nsect, ntrack: device.geometry.nhead } : operands;
    nsect = inRange("nsect", nsectGiven, isEfi ? EFI_NSECT : 32, [1, 32768], 32);
    ntrack = inRange("ntrack", ntrackGiven, isEfi ? EFI_NTRACK : 16, [1, size], 16);
  }
  const apc = inRange("apc", operands.apc, 0, [0, nsect - 1]);

  const smallestFrag = bsize / MAXFRAG;
  const usualFrag = Math.max(smallestFrag, DESFRAGSIZE);
  let fragsize = inRange("fragsize", operands.fragsize, DESFRAGSIZE, [SECTOR, bsize], usualFrag);
  if (fragsize < smallestFrag) {
    warnings.push(
      `fragment size ${fragsize} is too small, minimum with block size ${bsize} is ${smallestFrag}`,
      `mkfs: fragsize reset to minimum ${smallestFrag}`,
    );
    fragsize = smallestFrag;
  }
  if (!isPowerOfTwo(fragsize)) {
    warnings.push(`fragment size must be a power of 2, not ${fragsize}`, `mkfs: fragsize reset to ${usualFrag}`);
    fragsize = usualFrag;
  }
  const rps = inRange("rps", operands.rps, 60, [1, 1000]);
  const minfree = inRange("free", operands.free, 10, [0, 99]);
  const nrpos = inRange("nrpos", operands.nrpos, isEfi ? 1 : 8, [1, nsect], Math.min(nsect, 8));
  const nbpi = inRange("nbpi", operands.nbpi, 2048, [SECTOR, MAXNBPI]);
  const maxcpg = Math.floor(
    (bsize - SIZEOF_CG - divideUp(maxipg(bsize), 8)) / (4 + nrpos * 2 + Math.floor(nsect / (MAXFRAG * 8))),
  );
  const wanted = efiStyle ? DESCPG : operands.cgsize;
  const cpg = wanted === -1 ? maxcpg : inRange("cgsize", wanted, DESCPG, [1, maxcpg], Math.min(maxcpg, DESCPG));
  if (nbpi < fragsize) {
    warnings.push(
      "warning: wasteful data byte allocation / inode (nbpi):",
      `${nbpi} smaller than allocatable fragment size of ${fragsize}`,
    );
  }
  return {
    size,
    nsect,
    ntrack,
    bsize,
    fragsize,
    cpg,
    minfree,
    rps,
    nbpi,
    optim: opt === "s" ? 1 : 0,
    apc,
    nrpos,
    maxcontig,
    version: efiStyle ? UFS_EFISTYLE4NONEFI_VERSION_2 : 0,
  };
}

interface Letter {
  readonly name: string;
  readonly letters: string;
  readonly fallback: string;
  readonly meaning: string;
}

const OPT: Letter = { name: "optimization", letters: "st", fallback: "t", meaning: "time" };
const MTB: Letter = { name: "mtb", letters: "yn", fallback: "n", meaning: "no mtb support" };

function checkLetter(letter: string | undefined, given: string | undefined, of: Letter, warnings: string[]): string {
  if (letter === undefined || given === undefined) return of.fallback;
  if (letter.length === 1 && of.letters.includes(letter)) return letter;
  const reset = `reset to \`${of.fallback}' (${of.meaning})`;
  if (given === "") warnings.push(`mkfs: missing ${of.name} flag ${reset}`);
  else warnings.push(`mkfs: bad ${of.name} value \`${given.length === 1 ? letter : given}' ${reset}`);
  return of.fallback;
}

function layOut(given: Checked, warnings: string[]): Superblock {
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
  readonly given: Checked;
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

interface Cramped {
  readonly spc: number;
  readonly mincpc: number;
  readonly mincpgcnt: number;
  readonly mincpg: number;
  readonly usedSectors: number;
  readonly inodesOfCylinder: number;
}

/** The smallest group does not fit its block, or has too many inodes: mkfs looks for other sizes, advises them and gives up. */
function refuseCramped(given: Checked, start: Cramped): never {
  const lines: string[] = [];
  let { bsize, fragsize } = given;
  let { mincpc, mincpg } = start;
  let frag = bsize / fragsize;
  let cpg = mincpg;
  const bytesOf = (ipg: number): number =>
    cgsizeOf({
      fs_cpg: cpg,
      fs_ipg: ipg,
      fs_nrpos: given.nrpos,
      fs_spc: start.spc,
      fs_nspf: fragsize / SECTOR,
    });

  let rest = start.spc;
  for (let cpc = (given.fragsize / SECTOR) * frag; cpc > 1 && rest % 2 === 0; rest /= 2) cpc /= 2;
  let mapcramped = false;
  while (bytesOf(start.inodesOfCylinder) > bsize) {
    mapcramped = true;
    if (bsize < MAXBSIZE) {
      bsize *= 2;
      if (rest % 2 === 0) rest /= 2;
      else {
        mincpc *= 2;
        mincpg = roundUp(start.mincpgcnt, mincpc);
        cpg = mincpg;
      }
      frag *= 2;
      if (frag <= MAXFRAG) continue;
    }
    if (fragsize === bsize) refuse([...lines, "There is no block size that can support this disk"]);
    frag /= 2;
    fragsize *= 2;
  }

  // mkfs keeps INOPB of the first block size.
  const inopb = given.bsize / INODE_BYTES;
  const dataBytes = (): number => mincpg * start.spc * SECTOR - start.usedSectors * SECTOR;
  const inodes = (): number => roundUp(Math.floor(dataBytes() / given.nbpi), inopb);
  const most = (): number => maxipg(bsize, inopb);
  const inodecramped = inodes() > most();
  while (inodes() > most()) {
    if (mincpc === 1 || frag === 1 || bsize === MINBSIZE) break;
    lines.push(`With a block size of ${bsize} minimum bytes per inode is ${Math.floor(dataBytes() / most()) + 1}`);
    bsize /= 2;
    frag /= 2;
    mincpc /= 2;
    cpg = roundUp(start.mincpgcnt, mincpc);
    if (bytesOf(inodes()) > bsize) {
      bsize *= 2;
      break;
    }
    mincpg = cpg;
  }
  if (inodecramped) {
    if (inodes() > most()) lines.push(`Minimum bytes per inode is ${Math.floor(dataBytes() / most()) + 1}`);
    else if (!mapcramped) {
      lines.push(`With ${given.nbpi} bytes per inode, minimum cylinders per group is ${mincpg}`);
    }
  }
  if (mapcramped) lines.push(`With ${start.spc} sectors per cylinder, minimum cylinders per group is ${mincpg}`);
  const changes = [
    ...(bsize === given.bsize ? [] : [`the block size to be changed from ${given.bsize} to ${bsize}`]),
    ...(fragsize === given.fragsize ? [] : [`the fragment size to be changed from ${given.fragsize} to ${fragsize}`]),
  ];
  lines.push(
    changes.length > 0
      ? `This requires ${changes.join(" and ")}`
      : "Unable to make filesystem fit with the given constraints",
  );
  refuse([...lines, "Please re-run mkfs with corrected parameters"]);
}
