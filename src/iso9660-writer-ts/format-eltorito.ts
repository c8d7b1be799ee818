// El Torito, Bootable CD-ROM Format Specification 1.0 (1995): the boot record and the boot catalog; and the boot
// information table, which is mkisofs' own convention.

import { field, paddedString, rawBytes, struct, u8, u16, u32 } from "../bytes/index.ts";
import { SECTOR_BYTES } from "./format.ts";

/** The specification wants the boot record here (figure 7), and etdump insists. */
export const BOOT_RECORD_LBA = 17;
export const BOOT_SYSTEM_IDENTIFIER = "EL TORITO SPECIFICATION";

/** Figure 7. The sector count of a catalog entry counts such units: "virtual" disk sectors (2.5, figure 3). */
export const VIRTUAL_SECTOR_BYTES = 512;
export const CATALOG_ENTRY_BYTES = 32;

export const bootRecord = struct("Boot Record Volume Descriptor", SECTOR_BYTES, {
  "Boot Record Indicator": field(0, u8, "figure 7: 0"),
  "ISO-9660 Identifier": field(1, paddedString(5, 0), "figure 7: CD001"),
  "Version of this descriptor": field(6, u8, "figure 7: 1"),
  "Boot System Identifier": field(7, paddedString(32, 0), "figure 7: EL TORITO SPECIFICATION, padded with zeros"),
  "Absolute pointer to first sector of Boot Catalog": field(71, u32, "figure 7: block of the catalog"),
});

export const HEADER_ID = { validation: 0x01, section: 0x90, lastSection: 0x91, extension: 0x44 } as const;
export const BOOT_INDICATOR = { bootable: 0x88, notBootable: 0x00 } as const;

export const validationEntry = struct("Validation Entry", CATALOG_ENTRY_BYTES, {
  "Header ID": field(0, u8, "2.1: 1"),
  "Platform ID": field(1, u8, "2.1: 0 80x86, 1 PowerPC, 2 Mac; 0xEF UEFI"),
  "ID string": field(4, paddedString(24, 0), "2.1: manufacturer of the volume"),
  "Checksum Word": field(28, u16, "2.1: makes the sum of all 16-bit words zero"),
  "Key bytes": field(30, u16, "2.1: 0x55, 0xAA"),
});
export const VALIDATION_KEY = 0xaa55;

const imageFields = {
  "Boot Indicator": field(0, u8, "2.2: 0x88 bootable, 0 not"),
  "Boot media type": field(1, u8, "2.2: 0 no emulation, 1..3 diskette of 1.2, 1.44, 2.88 MB, 4 hard disk"),
  "Load Segment": field(2, u16, "2.2: 0 means 0x7C0"),
  "System Type": field(4, u8, "2.2: partition type in a hard disk image, else 0"),
  "Sector Count": field(
    6,
    u16,
    "2.2: 512-byte sectors to load; for UEFI the size of the image, 0 and 1 to the volume's end",
  ),
  "Load RBA": field(8, u32, "2.2: first block of the image"),
};

/** 2.2 */
export const initialEntry = struct("Initial/Default Entry", CATALOG_ENTRY_BYTES, imageFields);

/** 2.3 */
export const sectionHeader = struct("Section Header Entry", CATALOG_ENTRY_BYTES, {
  "Header Indicator": field(0, u8, "2.3: 0x90 more sections follow, 0x91 the last"),
  "Platform ID": field(1, u8, "2.3: as in the validation entry"),
  "Number of section entries": field(2, u16, "2.3: entries that follow this header"),
  "ID string": field(4, paddedString(28, 0), "2.3"),
});

/** 2.4 */
export const sectionEntry = struct("Section Entry", CATALOG_ENTRY_BYTES, {
  ...imageFields,
  "Selection criteria type": field(12, u8, "2.4: 0, none"),
  "Vendor unique selection criteria": field(13, rawBytes(19), "2.4: zeros"),
});
/** Bit of "Boot media type" in a section entry: an extension entry follows (2.4). */
export const EXTENSION_FOLLOWS = 0x20;

/** What mkisofs -boot-info-table writes into the output's copy of a boot file, at byte 8. */
export const bootInfoTable = struct("Boot Information Table", 56, {
  bi_pvd: field(0, u32, "block of the Primary Volume Descriptor: 16"),
  bi_file: field(4, u32, "first block of the boot file"),
  bi_length: field(8, u32, "bytes of the boot file"),
  bi_csum: field(12, u32, "sum of the file's 32-bit words from byte 64 on"),
  bi_reserved: field(16, rawBytes(40), "zeros"),
});
export const BOOT_INFO_TABLE_OFFSET = 8;
