// The structures of FAT12, FAT16 and FAT32, with the field names of Microsoft's "FAT: General Overview of On-Disk
// Format" 1.03, which the UEFI specification (section 13.3) refers to; "long names" are its chapter on LDIR entries.

import { array, field, paddedString, rawBytes, struct, u8, u16, u32 } from "../bytes/index.ts";

/** 12, 16 or 32: the width of an entry of the file allocation table. */
export type FatType = 12 | 16 | 32;

const biosParameterBlock = {
  BS_jmpBoot: field(0, rawBytes(3), "jump to the boot code: EB xx 90 or E9 xx xx"),
  BS_OEMName: field(3, paddedString(8, 0x20), "which program formatted the volume"),
  BPB_BytsPerSec: field(11, u16, "bytes a sector: 512, 1024, 2048 or 4096"),
  BPB_SecPerClus: field(13, u8, "sectors a cluster, a power of two"),
  BPB_RsvdSecCnt: field(14, u16, "sectors before the first FAT, at least 1"),
  BPB_NumFATs: field(16, u8, "copies of the FAT, normally 2"),
  BPB_RootEntCnt: field(17, u16, "entries of the root directory; 0 on FAT32"),
  BPB_TotSec16: field(19, u16, "sectors of the volume, or 0: see BPB_TotSec32"),
  BPB_Media: field(21, u8, "0xF8 fixed, 0xF0 removable; also the low byte of FAT[0]"),
  BPB_FATSz16: field(22, u16, "sectors of one FAT; 0 on FAT32"),
  BPB_SecPerTrk: field(24, u16, "geometry for INT 13h: sectors a track"),
  BPB_NumHeads: field(26, u16, "geometry for INT 13h: heads"),
  BPB_HiddSec: field(28, u32, "sectors before the volume on its disk"),
  BPB_TotSec32: field(32, u32, "sectors of the volume when BPB_TotSec16 is 0"),
};

export const bootSector16 = struct("boot sector, FAT12 and FAT16", 512, {
  ...biosParameterBlock,
  BS_DrvNum: field(36, u8, "INT 13h drive: 0x80 fixed, 0x00 floppy"),
  BS_Reserved1: field(37, u8, "0; Windows: bit 0 = volume is dirty"),
  BS_BootSig: field(38, u8, "0x29 = the next three fields are there"),
  BS_VolID: field(39, u32, "volume serial number"),
  BS_VolLab: field(43, paddedString(11, 0x20), "volume label, as in the root directory"),
  BS_FilSysType: field(54, paddedString(8, 0x20), "for people only; does not determine the type"),
  BS_BootCode: field(62, rawBytes(448), "boot code"),
  Signature_word: field(510, u16, "0xAA55"),
});

export const bootSector32 = struct("boot sector, FAT32", 512, {
  ...biosParameterBlock,
  BPB_FATSz32: field(36, u32, "sectors of one FAT"),
  BPB_ExtFlags: field(40, u16, "bit 7: only the FAT in bits 0-3 is kept; else all are alike"),
  BPB_FSVer: field(42, u16, "0"),
  BPB_RootClus: field(44, u32, "first cluster of the root directory"),
  BPB_FSInfo: field(48, u16, "sector of FSInfo, normally 1"),
  BPB_BkBootSec: field(50, u16, "sector of the copy of the boot record, normally 6; 0 = none"),
  BPB_Reserved: field(52, rawBytes(12), "0"),
  BS_DrvNum: field(64, u8, "INT 13h drive"),
  BS_Reserved1: field(65, u8, "0; Windows: bit 0 = volume is dirty"),
  BS_BootSig: field(66, u8, "0x29 = the next three fields are there"),
  BS_VolID: field(67, u32, "volume serial number"),
  BS_VolLab: field(71, paddedString(11, 0x20), "volume label, as in the root directory"),
  BS_FilSysType: field(82, paddedString(8, 0x20), "for people only: FAT32"),
  BS_BootCode32: field(90, rawBytes(420), "boot code"),
  Signature_word: field(510, u16, "0xAA55"),
});

export const SIGNATURE_WORD = 0xaa55;
export const EXTENDED_BOOT_SIGNATURE = 0x29;
export const MEDIA_FIXED = 0xf8;

export const fsInfo = struct("FSInfo, FAT32", 512, {
  FSI_LeadSig: field(0, u32, "0x41615252"),
  FSI_StrucSig: field(484, u32, "0x61417272"),
  FSI_Free_Count: field(488, u32, "free clusters when last counted; 0xFFFFFFFF = unknown"),
  FSI_Nxt_Free: field(492, u32, "where to look for a free cluster; 0xFFFFFFFF = unknown"),
  FSI_TrailSig: field(508, u32, "0xAA550000"),
});

export const FSI_LEAD_SIG = 0x41615252;
export const FSI_STRUC_SIG = 0x61417272;
export const FSI_TRAIL_SIG = 0xaa550000;
export const FSI_UNKNOWN = 0xffffffff;

export const directoryEntry = struct("directory entry", 32, {
  DIR_Name: field(0, paddedString(11, 0x20), "8 + 3 bytes; first byte 0xE5 = free, 0 = free and all after it too"),
  DIR_Attr: field(
    11,
    u8,
    "01 read-only, 02 hidden, 04 system, 08 volume label, 10 directory, 20 archive; 0F = long name",
  ),
  DIR_NTRes: field(12, u8, "0; Windows NT: 08 = base in lower case, 10 = extension in lower case"),
  DIR_CrtTimeTenth: field(13, u8, "creation time: 10 ms units beyond DIR_CrtTime, 0..199"),
  DIR_CrtTime: field(14, u16, "creation time: hour << 11, minute << 5, second / 2"),
  DIR_CrtDate: field(16, u16, "creation date: year - 1980 << 9, month << 5, day"),
  DIR_LstAccDate: field(18, u16, "date of last access"),
  DIR_FstClusHI: field(20, u16, "first cluster, high word; 0 on FAT12 and FAT16"),
  DIR_WrtTime: field(22, u16, "time of last write"),
  DIR_WrtDate: field(24, u16, "date of last write"),
  DIR_FstClusLO: field(26, u16, "first cluster, low word; 0 for an empty file"),
  DIR_FileSize: field(28, u32, "bytes; 0 for directories"),
});

export const longNameEntry = struct("long name directory entry", 32, {
  LDIR_Ord: field(0, u8, "1, 2 … from the end of the name's entries; 0x40 added in the first one on disk"),
  LDIR_Name1: field(1, array(u16, 5), "UTF-16 units 1-5 of this piece"),
  LDIR_Attr: field(11, u8, "0x0F"),
  LDIR_Type: field(12, u8, "0"),
  LDIR_Chksum: field(13, u8, "checksum of the short name that follows"),
  LDIR_Name2: field(14, array(u16, 6), "units 6-11"),
  LDIR_FstClusLO: field(26, u16, "0"),
  LDIR_Name3: field(28, array(u16, 2), "units 12-13; one 0x0000 ends the name, then 0xFFFF"),
});

export const ATTR_READ_ONLY = 0x01;
export const ATTR_VOLUME_ID = 0x08;
export const ATTR_DIRECTORY = 0x10;
export const ATTR_ARCHIVE = 0x20;
export const ATTR_LONG_NAME = 0x0f;
/** The bits that are looked at to tell a long name's entry from others. */
export const ATTR_LONG_NAME_MASK = 0x3f;

export const LAST_LONG_ENTRY = 0x40;
export const NT_LOWER_CASE_BASE = 0x08;
export const NT_LOWER_CASE_EXTENSION = 0x10;

/** First byte of DIR_Name. */
export const NAME_END = 0x00;
export const NAME_FREE = 0xe5;
/** Stands for a name that really begins with 0xE5. */
export const NAME_E5 = 0x05;

/** UTF-16 units in one long name entry, and in a whole long name. */
export const UNITS_PER_LONG_ENTRY = 13;
export const MAX_LONG_NAME_UNITS = 255;

/** A directory may not be longer than this, FAT32 root included: 65,536 entries. */
export const MAX_DIRECTORY_BYTES: number = 65536 * directoryEntry.sizeBytes;
export const MAX_FILE_BYTES = 0xffffffff;
/** Deeper trees are refused: programs that walk trees do so recursively. FAT's longest path, 260 characters, has 130 levels. */
export const MAX_DEPTH = 256;
