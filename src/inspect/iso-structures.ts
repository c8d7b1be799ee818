// Directory records of an ISO with the System Use entries that belong to them.

import { byteString, type DumpLine, toText } from "../bytes/index.ts";
import { date7, date17 } from "../iso9660-writer-ts/dates.ts";
import { directoryRecord, SECTOR_BYTES } from "../iso9660-writer-ts/format.ts";
import {
  alternateName,
  childLink,
  componentRecord,
  continuationArea,
  extensionsReference,
  parentLink,
  posixAttributes,
  posixAttributesWithSerial,
  posixDevice,
  sharingProtocol,
  symbolicLink,
  systemUseEntry,
  TF_FLAGS,
  timeStamps,
} from "../iso9660-writer-ts/format-rockridge.ts";
import type { SeenDirectory, SeenEntry, SeenHierarchy, SeenRecord } from "../iso9660-writer-ts/read-hierarchy.ts";
import type { RawEntry } from "../iso9660-writer-ts/read-records.ts";
import { splitPath } from "../tree/index.ts";
import type { IsoLayer } from "./layer.ts";
import { type Declared, type Structure, structureOf } from "./structure.ts";

/** A record with the directory that it lies in. */
export interface PlacedRecord {
  readonly directory: SeenDirectory;
  readonly record: SeenRecord;
}

/** The hierarchy whose names the layer's tree has. */
export async function shownHierarchy(layer: IsoLayer): Promise<SeenHierarchy | undefined> {
  const { hierarchies } = await layer.volume();
  const [source] = layer.iso.nameSources;
  if (source === "rock-ridge") return hierarchies.find(({ usesRockRidge }) => usesRockRidge);
  const kind = source === "plain" ? "primary" : source;
  return hierarchies.find(({ descriptor }) => descriptor.kind === kind);
}

/** The records of what is at a path of the layer's tree: of the root its own, of long files one a section. */
export async function recordsAt(
  layer: IsoLayer,
  path: string,
): Promise<{ records: PlacedRecord[]; entry: SeenEntry | undefined }> {
  const hierarchy = await shownHierarchy(layer);
  let directory = hierarchy?.root;
  let holder = directory;
  let entry: SeenEntry | undefined;
  for (const name of splitPath(path)) {
    holder = directory;
    entry = directory?.entries.find((one) => one.name === name);
    directory = entry?.directory;
  }
  if (holder === undefined) return { records: [], entry };
  const records = entry?.records ?? (path === "/" && holder.self ? [holder.self] : []);
  const at = holder;
  return { records: records.map((record) => ({ directory: at, record })), entry };
}

/** The record and its entries, each as a structure. */
export function recordStructures({ directory, record }: PlacedRecord): Structure[] {
  const offset = directory.lba * SECTOR_BYTES + record.offset;
  const title = `directory record "${toText(record.identifier)}" in ${toText(directory.path)}`;
  const head = structureOf(directoryRecord, title, record.bytes, 0, offset);
  const structures = [{ ...head, sizeBytes: record.bytes.length }];
  for (const [entry, at] of placedEntries(record, offset)) structures.push(entryStructure(entry, at));
  return structures;
}

/** Where each System Use entry lies: in the record itself, or in its continuation areas, in order. */
function placedEntries(record: SeenRecord, recordOffset: number): [RawEntry, number][] {
  const placed: [RawEntry, number][] = [];
  let buffer = record.bytes.buffer;
  let base = recordOffset - record.bytes.byteOffset;
  const areas = [...record.areas];
  for (const entry of record.entries) {
    if (entry.bytes.buffer !== buffer) {
      const area = areas.shift();
      buffer = entry.bytes.buffer;
      base = area === undefined ? 0 : area.lba * SECTOR_BYTES + area.offset;
    }
    placed.push([entry, base + entry.bytes.byteOffset]);
  }
  return placed;
}

const ENTRIES: Readonly<Record<string, Declared>> = {
  CE: continuationArea,
  SP: sharingProtocol,
  ER: extensionsReference,
  PN: posixDevice,
  SL: symbolicLink,
  NM: alternateName,
  CL: childLink,
  PL: parentLink,
  TF: timeStamps,
} as const;

export function entryStructure({ signature, bytes }: RawEntry, offset: number): Structure {
  const declared = declarationOf(signature, bytes.length);
  const structure = structureOf(declared, `System Use entry ${toText(signature)}`, bytes, 0, offset);
  const rest = restFields(signature, bytes, declared.sizeBytes, offset);
  return { ...structure, sizeBytes: bytes.length, fields: [...structure.fields, ...rest] };
}

/** In the order of the bits of Flags (RRIP 4.1.6). */
const STAMPS = ["creation", "modify", "access", "attributes", "backup", "expiration", "effective"];

/** What follows the declared part: names, link components, time stamps, texts. */
function restFields(signature: string, bytes: Uint8Array, from: number, offset: number): DumpLine[] {
  const lines: DumpLine[] = [];
  let at = from;
  const take = (sizeBytes: number, name: string, value: unknown, meaning: string): void => {
    lines.push({ offset: offset + at, sizeBytes, name, value, meaning });
    at += sizeBytes;
  };
  const text = (length: number): string => byteString(bytes, at, at + length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fits = (length: number): boolean => at + length <= bytes.length;
  if (signature === "NM") take(bytes.length - at, "name", text(bytes.length - at), "RRIP 4.1.4");
  if (signature === "TF" && fits(0)) {
    const { Flags } = timeStamps.decode(bytes);
    const type = Flags & TF_FLAGS.longForm ? date17 : date7;
    for (const [bit, name] of STAMPS.entries()) {
      if ((Flags & (1 << bit)) === 0 || !fits(type.sizeBytes)) continue;
      take(type.sizeBytes, `${name} time stamp`, type.read(view, at), "RRIP 4.1.6");
    }
  }
  if (signature === "SL") {
    while (fits(componentRecord.sizeBytes)) {
      const { "Component Flags": flags, "Component Length": length } = componentRecord.decode(bytes, at);
      take(1, "Component Flags", flags, componentRecord.fields["Component Flags"].meaning);
      take(1, "Component Length", length, componentRecord.fields["Component Length"].meaning);
      if (length > 0 && fits(length)) take(length, "component", text(length), "RRIP 4.1.3.1");
    }
  }
  if (signature === "ER") {
    const lengths = extensionsReference.decode(bytes);
    for (const name of ["Identifier", "Descriptor", "Source"] as const) {
      const length = lengths[`${name} Length`];
      if (fits(length)) take(length, name, text(length), "SUSP 5.5");
    }
  }
  if (at < bytes.length) take(bytes.length - at, "(rest)", bytes.subarray(at), "the rest of the entry");
  return lines;
}

/** The declaration for an entry, unless the entry is shorter than that. */
function declarationOf(signature: string, length: number): Declared {
  const px = length >= posixAttributesWithSerial.sizeBytes ? posixAttributesWithSerial : posixAttributes;
  const declared = signature === "PX" ? px : ENTRIES[signature];
  return declared && declared.sizeBytes <= length ? declared : systemUseEntry;
}
