// A tree to the layout of a FAT volume: names and sizes are looked at, contents are not read. Directories come first,
// then files, both in the tree's walking order, each in one run of clusters.

import { encodedContent, ImageError, roundUp } from "../bytes/index.ts";
import type { Layout } from "../layout/index.ts";
import type { Directory, File, Node } from "../tree/index.ts";
import {
  directoryBytes,
  directoryRecords,
  fileOf,
  labelRecord,
  listDirectories,
  type PlannedDirectory,
  type PlannedFile,
  planDirectory,
  serialOf,
} from "./contents.ts";
import { type EntryRecord, encodeDirectory } from "./directory.ts";
import { type FatType, MEDIA_FIXED } from "./format.ts";
import {
  BYTES_PER_SECTOR,
  chooseGeometry,
  clusterBytes,
  FIRST_CLUSTER,
  type Geometry,
  type GeometryRequest,
} from "./geometry.ts";
import { packLabel } from "./names.ts";
import { type Placed, type Regions, ROOT_DIRECTORY, volumeLayout } from "./regions.ts";
import { encodeBootSector, encodeFsInfo, MADE_BACKUP_BOOT_SECTOR, MADE_FSINFO_SECTOR } from "./reserved.ts";
import { encodeFatPiece, type Run } from "./table.ts";

export interface FatOptions extends GeometryRequest {
  /** BS_VolID, 32 bits. Default: derived from label, names, sizes and times, so that it is the same for the same tree. */
  readonly volumeId?: number | undefined;
  /** At most 11 characters, put into upper case. Default: none. */
  readonly label?: string | undefined;
  /** The time of the volume label. Default: the root directory's mtime, which has no other place on FAT. */
  readonly timeSeconds?: number | undefined;
}

export interface FatPlan {
  readonly layout: Layout;
  readonly fatType: FatType;
  readonly sizeBytes: number;
  readonly clusterBytes: number;
  readonly clusters: number;
  readonly freeClusters: number;
  readonly freeBytes: number;
  readonly volumeId: number;
  /** As stored; "" for none. */
  readonly label: string;
  /** Paths beyond the first of files with several names: FAT has no hard links, so their contents are stored again. */
  readonly hardLinkCopies: readonly string[];
}

/**
 * Plans a FAT volume that holds the tree.
 * @throws ImageError "limit" for what FAT cannot hold (with its path), "no-space" when it does not fit into
 * `sizeBytes`, "invalid-argument" for options that contradict the format
 */
export function planFat(root: Directory, options: FatOptions = {}): FatPlan {
  const label = packLabel(options.label ?? "");
  const rootLabel = label === "" ? [] : [labelRecord(label, options.timeSeconds ?? root.mtimeSeconds)];
  const planned = planDirectory(root, "/", rootLabel.length, 0);
  const directories = listDirectories(planned);
  const files = directories.flatMap(({ entries }) => entries.flatMap((entry) => fileOf(entry) ?? []));
  const geometry = chooseGeometry(options, {
    rootEntries: planned.slots,
    clusters: (fatType, unit) => {
      const inClusters = fatType === 32 ? directories : directories.slice(1);
      const sum = inClusters.reduce((clusters, one) => clusters + Math.ceil(directoryBytes(one) / unit), 0);
      return files.reduce((clusters, { node }) => clusters + Math.ceil(node.content.sizeBytes / unit), sum);
    },
  });
  const volumeId = options.volumeId ?? serialOf(directories, label);
  if (!Number.isInteger(volumeId) || volumeId < 0 || volumeId > 0xffffffff) {
    throw new ImageError("invalid-argument", `volume id ${volumeId}: must be a whole number of 32 bits`);
  }
  const allocation = allocate(geometry, directories, files);
  const freeClusters = geometry.clusters - (allocation.nextCluster - FIRST_CLUSTER);
  const layout = makePlannedLayout(geometry, allocation, { volumeId, label, rootLabel, planned, freeClusters });
  return {
    layout,
    fatType: geometry.fatType,
    sizeBytes: layout.sizeBytes,
    clusterBytes: clusterBytes(geometry),
    clusters: geometry.clusters,
    freeClusters,
    freeBytes: freeClusters * clusterBytes(geometry),
    volumeId,
    label,
    hardLinkCopies: pathsBeyondTheFirst(files),
  };
}

function pathsBeyondTheFirst(files: readonly PlannedFile[]): string[] {
  const first = new Map<Node, PlannedFile>();
  for (const one of files) if (!first.has(one.node)) first.set(one.node, one);
  return files.filter((one) => first.get(one.node) !== one).map(({ path }) => path);
}

interface Allocation {
  /** In order of their clusters, hence sorted. */
  readonly runs: readonly Run[];
  /** By path: a node may have several. */
  readonly firstClusters: ReadonlyMap<string, number>;
  readonly placed: readonly Placed[];
  readonly directories: ReadonlyMap<Placed, PlannedDirectory>;
  readonly files: ReadonlyMap<Placed, File>;
  readonly nextCluster: number;
}

function allocate(
  geometry: Geometry,
  directories: readonly PlannedDirectory[],
  files: readonly PlannedFile[],
): Allocation {
  const unit = clusterBytes(geometry);
  const runs: Run[] = [];
  const placed: Placed[] = [];
  const firstClusters = new Map<string, number>();
  const directoryOf = new Map<Placed, PlannedDirectory>();
  const fileOfPlaced = new Map<Placed, File>();
  let nextCluster = FIRST_CLUSTER;
  const place = (what: string, path: string, sizeBytes: number): Placed => {
    const run: Run = { first: nextCluster, count: Math.ceil(sizeBytes / unit) };
    nextCluster += run.count;
    runs.push(run);
    firstClusters.set(path, run.first);
    const one: Placed = { owner: { what, path }, runs: [run], sizeBytes };
    placed.push(one);
    return one;
  };
  for (const one of geometry.fatType === 32 ? directories : directories.slice(1)) {
    const what = one.path === "/" ? ROOT_DIRECTORY : "directory";
    directoryOf.set(place(what, one.path, roundUp(directoryBytes(one), unit)), one);
  }
  for (const { path, node } of files) {
    if (node.content.sizeBytes > 0) fileOfPlaced.set(place("data", path, node.content.sizeBytes), node);
  }
  return { runs, placed, firstClusters, directories: directoryOf, files: fileOfPlaced, nextCluster };
}

interface VolumeFacts {
  readonly volumeId: number;
  readonly label: string;
  readonly rootLabel: readonly EntryRecord[];
  readonly planned: PlannedDirectory;
  readonly freeClusters: number;
}

function makePlannedLayout(geometry: Geometry, allocation: Allocation, facts: VolumeFacts): Layout {
  const { fatType, totalSectors } = geometry;
  const { nextCluster, firstClusters } = allocation;
  const regions: Regions = {
    geometry,
    fsInfoSector: fatType === 32 ? MADE_FSINFO_SECTOR : undefined,
    backupBootSector: fatType === 32 ? MADE_BACKUP_BOOT_SECTOR : undefined,
    lastUsedCluster: nextCluster - 1,
    placed: allocation.placed,
    sizeBytes: totalSectors * BYTES_PER_SECTOR,
  };
  const bootSector = encodedContent(BYTES_PER_SECTOR, (target) => encodeBootSector(geometry, facts, target));
  const fsInfo = encodedContent(BYTES_PER_SECTOR, (target) =>
    encodeFsInfo({ freeClusters: facts.freeClusters, nextCluster, geometry }, target),
  );
  const directoryContent = (one: PlannedDirectory, sizeBytes: number) =>
    encodedContent(sizeBytes, (target) =>
      encodeDirectory(directoryRecords(one, firstClusters, facts.rootLabel), target),
    );
  return volumeLayout(regions, {
    bootSector: () => bootSector,
    fsInfo: () => fsInfo,
    fatPiece: (_, pieceOffset, length) =>
      encodedContent(length, (target) => encodeFatPiece(target, pieceOffset, fatType, MEDIA_FIXED, allocation.runs)),
    fixedRoot: (_, length) => directoryContent(facts.planned, length),
    placed: (one) => {
      const file = allocation.files.get(one);
      const planned = allocation.directories.get(one);
      if (file) return file.content;
      if (planned) return directoryContent(planned, one.sizeBytes);
      throw new Error("what was placed is neither file nor directory");
    },
  });
}
