// The volume descriptor set (ECMA-119 8): primary, boot record, enhanced, Joliet, terminator, from block 16 on.

import { encodeRecord } from "./directory.ts";
import {
  directoryRecord,
  FILE_FLAGS,
  JOLIET_ESCAPE_SEQUENCES,
  primaryVolumeDescriptor,
  SECTOR_BYTES,
  SELF_IDENTIFIER,
  STANDARD_IDENTIFIER,
  SYSTEM_AREA_SECTORS,
  supplementaryVolumeDescriptor,
  VOLUME_DESCRIPTOR_TYPE,
  volumeDescriptor,
} from "./format.ts";
import { BOOT_RECORD_LBA, BOOT_SYSTEM_IDENTIFIER, bootRecord } from "./format-eltorito.ts";
import type { HierarchyDirectory } from "./hierarchy.ts";
import { ucs2Identifier } from "./names.ts";
import type { ResolvedOptions } from "./options.ts";

/** What kind of descriptor shows a hierarchy: the primary one, ISO 9660:1999's enhanced one, or Joliet's. */
export type HierarchyKind = "primary" | "enhanced" | "joliet";

/** A hierarchy with all that its descriptor says of it. */
export interface DescribedHierarchy {
  readonly kind: HierarchyKind;
  /** In the order of the path table; the root is the first. */
  readonly directories: readonly HierarchyDirectory[];
  readonly pathTableBytes: number;
  readonly typeLPathTableLba: number;
  readonly typeMPathTableLba: number;
}

export interface VolumeDescription {
  readonly options: ResolvedOptions;
  readonly volumeSpaceSize: number;
  readonly bootCatalogLba: number | undefined;
  /** The primary one first. */
  readonly hierarchies: readonly DescribedHierarchy[];
}

/** Blocks of the volume descriptor set. */
export function descriptorCount(hierarchies: number, hasBootRecord: boolean): number {
  return hierarchies + (hasBootRecord ? 1 : 0) + 1;
}

/** The descriptors in order, one block each. */
export function encodeDescriptors(volume: VolumeDescription, target: Uint8Array): void {
  const [primary, ...others] = volume.hierarchies;
  let lba = SYSTEM_AREA_SECTORS;
  const next = (): number => (lba++ - SYSTEM_AREA_SECTORS) * SECTOR_BYTES;
  if (primary) encodeHierarchy(volume, primary, target, next());
  if (volume.bootCatalogLba !== undefined) {
    if (lba !== BOOT_RECORD_LBA) throw new Error("the boot record must be the second descriptor");
    encodeBootRecord(volume.bootCatalogLba, target, next());
  }
  for (const hierarchy of others) encodeHierarchy(volume, hierarchy, target, next());
  volumeDescriptor.encode(head(VOLUME_DESCRIPTOR_TYPE.terminator, 1), target, next());
}

function head(type: number, version: number) {
  return {
    "Volume Descriptor Type": type,
    "Standard Identifier": STANDARD_IDENTIFIER,
    "Volume Descriptor Version": version,
  };
}

function encodeBootRecord(catalogLba: number, target: Uint8Array, offset: number): void {
  bootRecord.encode(
    {
      "Boot Record Indicator": VOLUME_DESCRIPTOR_TYPE.bootRecord,
      "ISO-9660 Identifier": STANDARD_IDENTIFIER,
      "Version of this descriptor": 1,
      "Boot System Identifier": BOOT_SYSTEM_IDENTIFIER,
      "Absolute pointer to first sector of Boot Catalog": catalogLba,
    },
    target,
    offset,
  );
}

/** A descriptor's version and the File Structure Version: 2 for ISO 9660:1999, else 1. */
const versionOf = ({ kind }: DescribedHierarchy): number => (kind === "enhanced" ? 2 : 1);

function encodeHierarchy(
  { options, volumeSpaceSize }: VolumeDescription,
  hierarchy: DescribedHierarchy,
  target: Uint8Array,
  offset: number,
): void {
  const { kind } = hierarchy;
  const type = kind === "primary" ? VOLUME_DESCRIPTOR_TYPE.primary : VOLUME_DESCRIPTOR_TYPE.supplementary;
  const values = {
    ...head(type, versionOf(hierarchy)),
    ...identifierValues(options, kind === "joliet"),
    "Volume Space Size": volumeSpaceSize,
    "Volume Set Size": 1,
    "Volume Sequence Number": 1,
    "Logical Block Size": SECTOR_BYTES,
    "Path Table Size": hierarchy.pathTableBytes,
    "Location of Occurrence of Type L Path Table": hierarchy.typeLPathTableLba,
    "Location of Occurrence of Type M Path Table": hierarchy.typeMPathTableLba,
    "Directory Record for Root Directory": rootRecord(hierarchy),
    "Volume Creation Date and Time": options.timeSeconds,
    "Volume Modification Date and Time": options.timeSeconds,
    "Volume Expiration Date and Time": undefined,
    "Volume Effective Date and Time": undefined,
    "File Structure Version": versionOf(hierarchy),
  };
  if (kind === "primary") primaryVolumeDescriptor.encode(values, target, offset);
  else {
    const escapeSequences = kind === "joliet" ? JOLIET_ESCAPE_SEQUENCES[2] : "";
    supplementaryVolumeDescriptor.encode({ ...values, "Escape Sequences": escapeSequences }, target, offset);
  }
}

function identifierValues({ identifiers }: ResolvedOptions, ucs2: boolean) {
  const show = (value: string, fieldBytes: number): string => (ucs2 ? ucs2Identifier(value, fieldBytes) : value);
  return {
    "System Identifier": show(identifiers.systemId, 32),
    "Volume Identifier": show(identifiers.volumeId, 32),
    "Volume Set Identifier": show(identifiers.volumeSetId, 128),
    "Publisher Identifier": show(identifiers.publisherId, 128),
    "Data Preparer Identifier": show(identifiers.dataPreparerId, 128),
    "Application Identifier": show(identifiers.applicationId, 128),
    "Copyright File Identifier": show(identifiers.copyrightFileId, 37),
    "Abstract File Identifier": show(identifiers.abstractFileId, 37),
    "Bibliographic File Identifier": show(identifiers.bibliographicFileId, 37),
  };
}

/** 8.4.18: the root's record of 34 bytes, without System Use entries. */
function rootRecord({ directories: [root] }: DescribedHierarchy): Uint8Array {
  const bytes = new Uint8Array(directoryRecord.sizeBytes + SELF_IDENTIFIER.length);
  if (root) {
    const { lba, sizeBytes, node } = root;
    const values = { lba, sizeBytes, flags: FILE_FLAGS.directory, mtimeSeconds: node.mtimeSeconds };
    encodeRecord({ ...values, identifier: SELF_IDENTIFIER, systemUse: [] }, bytes.length, bytes, 0);
  }
  return bytes;
}
