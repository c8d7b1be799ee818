// The gzip file format (RFC 1952): a member is a header, deflate data (RFC 1951) and a trailer. Integers are little endian.

import { field, type Struct, struct, u8, u16, u32 } from "../bytes/index.ts";

export const ID = 0x8b1f;
export const CM_DEFLATE = 8;

/** Bits of FLG. */
export const FTEXT = 0x01;
export const FHCRC = 0x02;
export const FEXTRA = 0x04;
export const FNAME = 0x08;
export const FCOMMENT = 0x10;
export const FLG_RESERVED = 0xe0;

export const XFL_SLOWEST = 2;
export const XFL_FASTEST = 4;
export const OS_UNIX = 3;

const headerFields = {
  ID: field(0, u16, "ID1 and ID2: 0x1f, 0x8b"),
  CM: field(2, u8, "compression method: 8 = deflate"),
  FLG: field(3, u8, "1 FTEXT, 2 FHCRC, 4 FEXTRA, 8 FNAME, 16 FCOMMENT; other bits must be 0"),
  MTIME: field(4, u32, "modification time of the original file, seconds since 1970; 0 = none; we write 0"),
  XFL: field(8, u8, "2 = slowest algorithm (level 9), 4 = fastest (level 1)"),
  OS: field(9, u8, "where it was made: 3 = Unix, 255 = unknown; we write 3 everywhere"),
};
/** RFC 1952 2.3: the fixed part of a member's header. */
export const header: Struct<typeof headerFields> = struct("gzip header", 10, headerFields);

const trailerFields = {
  CRC32: field(0, u32, "CRC-32 of the uncompressed data"),
  ISIZE: field(4, u32, "size of the uncompressed data modulo 2^32"),
};
/** RFC 1952 2.3: after the deflate data. */
export const trailer: Struct<typeof trailerFields> = struct("gzip trailer", 8, trailerFields);

/** Deflate data of no bytes that ends the stream: a final block of fixed codes (RFC 1951 3.2.6) with nothing but end-of-block. */
export const EMPTY_FINAL_BLOCK: Uint8Array = Uint8Array.of(0x03, 0x00);

/** Deflate data of no bytes after which anything may follow: a stored block (RFC 1951 3.2.4) of length 0, on a byte border. */
export const EMPTY_STORED_BLOCK: Uint8Array = Uint8Array.of(0x00, 0x00, 0x00, 0xff, 0xff);

/** How far back a deflate match may reach (RFC 1951 2). */
export const DEFLATE_WINDOW_BYTES: number = 1 << 15;

/** Bounds of the uncompressed size: ISIZE has 32 bits, and boot loaders allocate by it. */
export const ISIZE_LIMIT: number = 2 ** 32;
