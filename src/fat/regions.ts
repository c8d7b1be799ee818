// The layout of a volume: planner and reader name the same regions by the same rule, so that a volume which was read
// back has the layout it was planned with. Only the bytes come from different places.

import type { Content } from "../bytes/index.ts";
import { type Extent, extent, type Layout, makeLayout, type Owner } from "../layout/index.ts";
import { directoryEntry } from "./format.ts";
import {
  clusterBytes,
  clusterOffset,
  FIRST_CLUSTER,
  fatBytes,
  fatOffset,
  type Geometry,
  rootDirectoryOffset,
} from "./geometry.ts";
import { FAT_PIECE_BYTES, type Run } from "./table.ts";

/** A file or directory in the clusters. */
export interface Placed {
  readonly owner: Owner;
  readonly runs: readonly Run[];
  readonly sizeBytes: number;
}

export interface Regions {
  readonly geometry: Geometry;
  /** FAT32 only. */
  readonly fsInfoSector: number | undefined;
  readonly backupBootSector: number | undefined;
  /** The last cluster that is not free. */
  readonly lastUsedCluster: number;
  readonly placed: readonly Placed[];
  /** Bytes of the volume; the image may be longer or, foreign ones, shorter. */
  readonly sizeBytes: number;
}

/** Where the bytes of each region come from. */
export interface RegionContents {
  bootSector(offset: number): Content;
  fsInfo(offset: number): Content;
  /** A piece of a FAT: `offset` in the image, `pieceOffset` in the table. */
  fatPiece(offset: number, pieceOffset: number, length: number): Content;
  fixedRoot(offset: number, length: number): Content;
  /** The content of what was placed, all its runs in a row. */
  placed(placed: Placed): Content;
}

export const ROOT_DIRECTORY = "root directory";

export function volumeLayout(regions: Regions, contents: RegionContents): Layout {
  const { geometry, fsInfoSector, backupBootSector } = regions;
  const { bytesPerSector, numberOfFats, rootEntries, sectorsPerFat } = geometry;
  const extents: Extent[] = [extent(0, { what: "boot sector" }, contents.bootSector(0))];
  const addFsInfo = (sector: number, what: string) =>
    extents.push(extent(sector * bytesPerSector, { what }, contents.fsInfo(sector * bytesPerSector)));
  if (fsInfoSector !== undefined) addFsInfo(fsInfoSector, "FSInfo");
  if (backupBootSector !== undefined) {
    const offset = backupBootSector * bytesPerSector;
    extents.push(extent(offset, { what: "boot sector copy" }, contents.bootSector(offset)));
    const hasCopy = fsInfoSector !== undefined && backupBootSector + fsInfoSector < geometry.reservedSectors;
    if (hasCopy) addFsInfo(backupBootSector + fsInfoSector, "FSInfo copy");
  }
  const tableBytes = sectorsPerFat * bytesPerSector;
  const usedBytes = fatBytes(geometry.fatType, Math.max(regions.lastUsedCluster - FIRST_CLUSTER + 1, 0));
  for (let copy = 0; copy < numberOfFats; copy++) {
    for (let pieceOffset = 0; pieceOffset < usedBytes; pieceOffset += FAT_PIECE_BYTES) {
      const offset = fatOffset(geometry, copy) + pieceOffset;
      const length = Math.min(FAT_PIECE_BYTES, tableBytes - pieceOffset);
      extents.push(extent(offset, { what: `FAT ${copy + 1}` }, contents.fatPiece(offset, pieceOffset, length)));
    }
  }
  if (rootEntries > 0) {
    const offset = rootDirectoryOffset(geometry);
    const content = contents.fixedRoot(offset, rootEntries * directoryEntry.sizeBytes);
    extents.push(extent(offset, { what: ROOT_DIRECTORY, path: "/" }, content));
  }
  for (const placed of regions.placed) addPlaced(extents, geometry, placed, contents.placed(placed));
  return makeLayout(regions.sizeBytes, extents);
}

function addPlaced(extents: Extent[], geometry: Geometry, { owner, runs, sizeBytes }: Placed, content: Content): void {
  let contentOffset = 0;
  for (const run of runs) {
    const length = Math.min(run.count * clusterBytes(geometry), sizeBytes - contentOffset);
    extents.push({ offset: clusterOffset(geometry, run.first), length, owner, content, contentOffset });
    contentOffset += length;
  }
}
