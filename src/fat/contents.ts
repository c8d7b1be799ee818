// What a tree becomes on FAT, before anything has a place: names and short names, directory entries and their slots.
// Here is refused what FAT cannot hold.

import { bytesOf, crc32, ImageError, toText } from "../bytes/index.ts";
import { type Directory, type File, joinPath, type Node, sortedEntries } from "../tree/index.ts";
import { checkDirectorySize, DOT, DOT_DOT, type EntryRecord, slotsOfAll } from "./directory.ts";
import {
  ATTR_ARCHIVE,
  ATTR_DIRECTORY,
  ATTR_READ_ONLY,
  ATTR_VOLUME_ID,
  directoryEntry,
  MAX_DEPTH,
  MAX_FILE_BYTES,
} from "./format.ts";
import { assignShortNames, foldCase, longNameText } from "./names.ts";
import { toFatTime } from "./time.ts";

export interface PlannedDirectory {
  readonly path: string;
  readonly node: Directory;
  readonly entries: readonly PlannedEntry[];
  /** Slots in use, "." and ".." and the volume label included. */
  readonly slots: number;
}

export interface PlannedEntry {
  readonly name: string;
  readonly shortName: string;
  readonly path: string;
  readonly node: Directory | File;
  readonly child: PlannedDirectory | undefined;
}

export function labelRecord(label: string, seconds: number): EntryRecord {
  return {
    shortName: label,
    name: label,
    attributes: ATTR_VOLUME_ID,
    firstCluster: 0,
    sizeBytes: 0,
    written: toFatTime(seconds),
  };
}

export function planDirectory(node: Directory, path: string, extraSlots: number, depth: number): PlannedDirectory {
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
export function listDirectories(top: PlannedDirectory): PlannedDirectory[] {
  return [top, ...top.entries.flatMap(({ child }) => (child ? listDirectories(child) : []))];
}

export interface PlannedFile {
  readonly path: string;
  readonly node: File;
}

export function fileOf({ path, node }: PlannedEntry): PlannedFile | undefined {
  return node.type === "file" ? { path, node } : undefined;
}

export function directoryBytes({ slots }: PlannedDirectory): number {
  return Math.max(slots, 1) * directoryEntry.sizeBytes;
}

/** A serial number that is the same for the same tree, and most likely another for another one. Contents do not count. */
export function serialOf(directories: readonly PlannedDirectory[], label: string): number {
  let crc = crc32(bytesOf(label));
  for (const { entries } of directories) {
    for (const { path, node } of entries) {
      const size = node.type === "file" ? node.content.sizeBytes : "directory";
      crc = crc32(bytesOf(`${path}\0${size}\0${node.mtimeSeconds}\0`), crc);
    }
  }
  return crc;
}

export function directoryRecords(
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
