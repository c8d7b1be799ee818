// Which structure of a FAT volume an offset lies in.

import { readBytes, toText } from "../bytes/index.ts";
import { fatOffset } from "../fat/geometry.ts";
import {
  ATTR_LONG_NAME,
  ATTR_LONG_NAME_MASK,
  bootSector16,
  bootSector32,
  directoryEntry,
  fsInfo,
  longNameEntry,
} from "../fat/index.ts";
import { readEntry } from "../fat/table.ts";
import type { FatLayer } from "./layer.ts";
import { type Located, madeStructure, structureAt } from "./located.ts";
import { regionsOf } from "./regions.ts";

export async function locateFat(layer: FatLayer, offset: number): Promise<Located> {
  const { content, fat } = layer;
  const { regions } = await regionsOf(layer);
  const region = regions.find((one) => offset >= one.offset && offset < one.offset + one.length);
  const what = region?.what ?? "behind the volume";
  if (region === undefined) return { what, structures: [] };
  if (what.startsWith("boot sector")) {
    const declared = fat.fatType === 32 ? bootSector32 : bootSector16;
    return { what, structures: [await structureAt(content, declared, what, region.offset)] };
  }
  if (what.startsWith("FSInfo")) return { what, structures: [await structureAt(content, fsInfo, what, region.offset)] };
  if (region.kind === "table") return tableEntry(layer, Number(/\d+/.exec(what)?.[0] ?? 1) - 1, offset);
  if (region.path === undefined) return { what, structures: [] };
  const shown = `${what} of ${toText(region.path)}`;
  if (region.kind === "directory") {
    const at =
      region.offset + Math.floor((offset - region.offset) / directoryEntry.sizeBytes) * directoryEntry.sizeBytes;
    const [attributes = 0] = await readBytes(content, at + directoryEntry.fields.DIR_Attr.offset, 1);
    const isLong = (attributes & ATTR_LONG_NAME_MASK) === ATTR_LONG_NAME;
    const structure = isLong
      ? await structureAt(content, longNameEntry, "long name entry", at)
      : await structureAt(content, directoryEntry, "directory entry", at);
    return { what: shown, structures: [structure] };
  }
  const runs = regions.filter(({ path, kind }) => path === region.path && kind === region.kind);
  const before = runs.filter((one) => one.offset < region.offset).reduce((sum, { length }) => sum + length, 0);
  return { what: shown, structures: [], fileOffset: before + offset - region.offset };
}

/** An entry of the table: of FAT12 one may share a byte with its neighbour; the one that begins before it is told. */
async function tableEntry({ content, fat }: FatLayer, copy: number, offset: number): Promise<Located> {
  const { geometry, fatType } = fat;
  const start = fatOffset(geometry, copy);
  const bits = fatType;
  const cluster = Math.floor(((offset - start) * 8) / bits);
  const first = Math.floor((cluster * bits) / 8);
  const sizeBytes = Math.ceil(bits / 8);
  // Enough of the table that the entry lies in it at its own index.
  const even = cluster - (cluster % 2);
  const from = (even * bits) / 8;
  const length = Math.min(Math.ceil((2 * bits) / 8), content.sizeBytes - start - from);
  const value = readEntry(await readBytes(content, start + from, length), fatType, cluster - even);
  const what = `FAT ${copy + 1}`;
  const meaning = "next cluster of the file; 0 free, all bits set: the last";
  const line = { offset: start + first, sizeBytes, name: `cluster ${cluster}`, value, meaning };
  return { what, structures: [madeStructure(what, "FAT entry", [line])] };
}
