// ECMA-119 (ISO 9660:1988), with Joliet's and ISO 9660:1999's use of the Supplementary Volume Descriptor: what lies
// where in volume descriptors, directory records and path tables. Clause numbers are ECMA-119's, 2nd edition.

import {
  type Field,
  field,
  paddedString,
  rawBytes,
  struct,
  u8,
  u16,
  u16be,
  u16both,
  u32,
  u32be,
  u32both,
} from "../bytes/index.ts";
import { date7, date17 } from "./dates.ts";

/** Logical sector and logical block alike (6.1.2, 6.2.2). */
export const SECTOR_BYTES = 2048;
/** Sectors 0..15 belong to whoever boots the volume (6.2.1). */
export const SYSTEM_AREA_SECTORS = 16;
export const STANDARD_IDENTIFIER = "CD001";

/** 8.1.1 */
export const VOLUME_DESCRIPTOR_TYPE = {
  bootRecord: 0,
  primary: 1,
  supplementary: 2,
  partition: 3,
  terminator: 255,
} as const;

const SPACE = 0x20;
const identifier = (offset: number, length: number, meaning: string): Field<string> =>
  field(offset, paddedString(length, SPACE), meaning);

const descriptorHead = {
  "Volume Descriptor Type": field(0, u8, "8.1.1: 0 boot record, 1 primary, 2 supplementary, 255 terminator"),
  "Standard Identifier": field(1, paddedString(5, 0), "8.1.2: CD001"),
  "Volume Descriptor Version": field(6, u8, "8.1.3: 1; 2 makes a supplementary descriptor an enhanced one"),
};

/** Any volume descriptor, as far as all agree (8.1); alone it is the Volume Descriptor Set Terminator (8.3). */
export const volumeDescriptor = struct("Volume Descriptor", SECTOR_BYTES, descriptorHead);

const volumeFields = {
  ...descriptorHead,
  "System Identifier": identifier(8, 32, "8.4.5: system that can act upon the system area"),
  "Volume Identifier": identifier(40, 32, "8.4.6: name of the volume"),
  "Volume Space Size": field(80, u32both, "8.4.8: logical blocks of the volume, counted from sector 0"),
  "Volume Set Size": field(120, u16both, "8.4.10: 1"),
  "Volume Sequence Number": field(124, u16both, "8.4.11: 1"),
  "Logical Block Size": field(128, u16both, "8.4.12: 2048"),
  "Path Table Size": field(132, u32both, "8.4.13: bytes of one path table"),
  "Location of Occurrence of Type L Path Table": field(140, u32, "8.4.14: block of the little-endian path table"),
  "Location of Optional Occurrence of Type L Path Table": field(144, u32, "8.4.15: 0, there is none"),
  "Location of Occurrence of Type M Path Table": field(148, u32be, "8.4.16: block of the big-endian path table"),
  "Location of Optional Occurrence of Type M Path Table": field(152, u32be, "8.4.17: 0, there is none"),
  "Directory Record for Root Directory": field(156, rawBytes(34), "8.4.18: a directory record, identifier 0x00"),
  "Volume Set Identifier": identifier(190, 128, "8.4.19"),
  "Publisher Identifier": identifier(318, 128, "8.4.20"),
  "Data Preparer Identifier": identifier(446, 128, "8.4.21"),
  "Application Identifier": identifier(574, 128, "8.4.22"),
  "Copyright File Identifier": identifier(702, 37, "8.4.23: a file in the root directory"),
  "Abstract File Identifier": identifier(739, 37, "8.4.24: a file in the root directory"),
  "Bibliographic File Identifier": identifier(776, 37, "8.4.25: a file in the root directory"),
  "Volume Creation Date and Time": field(813, date17, "8.4.26"),
  "Volume Modification Date and Time": field(830, date17, "8.4.27"),
  "Volume Expiration Date and Time": field(847, date17, "8.4.28: not recorded"),
  "Volume Effective Date and Time": field(864, date17, "8.4.29: not recorded"),
  "File Structure Version": field(881, u8, "8.4.30: 1; 2 in an enhanced descriptor"),
  "Application Use": field(883, rawBytes(512), "8.4.32: zeros"),
};

/** 8.4 */
export const primaryVolumeDescriptor = struct("Primary Volume Descriptor", SECTOR_BYTES, volumeFields);

/** 8.5; Joliet and ISO 9660:1999 volumes are described by it. */
export const supplementaryVolumeDescriptor = struct("Supplementary Volume Descriptor", SECTOR_BYTES, {
  ...volumeFields,
  "Volume Flags": field(7, u8, "8.5.3: 0, the escape sequences are registered ones"),
  "Escape Sequences": field(
    88,
    paddedString(32, 0),
    "8.5.6: %/@, %/C or %/E for Joliet (UCS-2); none for ISO 9660:1999",
  ),
});

/** 9.1, without the identifier and the System Use field that follow. */
export const directoryRecord = struct("Directory Record", 33, {
  "Length of Directory Record": field(0, u8, "9.1.1: even; 0 says that no record follows in this sector"),
  "Extended Attribute Record Length": field(1, u8, "9.1.2: blocks before the data; 0"),
  "Location of Extent": field(2, u32both, "9.1.3: first block; 0 when there is no data"),
  "Data Length": field(10, u32both, "9.1.4: bytes of this file section"),
  "Recording Date and Time": field(18, date7, "9.1.5: modification time"),
  "File Flags": field(25, u8, "9.1.6: 0x01 hidden, 0x02 directory, 0x04 associated, 0x80 not the last section"),
  "File Unit Size": field(26, u8, "9.1.7: 0, not interleaved"),
  "Interleave Gap Size": field(27, u8, "9.1.8: 0, not interleaved"),
  "Volume Sequence Number": field(28, u16both, "9.1.9: 1"),
  "Length of File Identifier": field(32, u8, "9.1.10: bytes of the identifier that follows; padded to an even offset"),
});

/** 9.1.6 */
export const FILE_FLAGS = {
  existence: 0x01,
  directory: 0x02,
  associatedFile: 0x04,
  record: 0x08,
  protection: 0x10,
  multiExtent: 0x80,
} as const;

/** 7.6.2: identifiers of the records for a directory itself and for its parent. */
export const SELF_IDENTIFIER = "\x00";
export const PARENT_IDENTIFIER = "\x01";

const pathTableFields = <Location, Parent>(location: Field<Location>, parent: Field<Parent>) => ({
  "Length of Directory Identifier": field(
    0,
    u8,
    "9.4.1: bytes of the identifier that follows; padded to an even length",
  ),
  "Extended Attribute Record Length": field(1, u8, "9.4.2: 0"),
  "Location of Extent": location,
  "Parent Directory Number": parent,
});

/** 9.4 in a Type L Path Table. */
export const pathTableRecordL = struct(
  "Path Table Record (Type L)",
  8,
  pathTableFields(
    field(2, u32, "9.4.3: first block of the directory"),
    field(6, u16, "9.4.4: number of the parent's record, from 1"),
  ),
);

/** 9.4 in a Type M Path Table. */
export const pathTableRecordM = struct(
  "Path Table Record (Type M)",
  8,
  pathTableFields(
    field(2, u32be, "9.4.3: first block of the directory"),
    field(6, u16be, "9.4.4: number of the parent's record, from 1"),
  ),
);

/** Escape sequences of the three UCS-2 levels (Joliet Specification, 1995); level 3 is what is written. */
export const JOLIET_ESCAPE_SEQUENCES = ["%/@", "%/C", "%/E"] as const;

/** 9.1.4 is a 32-bit field; a section is a whole number of blocks, so that the next one can follow. */
export const MAX_SECTION_BYTES: number = 2 ** 32 - SECTOR_BYTES;
