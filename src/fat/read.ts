// A FAT image to its tree, its figures and its layout. Strict: what is damaged is refused (check.ts tells all that is
// wrong), but what drivers cope with, such as a damaged long name, is read as they read it.

import { type Content, ImageError, sliceContent } from "../bytes/index.ts";
import type { Layout } from "../layout/index.ts";
import { type Directory, directory, file, type Node, ROOT_OWNED } from "../tree/index.ts";
import { ATTR_READ_ONLY, bootSector16, type FatType, fsInfo } from "./format.ts";
import { clusterBytes, type Geometry } from "./geometry.ts";
import { type Placed, ROOT_DIRECTORY, volumeLayout } from "./regions.ts";
import { countClusters, runsContent, type Scan, type ScannedEntry, scanVolume } from "./scan.ts";
import { FREE } from "./table.ts";
import { fromFatTime, toFatTime } from "./time.ts";
import { clusterEnd, countFree, entryOf, openVolume, type Report, type Volume } from "./volume.ts";

export interface FatImage {
  /** Names as UTF-8 byte strings; owner 0:0; modes 0755, 0644, or 0444 where the read-only attribute is set; times UTC. */
  readonly tree: Directory;
  readonly layout: Layout;
  readonly geometry: Geometry;
  readonly fatType: FatType;
  /** By the boot sector; the image may be longer. */
  readonly sizeBytes: number;
  readonly clusterBytes: number;
  readonly clusters: number;
  readonly freeClusters: number;
  readonly freeBytes: number;
  /** BS_OEMName */
  readonly oemName: string;
  /** BS_VolID; undefined when the boot sector has none. */
  readonly volumeId: number | undefined;
  /** The label in the root directory, else the one in the boot sector; "" for none. A byte string. */
  readonly label: string;
}

/** The time of what has none: the first that FAT has. */
const NO_TIME: number = fromFatTime(toFatTime(0).date, 0) ?? 0;

/**
 * Reads a FAT volume. Contents are read when they are asked for.
 * @throws ImageError "bad-format", "truncated", "unsupported", "limit"
 */
export async function readFat(content: Content): Promise<FatImage> {
  const report: Report = (_code, severity, message, path) => {
    if (severity === "error") throw new ImageError("bad-format", message, { path });
  };
  const volume = await openVolume(content, report);
  const scan = await scanVolume(volume, report);
  const { geometry } = volume;
  const freeClusters = countFree(volume);
  const label = scan.label?.name ?? volume.bootLabel ?? "";
  return {
    tree: directory(
      { ...ROOT_OWNED, mode: 0o755, mtimeSeconds: scan.label ? timeOf(scan.label) : NO_TIME },
      childrenOf(volume, scan.children),
    ),
    layout: imageLayout(volume, scan),
    geometry,
    fatType: geometry.fatType,
    sizeBytes: geometry.totalSectors * geometry.bytesPerSector,
    clusterBytes: clusterBytes(geometry),
    clusters: geometry.clusters,
    freeClusters,
    freeBytes: freeClusters * clusterBytes(geometry),
    oemName: volume.oemName,
    volumeId: volume.volumeId,
    label: scan.label === undefined && label === "NO NAME" ? "" : label,
  };
}

function timeOf({ written }: { readonly written: { readonly date: number; readonly time: number } }): number {
  return fromFatTime(written.date, written.time) ?? NO_TIME;
}

function childrenOf(volume: Volume, children: readonly ScannedEntry[]): Map<string, Node> {
  return new Map(children.map((child) => [child.name, nodeOf(volume, child)]));
}

function nodeOf(volume: Volume, { record, runs, children }: ScannedEntry): Node {
  const mtimeSeconds = timeOf(record);
  if (children) return directory({ ...ROOT_OWNED, mode: 0o755, mtimeSeconds }, childrenOf(volume, children));
  const mode = (record.attributes & ATTR_READ_ONLY) === 0 ? 0o644 : 0o444;
  return file(
    { ...ROOT_OWNED, mode, mtimeSeconds },
    runsContent(volume.content, volume.geometry, runs, record.sizeBytes),
  );
}

function imageLayout(volume: Volume, scan: Scan): Layout {
  const { content, geometry, fsInfoSector, backupBootSector } = volume;
  const unit = clusterBytes(geometry);
  const placed: Placed[] = [];
  if (scan.rootRuns.length > 0) {
    const owner = { what: ROOT_DIRECTORY, path: "/" };
    placed.push({ owner, runs: scan.rootRuns, sizeBytes: countClusters(scan.rootRuns) * unit });
  }
  addPlaced(scan.children, unit, placed);
  let lastUsedCluster = clusterEnd(volume) - 1;
  while (lastUsedCluster > 1 && entryOf(volume, lastUsedCluster) === FREE) lastUsedCluster--;
  const slice = (offset: number, length: number) => sliceContent(content, offset, length);
  return volumeLayout(
    {
      geometry,
      fsInfoSector,
      backupBootSector,
      lastUsedCluster,
      placed,
      sizeBytes: geometry.totalSectors * geometry.bytesPerSector,
    },
    {
      bootSector: (offset) => slice(offset, bootSector16.sizeBytes),
      fsInfo: (offset) => slice(offset, fsInfo.sizeBytes),
      fatPiece: (offset, _, length) => slice(offset, length),
      fixedRoot: slice,
      placed: ({ runs, sizeBytes }) => runsContent(content, geometry, runs, sizeBytes),
    },
  );
}

function addPlaced(children: readonly ScannedEntry[], unit: number, placed: Placed[]): void {
  for (const { path, record, runs, children: below } of children) {
    const sizeBytes = below ? countClusters(runs) * unit : record.sizeBytes;
    placed.push({ owner: { what: below ? "directory" : "data", path }, runs, sizeBytes });
    if (below) addPlaced(below, unit, placed);
  }
}
