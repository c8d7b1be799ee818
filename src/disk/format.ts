// What is written outside of any file system: partition tables, and the fields in boot code that installers patch.
// MBR and GPT with the names of the UEFI specification 2.10 (section 5.2 and 5.3); the illumos fields after its
// installboot (usr/src/cmd/boot/installboot/i386) and the multiboot specification 0.6.96; GRUB legacy's after its stage1.

import { field, rawBytes, struct, u8, u16, u32, u64 } from "../bytes/index.ts";

export const SECTOR_BYTES = 512;

// ---- the places of a hybrid ISO ----

/** What ISO 9660 leaves to others: 16 sectors of 2048 bytes. */
export const SYSTEM_AREA_BYTES = 32768;
export const X86BOOT_LBA = 3;
export const X86BOOT_SECTORS = 60;
export const ISOBOOT_LBA: number = X86BOOT_LBA + 1;
/** Inside the partition: what is written. */
export const ISOBOOT_SECTORS: number = X86BOOT_SECTORS - 1;
/** Up to the end of the system area, one sector behind the partition: what is read of other images. */
export const ISOBOOT_SECTORS_AT_MOST: number = SYSTEM_AREA_BYTES / SECTOR_BYTES - ISOBOOT_LBA;

// ---- partition tables ----

export const masterBootRecord = struct("Master Boot Record", 512, {
  BootCode: field(0, rawBytes(440), "boot code of the BIOS"),
  UniqueMBRDiskSignature: field(440, u32, "disk signature of Windows NT; 0 = none"),
  Unknown: field(444, u16, "0"),
  PartitionRecord: field(446, rawBytes(64), "four partition records"),
  Signature: field(510, u16, "0xAA55"),
});

export const MBR_SIGNATURE = 0xaa55;
export const PARTITION_RECORDS = 4;

export const partitionRecord = struct("MBR partition record", 16, {
  BootIndicator: field(0, u8, "0x80 = active, 0x00 = not; nothing else"),
  StartingCHS: field(1, rawBytes(3), "head; sector with bits 8-9 of the cylinder on top; cylinder"),
  OSType: field(4, u8, "type of the partition; 0 = unused record"),
  EndingCHS: field(5, rawBytes(3), "of the last sector"),
  StartingLBA: field(8, u32, "first sector"),
  SizeInLBA: field(12, u32, "sectors"),
});

export const ACTIVE = 0x80;
export const TYPE_EXTENDED: readonly number[] = [0x05, 0x0f, 0x85];
/** X86BOOT of illumos: holds boot blocks. */
export const TYPE_X86BOOT = 0xbe;
export const TYPE_GPT_PROTECTIVE = 0xee;
export const TYPE_EFI_SYSTEM = 0xef;

export const gptHeader = struct("GPT header", 92, {
  Signature: field(0, rawBytes(8), '"EFI PART"'),
  Revision: field(8, u32, "0x00010000"),
  HeaderSize: field(12, u32, "bytes that HeaderCRC32 covers: 92 up to a sector"),
  HeaderCRC32: field(16, u32, "CRC-32 of the header, this field taken as 0"),
  Reserved: field(20, u32, "0"),
  MyLBA: field(24, u64, "where this header is"),
  AlternateLBA: field(32, u64, "where the other one is"),
  FirstUsableLBA: field(40, u64, "first sector that a partition may have"),
  LastUsableLBA: field(48, u64, "the last such sector"),
  DiskGUID: field(56, rawBytes(16), "of the disk"),
  PartitionEntryLBA: field(72, u64, "where the array of entries begins"),
  NumberOfPartitionEntries: field(80, u32, "of the array, used or not"),
  SizeOfPartitionEntry: field(84, u32, "bytes, 128 times a power of two"),
  PartitionEntryArrayCRC32: field(88, u32, "CRC-32 of the array"),
});

export const GPT_SIGNATURE = "EFI PART";
export const GPT_HEADER_LBA = 1;

export const gptEntry = struct("GPT partition entry", 128, {
  PartitionTypeGUID: field(0, rawBytes(16), "all zeros = unused entry"),
  UniquePartitionGUID: field(16, rawBytes(16), "of this partition"),
  StartingLBA: field(32, u64, "first sector"),
  EndingLBA: field(40, u64, "last sector"),
  Attributes: field(48, rawBytes(8), "bit 0 required, 1 no block IO, 2 legacy BIOS bootable, 48-63 of the type"),
  PartitionName: field(56, rawBytes(72), "UTF-16LE, NUL padded"),
});

// ---- boot code ----

/** The fields in illumos' boot/pmbr, which is the boot code of both LBA 0 and the first sector of the X86BOOT partition. */
export const pmbr = struct("illumos pmbr", 512, {
  STAGE1_BPB: field(0x03, rawBytes(0x3b), "room for a BIOS parameter block: kept as it is on disk"),
  STAGE1_MBR_VERSION: field(0xfa, u8, "1: illumos loader"),
  STAGE1_STAGE2_SIZE: field(0xfc, u16, "sectors of what is started next"),
  STAGE1_STAGE2_LBA: field(0xfe, u64, "its first sector"),
  STAGE1_STAGE2_UUID: field(0x106, rawBytes(16), "of the disk: the loader finds its disk again by it"),
  STAGE1_SIG: field(0x1b8, rawBytes(72), "disk signature, partition table and 0xAA55: kept as on disk"),
});

export const LOADER_VERSIONS: readonly number[] = [1, 2];

/** The header in the first 64 KiB of isoboot (the fields of the a.out kludge are all there). */
export const multibootHeader = struct("multiboot header of isoboot", 32, {
  magic: field(0, u32, "0x1BADB002"),
  flags: field(4, u32, "bit 16 set: the address fields count"),
  checksum: field(8, u32, "makes the sum of the three 0"),
  header_addr: field(12, u32, "where the header is loaded to"),
  load_addr: field(16, u32, "0 here"),
  load_end_addr: field(20, u32, "end of the code; extended information for installboot follows it"),
  bss_end_addr: field(24, u64, "here, with the field after it: first sector of the target partition (the ESP)"),
});

export const MULTIBOOT_MAGIC = 0x1badb002;
export const MULTIBOOT_AOUT_KLUDGE = 0x00010000;
export const MULTIBOOT_SCAN_BYTES = 65536;

/** The fields in GRUB legacy's boot/grub/stage1. */
export const grubStage1 = struct("GRUB stage1", 512, {
  compat_version: field(0x3e, u16, "major 3, minor 2"),
  boot_drive: field(0x40, u8, "0xFF = the drive that the BIOS booted from"),
  force_lba: field(0x41, u8, "1 = never use cylinders, heads and sectors"),
  stage2_address: field(0x42, u16, "0x8000"),
  stage2_sector: field(0x44, u32, "first sector of stage2"),
  stage2_segment: field(0x48, u16, "0x0800"),
  partition_table: field(0x1b8, rawBytes(72), "disk signature, partition table and 0xAA55"),
});

/** The first sector of GRUB legacy's boot/grub/stage2 loads the rest of it by this list. */
export const grubStage2Start = struct("GRUB stage2, first sector", 512, {
  blocklist_start: field(0x1f8, u32, "first sector of the rest"),
  blocklist_length: field(0x1fc, u16, "sectors of the rest"),
  blocklist_segment: field(0x1fe, u16, "where to: 0x0820"),
});

/** Major 3, minor 2. */
export const GRUB_COMPAT_VERSION = 0x0203;
export const GRUB_STAGE2_ADDRESS = 0x8000;
export const GRUB_REST_SEGMENT = 0x0820;
