// Rock Ridge (SUSP, RRIP): what the root announces, and what each record says and should say. The illumos loader, which
// wants SP and ER, and NM in one piece in front of CE, is the reader with the narrowest mind.

import { typeOfMode } from "../tree/index.ts";
import { CONTINUE, ROCK_RIDGE_IDENTIFIERS, systemUseEntry } from "./format-rockridge.ts";
import type { Complain } from "./problem.ts";
import { isDirectoryRecord, type SeenDirectory, type SeenHierarchy, type SeenRecord } from "./read-hierarchy.ts";
import type { SeenVolume } from "./volume.ts";

const KNOWN = new Set(["CE", "PD", "SP", "ST", "ER", "ES", "PX", "PN", "SL", "NM", "CL", "PL", "RE", "TF", "SF", "RR"]);
/** Names that fit one NM entry. */
const MAX_PLAIN_NAME = 250;
/** One zero byte makes a record even (ECMA-119 9.1.13). */
const MAX_TAIL_BYTES = 1;

export function checkRockRidge({ sharing, hierarchies }: SeenVolume, complain: Complain): void {
  const hierarchy = hierarchies.find(({ usesRockRidge }) => usesRockRidge);
  if (!hierarchy) {
    if (sharing) complain("no-rock-ridge", "note", "the volume has System Use entries (SP), but no Rock Ridge");
    return;
  }
  const extensions = hierarchy.root.self?.rockRidge.extensions ?? [];
  if (!extensions.some((identifier) => ROCK_RIDGE_IDENTIFIERS.includes(identifier))) {
    complain("no-er", "warning", "there is Rock Ridge, but no ER entry for it: the illumos loader will not see it");
  }
  const unknown = new Map<string, number>();
  const relocated = relocatedIn(hierarchy);
  for (const directory of hierarchy.directories) {
    for (const record of [directory.self, directory.up, ...directory.records]) {
      if (record) checkEntries(record, directory.path, unknown, complain);
    }
    for (const record of directory.records) checkNamed(record, directory.path, complain);
    checkRelocation(directory, relocated.has(directory), complain);
  }
  for (const { path, entries } of hierarchy.hidden) {
    if (entries.length === 0) continue;
    const message = `${entries.length} entries lie in a directory that RE hides, and no CL leads to them`;
    complain("hidden-entries", "warning", message, path);
  }
  for (const [signature, count] of unknown) {
    complain("unknown-entry", "note", `${count} System Use entries are of the unknown kind "${signature}"`);
  }
}

function checkEntries(
  { entries, tailBytes, offset, bytes }: SeenRecord,
  path: string,
  unknown: Map<string, number>,
  complain: Complain,
): void {
  for (const { signature } of entries) {
    if (!KNOWN.has(signature)) unknown.set(signature, (unknown.get(signature) ?? 0) + 1);
  }
  if (tailBytes > MAX_TAIL_BYTES) {
    const message = `record at byte ${offset}: ${tailBytes} of ${bytes.length} bytes behind the last entry are no entry`;
    complain("zero-tail", "note", `${message}; GRUB legacy may hang on them`, path);
  }
}

function checkNamed({ rockRidge, values, entries, identifier }: SeenRecord, at: string, complain: Complain): void {
  const { name, posix, target, device } = rockRidge;
  const path = `${at === "/" ? "" : at}/${name ?? identifier}`;
  if (name === undefined) complain("no-name", "warning", "the record has no NM entry", path);
  const names = entries.filter(({ signature }) => signature === "NM");
  if (name !== undefined && name.length <= MAX_PLAIN_NAME && names.length > 1) {
    complain("name-split", "warning", "the name is in several NM entries: the illumos loader will not find it", path);
  }
  const last = names[names.length - 1];
  if (last && ((last.bytes[systemUseEntry.sizeBytes] ?? 0) & CONTINUE) !== 0) {
    complain("name-cut", "error", "the name is continued, but nothing follows", path);
  }
  if (!posix) {
    complain("no-attributes", "warning", "the record has no PX entry", path);
    return;
  }
  const type = typeOfMode(posix.mode);
  const isDirectory = isDirectoryRecord({ values });
  if (type === undefined) complain("bad-mode", "error", `mode 0o${posix.mode.toString(8)} is of no type`, path);
  else if ((type === "directory") !== (isDirectory || rockRidge.childLba !== undefined)) {
    complain(
      "type-differs",
      "error",
      `PX says ${type}, the record says it is ${isDirectory ? "a" : "no"} directory`,
      path,
    );
  }
  if ((type === "symlink") !== (target !== undefined)) {
    complain("link-target", "error", target === undefined ? "a symbolic link without SL" : `SL with a ${type}`, path);
  }
  if ((type === "character" || type === "block") && !device)
    complain("no-device", "error", "a device without PN", path);
}

/** The directories that CL entries lead to. */
function relocatedIn({ directories }: SeenHierarchy): Set<SeenDirectory> {
  const relocated = new Set<SeenDirectory>();
  for (const { entries } of directories) {
    for (const { first, directory } of entries) {
      if (directory && first.rockRidge.childLba !== undefined) relocated.add(directory);
    }
  }
  return relocated;
}

/** A directory that CL leads to says by PL where it belongs (RRIP 4.1.5.2). */
function checkRelocation({ path, up, parent }: SeenDirectory, isRelocated: boolean, complain: Complain): void {
  const parentLba = up?.rockRidge.parentLba;
  if (isRelocated && parentLba !== parent?.lba) {
    complain("relocation", "error", "a relocated directory whose PL entry does not lead back to its parent", path);
  }
  if (!isRelocated && parentLba !== undefined) {
    complain("relocation", "error", "a PL entry in a directory that no CL entry leads to", path);
  }
}
