// The headers of tar, as declared structures: POSIX.1-2017 pax, "ustar Interchange Format", and what GNU tar keeps in
// the same 512 bytes (GNU tar manual, "Basic Tar Format").

import {
  array,
  type Field,
  field,
  paddedString,
  rawBytes,
  type Struct,
  type StructValues,
  struct,
} from "../bytes/index.ts";
import { cString, tarNumber } from "./text-fields.ts";

export const TAR_BLOCK_BYTES = 512;
/** A tape record of 20 blocks: archives end on such a border, as GNU tar, bsdtar and illumos' tar write them. */
export const TAR_RECORD_BYTES: number = 20 * TAR_BLOCK_BYTES;

const headerFields = {
  name: field(0, cString(100), "path, or the part after the prefix"),
  mode: field(100, tarNumber(8), "permission, set-id and sticky bits"),
  uid: field(108, tarNumber(8), "numeric owner"),
  gid: field(116, tarNumber(8), "numeric group"),
  size: field(124, tarNumber(12), "bytes of content that follow the header"),
  mtime: field(136, tarNumber(12), "seconds since 1970"),
  chksum: field(148, tarNumber(8), "sum of the header's bytes, this field taken as blanks"),
  typeflag: field(156, cString(1), "what the member is; empty is a file of V7 tar"),
  linkname: field(157, cString(100), "target of a link"),
  magic: field(257, paddedString(8, 0), '"ustar", NUL, "00"; GNU: "ustar", two blanks; V7: zeros'),
  uname: field(265, cString(32), "name of the owner"),
  gname: field(297, cString(32), "name of the group"),
  devmajor: field(329, tarNumber(8), "major number of a device"),
  devminor: field(337, tarNumber(8), "minor number of a device"),
  prefix: field(345, cString(155), "path before the name, without the slash between"),
} satisfies Record<string, Field<unknown>>;

export const tarHeader: Struct<typeof headerFields> = struct("tar header", TAR_BLOCK_BYTES, headerFields);

export type TarHeader = StructValues<typeof tarHeader>;

/** POSIX' magic and version in one field. */
export const USTAR_MAGIC = "ustar\x0000";

const sparseFields = {
  offset: field(0, tarNumber(12), "where in the file this data belongs"),
  numbytes: field(12, tarNumber(12), "bytes of data; 0 ends the list"),
} satisfies Record<string, Field<unknown>>;

export const gnuSparse: Struct<typeof sparseFields> = struct("GNU sparse entry", 24, sparseFields);

const gnuFields = {
  sp: field(386, array(rawBytes(gnuSparse.sizeBytes), 4), "sparse entries"),
  isextended: field(482, cString(1), "not empty: a block with more entries follows"),
  realsize: field(483, tarNumber(12), "bytes of the file with its holes"),
} satisfies Record<string, Field<unknown>>;

/** Of type S, over the bytes of the prefix. */
export const gnuSparseHeader: Struct<typeof gnuFields> = struct("GNU sparse header", TAR_BLOCK_BYTES, gnuFields);

const extensionFields = {
  sp: field(0, array(rawBytes(gnuSparse.sizeBytes), 21), "sparse entries"),
  isextended: field(504, cString(1), "not empty: one more block follows"),
} satisfies Record<string, Field<unknown>>;

export const gnuSparseExtension: Struct<typeof extensionFields> = struct(
  "GNU sparse extension",
  TAR_BLOCK_BYTES,
  extensionFields,
);
