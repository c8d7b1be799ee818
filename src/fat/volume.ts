// A FAT volume as its boot sector describes it, opened for reading: the geometry, checked against the image, and the FAT.

import { type Content, ImageError, isPowerOfTwo, readBytes, roundUp, type Severity } from "../bytes/index.ts";
import { bootSector16, bootSector32, directoryEntry, SIGNATURE_WORD } from "./format.ts";
import {
  clusterBytes,
  dataOffset,
  FIRST_CLUSTER,
  fatBytes,
  fatOffset,
  fatTypeOf,
  type Geometry,
  MAX_CLUSTERS,
} from "./geometry.ts";
import { isDataCluster, readEntry } from "./table.ts";

/** Told of each thing that is wrong. A reader throws on "error"; a check takes note and goes on. */
export type Report = (code: string, severity: Severity, message: string, path?: string) => void;

export interface Volume {
  readonly content: Content;
  readonly geometry: Geometry;
  readonly media: number;
  /** BS_OEMName */
  readonly oemName: string;
  /** BS_VolID; undefined when the boot sector has none. */
  readonly volumeId: number | undefined;
  /** BS_VolLab; undefined when the boot sector has none. */
  readonly bootLabel: string | undefined;
  /** First cluster of the root directory; undefined on FAT12 and FAT16, where it has a place of its own. */
  readonly rootCluster: number | undefined;
  /** Sectors of FSInfo and of the copy of the boot sector; FAT32 only, undefined when there is none. */
  readonly fsInfoSector: number | undefined;
  readonly backupBootSector: number | undefined;
  /** Which copy of the FAT counts, from 0. */
  readonly activeFat: number;
  /** Whether the other copies must be like it. */
  readonly mirrored: boolean;
  /** The FAT that counts, as far as it has entries for clusters. */
  readonly fat: Uint8Array;
}

/** A FAT is held in memory while its volume is read: 32 million clusters, 128 GiB with clusters of 4 KiB. */
const MAX_FAT_BYTES: number = 128 * 2 ** 20;

/** Whether a first sector can be that of a FAT volume. Partition tables and NTFS are told apart. */
export function looksLikeFat(sector: Uint8Array): boolean {
  if (sector.length < bootSector16.sizeBytes) return false;
  const { BPB_FATSz16, BPB_RootEntCnt, ...common } = bootSector16.decode(sector);
  return (
    common.Signature_word === SIGNATURE_WORD &&
    isSectorSize(common.BPB_BytsPerSec) &&
    isPowerOfTwo(common.BPB_SecPerClus) &&
    common.BPB_RsvdSecCnt >= 1 &&
    common.BPB_NumFATs >= 1 &&
    common.BPB_NumFATs <= 15 &&
    (BPB_FATSz16 === 0 ? BPB_RootEntCnt === 0 && bootSector32.decode(sector).BPB_FATSz32 !== 0 : BPB_RootEntCnt !== 0)
  );
}

function isSectorSize(bytes: number): boolean {
  return [512, 1024, 2048, 4096].includes(bytes);
}

/**
 * Reads the boot sector and the FAT.
 * @throws ImageError "truncated", "bad-format" when it is no FAT volume, "limit" when its FAT is too big to be held
 */
export async function openVolume(content: Content, report: Report): Promise<Volume> {
  const sector = await readBytes(content, 0, bootSector16.sizeBytes);
  const common = bootSector16.decode(sector);
  const geometry = readGeometry(sector);
  const { fatType, bytesPerSector, totalSectors } = geometry;
  const jump = common.BS_jmpBoot;
  if (!(jump[0] === 0xeb && jump[2] === 0x90) && jump[0] !== 0xe9) {
    report("boot-sector", "warning", "BS_jmpBoot is no jump; some readers refuse the volume");
  }
  if (
    geometry.rootEntries * directoryEntry.sizeBytes !==
    roundUp(geometry.rootEntries * directoryEntry.sizeBytes, bytesPerSector)
  ) {
    report("boot-sector", "warning", `BPB_RootEntCnt ${geometry.rootEntries}: does not fill whole sectors`);
  }
  if (totalSectors * bytesPerSector > content.sizeBytes) {
    const missing = `the volume has ${totalSectors} sectors of ${bytesPerSector} bytes, the image only ${content.sizeBytes} bytes`;
    report("image-too-short", "warning", missing);
  }
  const fat32 = fatType === 32 ? bootSector32.decode(sector) : undefined;
  const extended = fat32 ?? common;
  if (fat32 && fat32.BPB_FSVer !== 0) {
    throw new ImageError("unsupported", `BPB_FSVer ${fat32.BPB_FSVer}: only FAT32 version 0 is known`, {
      field: "BPB_FSVer",
    });
  }
  if (fat32 && fatTypeOf(geometry.clusters) !== 32) {
    report("cluster-count", "warning", `FAT32 with ${geometry.clusters} clusters: by the standard too few`);
  }
  const mirrored = ((fat32?.BPB_ExtFlags ?? 0) & 0x80) === 0;
  const activeFat = mirrored ? 0 : (fat32?.BPB_ExtFlags ?? 0) & 0x0f;
  if (activeFat >= geometry.numberOfFats) {
    throw badField("BPB_ExtFlags", `FAT ${activeFat + 1} is the active one of ${geometry.numberOfFats}`);
  }
  const usedBytes = fatBytes(fatType, geometry.clusters);
  if (usedBytes > MAX_FAT_BYTES) {
    throw new ImageError("limit", `a FAT of ${usedBytes} bytes is more than the ${MAX_FAT_BYTES} that are read`);
  }
  const rootCluster = fat32?.BPB_RootClus;
  if (rootCluster !== undefined && !isDataCluster(rootCluster, geometry.clusters)) {
    throw badField("BPB_RootClus", `cluster ${rootCluster} of ${geometry.clusters}`);
  }
  const insideReserved = (sectorNumber: number | undefined) =>
    sectorNumber !== undefined && sectorNumber > 0 && sectorNumber < geometry.reservedSectors
      ? sectorNumber
      : undefined;
  const fsInfoSector = insideReserved(fat32?.BPB_FSInfo);
  if (fat32 && fsInfoSector === undefined) {
    report(
      "fsinfo",
      "warning",
      `BPB_FSInfo ${fat32.BPB_FSInfo}: not among the ${geometry.reservedSectors} reserved sectors`,
    );
  }
  const backupBootSector = insideReserved(fat32?.BPB_BkBootSec);
  if ((extended.BS_Reserved1 & 1) !== 0) report("dirty", "warning", "BS_Reserved1 says that the volume is dirty");
  const hasExtended = extended.BS_BootSig === 0x29;
  return {
    content,
    geometry,
    media: common.BPB_Media,
    oemName: common.BS_OEMName,
    volumeId: hasExtended ? extended.BS_VolID : undefined,
    bootLabel: hasExtended ? extended.BS_VolLab : undefined,
    rootCluster,
    fsInfoSector,
    backupBootSector: backupBootSector === fsInfoSector ? undefined : backupBootSector,
    activeFat,
    mirrored,
    fat: await readBytes(content, fatOffset(geometry, activeFat), usedBytes),
  };
}

function badField(field: string, why: string): ImageError {
  return new ImageError("bad-format", `${field}: ${why}; this is no FAT boot sector, or a damaged one`, { field });
}

/** @throws ImageError "bad-format" when a field is impossible */
function readGeometry(sector: Uint8Array): Geometry {
  const bpb = bootSector16.decode(sector);
  const { BPB_BytsPerSec: bytesPerSector, BPB_SecPerClus: sectorsPerCluster } = bpb;
  if (bpb.Signature_word !== SIGNATURE_WORD) {
    throw badField("Signature_word", `0x${bpb.Signature_word.toString(16)} in place of 0xaa55`);
  }
  if (!isSectorSize(bytesPerSector)) throw badField("BPB_BytsPerSec", `${bytesPerSector} bytes a sector`);
  if (!isPowerOfTwo(sectorsPerCluster)) throw badField("BPB_SecPerClus", `${sectorsPerCluster} sectors a cluster`);
  if (bpb.BPB_RsvdSecCnt === 0) throw badField("BPB_RsvdSecCnt", "no reserved sector, not even the boot sector");
  if (bpb.BPB_NumFATs === 0 || bpb.BPB_NumFATs > 15) throw badField("BPB_NumFATs", `${bpb.BPB_NumFATs} FATs`);
  const has16BitSize = bpb.BPB_FATSz16 !== 0;
  const sectorsPerFat = has16BitSize ? bpb.BPB_FATSz16 : bootSector32.decode(sector).BPB_FATSz32;
  if (sectorsPerFat === 0) throw badField("BPB_FATSz32", "a FAT of no sectors");
  if (has16BitSize && bpb.BPB_RootEntCnt === 0) throw badField("BPB_RootEntCnt", "a root directory of no entries");
  if (!has16BitSize && bpb.BPB_RootEntCnt !== 0) throw badField("BPB_RootEntCnt", "FAT32 has no fixed root directory");
  const totalSectors = bpb.BPB_TotSec16 === 0 ? bpb.BPB_TotSec32 : bpb.BPB_TotSec16;
  const geometry: Geometry = {
    fatType: 32,
    bytesPerSector,
    sectorsPerCluster,
    reservedSectors: bpb.BPB_RsvdSecCnt,
    numberOfFats: bpb.BPB_NumFATs,
    rootEntries: bpb.BPB_RootEntCnt,
    sectorsPerFat,
    totalSectors,
    clusters: 0,
  };
  const dataBytes = totalSectors * bytesPerSector - dataOffset(geometry);
  const clusters = Math.floor(dataBytes / clusterBytes(geometry));
  if (clusters < 1) throw badField("BPB_TotSec32", `${totalSectors} sectors leave none for data`);
  // Drivers take a volume for FAT32 when its FAT's size is in the FAT32 field, however few clusters it has.
  const fatType = has16BitSize ? fatTypeOf(clusters) : 32;
  if (has16BitSize && fatType === 32) throw badField("BPB_FATSz16", `${clusters} clusters are too many for FAT16`);
  if (clusters > MAX_CLUSTERS[fatType]) throw badField("BPB_TotSec32", `${clusters} clusters are too many`);
  if (fatBytes(fatType, clusters) > sectorsPerFat * bytesPerSector) {
    throw badField(has16BitSize ? "BPB_FATSz16" : "BPB_FATSz32", `too small for ${clusters} clusters`);
  }
  return { ...geometry, fatType, clusters };
}

/** The FAT's entry of a cluster. */
export function entryOf({ fat, geometry }: Volume, cluster: number): number {
  return readEntry(fat, geometry.fatType, cluster);
}

/** The clusters' numbers, from 2 up to this (exclusive). */
export function clusterEnd({ geometry }: Volume): number {
  return geometry.clusters + FIRST_CLUSTER;
}

/** Free clusters, counted in the FAT. */
export function countFree(volume: Volume): number {
  let free = 0;
  for (let cluster = FIRST_CLUSTER; cluster < clusterEnd(volume); cluster++) if (entryOf(volume, cluster) === 0) free++;
  return free;
}
