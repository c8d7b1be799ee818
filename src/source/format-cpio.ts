// The headers of cpio's portable formats, all digits: "odc" (POSIX.1-2017 pax, "cpio Interchange Format") and SVR4's
// "newc" and "crc" (illumos usr/src/head/archives.h). The name follows with a NUL, then the content.

import { type Field, field, type Struct, struct } from "../bytes/index.ts";
import { cString, digits } from "./text-fields.ts";

export const CPIO_ODC_MAGIC = "070707";
export const CPIO_NEWC_MAGIC = "070701";
export const CPIO_CRC_MAGIC = "070702";
/** The name of the member that ends an archive. */
export const CPIO_TRAILER = "TRAILER!!!";

const odcFields = {
  c_magic: field(0, cString(6), "070707"),
  c_dev: field(6, digits(6, 8), "device that the file was on"),
  c_ino: field(12, digits(6, 8), "inode; with c_dev, members of one file"),
  c_mode: field(18, digits(6, 8), "type, permission, set-id and sticky bits"),
  c_uid: field(24, digits(6, 8), "owner"),
  c_gid: field(30, digits(6, 8), "group"),
  c_nlink: field(36, digits(6, 8), "links"),
  c_rdev: field(42, digits(6, 8), "device number of a device"),
  c_mtime: field(48, digits(11, 8), "seconds since 1970"),
  c_namesize: field(59, digits(6, 8), "bytes of the name with its NUL"),
  c_filesize: field(65, digits(11, 8), "bytes of content"),
} satisfies Record<string, Field<unknown>>;

export const cpioOdc: Struct<typeof odcFields> = struct("cpio odc header", 76, odcFields);

const newcFields = {
  c_magic: field(0, cString(6), "070701, or 070702 with a checksum"),
  c_ino: field(6, digits(8, 16), "inode; with the device, members of one file"),
  c_mode: field(14, digits(8, 16), "type, permission, set-id and sticky bits"),
  c_uid: field(22, digits(8, 16), "owner"),
  c_gid: field(30, digits(8, 16), "group"),
  c_nlink: field(38, digits(8, 16), "links"),
  c_mtime: field(46, digits(8, 16), "seconds since 1970"),
  c_filesize: field(54, digits(8, 16), "bytes of content; of several links often only the last has it"),
  c_maj: field(62, digits(8, 16), "major number of the device that the file was on"),
  c_min: field(70, digits(8, 16), "minor number of it"),
  c_rmaj: field(78, digits(8, 16), "major number of a device"),
  c_rmin: field(86, digits(8, 16), "minor number of a device"),
  c_namesize: field(94, digits(8, 16), "bytes of the name with its NUL"),
  c_chksum: field(102, digits(8, 16), "070702: sum of the content's bytes, modulo 2^32"),
} satisfies Record<string, Field<unknown>>;

export const cpioNewc: Struct<typeof newcFields> = struct("cpio newc header", 110, newcFields);

/** newc: the content, and the next header, begin on a multiple of this, counted from the archive's first byte. */
export const CPIO_NEWC_ALIGNMENT = 4;
