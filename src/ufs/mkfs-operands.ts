// mkfs' operands: their defaults, ranges and corrections, with its warnings and refusals (mkfs.c, main).

import { divideUp, ImageError, isPowerOfTwo } from "../bytes/index.ts";
import { UFS_EFISTYLE4NONEFI_VERSION_2 } from "./format.ts";
import { maxipg, SIZEOF_CG } from "./superblock.ts";

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

/** Disks with more sectors cannot be addressed by cylinder, head and sector: mkfs then makes up a geometry. */
export const CHSLIMIT: number = 63 * 256 * 1024;
export const MINBSIZE = 4096;
export const MAXBSIZE = 8192;
export const MAXFRAG = 8;
const SECTOR = 512;
const SECTORS_PER_TERABYTE = 2 ** 31;
const DESBLKSIZE = 8192;
const DESFRAGSIZE = 1024;
const DESCPG = 16;
const EFI_NSECT = 128;
const EFI_NTRACK = 48;
const MAXNBPI = 2 * 1024 * 1024;

/** Operands of which each is in its range. */
export interface CheckedOperands {
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

/** @throws ImageError "invalid-argument" in mkfs' words */
export function refuse(lines: readonly string[]): never {
  throw new ImageError("invalid-argument", `mkfs: ${lines.join(" ")}`);
}

/** Defaults, ranges and corrections, in mkfs' order: each may depend on those before it. */
export function checkOperands(operands: MkfsOperands, device: Device, warnings: string[]): CheckedOperands {
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
