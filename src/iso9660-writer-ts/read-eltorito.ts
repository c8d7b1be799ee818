// The boot catalog of an image (El Torito 2).

import { type Content, ImageError, readBytes, type StructValues } from "../bytes/index.ts";
import { wordSum } from "./eltorito.ts";
import { SECTOR_BYTES } from "./format.ts";
import {
  BOOT_INDICATOR,
  CATALOG_ENTRY_BYTES,
  EXTENSION_FOLLOWS,
  HEADER_ID,
  initialEntry,
  sectionHeader,
  VALIDATION_KEY,
  validationEntry,
} from "./format-eltorito.ts";
import type { Complain } from "./problem.ts";

/** An entry as it lies in the catalog. */
export interface BootCatalogEntry {
  /** Platform ID of its validation entry or section header: 0 80x86, 1 PowerPC, 2 Mac, 0xEF UEFI. */
  readonly platformId: number;
  readonly bootable: boolean;
  /** 0 no emulation, 1..3 diskettes, 4 hard disk. */
  readonly mediaType: number;
  readonly loadSegment: number;
  readonly systemType: number;
  /** 512-byte sectors. */
  readonly loadSectors: number;
  readonly lba: number;
}

export interface BootCatalog {
  readonly lba: number;
  /** Bytes up to the end of the last entry that was read. */
  readonly sizeBytes: number;
  /** Manufacturer of the volume, from the validation entry. */
  readonly id: string;
  readonly entries: readonly BootCatalogEntry[];
}

/** Room for thousands of entries. What goes on beyond is a damaged catalog: no firmware lists so many. */
const MAX_CATALOG_BYTES = 64 * SECTOR_BYTES;

/**
 * Reads a catalog, as far as its headers say.
 * @throws ImageError "bad-format" when there is none at this block
 */
export async function readBootCatalog(image: Content, lba: number, complain: Complain): Promise<BootCatalog> {
  const start = lba * SECTOR_BYTES;
  if (start + 2 * CATALOG_ENTRY_BYTES > image.sizeBytes) {
    throw new ImageError("bad-format", `the boot catalog at block ${lba} lies beyond the image`);
  }
  const bytes = await readBytes(image, start, Math.min(MAX_CATALOG_BYTES, image.sizeBytes - start));
  const validation = validationEntry.decode(bytes);
  if (validation["Header ID"] !== HEADER_ID.validation || validation["Key bytes"] !== VALIDATION_KEY) {
    throw new ImageError("bad-format", `the boot catalog at block ${lba} has no validation entry`);
  }
  if (wordSum(bytes) !== 0) {
    complain("catalog-checksum", "error", `the boot catalog at block ${lba} has a wrong checksum (El Torito 2.1)`);
  }
  const entries = [entryOf(initialEntry.decode(bytes, CATALOG_ENTRY_BYTES), validation["Platform ID"])];
  let offset = 2 * CATALOG_ENTRY_BYTES;
  const isThere = (): boolean => offset + CATALOG_ENTRY_BYTES <= bytes.length;
  for (let isLast = false; !isLast && isThere(); ) {
    const header = sectionHeader.decode(bytes, offset);
    const indicator = header["Header Indicator"];
    if (indicator !== HEADER_ID.section && indicator !== HEADER_ID.lastSection) break;
    isLast = indicator === HEADER_ID.lastSection;
    offset += CATALOG_ENTRY_BYTES;
    for (let left = header["Number of section entries"]; left > 0; left--) {
      if (!isThere()) {
        complain("catalog-truncated", "error", `the boot catalog at block ${lba} promises more entries than there are`);
        break;
      }
      const values = initialEntry.decode(bytes, offset);
      entries.push(entryOf(values, header["Platform ID"]));
      offset += CATALOG_ENTRY_BYTES;
      let isExtended = (values["Boot media type"] & EXTENSION_FOLLOWS) !== 0;
      while (isExtended && isThere() && bytes[offset] === HEADER_ID.extension) {
        isExtended = ((bytes[offset + 1] ?? 0) & EXTENSION_FOLLOWS) !== 0;
        offset += CATALOG_ENTRY_BYTES;
      }
    }
  }
  return { lba, sizeBytes: offset, id: validation["ID string"], entries };
}

const MEDIA_TYPE_MASK = 0x0f;

function entryOf(values: StructValues<typeof initialEntry>, platformId: number): BootCatalogEntry {
  return {
    platformId,
    bootable: values["Boot Indicator"] === BOOT_INDICATOR.bootable,
    mediaType: values["Boot media type"] & MEDIA_TYPE_MASK,
    loadSegment: values["Load Segment"],
    systemType: values["System Type"],
    loadSectors: values["Sector Count"],
    lba: values["Load RBA"],
  };
}
