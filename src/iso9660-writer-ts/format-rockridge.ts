// SUSP 1.12 (IEEE P1281) and RRIP 1.12 (IEEE P1282): the entries of the System Use field. Clause numbers are theirs.
// What varies in length (names, component records, time stamps) follows the declared part.

import { field, paddedString, struct, u8, u32both } from "../bytes/index.ts";
import { date7, date17 } from "./dates.ts";

const head = {
  "Signature Word": field(0, paddedString(2, 0), "SUSP 4.1: two letters"),
  Length: field(2, u8, "SUSP 4.2: bytes of the entry, with what follows this table"),
  "System Use Entry Version": field(3, u8, "SUSP 4.3: 1"),
};

/** What all entries begin with. */
export const systemUseEntry = struct("System Use Entry", 4, head);

/** SUSP 5.1 */
export const continuationArea = struct("CE", 28, {
  ...head,
  "Block Location of Continuation Area": field(4, u32both, "SUSP 5.1"),
  "Offset to Start of Continuation Area": field(12, u32both, "SUSP 5.1: bytes into that block"),
  "Length of Continuation Area": field(20, u32both, "SUSP 5.1: bytes; never across the block's end"),
});

/** SUSP 5.3; first entry of the root's own record. */
export const sharingProtocol = struct("SP", 7, {
  ...head,
  "Check Byte 1": field(4, u8, "SUSP 5.3: 0xBE"),
  "Check Byte 2": field(5, u8, "SUSP 5.3: 0xEF"),
  "Bytes Skipped": field(6, u8, "SUSP 5.3: bytes before the entries in every other System Use field; 0"),
});
export const SP_CHECK_BYTES = [0xbe, 0xef] as const;

/** SUSP 5.5; identifier, descriptor and source follow. */
export const extensionsReference = struct("ER", 8, {
  ...head,
  "Identifier Length": field(4, u8, "SUSP 5.5"),
  "Descriptor Length": field(5, u8, "SUSP 5.5"),
  "Source Length": field(6, u8, "SUSP 5.5"),
  "Extension Version": field(7, u8, "SUSP 5.5: 1"),
});

const posixFields = {
  ...head,
  "POSIX File Mode": field(4, u32both, "RRIP 4.1.1: st_mode, type bits too"),
  "POSIX File Links": field(12, u32both, "RRIP 4.1.1: st_nlink"),
  "POSIX File User ID": field(20, u32both, "RRIP 4.1.1: st_uid"),
  "POSIX File Group ID": field(28, u32both, "RRIP 4.1.1: st_gid"),
};

/** RRIP 4.1.1, as of version 1.10: without a serial number. */
export const posixAttributes = struct("PX (RRIP 1.10)", 36, posixFields);

/** RRIP 4.1.1, version 1.12. */
export const posixAttributesWithSerial = struct("PX (RRIP 1.12)", 44, {
  ...posixFields,
  "POSIX File Serial Number": field(36, u32both, "RRIP 4.1.1: st_ino; the same for all names of a file"),
});

/** RRIP 4.1.2 */
export const posixDevice = struct("PN", 20, {
  ...head,
  "Dev_t High": field(4, u32both, "RRIP 4.1.2: major number"),
  "Dev_t Low": field(12, u32both, "RRIP 4.1.2: minor number"),
});

/** RRIP 4.1.3; component records follow. */
export const symbolicLink = struct("SL", 5, {
  ...head,
  Flags: field(4, u8, "RRIP 4.1.3: 1 when another SL continues the path"),
});

/** RRIP 4.1.3.1; the component's bytes follow. */
export const componentRecord = struct("SL component record", 2, {
  "Component Flags": field(0, u8, "RRIP 4.1.3.1: 1 continued in the next record, 2 '.', 4 '..', 8 '/'"),
  "Component Length": field(1, u8, "RRIP 4.1.3.1: bytes that follow; 0 for '.', '..' and '/'"),
});
export const COMPONENT_FLAGS = { continue: 1, current: 2, parent: 4, root: 8 } as const;

/** RRIP 4.1.4; the name's bytes follow. */
export const alternateName = struct("NM", 5, {
  ...head,
  Flags: field(4, u8, "RRIP 4.1.4: 1 when another NM continues the name; 2 '.', 4 '..'"),
});

/** Bit of SL and NM: the next entry of this kind continues this one. */
export const CONTINUE = 1;

/** RRIP 4.1.5.1 and 4.1.5.2 */
export const childLink = struct("CL", 12, {
  ...head,
  "Location of Child Directory": field(4, u32both, "RRIP 4.1.5.1: first block of the directory that was moved"),
});
export const parentLink = struct("PL", 12, {
  ...head,
  "Location of Parent Directory": field(4, u32both, "RRIP 4.1.5.2: first block of the true parent"),
});

const timeStampsHead = {
  ...head,
  Flags: field(4, u8, "RRIP 4.1.6: 0x02 modify, 0x04 access, 0x08 attributes …, 0x80 long form"),
};

/** RRIP 4.1.6; one time stamp for each bit of Flags 0..6 follows, in order of bits, of 7 bytes, or 17 with LONG_FORM. */
export const timeStamps = struct("TF", 5, timeStampsHead);

/** The one that is written: with a modification time only. */
export const modificationTime = struct("TF (modification time)", 12, {
  ...timeStampsHead,
  Modify: field(5, date7, "RRIP 4.1.6: st_mtime"),
});
export const longModificationTime = struct("TF (modification time, long form)", 22, {
  ...timeStampsHead,
  Modify: field(5, date17, "RRIP 4.1.6: st_mtime"),
});
export const TF_FLAGS = {
  creation: 0x01,
  modify: 0x02,
  access: 0x04,
  attributes: 0x08,
  backup: 0x10,
  expiration: 0x20,
  effective: 0x40,
  longForm: 0x80,
} as const;

/** What ER says of each version (RRIP 1.10: chapter 4.3; 1.12: chapter 4.3). */
export const ROCK_RIDGE_EXTENSION = {
  "1.10": {
    identifier: "RRIP_1991A",
    descriptor: "THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS",
    source:
      "PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.  SEE PUBLISHER IDENTIFIER IN PRIMARY VOLUME DESCRIPTOR FOR CONTACT INFORMATION.",
  },
  "1.12": {
    identifier: "IEEE_P1282",
    descriptor: "THE IEEE P1282 PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS.",
    source: "PLEASE CONTACT THE IEEE STANDARDS DEPARTMENT, PISCATAWAY, NJ, USA FOR THE P1282 SPECIFICATION.",
  },
} as const;
/** Identifiers that readers take for Rock Ridge; libisofs writes the last. */
export const ROCK_RIDGE_IDENTIFIERS: readonly string[] = ["RRIP_1991A", "IEEE_P1282", "IEEE_1282"];
export type RockRidgeVersion = keyof typeof ROCK_RIDGE_EXTENSION;
