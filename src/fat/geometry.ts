// Where the regions of a FAT volume lie, and which type and cluster size a volume of some size gets.
// The type follows from the count of clusters alone (FAT 1.03, "FAT Type Determination"): below 4,085 FAT12, below
// 65,525 FAT16, else FAT32. Drivers disagree by one or two at these bounds, so volumes made here stay 16 clusters away.

import { divideUp, ImageError, roundUp } from "../bytes/index.ts";
import { directoryEntry, type FatType, MAX_DIRECTORY_BYTES } from "./format.ts";

export interface Geometry {
  readonly fatType: FatType;
  readonly bytesPerSector: number;
  readonly sectorsPerCluster: number;
  readonly reservedSectors: number;
  readonly numberOfFats: number;
  /** Of the fixed root directory; 0 on FAT32. */
  readonly rootEntries: number;
  readonly sectorsPerFat: number;
  readonly totalSectors: number;
  /** Data clusters; they are numbered from 2 to clusters + 1. */
  readonly clusters: number;
}

export const FIRST_CLUSTER = 2;

/** Most clusters by the standard. */
export const MAX_CLUSTERS: Readonly<Record<FatType, number>> = { 12: 4084, 16: 65524, 32: 0x0ffffff5 };

/** Which type a count of clusters means. */
export function fatTypeOf(clusters: number): FatType {
  return clusters <= MAX_CLUSTERS[12] ? 12 : clusters <= MAX_CLUSTERS[16] ? 16 : 32;
}

export function clusterBytes({ bytesPerSector, sectorsPerCluster }: Geometry): number {
  return bytesPerSector * sectorsPerCluster;
}

/** Byte offset of a copy of the FAT, counted from 0. */
export function fatOffset({ bytesPerSector, reservedSectors, sectorsPerFat }: Geometry, copy: number): number {
  return (reservedSectors + copy * sectorsPerFat) * bytesPerSector;
}

/** Byte offset of the fixed root directory of FAT12 and FAT16 (on FAT32: of the data). */
export function rootDirectoryOffset(geometry: Geometry): number {
  return fatOffset(geometry, geometry.numberOfFats);
}

/** Byte offset of cluster 2. */
export function dataOffset(geometry: Geometry): number {
  const rootBytes = geometry.rootEntries * directoryEntry.sizeBytes;
  return rootDirectoryOffset(geometry) + roundUp(rootBytes, geometry.bytesPerSector);
}

export function clusterOffset(geometry: Geometry, cluster: number): number {
  return dataOffset(geometry) + (cluster - FIRST_CLUSTER) * clusterBytes(geometry);
}

/** Bytes of a FAT that hold the entries of `count` clusters and the two reserved ones. */
export function fatBytes(fatType: FatType, count: number): number {
  return divideUp((count + FIRST_CLUSTER) * fatType, 8);
}

// ---- volumes made here: 512-byte sectors, two FATs ----

export const BYTES_PER_SECTOR = 512;
const NUMBER_OF_FATS = 2;
/** Of FAT12 and FAT16; more only when the root directory holds more. */
const USUAL_ROOT_ENTRIES = 512;
const RESERVED_SECTORS: Readonly<Record<FatType, number>> = { 12: 1, 16: 1, 32: 32 };
/** A made volume is a multiple of this: ISO 9660 places it in sectors of 2048. */
const SIZE_UNIT_SECTORS = 4;
const MAX_SECTORS = 0xffffffff;
const CLUSTERS_FROM_BOUND = 16;

const MIN_MADE: Readonly<Record<FatType, number>> = {
  12: 1,
  16: MAX_CLUSTERS[12] + 1 + CLUSTERS_FROM_BOUND,
  32: MAX_CLUSTERS[16] + 1 + CLUSTERS_FROM_BOUND,
};

interface Shape {
  readonly fatType: FatType;
  readonly sectorsPerCluster: number;
  readonly maxClusters: number;
}

function shape(fatType: FatType, sectorsPerCluster: number, clusterLimit = Number.POSITIVE_INFINITY): Shape {
  return {
    fatType,
    sectorsPerCluster,
    maxClusters: Math.min(MAX_CLUSTERS[fatType] - CLUSTERS_FROM_BOUND, clusterLimit),
  };
}

/**
 * In the order in which they are tried: FAT12 with clusters of 1 and 2 KiB up to 8 MiB (what firmware has always read
 * from El Torito images), FAT16 up to 512 MiB, then FAT32 with Microsoft's cluster sizes: 4 KiB up to 8 GiB, and so on.
 */
const PREFERRED: readonly Shape[] = [
  shape(12, 2),
  shape(12, 4),
  shape(16, 2),
  shape(16, 4),
  shape(16, 8),
  shape(16, 16),
  shape(32, 8, 2 ** 21),
  shape(32, 16, 2 ** 21),
  shape(32, 32, 2 ** 21),
  shape(32, 64),
];

export interface GeometryRequest {
  /** Default: as small as the contents allow. A multiple of 512. */
  readonly sizeBytes?: number | undefined;
  readonly fatType?: FatType | undefined;
  /** A power of two, 1..128. */
  readonly sectorsPerCluster?: number | undefined;
}

export interface Demand {
  /** Entries of the root directory. */
  readonly rootEntries: number;
  /** Clusters that the contents take, the FAT32 root directory included where `fatType` is 32. */
  clusters(fatType: FatType, clusterBytes: number): number;
}

/**
 * The first shape that holds what is demanded.
 * @throws ImageError "invalid-argument" when the request contradicts the format, "no-space" when the contents do not fit
 */
export function chooseGeometry(request: GeometryRequest, demand: Demand): Geometry {
  const shapes = shapesFor(request);
  const { sizeBytes } = request;
  if (sizeBytes === undefined) {
    const smallest = smallestGeometry(shapes, demand);
    if (smallest) return smallest;
    throw new ImageError(
      "no-space",
      `the tree is too big for ${describe(request)}: ask for another type or cluster size`,
    );
  }
  if (
    sizeBytes % BYTES_PER_SECTOR !== 0 ||
    sizeBytes < BYTES_PER_SECTOR ||
    sizeBytes / BYTES_PER_SECTOR > MAX_SECTORS
  ) {
    throw new ImageError("invalid-argument", `FAT size ${sizeBytes}: must be a multiple of 512 below 2 TiB`);
  }
  const possible = shapes.flatMap((one) => makeGeometry(one, sizeBytes / BYTES_PER_SECTOR, demand.rootEntries) ?? []);
  const found = possible.find((geometry) => fits(geometry, demand));
  if (found) return found;
  const smallest = smallestGeometry(shapes, demand);
  const remedy = smallest ? `${smallest.totalSectors * BYTES_PER_SECTOR} bytes would do` : "no size would do";
  if (possible.length > 0) {
    throw new ImageError("no-space", `the tree does not fit into a FAT volume of ${sizeBytes} bytes: ${remedy}`);
  }
  throw new ImageError("invalid-argument", `${describe(request)} cannot be ${sizeBytes} bytes: ${remedy}`);
}

function describe({ fatType, sectorsPerCluster }: GeometryRequest): string {
  const clusters = sectorsPerCluster === undefined ? "" : ` with ${sectorsPerCluster} sectors a cluster`;
  return `FAT${fatType ?? ""}${clusters}`;
}

function shapesFor({ fatType, sectorsPerCluster }: GeometryRequest): readonly Shape[] {
  if (sectorsPerCluster !== undefined && ![1, 2, 4, 8, 16, 32, 64, 128].includes(sectorsPerCluster)) {
    throw new ImageError("invalid-argument", `${sectorsPerCluster} sectors a cluster: must be a power of two, 1..128`);
  }
  if (fatType !== undefined && ![12, 16, 32].includes(fatType)) {
    throw new ImageError("invalid-argument", `FAT${fatType}: must be 12, 16 or 32`);
  }
  if (fatType === undefined && sectorsPerCluster === undefined) return PREFERRED;
  const clusterSizes = sectorsPerCluster === undefined ? [1, 2, 4, 8, 16, 32, 64] : [sectorsPerCluster];
  const types: readonly FatType[] = fatType === undefined ? [12, 16, 32] : [fatType];
  const preferred = PREFERRED.filter(
    (one) => types.includes(one.fatType) && clusterSizes.includes(one.sectorsPerCluster),
  );
  return [...preferred, ...types.flatMap((type) => clusterSizes.map((size) => shape(type, size)))];
}

function fits(geometry: Geometry, demand: Demand): boolean {
  return demand.clusters(geometry.fatType, clusterBytes(geometry)) <= geometry.clusters;
}

/** Of the shapes that need no more clusters than the contents do, the first; else the smallest of all. */
function smallestGeometry(shapes: readonly Shape[], demand: Demand): Geometry | undefined {
  let smallest: Geometry | undefined;
  for (const one of shapes) {
    const { fatType, sectorsPerCluster } = one;
    const needed = demand.clusters(fatType, sectorsPerCluster * BYTES_PER_SECTOR);
    const clusters = Math.max(needed, MIN_MADE[fatType]);
    const sectors =
      RESERVED_SECTORS[fatType] +
      NUMBER_OF_FATS * divideUp(fatBytes(fatType, clusters), BYTES_PER_SECTOR) +
      rootSectors(fatType, demand.rootEntries) +
      clusters * sectorsPerCluster;
    const geometry = makeGeometry(one, roundUp(sectors, SIZE_UNIT_SECTORS), demand.rootEntries);
    if (geometry === undefined || !fits(geometry, demand)) continue;
    if (clusters === needed) return geometry;
    if (smallest === undefined || geometry.totalSectors < smallest.totalSectors) smallest = geometry;
  }
  return smallest;
}

/** Entries of the fixed root directory, whole sectors of them. */
function fixedRootEntries(fatType: FatType, needed: number): number {
  if (fatType === 32) return 0;
  return Math.max(USUAL_ROOT_ENTRIES, roundUp(needed, BYTES_PER_SECTOR / directoryEntry.sizeBytes));
}

function rootSectors(fatType: FatType, needed: number): number {
  return (fixedRootEntries(fatType, needed) * directoryEntry.sizeBytes) / BYTES_PER_SECTOR;
}

/** The volume of this shape and size, with the smallest FAT that will do; undefined when that is none. */
function makeGeometry(one: Shape, totalSectors: number, neededRootEntries: number): Geometry | undefined {
  const { fatType, sectorsPerCluster } = one;
  const rootEntries = fixedRootEntries(fatType, neededRootEntries);
  if (rootEntries * directoryEntry.sizeBytes >= MAX_DIRECTORY_BYTES) return undefined;
  const reservedSectors = RESERVED_SECTORS[fatType];
  const available = totalSectors - reservedSectors - rootSectors(fatType, neededRootEntries);
  const clustersWith = (fatSectors: number) =>
    Math.floor((available - NUMBER_OF_FATS * fatSectors) / sectorsPerCluster);
  // A cluster costs its sectors and an entry in each FAT; this is the least that covers all of them, or one below it.
  const entryBytes = fatType / 8;
  let sectorsPerFat = Math.max(
    1,
    Math.floor(
      (entryBytes * (available / sectorsPerCluster + FIRST_CLUSTER)) /
        (BYTES_PER_SECTOR + (NUMBER_OF_FATS * entryBytes) / sectorsPerCluster),
    ),
  );
  while (fatBytes(fatType, clustersWith(sectorsPerFat)) > sectorsPerFat * BYTES_PER_SECTOR) sectorsPerFat++;
  const clusters = clustersWith(sectorsPerFat);
  if (totalSectors > MAX_SECTORS || clusters < MIN_MADE[fatType] || clusters > one.maxClusters) return undefined;
  return {
    fatType,
    bytesPerSector: BYTES_PER_SECTOR,
    sectorsPerCluster,
    reservedSectors,
    numberOfFats: NUMBER_OF_FATS,
    rootEntries,
    sectorsPerFat,
    totalSectors,
    clusters,
  };
}
