// El Torito: the boot catalog that a BIOS or UEFI firmware reads, and the boot information table that isolinux, GRUB
// legacy and others want inside their first sector.

import { type Content, divideUp, ImageError, readBytes, roundUp, toText } from "../bytes/index.ts";
import { SECTOR_BYTES, SYSTEM_AREA_SECTORS } from "./format.ts";
import {
  BOOT_INDICATOR,
  BOOT_INFO_TABLE_OFFSET,
  bootInfoTable,
  CATALOG_ENTRY_BYTES,
  HEADER_ID,
  initialEntry,
  sectionEntry,
  sectionHeader,
  VALIDATION_KEY,
  VIRTUAL_SECTOR_BYTES,
  validationEntry,
} from "./format-eltorito.ts";

export const PLATFORMS = { bios: 0, powerpc: 1, mac: 2, efi: 0xef } as const;
export type Platform = keyof typeof PLATFORMS;

/** Boot media types (2.2), with the size that a diskette image must have. */
export const EMULATIONS = {
  none: { mediaType: 0, sizeBytes: undefined },
  "1.2M": { mediaType: 1, sizeBytes: 1200 * 1024 },
  "1.44M": { mediaType: 2, sizeBytes: 1440 * 1024 },
  "2.88M": { mediaType: 3, sizeBytes: 2880 * 1024 },
  "hard-disk": { mediaType: 4, sizeBytes: undefined },
} as const;
export type Emulation = keyof typeof EMULATIONS;

export interface BootEntry {
  /** The boot image, a file of the tree. */
  readonly path: string;
  readonly platform: Platform;
  /** Default "none". */
  readonly emulation?: Emulation;
  /** 512-byte sectors to load. Default: all of the image without emulation, else 1. */
  readonly loadSectors?: number;
  /** Default 0, which means 0x7C0. */
  readonly loadSegment?: number;
  /** Partition type of a hard disk image. */
  readonly systemType?: number;
  /** Default true. */
  readonly bootable?: boolean;
  /** Write a boot information table into the image, in the output only. Default false. */
  readonly bootInfoTable?: boolean;
}

/** An entry of a planned catalog. */
export interface PlannedBootEntry {
  readonly path: string;
  readonly platform: Platform;
  readonly emulation: Emulation;
  readonly bootable: boolean;
  readonly loadSectors: number;
  readonly loadSegment: number;
  readonly systemType: number;
  readonly lba: number;
  /** Bytes of the image file. */
  readonly sizeBytes: number;
}

/** The catalog holds a validation entry, the default entry, and a section for each run of entries of one platform. */
function sectionsOf<Entry extends { readonly platform: Platform }>(entries: readonly Entry[]): Entry[][] {
  const sections: Entry[][] = [];
  for (const entry of entries.slice(1)) {
    const last = sections[sections.length - 1];
    if (last?.[0]?.platform === entry.platform) last.push(entry);
    else sections.push([entry]);
  }
  return sections;
}

/** Whole blocks, as mkisofs makes it. */
export function catalogBytes(entries: readonly BootEntry[]): number {
  return roundUp((1 + entries.length + sectionsOf(entries).length) * CATALOG_ENTRY_BYTES, SECTOR_BYTES);
}

const MAX_LOAD_SECTORS = 0xffff;

/** @throws ImageError "limit" when the image is too big for the catalog, or of a wrong size for its emulation */
export function planBootEntry(entry: BootEntry, lba: number, sizeBytes: number): PlannedBootEntry {
  const { path, platform, emulation = "none", loadSegment = 0, systemType = 0, bootable = true } = entry;
  const where = toText(path);
  if (sizeBytes === 0) throw new ImageError("limit", `${where}: the boot image is empty`, { path });
  const wanted = EMULATIONS[emulation].sizeBytes;
  if (wanted !== undefined && sizeBytes !== wanted) {
    const message = `${where}: a ${emulation} diskette image has ${wanted} bytes, this file ${sizeBytes}`;
    throw new ImageError("limit", message, { path });
  }
  const loadSectors = entry.loadSectors ?? (emulation === "none" ? divideUp(sizeBytes, VIRTUAL_SECTOR_BYTES) : 1);
  if (loadSectors > MAX_LOAD_SECTORS) {
    const message = `${where}: the boot image has ${loadSectors} sectors; the boot catalog can say ${MAX_LOAD_SECTORS}`;
    throw new ImageError("limit", `${message}. Make it smaller, or set its load size`, { path });
  }
  if (entry.bootInfoTable && sizeBytes < BOOT_INFO_TABLE_OFFSET + bootInfoTable.sizeBytes) {
    throw new ImageError("limit", `${where}: ${sizeBytes} bytes have no room for a boot information table`, { path });
  }
  return { path, platform, emulation, bootable, loadSectors, loadSegment, systemType, lba, sizeBytes };
}

function imageFields(entry: PlannedBootEntry) {
  return {
    "Boot Indicator": entry.bootable ? BOOT_INDICATOR.bootable : BOOT_INDICATOR.notBootable,
    "Boot media type": EMULATIONS[entry.emulation].mediaType,
    "Load Segment": entry.loadSegment,
    "System Type": entry.systemType,
    "Sector Count": entry.loadSectors,
    "Load RBA": entry.lba,
  };
}

/** Sum of a catalog entry's 16-bit words; that of a validation entry is 0 modulo 2^16 (2.1). */
export function wordSum(bytes: Uint8Array, offset = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, CATALOG_ENTRY_BYTES);
  let sum = 0;
  for (let i = 0; i < CATALOG_ENTRY_BYTES; i += 2) sum += view.getUint16(i, true);
  return sum & 0xffff;
}

export function encodeCatalog(entries: readonly PlannedBootEntry[], target: Uint8Array): void {
  const [first] = entries;
  if (!first) return;
  validationEntry.encode(
    { "Header ID": HEADER_ID.validation, "Platform ID": PLATFORMS[first.platform], "Key bytes": VALIDATION_KEY },
    target,
  );
  validationEntry.patch({ "Checksum Word": -wordSum(target) & 0xffff }, target);
  initialEntry.encode(imageFields(first), target, CATALOG_ENTRY_BYTES);
  let offset = 2 * CATALOG_ENTRY_BYTES;
  const sections = sectionsOf(entries);
  sections.forEach((section, i) => {
    sectionHeader.encode(
      {
        "Header Indicator": i + 1 < sections.length ? HEADER_ID.section : HEADER_ID.lastSection,
        "Platform ID": PLATFORMS[section[0]?.platform ?? "bios"],
        "Number of section entries": section.length,
      },
      target,
      offset,
    );
    for (const entry of section) {
      offset += CATALOG_ENTRY_BYTES;
      sectionEntry.encode(imageFields(entry), target, offset);
    }
    offset += CATALOG_ENTRY_BYTES;
  });
}

const PIECE_BYTES = 1 << 20;

/** Sum modulo 2^32 of the file's little-endian words from the table's end on; missing bytes of the last word are 0. */
export async function bootInfoChecksum(image: Content): Promise<number> {
  let sum = 0;
  for (let at = BOOT_INFO_TABLE_OFFSET + bootInfoTable.sizeBytes; at < image.sizeBytes; at += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, image.sizeBytes - at);
    const words = new Uint8Array(roundUp(length, 4));
    words.set(await readBytes(image, at, length));
    const view = new DataView(words.buffer);
    for (let i = 0; i < words.length; i += 4) sum = (sum + view.getUint32(i, true)) >>> 0;
  }
  return sum;
}

/** The boot image with its boot information table filled in. The image itself is read when this is, and stays as it is. */
export function withBootInfoTable(image: Content, lba: number): Content {
  const start = BOOT_INFO_TABLE_OFFSET;
  const end = start + bootInfoTable.sizeBytes;
  let checksum: Promise<number> | undefined;
  return {
    sizeBytes: image.sizeBytes,
    async read(target, offset) {
      await image.read(target, offset);
      if (offset >= end || offset + target.length <= start) return;
      checksum ??= bootInfoChecksum(image);
      const table = new Uint8Array(bootInfoTable.sizeBytes);
      const values = { bi_pvd: SYSTEM_AREA_SECTORS, bi_file: lba, bi_length: image.sizeBytes, bi_csum: await checksum };
      bootInfoTable.encode(values, table);
      const from = Math.max(start, offset);
      const to = Math.min(end, offset + target.length);
      target.set(table.subarray(from - start, to - start), from - offset);
    },
  };
}
