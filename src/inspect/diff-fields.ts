// How the structures of two layers of one kind differ, field by field. Positions and counts that follow from what the paths
// are, and identifiers that are made anew with every image, are marked: they are worth telling only when nothing else is.

import { type Content, fromText, readBytes } from "../bytes/index.ts";
import { bootSector16, bootSector32 } from "../fat/index.ts";
import { primaryVolumeDescriptor } from "../iso9660-writer-ts/format.ts";
import { FSOKAY, fs } from "../ufs/format.ts";
import { bootEntries } from "./boot-parts.ts";
import type { FatLayer, GzipLayer, IsoLayer, Layer, UfsLayer } from "./layer.ts";

export interface FieldDifference {
  /** Path of the layer, "" for the image itself. */
  readonly layer: string;
  /** "Primary Volume Descriptor", "fs" (the UFS superblock), "boot entry 1" … */
  readonly structure: string;
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
  /** A time, in seconds. */
  readonly isTime: boolean;
  /** Follows from the paths, or is made anew with every image. */
  readonly follows: boolean;
}

type Values = Readonly<Record<string, unknown>>;

interface Fields {
  readonly structure: string;
  readonly values: Values;
}

const TIMES = /^(fs_time|MTIME|Volume .* Date and Time)$/;
/** Sizes, places and counts; serial numbers. */
const FOLLOWING =
  /^(Location of|Volume Space Size|Path Table Size|lba$|start$|size$|fs_cstotal_|fs_dsize$|fs_cgrotor$|fs_state$|BS_VolID$|uuid$|signature$|DiskGUID$|image$)/;
/** Of structures: bytes that are records of their own, code, or nothing. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "Directory Record for Root Directory",
  "Application Use",
  "fs_u",
  "fs_sparecon",
  "fs_opostbl",
  "BS_VolLab",
]);

/** The fields that differ between two layers; none where the layers are of different kinds. */
export async function diffFields(a: Layer, b: Layer, layer: string): Promise<FieldDifference[]> {
  if (a.kind !== b.kind) return [];
  const [before, after] = await Promise.all([fieldsOf(a), fieldsOf(b)]);
  const differences: FieldDifference[] = [];
  const structures = new Set([...before, ...after].map(({ structure }) => structure));
  for (const structure of structures) {
    const valuesA = before.find((one) => one.structure === structure)?.values;
    const valuesB = after.find((one) => one.structure === structure)?.values;
    const found = (field: string, one: unknown, other: unknown): void => {
      const isTime = TIMES.test(field);
      differences.push({ layer, structure, field, before: one, after: other, isTime, follows: FOLLOWING.test(field) });
    };
    if (valuesA === undefined || valuesB === undefined) {
      found("(is there)", valuesA !== undefined, valuesB !== undefined);
      continue;
    }
    for (const field of new Set([...Object.keys(valuesA), ...Object.keys(valuesB)])) {
      const [one, other] = [valuesA[field], valuesB[field]];
      if (!LEFT_OUT.has(field) && !isSame(one, other)) found(field, one, other);
    }
  }
  return differences;
}

function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array)
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  return a === b || (Array.isArray(a) && Array.isArray(b) && a.join() === b.join());
}

async function fieldsOf(layer: Layer): Promise<Fields[]> {
  switch (layer.kind) {
    case "iso":
      return isoFields(layer);
    case "ufs":
      return ufsFields(layer);
    case "fat":
      return fatFields(layer);
    case "gzip":
      return gzipFields(layer);
    case "disk":
      return diskFields(layer);
    case "archive": {
      const { formats, packages } = await layer.source();
      return [{ structure: "archive", values: { formats: formats.join(", "), packages: packages.join(", ") } }];
    }
    default:
      return [];
  }
}

async function isoFields(layer: IsoLayer): Promise<Fields[]> {
  const { descriptors, nameSources } = layer.iso;
  const fields: Fields[] = descriptors.hierarchies.map(({ kind, values }) => ({
    structure: kind === "primary" ? primaryVolumeDescriptor.name : `${kind} volume descriptor`,
    values: kind === "joliet" ? readable(values) : values,
  }));
  fields.push({ structure: "volume", values: { names: nameSources.join(", ") } });
  for (const [i, entry] of (await bootEntries(layer)).entries()) {
    fields.push({ structure: `boot entry ${i + 1}`, values: { ...entry } });
  }
  return [...fields, ...diskFields(layer)];
}

/** Joliet has its texts in UCS-2, most significant byte first. */
function readable(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const text = (value: unknown): unknown => {
    if (typeof value !== "string") return value;
    const units = Array.from({ length: value.length >> 1 }, (_, i) => {
      return String.fromCharCode(value.charCodeAt(2 * i) * 256 + value.charCodeAt(2 * i + 1));
    });
    return fromText(units.join("").trimEnd());
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, text(value)]));
}

/** fs_state is a function of fs_time where it is right: only what is told beyond that counts. */
function ufsFields({ ufs: { superblock } }: UfsLayer): Fields[] {
  const isStated = ((superblock.fs_state + superblock.fs_time) | 0) === FSOKAY;
  return [
    { structure: fs.name, values: { ...superblock, fs_state: isStated ? "FSOKAY - fs_time" : superblock.fs_state } },
  ];
}

async function fatFields({ content, fat }: FatLayer): Promise<Fields[]> {
  const bytes = await readBytes(content, 0, bootSector16.sizeBytes);
  const values = fat.fatType === 32 ? bootSector32.decode(bytes) : bootSector16.decode(bytes);
  return [{ structure: "FAT boot sector", values: { ...values, label: fat.label } }];
}

async function gzipFields({ header, content }: GzipLayer): Promise<Fields[]> {
  const { flags, mtimeSeconds, name, comment } = header;
  const values = { FLG: flags, MTIME: mtimeSeconds, FNAME: name, FCOMMENT: comment, OS: await osByte(content) };
  return [{ structure: "gzip header", values }];
}

const OS_OFFSET = 9;

async function osByte(content: Content): Promise<number | undefined> {
  return (await readBytes(content, OS_OFFSET, 1))[0];
}

function diskFields({ disk }: Pick<IsoLayer, "disk">): Fields[] {
  if (disk === undefined) return [];
  const { bootBlocks, gpt, mbrSignature, partitions } = disk;
  const table = { DiskGUID: gpt?.primary?.diskGuid, signature: mbrSignature, scheme: gpt ? "GPT" : "MBR" };
  const fields: Fields[] = [{ structure: "partition table", values: table }];
  for (const { number, type, startBytes, sizeBytes, active, name } of partitions) {
    const values = { type, start: startBytes, size: sizeBytes, active, name };
    fields.push({ structure: `partition ${number}`, values });
  }
  if (bootBlocks) {
    const { masterBoot, volumeBoot, targetLba } = bootBlocks;
    const values = {
      uuid: masterBoot.uuid,
      lba: `${masterBoot.stage2Lba}, ${volumeBoot.stage2Lba}, ${targetLba}`,
      version: masterBoot.version,
      "sectors of isoboot": volumeBoot.stage2Sectors,
    };
    fields.push({ structure: "boot blocks", values });
  }
  return fields;
}
