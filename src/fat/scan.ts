// Walks all directories and chains of a volume once. Every cluster is claimed by whom it belongs to, so that no chain is
// followed twice: loops and cross-links end where they begin, and the work is bounded by the clusters there are.

import { type Content, fromText, ImageError, readBytes, toText } from "../bytes/index.ts";
import { joinPath } from "../tree/index.ts";
import { DOT, DOT_DOT, decodeDirectory, type EntryRecord, isDotName } from "./directory.ts";
import { ATTR_DIRECTORY, ATTR_VOLUME_ID, directoryEntry, MAX_DEPTH, MAX_DIRECTORY_BYTES } from "./format.ts";
import { clusterBytes, clusterOffset, FIRST_CLUSTER, type Geometry, rootDirectoryOffset } from "./geometry.ts";
import { foldCase } from "./names.ts";
import { badCluster, endMarks, FREE, isDataCluster, type Run } from "./table.ts";
import { entryOf, type Report, type Volume } from "./volume.ts";

export interface ScannedEntry {
  readonly path: string;
  /** The tree's name: a byte string. */
  readonly name: string;
  readonly record: EntryRecord;
  readonly runs: readonly Run[];
  /** Of a directory. */
  readonly children: readonly ScannedEntry[] | undefined;
}

export interface Scan {
  readonly children: readonly ScannedEntry[];
  /** Of the root directory; none where it has a place of its own. */
  readonly rootRuns: readonly Run[];
  /** The volume label's entry in the root directory. */
  readonly label: EntryRecord | undefined;
  /** Whether a cluster belongs to a file or directory. */
  isClaimed(cluster: number): boolean;
}

/** Beyond these an image is refused, so that noise cannot fill the memory: directory entries, and runs of clusters. */
const MAX_ENTRIES = 2 ** 20;
const MAX_RUNS = 2 ** 20;

interface Walk {
  readonly volume: Volume;
  readonly report: Report;
  /** One bit a cluster. */
  readonly claimed: Uint8Array;
  readonly owners: { readonly run: Run; readonly path: string }[];
  entries: number;
}

/** @throws what `report` throws, and ImageError when the image cannot be read */
export async function scanVolume(volume: Volume, report: Report): Promise<Scan> {
  const claimed = new Uint8Array(Math.ceil((volume.geometry.clusters + FIRST_CLUSTER) / 8));
  const walk: Walk = { volume, report, claimed, owners: [], entries: 0 };
  const rootRuns = volume.rootCluster === undefined ? [] : followChain(walk, volume.rootCluster, "/");
  const bytes =
    volume.rootCluster === undefined ? await readFixedRoot(volume) : await readDirectoryBytes(walk, rootRuns, "/");
  const records = decodeDirectory(bytes, volume.geometry.fatType, entryReport(report, "/"));
  const labels = records.filter(isLabel);
  if (labels.length > 1) report("label", "warning", `${labels.length} volume labels in the root directory`, "/");
  return {
    children: await scanChildren(walk, records, "/", 0, 0),
    rootRuns,
    label: labels[0],
    isClaimed: (cluster) => isSet(claimed, cluster),
  };
}

function entryReport(report: Report, directoryPath: string): Parameters<typeof decodeDirectory>[2] {
  return (code, severity, message, name) => {
    const path = name === undefined ? directoryPath : joinPath(directoryPath, fromText(name));
    report(code, severity, `${toText(path)}: ${message}`, path);
  };
}

function isLabel({ attributes }: EntryRecord): boolean {
  return (attributes & ATTR_VOLUME_ID) !== 0;
}

function isDirectory({ attributes }: EntryRecord): boolean {
  return (attributes & ATTR_DIRECTORY) !== 0;
}

function isSet(bits: Uint8Array, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

/** Claims the clusters of a chain for `path`, up to its end or to where it goes wrong. */
function followChain(walk: Walk, first: number, path: string): Run[] {
  const { volume, report, claimed, owners } = walk;
  const { fatType, clusters } = volume.geometry;
  const runs: { first: number; count: number }[] = [];
  const wrong = (code: string, message: string) => report(code, "error", `${toText(path)}: ${message}`, path);
  for (let cluster = first, previous = 0; ; ) {
    const where = previous === 0 ? "the first cluster" : `the cluster after ${previous}`;
    if (!isDataCluster(cluster, clusters)) {
      if (cluster === FREE) wrong("chain-free", `${where} is marked free`);
      else if (cluster === badCluster(fatType)) wrong("chain-bad", `${where} is marked bad`);
      else wrong("chain-range", `${where} is ${cluster}, the volume has 2..${clusters + 1}`);
      break;
    }
    if (isSet(claimed, cluster)) {
      const holds = ({ first: from, count }: Run) => cluster >= from && cluster < from + count;
      const other = runs.some(holds) ? undefined : owners.find(({ run }) => holds(run))?.path;
      if (other === undefined) wrong("chain-loop", `${where} is ${cluster}, which is already in the same chain`);
      else wrong("cross-linked", `${where} is ${cluster}, which belongs to ${toText(other)}`);
      break;
    }
    claimed[cluster >> 3] = (claimed[cluster >> 3] ?? 0) | (1 << (cluster & 7));
    const last = runs[runs.length - 1];
    if (last && last.first + last.count === cluster) last.count++;
    else {
      if (owners.length + runs.length >= MAX_RUNS) throw tooMany(`${MAX_RUNS} runs of clusters`);
      runs.push({ first: cluster, count: 1 });
    }
    const next = entryOf(volume, cluster);
    if (next >= endMarks(fatType)) break;
    previous = cluster;
    cluster = next;
  }
  for (const run of runs) owners.push({ run, path });
  if (!runs.every((run) => isInImage(volume, run))) wrong("beyond-image", "its clusters lie beyond the image's end");
  return runs;
}

function isInImage({ content, geometry }: Volume, { first, count }: Run): boolean {
  return clusterOffset(geometry, first + count) <= content.sizeBytes;
}

function tooMany(what: string): ImageError {
  return new ImageError("limit", `the volume has more than ${what}, which is more than is read here`);
}

async function readFixedRoot({ content, geometry }: Volume): Promise<Uint8Array> {
  return readBytes(content, rootDirectoryOffset(geometry), geometry.rootEntries * directoryEntry.sizeBytes);
}

async function readDirectoryBytes(walk: Walk, runs: readonly Run[], path: string): Promise<Uint8Array> {
  const { content, geometry } = walk.volume;
  if (!runs.every((run) => isInImage(walk.volume, run))) return new Uint8Array(0);
  const sizeBytes = countClusters(runs) * clusterBytes(geometry);
  if (sizeBytes > MAX_DIRECTORY_BYTES) {
    const message = `${toText(path)}: the directory has ${sizeBytes} bytes, FAT allows ${MAX_DIRECTORY_BYTES}`;
    walk.report("directory-size", "error", message, path);
  }
  return readBytes(runsContent(content, geometry, runs, sizeBytes), 0, Math.min(sizeBytes, MAX_DIRECTORY_BYTES));
}

async function scanChildren(
  walk: Walk,
  records: readonly EntryRecord[],
  directoryPath: string,
  parentCluster: number,
  depth: number,
): Promise<ScannedEntry[]> {
  walk.entries += records.length;
  if (walk.entries > MAX_ENTRIES) throw tooMany(`${MAX_ENTRIES} directory entries`);
  const found: ScannedEntry[] = [];
  const folded = new Set<string>();
  for (const [index, record] of records.entries()) {
    if (isLabel(record) || (depth > 0 && index < 2 && isDotName(record.shortName))) continue;
    const name = fromText(record.name);
    const path = joinPath(directoryPath, name);
    const wrong = (code: string, message: string) => walk.report(code, "error", `${toText(path)}: ${message}`, path);
    if (name === "" || name === DOT || name === DOT_DOT || name.includes("/") || name.includes("\0")) {
      wrong("name", "no file can have this name");
      continue;
    }
    if (folded.has(foldCase(record.name))) {
      wrong("duplicate-name", "a second entry of this name");
      continue;
    }
    folded.add(foldCase(record.name));
    if (isDirectory(record)) found.push(await scanDirectory(walk, record, name, path, parentCluster, depth + 1));
    else found.push({ path, name, record, runs: scanFile(walk, record, path), children: undefined });
  }
  return found;
}

async function scanDirectory(
  walk: Walk,
  record: EntryRecord,
  name: string,
  path: string,
  parentCluster: number,
  depth: number,
): Promise<ScannedEntry> {
  const { volume, report } = walk;
  if (record.sizeBytes !== 0) {
    report("directory-size", "warning", `${toText(path)}: DIR_FileSize of a directory is ${record.sizeBytes}`, path);
  }
  const runs = followChain(walk, record.firstCluster, path);
  if (depth > MAX_DEPTH) {
    report("depth", "error", `${toText(path)}: more than ${MAX_DEPTH} directories deep`, path);
    return { path, name, record, runs, children: [] };
  }
  const bytes = await readDirectoryBytes(walk, runs, path);
  if (bytes.length === 0) return { path, name, record, runs, children: [] };
  const records = decodeDirectory(bytes, volume.geometry.fatType, entryReport(report, path));
  const expected = [
    { shortName: DOT, cluster: record.firstCluster },
    { shortName: DOT_DOT, cluster: parentCluster },
  ];
  for (const [index, { shortName, cluster }] of expected.entries()) {
    const found = records[index];
    if (found?.shortName === shortName && isDirectory(found) && found.firstCluster === cluster) continue;
    const message = `${toText(path)}: entry ${index + 1} is not "${shortName}" with cluster ${cluster}`;
    report("dot-entry", "warning", message, path);
  }
  const children = await scanChildren(walk, records, path, record.firstCluster, depth);
  return { path, name, record, runs, children };
}

function scanFile(walk: Walk, { firstCluster, sizeBytes }: EntryRecord, path: string): Run[] {
  const { geometry } = walk.volume;
  if (firstCluster === 0 && sizeBytes === 0) return [];
  const runs = followChain(walk, firstCluster, path);
  const have = countClusters(runs);
  const need = Math.ceil(sizeBytes / clusterBytes(geometry));
  if (have !== need) {
    const message = `${toText(path)}: ${sizeBytes} bytes take ${need} clusters, its chain has ${have}`;
    walk.report("size-chain", "error", message, path);
  }
  return runs;
}

export function countClusters(runs: readonly Run[]): number {
  return runs.reduce((sum, { count }) => sum + count, 0);
}

/** The bytes of a chain, cut to `sizeBytes` (not more than the chain has). */
export function runsContent(image: Content, geometry: Geometry, runs: readonly Run[], sizeBytes: number): Content {
  const unit = clusterBytes(geometry);
  return {
    sizeBytes,
    async read(target, offset) {
      let start = 0;
      for (const run of runs) {
        const end = start + run.count * unit;
        const from = Math.max(offset, start);
        const to = Math.min(offset + target.length, end);
        if (from < to) {
          const at = clusterOffset(geometry, run.first) + (from - start);
          if (at + (to - from) > image.sizeBytes) {
            throw new ImageError("truncated", `cluster ${run.first} and those after it reach beyond the image's end`);
          }
          await image.read(target.subarray(from - offset, to - offset), at);
        }
        start = end;
      }
    },
  };
}
