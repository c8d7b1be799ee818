// A tree to the layout of a FAT volume: names and sizes are looked at, contents are not read. Directories come first,
// then files, both in the tree's walking order, each in one run of clusters.

import { bytesOf, crc32, encodedContent, ImageError, roundUp, toText } from "../bytes/index.ts";
import type { Layout } from "../layout/index.ts";
import { type Directory, type File, joinPath, type Node, sortedEntries } from "../tree/index.ts";
import { checkDirectorySize, DOT, DOT_DOT, type EntryRecord, encodeDirectory, slotsOfAll } from "./directory.ts";
import {
  ATTR_ARCHIVE,
  ATTR_DIRECTORY,
  ATTR_READ_ONLY,
  ATTR_VOLUME_ID,
  directoryEntry,
  type FatType,
  MAX_DEPTH,
  MAX_FILE_BYTES,
  MEDIA_FIXED,
} from "./format.ts";
import {
  BYTES_PER_SECTOR,
  chooseGeometry,
  clusterBytes,
  FIRST_CLUSTER,
  type Geometry,
  type GeometryRequest,
} from "./geometry.ts";
import { assignShortNames, foldCase, longNameText, packLabel } from "./names.ts";
import { type Placed, type Regions, ROOT_DIRECTORY, volumeLayout } from "./regions.ts";
import { encodeBootSector, encodeFsInfo, MADE_BACKUP_BOOT_SECTOR, MADE_FSINFO_SECTOR } from "./reserved.ts";
import { encodeFatPiece, type Run } from "./table.ts";
import { toFatTime } from "./time.ts";

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

interface PlannedDirectory {
  readonly path: string;
  readonly node: Directory;
  readonly entries: readonly PlannedEntry[];
  /** Slots in use, "." and ".." and the volume label included. */
  readonly slots: number;
}

interface PlannedEntry {
  readonly name: string;
  readonly shortName: string;
  readonly path: string;
  readonly node: Directory | File;
  readonly child: PlannedDirectory | undefined;
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
  const seen = new Set<Node>();
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
    hardLinkCopies: files.filter(({ node }) => seen.size === seen.add(node).size).map(({ path }) => path),
  };
}

function labelRecord(label: string, seconds: number): EntryRecord {
  return {
    shortName: label,
    name: label,
    attributes: ATTR_VOLUME_ID,
    firstCluster: 0,
    sizeBytes: 0,
    written: toFatTime(seconds),
  };
}

function planDirectory(node: Directory, path: string, extraSlots: number, depth: number): PlannedDirectory {
  if (depth > MAX_DEPTH) {
    throw new ImageError(
      "limit",
      `${toText(path)}: more than ${MAX_DEPTH} directories deep; FAT paths end at 260 characters`,
      {
        path,
      },
    );
  }
  const sorted = sortedEntries(node).map(([name, child]) => {
    const childPath = joinPath(path, name);
    return { name: longNameText(name, childPath), path: childPath, node: checkedNode(child, childPath) };
  });
  const folded = new Map<string, string>();
  for (const { name, path: childPath } of sorted) {
    const other = folded.get(foldCase(name));
    if (other !== undefined) {
      throw new ImageError(
        "conflict",
        `${toText(childPath)}: FAT takes it for the same name as ${toText(other)} (case does not count); rename one`,
        { path: childPath },
      );
    }
    folded.set(foldCase(name), childPath);
  }
  const shortNames = assignShortNames(
    sorted.map(({ name }) => name),
    path,
  );
  const entries = sorted.map((entry, index) => {
    const child = entry.node.type === "directory" ? planDirectory(entry.node, entry.path, 2, depth + 1) : undefined;
    return { ...entry, shortName: shortNames[index] ?? "", child };
  });
  const slots = extraSlots + slotsOfAll(entries.map((entry) => recordOf(entry, 0)));
  checkDirectorySize(slots, path);
  return { path, node, entries, slots };
}

function checkedNode(node: Node, path: string): Directory | File {
  if (node.type !== "directory" && node.type !== "file") {
    throw new ImageError(
      "limit",
      `${toText(path)}: a ${node.type}; FAT holds files and directories only; leave it out`,
      {
        path,
      },
    );
  }
  if (node.type === "file" && node.content.sizeBytes > MAX_FILE_BYTES) {
    throw new ImageError(
      "limit",
      `${toText(path)}: ${node.content.sizeBytes} bytes; FAT allows ${MAX_FILE_BYTES}; split it or leave it out`,
      { path },
    );
  }
  return node;
}

function recordOf({ name, shortName, node }: PlannedEntry, firstCluster: number): EntryRecord {
  const isFile = node.type === "file";
  const readOnly = isFile && (node.mode & 0o222) === 0 ? ATTR_READ_ONLY : 0;
  return {
    shortName,
    name,
    attributes: isFile ? ATTR_ARCHIVE | readOnly : ATTR_DIRECTORY,
    firstCluster,
    sizeBytes: isFile ? node.content.sizeBytes : 0,
    written: toFatTime(node.mtimeSeconds),
  };
}

/** The directory and all below it, parents before children. */
function listDirectories(top: PlannedDirectory): PlannedDirectory[] {
  return [top, ...top.entries.flatMap(({ child }) => (child ? listDirectories(child) : []))];
}

interface PlannedFile {
  readonly path: string;
  readonly node: File;
}

function fileOf({ path, node }: PlannedEntry): PlannedFile | undefined {
  return node.type === "file" ? { path, node } : undefined;
}

function directoryBytes({ slots }: PlannedDirectory): number {
  return Math.max(slots, 1) * directoryEntry.sizeBytes;
}

/** A serial number that is the same for the same tree, and most likely another for another one. Contents do not count. */
function serialOf(directories: readonly PlannedDirectory[], label: string): number {
  let crc = crc32(bytesOf(label));
  for (const { entries } of directories) {
    for (const { path, node } of entries) {
      const size = node.type === "file" ? node.content.sizeBytes : "directory";
      crc = crc32(bytesOf(`${path}\0${size}\0${node.mtimeSeconds}\0`), crc);
    }
  }
  return crc;
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

function directoryRecords(
  { path, node, entries }: PlannedDirectory,
  firstClusters: ReadonlyMap<string, number>,
  rootLabel: readonly EntryRecord[],
): EntryRecord[] {
  const children = entries.map((entry) => recordOf(entry, firstClusters.get(entry.path) ?? 0));
  if (path === "/") return [...rootLabel, ...children];
  const parent = path.slice(0, path.lastIndexOf("/"));
  const dot = (name: string, firstCluster: number): EntryRecord => ({
    shortName: name,
    name,
    attributes: ATTR_DIRECTORY,
    firstCluster,
    sizeBytes: 0,
    written: toFatTime(node.mtimeSeconds),
  });
  // The root directory counts as cluster 0 here, on FAT32 too.
  const parentCluster = parent === "" ? 0 : (firstClusters.get(parent) ?? 0);
  return [dot(DOT, firstClusters.get(path) ?? 0), dot(DOT_DOT, parentCluster), ...children];
}
