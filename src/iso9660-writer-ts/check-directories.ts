// Directories (ECMA-119 6.8, 9.1, 9.3): records for itself and its parent, both halves of numbers, order, extents inside
// the volume.

import { compareByteStrings, type Fields } from "../bytes/index.ts";
import { differingHalves } from "./check-descriptors.ts";
import { directoryRecord, SECTOR_BYTES } from "./format.ts";
import { orderKey } from "./names.ts";
import type { Complain } from "./problem.ts";
import { fileExtents } from "./read.ts";
import {
  firstBlock,
  isDirectoryRecord,
  type SeenDirectory,
  type SeenHierarchy,
  type SeenRecord,
} from "./read-hierarchy.ts";
import { leaves, type SeenVolume } from "./volume.ts";

export function checkDirectories({ image, hierarchies }: SeenVolume, complain: Complain): void {
  for (const hierarchy of hierarchies) {
    const holders = holdersOf(hierarchy);
    for (const directory of hierarchy.directories) checkDirectory(directory, hierarchy, holders, complain);
    for (const entry of leaves(hierarchy.root)) {
      for (const { lba, sizeBytes } of fileExtents(entry)) {
        if (lba * SECTOR_BYTES + sizeBytes <= image.sizeBytes) continue;
        complain("beyond-image", "error", `${sizeBytes} bytes at block ${lba} end beyond the image`, entry.path);
      }
      for (const { values } of entry.records.slice(0, -1)) {
        if (values["Data Length"] % SECTOR_BYTES === 0) continue;
        complain(
          "section-size",
          "error",
          "a file section that is not the last is not a whole number of blocks",
          entry.path,
        );
      }
    }
  }
}

/** The directory that holds the record of each directory, by its block. */
function holdersOf({ directories }: SeenHierarchy): Map<number, SeenDirectory> {
  const holders = new Map<number, SeenDirectory>();
  for (const directory of directories) {
    for (const record of directory.records) if (isDirectoryRecord(record)) holders.set(firstBlock(record), directory);
  }
  return holders;
}

function checkDirectory(
  directory: SeenDirectory,
  { descriptor, root }: SeenHierarchy,
  holders: ReadonlyMap<number, SeenDirectory>,
  complain: Complain,
): void {
  const { path, lba, sizeBytes, self, up, records } = directory;
  const says = (code: string, severity: "error" | "warning" | "note", message: string): void =>
    complain(code, severity, message, path);
  if (sizeBytes % SECTOR_BYTES !== 0)
    says("directory-size", "warning", `${sizeBytes} bytes are no whole number of sectors`);
  if (!self || !up)
    says("no-self", "error", "the record for the directory itself or for its parent is missing (6.8.2.2)");
  if (self && (firstBlock(self) !== lba || self.values["Data Length"] !== sizeBytes)) {
    says("self-differs", "error", "the record for the directory itself names another place or size");
  }
  const holder = directory === root ? root : holders.get(lba);
  if (up && holder && (firstBlock(up) !== holder.lba || up.values["Data Length"] !== holder.sizeBytes)) {
    // libisofs has the root and all directories of its Joliet hierarchies be their own parents; nobody seems to mind.
    const severity = descriptor.kind === "primary" ? "error" : "warning";
    says("parent-differs", severity, "the record for the parent names another place or size than the parent's");
  }
  let previous: string | undefined;
  let isSorted = true;
  for (const record of [self, up, ...records]) {
    if (!record) continue;
    checkRecord(record, path, complain);
    if (record === self || record === up) continue;
    const key = orderKey(record.identifier, descriptor.kind === "joliet");
    if (previous !== undefined && compareByteStrings(previous, key) > 0) isSorted = false;
    previous = key;
  }
  if (!isSorted)
    says("unsorted", "warning", "records are not in order of identifiers (9.3); some readers will miss some");
}

function checkRecord(record: SeenRecord, path: string, complain: Complain): void {
  const { bytes, offset, values } = record;
  for (const field of differingHalves<Fields>(directoryRecord, bytes)) {
    complain("halves-differ", "error", `record at byte ${offset}: ${field} is not the same in both byte orders`, path);
  }
  if (bytes.length % 2 !== 0)
    complain("odd-record", "warning", `record at byte ${offset} has an odd length (9.1.13)`, path);
  if ((offset + bytes.length) % SECTOR_BYTES === 0) {
    const message = `record at byte ${offset} fills its sector to the last byte; GRUB legacy may hang on it`;
    complain("full-sector", "note", message, path);
  }
  if (values["File Unit Size"] !== 0 || values["Interleave Gap Size"] !== 0) {
    complain(
      "interleaved",
      "warning",
      `record at byte ${offset}: interleaved data, which few readers understand`,
      path,
    );
  }
}
