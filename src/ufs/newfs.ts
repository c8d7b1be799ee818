// newfs: from an image's size and newfs' options to the operands of mkfs, as newfs computes them for a lofi device
// (usr/src/uts/common/io/lofi.c says which geometry that reports), or for a disk with an EFI label
// (usr/src/cmd/fs.d/ufs/newfs/newfs.c).

import { divideUp, ImageError, isPowerOfTwo } from "../bytes/index.ts";
import { beyondReported, CHSLIMIT, type Device, type MkfsOperands } from "./mkfs-operands.ts";
import { maxipg, SIZEOF_CG } from "./superblock.ts";

export interface NewfsOptions {
  /** Bytes of the image file. */
  readonly imageBytes: number;
  /** "lofi": an image that illumos attaches with lofiadm. "efi": a disk with an EFI label, or one without any. */
  readonly device?: "lofi" | "efi" | undefined;
  /** -s: sectors of the file system, if it shall be smaller than the device. */
  readonly sectors?: number | undefined;
  /** -o */
  readonly opt?: "space" | "time" | undefined;
  /** -m: percent kept free. */
  readonly minfree?: number | undefined;
  /** -i: bytes for each inode. */
  readonly nbpi?: number | undefined;
  /** -b: bytes in a block. */
  readonly bsize?: number | undefined;
  /** -f: bytes in a frag. */
  readonly fsize?: number | undefined;
  /** -c: cylinders in a group. */
  readonly cpg?: number | undefined;
  /** -t: tracks in a cylinder. */
  readonly ntrack?: number | undefined;
  /** -n: rotational positions. */
  readonly nrpos?: number | undefined;
  /** -r: revolutions a minute. */
  readonly rpm?: number | undefined;
  /** -a: spare sectors in a cylinder. */
  readonly apc?: number | undefined;
  /** -C: blocks in an I/O cluster. */
  readonly maxcontig?: number | undefined;
}

export interface Newfs {
  /** All operands, as newfs passes them. */
  readonly operands: Required<MkfsOperands>;
  readonly device: Device;
  readonly warnings: readonly string[];
}

const SECTOR = 512;
const GBSEC = 2 ** 30 / SECTOR;
const MINFREESEC = (64 * 2 ** 20) / SECTOR;
const INT_MAX = 2 ** 31 - 1;
/** sizeof (struct inode), the kernel's, in a 32-bit program: newfs takes it for the on-disk one when it counts. */
const SIZEOF_INODE = 276;
/** dki_maxtransfer of lofi. */
const LOFI_MAXTRANSFER_SECTORS = 16;
const MAXPHYS_BYTES = 2 ** 20;
const EFI_CYLINDER_SECTORS = 128 * 48;

interface Lofi {
  readonly ncyl: number;
  readonly nsect: number;
}

/** Bytes of a lofi cylinder: images of this multiple have no sectors left over. */
export function lofiCylinderBytes(imageBytes: number): number {
  return imageBytes < 2 * 2 ** 20 ? 100 * 1024 : 300 * 1024;
}

/** The geometry that lofi makes up: one head; both counts are unsigned 16-bit fields of struct dk_geom. */
export function lofiGeometry(imageBytes: number): Lofi {
  const ncyl = Math.floor(imageBytes / lofiCylinderBytes(imageBytes)) % 2 ** 16 || 1;
  return { ncyl, nsect: Math.floor(imageBytes / (SECTOR * ncyl)) % 2 ** 16 };
}

function lofiDevice(imageBytes: number): Device {
  const { ncyl, nsect } = lofiGeometry(imageBytes);
  return {
    sectors: ncyl * nsect,
    readableSectors: Math.floor(imageBytes / SECTOR),
    geometry: { nsect, nhead: 1 },
    maxtransferBytes: LOFI_MAXTRANSFER_SECTORS * SECTOR,
  };
}

function efiDevice(imageBytes: number): Device {
  const sectors = Math.floor(imageBytes / SECTOR);
  return { sectors, readableSectors: sectors, maxtransferBytes: MAXPHYS_BYTES };
}

/**
 * What newfs passes to mkfs.
 * @throws ImageError "invalid-argument" where newfs gives up, with its words
 */
export function newfs(options: NewfsOptions): Newfs {
  const warnings: string[] = [];
  checkOptions(options);
  const isEfi = options.device === "efi";
  const device = isEfi ? efiDevice(options.imageBytes) : lofiDevice(options.imageBytes);
  const bsize = options.bsize ?? 8192;
  let size = Math.min(options.sectors ?? device.sectors, device.sectors);
  if (options.sectors !== undefined && size < options.sectors && options.sectors <= device.readableSectors) {
    size = options.sectors;
    warnings.push(...beyondReported(size, device));
  }
  const beyondChs = !isEfi && device.sectors > CHSLIMIT;

  const geometry = isEfi
    ? { nsect: 128, ntrack: 48, cgsize: 16, rps: 1, nrpos: 1, apc: 0 }
    : {
        nsect: device.geometry?.nsect ?? 0,
        ntrack: options.ntrack || (beyondChs ? -1 : 1),
        cgsize: options.cpg ?? 0,
        rps: Math.floor(rpmOf(options, warnings) / 60),
        nrpos: options.nrpos ?? 8,
        apc: options.apc ?? 0,
      };
  if (isEfi) {
    warnings.push(...efiWarnings(options));
    if (size < EFI_CYLINDER_SECTORS) refuse(`file system size must be at least ${EFI_CYLINDER_SECTORS} sectors`);
  }

  let fragsize = options.fsize ?? 1024;
  if (!isPowerOfTwo(fragsize)) {
    warnings.push(`newfs: fragment size must a power of 2, not ${fragsize}`);
    fragsize = Math.floor(bsize / 8);
    warnings.push(`newfs: fragsize reset to ${fragsize}`);
  }
  size = Math.min(size, Math.floor(fragsize / SECTOR) * INT_MAX);
  if (options.sectors !== undefined && size < options.sectors) {
    warnings.push(
      `newfs: requested size of ${options.sectors} disk blocks is too large.`,
      `newfs: Resetting size to ${size}`,
    );
  }

  const operands: Required<MkfsOperands> = {
    size,
    ...geometry,
    cgsize: geometry.cgsize || defaultCpg(size, bsize, geometry.nrpos, geometry.nsect),
    bsize,
    fragsize,
    free: options.minfree ?? defaultMinfree(size),
    nbpi: options.nbpi ?? Math.min(8192, size < GBSEC ? 2048 : divideUp(size, GBSEC) * 2048),
    opt: options.opt === "space" ? "s" : "t",
    gap: -1,
    maxcontig: options.maxcontig ?? Math.floor(device.maxtransferBytes / bsize),
    mtb: size > INT_MAX ? "y" : "n",
    ntrack: pcTracks(geometry.ntrack),
  };
  return { operands, device, warnings };
}

/** The command line that `newfs -v` shows. */
export function mkfsCommand(special: string, o: Required<MkfsOperands>): string {
  const numbers = [o.size, o.nsect, o.ntrack, o.bsize, o.fragsize, o.cgsize, o.free, o.rps, o.nbpi];
  const rest = [o.opt, o.apc, o.gap, o.nrpos, o.maxcontig, o.mtb];
  return `mkfs -F ufs ${special} ${[...numbers, ...rest].join(" ")}`;
}

function refuse(message: string): never {
  throw new ImageError("invalid-argument", `newfs: ${message}`);
}

function checkOptions(options: NewfsOptions): void {
  const check = (value: number | undefined, min: number, max: number, what: string): void => {
    if (value !== undefined && !(Number.isInteger(value) && value >= min && value <= max)) refuse(`${value}: ${what}`);
  };
  if (!Number.isSafeInteger(options.imageBytes) || options.imageBytes < 1024 * SECTOR) {
    refuse(`${options.imageBytes} bytes: an image must have at least ${1024 * SECTOR} bytes (1024 sectors)`);
  }
  check(options.sectors, 1024, 2 ** 44, "fssize must be at least 1024");
  check(options.maxcontig, 0, INT_MAX, "bad maxcontig");
  check(options.ntrack, 0, INT_MAX, "bad total tracks");
  check(options.apc, 0, 32768, "bad alternates per cyl");
  check(options.bsize, 4096, 8192, "bad block size");
  check(options.fsize, SECTOR, INT_MAX, "bad frag size");
  check(options.cpg, 1, INT_MAX, "bad cylinders/group");
  check(options.minfree, 0, 99, "bad free space %");
  check(options.nrpos, 1, INT_MAX, "bad number of rotational positions");
  check(options.rpm, 0, INT_MAX, "bad revs/minute");
  check(options.nbpi, SECTOR, INT_MAX, "bad bytes per inode");
}

function rpmOf(options: NewfsOptions, warnings: string[]): number {
  const rpm = options.rpm || 7200;
  if (rpm >= 60) return rpm;
  warnings.push("Warning: setting rpm to 60");
  return 60;
}

function efiWarnings(options: NewfsOptions): string[] {
  const { ntrack, cpg, rpm, nrpos, apc } = options;
  const obsolete = " is obsolete for this device and will be ignored.";
  return [
    ...(ntrack === undefined ? [] : [`Warning: ntracks${obsolete}`]),
    ...(cpg === undefined ? [] : [`Warning: cylinders/group${obsolete}`]),
    ...(rpm === undefined ? [] : [`Warning: rpm${obsolete}`]),
    ...(nrpos === undefined
      ? []
      : ["Warning: number of rotational positions is obsolete for this device and", "will be ignored."]),
    ...(apc === undefined
      ? []
      : ["Warning: number of alternate sectors per cylinder is obsolete for this", "device and will be ignored."]),
  ];
}

/** On PCs more than 32 tracks are cut to a multiple of 16. */
function pcTracks(ntrack: number): number {
  return ntrack > 32 ? ntrack - (ntrack % 16) : ntrack;
}

/** 32 cylinders a group for each GiB, at most as many as newfs thinks fit, at least 16. */
function defaultCpg(size: number, bsize: number, nrpos: number, nsect: number): number {
  const mapBytes = divideUp(maxipg(bsize, Math.floor(bsize / SIZEOF_INODE)), 8);
  const maxcpg = Math.floor((bsize - SIZEOF_CG - mapBytes) / (4 + nrpos * 2 + Math.floor(nsect / 64)));
  return Math.min(Math.floor(size / GBSEC) * 32, maxcpg) || 16;
}

/** 64 MiB as a percentage of the size, in single precision, 1..10. */
function defaultMinfree(size: number): number {
  const percent = Math.floor(Math.fround(Math.fround(MINFREESEC / Math.fround(size)) * 100));
  return Math.min(10, Math.max(1, percent));
}
