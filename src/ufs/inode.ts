// Inodes: identities in 16 and 32 bits, device numbers in their two encodings (ufs_inode.h, ufs_inode.c, sys/mkdev.h).

import { ImageError } from "../bytes/index.ts";

/** In ic_suid and ic_sgid: the id stands in ic_uid or ic_gid. */
export const UID_LONG = 65535;

/** What ic_suid holds for a user: the kernel writes both fields and reads the long one only where this says so. */
export function shortId(id: number): number {
  return Math.min(id, UID_LONG);
}

export function readId(short: number, long: number): number {
  return short === UID_LONG ? long : short;
}

const OLD_MAJORS = 128;
const OLD_MINORS = 256;
const NEW_MAJORS = 2 ** 14;
const NEW_MINORS = 2 ** 18;

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/**
 * The number in ic_db[1]: the old form, 7 bits major and 8 bits minor, wherever it suffices; else 14 and 18 bits.
 * @throws ImageError "limit" when it does not fit, or fits but would be read back as another device
 */
export function encodeDevice(device: DeviceNumber, path: string): number {
  const { major, minor } = device;
  const fits = major >= 0 && major < NEW_MAJORS && minor >= 0 && minor < NEW_MINORS;
  if (fits && Number.isInteger(major) && Number.isInteger(minor)) {
    const old = major < OLD_MAJORS && minor < OLD_MINORS;
    const number = old ? (major << 8) | minor : (major << 18) | minor;
    const back = decodeDevice(number);
    if (back.major === major && back.minor === minor) return number;
  }
  throw new ImageError(
    "limit",
    `${path}: UFS cannot hold the device number ${major},${minor}: major up to 16383 and minor up to 262143, but not ` +
      "major 0 with minor 256..65535, nor major 16383 with minor 196608 or more",
    { path, field: "ic_db" },
  );
}

/** The device number of an inode: upper half all zeros or all ones means the old form. */
export function decodeDevice(number: number): DeviceNumber {
  const upper = number >>> 16;
  if (upper === 0 || upper === 0xffff) {
    return { major: (number >>> 8) & (OLD_MAJORS - 1), minor: number & (OLD_MINORS - 1) };
  }
  return { major: number >>> 18, minor: number & (NEW_MINORS - 1) };
}
