// The structures of a zip archive (PKWARE APPNOTE 6.3.9; field names as there, in short). All little endian.

import { type Field, field, type Struct, struct, u16, u32, u64 } from "../bytes/index.ts";

const localFields = {
  signature: field(0, u32, "0x04034b50"),
  versionNeeded: field(4, u16, "version needed to extract"),
  flags: field(6, u16, "general purpose bits: 0 encrypted, 3 sizes follow the data, 11 UTF-8 names"),
  method: field(8, u16, "0 stored, 8 deflated"),
  time: field(10, u16, "MS-DOS time"),
  date: field(12, u16, "MS-DOS date"),
  crc32: field(14, u32, "of the content"),
  compressedSize: field(18, u32, "bytes of data"),
  uncompressedSize: field(22, u32, "bytes of content"),
  nameLength: field(26, u16, "bytes of the name that follows"),
  extraLength: field(28, u16, "bytes of extra fields after the name; then the data"),
} satisfies Record<string, Field<unknown>>;

export const zipLocalHeader: Struct<typeof localFields> = struct("zip local file header", 30, localFields);

const centralFields = {
  signature: field(0, u32, "0x02014b50"),
  versionMadeBy: field(4, u16, "upper byte: the system of the external attributes, 3 is Unix"),
  versionNeeded: field(6, u16, "version needed to extract"),
  flags: field(8, u16, "as in the local header"),
  method: field(10, u16, "0 stored, 8 deflated"),
  time: field(12, u16, "MS-DOS time"),
  date: field(14, u16, "MS-DOS date"),
  crc32: field(16, u32, "of the content"),
  compressedSize: field(20, u32, "bytes of data; 0xffffffff: see the ZIP64 extra field"),
  uncompressedSize: field(24, u32, "bytes of content; likewise"),
  nameLength: field(28, u16, "bytes of the name that follows"),
  extraLength: field(30, u16, "bytes of extra fields after the name"),
  commentLength: field(32, u16, "bytes of the comment after those"),
  diskStart: field(34, u16, "disk of the local header"),
  internalAttributes: field(36, u16, "not used here"),
  externalAttributes: field(38, u32, "Unix: st_mode in the upper half"),
  localHeaderOffset: field(42, u32, "where the local header is; 0xffffffff: see the ZIP64 extra field"),
} satisfies Record<string, Field<unknown>>;

export const zipCentralHeader: Struct<typeof centralFields> = struct("zip central file header", 46, centralFields);

const endFields = {
  signature: field(0, u32, "0x06054b50"),
  disk: field(4, u16, "this disk"),
  centralDisk: field(6, u16, "disk of the central directory"),
  entriesHere: field(8, u16, "entries on this disk"),
  entries: field(10, u16, "entries in all; 0xffff: see the ZIP64 record"),
  centralSize: field(12, u32, "bytes of the central directory"),
  centralOffset: field(16, u32, "where it begins"),
  commentLength: field(20, u16, "bytes of the comment that follows"),
} satisfies Record<string, Field<unknown>>;

export const zipEnd: Struct<typeof endFields> = struct("zip end of central directory", 22, endFields);

const locatorFields = {
  signature: field(0, u32, "0x07064b50"),
  disk: field(4, u32, "disk of the ZIP64 record"),
  offset: field(8, u64, "where the ZIP64 record is"),
  disks: field(16, u32, "number of disks"),
} satisfies Record<string, Field<unknown>>;

/** Right before the end of central directory record. */
export const zip64Locator: Struct<typeof locatorFields> = struct("zip64 locator", 20, locatorFields);

const end64Fields = {
  signature: field(0, u32, "0x06064b50"),
  recordSize: field(4, u64, "bytes that follow this field"),
  versionMadeBy: field(12, u16, "as in the central header"),
  versionNeeded: field(14, u16, "as in the central header"),
  disk: field(16, u32, "this disk"),
  centralDisk: field(20, u32, "disk of the central directory"),
  entriesHere: field(24, u64, "entries on this disk"),
  entries: field(32, u64, "entries in all"),
  centralSize: field(40, u64, "bytes of the central directory"),
  centralOffset: field(48, u64, "where it begins"),
} satisfies Record<string, Field<unknown>>;

export const zip64End: Struct<typeof end64Fields> = struct("zip64 end of central directory", 56, end64Fields);

export const SIGNATURE = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  locator64: 0x07064b50,
  end64: 0x06064b50,
} as const;

export const METHOD = { stored: 0, deflated: 8 } as const;
export const FLAG_ENCRYPTED = 0x0001;
export const SYSTEM_UNIX = 3;

/** Header IDs of extra fields. */
export const EXTRA = { zip64: 0x0001, timestamp: 0x5455, unixOwner: 0x7875 } as const;
