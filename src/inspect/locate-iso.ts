// Which structure of an ISO an offset lies in.

import { byteString, readBytes, roundUp, toText } from "../bytes/index.ts";
import {
  pathTableRecordL,
  pathTableRecordM,
  primaryVolumeDescriptor,
  SECTOR_BYTES,
  SYSTEM_AREA_SECTORS,
  supplementaryVolumeDescriptor,
  VOLUME_DESCRIPTOR_TYPE,
  volumeDescriptor,
} from "../iso9660-writer-ts/format.ts";
import {
  BOOT_INFO_TABLE_OFFSET,
  bootInfoTable,
  bootRecord,
  CATALOG_ENTRY_BYTES,
  HEADER_ID,
  initialEntry,
  sectionEntry,
  sectionHeader,
  validationEntry,
} from "../iso9660-writer-ts/format-eltorito.ts";
import type { SeenDirectory, SeenRecord } from "../iso9660-writer-ts/read-hierarchy.ts";
import { findFile } from "../tree/index.ts";
import { bootImages } from "./boot-parts.ts";
import { recordStructures } from "./iso-structures.ts";
import type { IsoLayer } from "./layer.ts";
import { locateDisk } from "./locate-disk.ts";
import { type Located, structureAt } from "./located.ts";
import { regionsOf } from "./regions.ts";
import type { Declared, Structure } from "./structure.ts";

export async function locateIso(layer: IsoLayer, offset: number): Promise<Located> {
  const { regions } = await regionsOf(layer);
  const region = regions.find((one) => offset >= one.offset && offset < one.offset + one.length);
  if (region === undefined || offset < SYSTEM_AREA_SECTORS * SECTOR_BYTES) return systemArea(layer, offset);
  const { what, path } = region;
  if (what === "volume descriptors") return descriptor(layer, offset);
  if (what.includes("path table")) return pathTable(layer, region.offset, what, offset);
  if (what === "boot catalog") return catalogEntry(layer, region.offset, offset);
  if (what.endsWith("directory") || what === "continuation area") return record(layer, offset, what);
  if (path === undefined) return { what: region.kind === "free" ? "unused" : what, structures: [] };
  const fileOffset = offset - region.offset;
  const structures = await infoTable(layer, path, region.offset, fileOffset);
  const content = findFile(await layer.tree(), path)?.content;
  const inner = content && { content, offset: fileOffset, name: path };
  return { what: `data of ${toText(path)}`, structures, fileOffset, inner };
}

async function systemArea(layer: IsoLayer, offset: number): Promise<Located> {
  const located = layer.disk && (await locateDisk(layer, offset));
  if (located && located.structures.length > 0)
    return { ...located, what: `system area: ${located.what}`, inner: undefined };
  return { what: "system area", structures: [] };
}

async function descriptor({ content }: IsoLayer, offset: number): Promise<Located> {
  const at = offset - (offset % SECTOR_BYTES);
  const { "Volume Descriptor Type": type } = volumeDescriptor.decode(await readBytes(content, at, SECTOR_BYTES));
  const declared: Readonly<Record<number, Declared>> = {
    [VOLUME_DESCRIPTOR_TYPE.bootRecord]: bootRecord,
    [VOLUME_DESCRIPTOR_TYPE.primary]: primaryVolumeDescriptor,
    [VOLUME_DESCRIPTOR_TYPE.supplementary]: supplementaryVolumeDescriptor,
  };
  const found = declared[type] ?? volumeDescriptor;
  const what = type === VOLUME_DESCRIPTOR_TYPE.terminator ? "Volume Descriptor Set Terminator" : found.name;
  return { what, structures: [await structureAt(content, found, what, at)] };
}

/** Records follow each other: the one that holds the offset is found from the first. */
async function pathTable({ content, iso }: IsoLayer, start: number, what: string, offset: number): Promise<Located> {
  const declared = what.includes("table M") ? pathTableRecordM : pathTableRecordL;
  const bytes = await readBytes(content, start, Math.min(iso.volume["Path Table Size"], content.sizeBytes - start));
  for (let at = 0, number = 1; at + declared.sizeBytes <= bytes.length; number++) {
    const length = bytes[at] ?? 0;
    const end = at + roundUp(declared.sizeBytes + length, 2);
    if (offset < start + end) {
      const title = `record ${number} of the ${what}`;
      const head = await structureAt(content, declared, title, start + at);
      const from = at + declared.sizeBytes;
      const value = byteString(bytes, from, Math.min(from + length, bytes.length));
      const line = {
        offset: start + from,
        sizeBytes: end - from,
        name: "Directory Identifier",
        value,
        meaning: "9.4.5",
      };
      return { what: title, structures: [{ ...head, sizeBytes: end - at, fields: [...head.fields, line] }] };
    }
    at = end;
  }
  return { what: `${what}, behind its records`, structures: [] };
}

async function catalogEntry({ content }: IsoLayer, start: number, offset: number): Promise<Located> {
  let left = 0;
  for (let at = start, index = 0; at <= offset; at += CATALOG_ENTRY_BYTES, index++) {
    const [id] = await readBytes(content, at, 1);
    const isHeader = index > 1 && left === 0;
    const declared =
      index === 0 ? validationEntry : index === 1 ? initialEntry : isHeader ? sectionHeader : sectionEntry;
    if (isHeader && id !== HEADER_ID.section && id !== HEADER_ID.lastSection) break;
    if (offset < at + CATALOG_ENTRY_BYTES) {
      const title = `boot catalog, entry ${index}`;
      return {
        what: title,
        structures: [await structureAt(content, declared, title, at)],
      };
    }
    if (isHeader)
      left = sectionHeader.decode(await readBytes(content, at, CATALOG_ENTRY_BYTES))["Number of section entries"];
    else if (index > 1) left--;
  }
  return { what: "boot catalog, behind its entries", structures: [] };
}

/** A directory record, or the System Use entry in it or in its continuation area. */
async function record(layer: IsoLayer, offset: number, what: string): Promise<Located> {
  const { hierarchies } = await layer.volume();
  const block = Math.floor(offset / SECTOR_BYTES);
  const isNear = ({ lba, sizeBytes }: SeenDirectory): boolean =>
    offset >= lba * SECTOR_BYTES && offset < lba * SECTOR_BYTES + sizeBytes;
  for (const { directories } of hierarchies) {
    for (const directory of directories) {
      const records = [directory.self, directory.up, ...directory.records].filter(
        (one): one is SeenRecord => one !== undefined,
      );
      const near = records.filter((one) => isNear(directory) || one.areas.some(({ lba }) => lba === block));
      for (const one of near) {
        const structures = recordStructures({ directory, record: one });
        const holds = ({ offset: from, sizeBytes }: Structure): boolean => offset >= from && offset < from + sizeBytes;
        if (!structures.some(holds)) continue;
        // The innermost first: an entry lies inside of its record.
        const [whole, ...entries] = structures;
        const entry = entries.find(holds);
        return {
          what: whole?.title ?? what,
          structures: [entry, whole].filter((each): each is Structure => each !== undefined),
        };
      }
    }
  }
  return { what: `${what}, behind its records`, structures: [] };
}

/** The boot information table in a boot image, where the offset is in it. */
async function infoTable(layer: IsoLayer, path: string, start: number, fileOffset: number): Promise<Structure[]> {
  const end = BOOT_INFO_TABLE_OFFSET + bootInfoTable.sizeBytes;
  if (fileOffset < BOOT_INFO_TABLE_OFFSET || fileOffset >= end) return [];
  const image = (await bootImages(layer)).find((one) => one.path === path);
  if (image === undefined || image.content.sizeBytes < end) return [];
  const title = "boot information table";
  const table = await structureAt(layer.content, bootInfoTable, title, start + BOOT_INFO_TABLE_OFFSET);
  const isOne = table.fields.some(({ name, value }) => name === "bi_file" && value === image.entry.lba);
  return isOne ? [table] : [];
}
