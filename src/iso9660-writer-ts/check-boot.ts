// El Torito: whether what the catalog says can be booted, and boot information tables.

import { type Content, readBytes, sliceContent } from "../bytes/index.ts";
import { bootInfoChecksum, PLATFORMS } from "./eltorito.ts";
import { SECTOR_BYTES, SYSTEM_AREA_SECTORS } from "./format.ts";
import { BOOT_INFO_TABLE_OFFSET, bootInfoTable, VIRTUAL_SECTOR_BYTES } from "./format-eltorito.ts";
import type { Complain } from "./problem.ts";
import type { BootCatalogEntry } from "./read-eltorito.ts";
import { extentsOf, type SeenVolume } from "./volume.ts";

/** UEFI firmware takes these counts for "to the end of the volume". */
const MAX_COUNT_TO_END = 1;

export async function checkBoot(volume: SeenVolume, complain: Complain): Promise<void> {
  const { image, bootCatalog } = volume;
  if (!bootCatalog) return;
  const files = new Map(extentsOf(volume).map((extent) => [extent.lba, extent]));
  for (const [i, entry] of bootCatalog.entries.entries()) {
    const { lba, loadSectors } = entry;
    const loadBytes = loadSectors * VIRTUAL_SECTOR_BYTES;
    const found = files.get(lba);
    const path = found?.owner.path;
    const says = (code: string, severity: "error" | "warning" | "note", message: string): void =>
      complain(code, severity, `boot entry ${i + 1}: ${message}`, path);
    if (lba === 0 || lba * SECTOR_BYTES + Math.max(loadBytes, 1) > image.sizeBytes) {
      says("boot-image", "error", `${loadSectors} sectors at block ${lba} are not on the image`);
      continue;
    }
    if (found?.owner.what !== "file") {
      says("boot-image", "note", `the image at block ${lba} is no file of the tree`);
      continue;
    }
    checkSize(entry, found.sizeBytes, says);
    if (lba * SECTOR_BYTES + found.sizeBytes <= image.sizeBytes) {
      await checkTable(sliceContent(image, lba * SECTOR_BYTES, found.sizeBytes), lba, says);
    }
  }
}

type Says = (code: string, severity: "error" | "warning" | "note", message: string) => void;

function checkSize({ platformId, loadSectors }: BootCatalogEntry, sizeBytes: number, says: Says): void {
  const fileSectors = Math.ceil(sizeBytes / VIRTUAL_SECTOR_BYTES);
  const allocatedSectors = (Math.ceil(sizeBytes / SECTOR_BYTES) * SECTOR_BYTES) / VIRTUAL_SECTOR_BYTES;
  if (loadSectors > allocatedSectors) {
    says("boot-size", "warning", `loads ${loadSectors} sectors of a file of ${fileSectors}`);
  }
  if (platformId === PLATFORMS.efi && loadSectors > MAX_COUNT_TO_END && loadSectors < fileSectors) {
    says("boot-size", "error", `the EFI image of ${fileSectors} sectors is cut off at ${loadSectors}`);
  }
}

/** A table is one when its first two words are right; then the other two must be. */
async function checkTable(image: Content, lba: number, says: Says): Promise<void> {
  if (image.sizeBytes < BOOT_INFO_TABLE_OFFSET + bootInfoTable.sizeBytes) return;
  const table = bootInfoTable.decode(await readBytes(image, BOOT_INFO_TABLE_OFFSET, bootInfoTable.sizeBytes));
  if (table.bi_pvd !== SYSTEM_AREA_SECTORS || (table.bi_file !== lba && table.bi_length !== image.sizeBytes)) return;
  if (table.bi_file !== lba)
    says("boot-info-table", "error", `its table names block ${table.bi_file}, it lies at ${lba}`);
  if (table.bi_length !== image.sizeBytes) {
    says("boot-info-table", "error", `its table says ${table.bi_length} bytes, it has ${image.sizeBytes}`);
  }
  if (table.bi_csum !== (await bootInfoChecksum(image))) {
    says("boot-info-table", "error", "the checksum in its table is wrong");
  }
}
