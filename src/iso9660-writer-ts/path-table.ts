// Path tables (ECMA-119 6.9, 9.4): every directory of a hierarchy with its block and its parent's number, in both byte
// orders.

import { ImageError, roundUp, toText, writeByteString } from "../bytes/index.ts";
import { pathTableRecordL, pathTableRecordM } from "./format.ts";
import type { HierarchyDirectory } from "./hierarchy.ts";

const recordBytes = ({ identifier }: HierarchyDirectory): number =>
  roundUp(pathTableRecordL.sizeBytes + identifier.length, 2);

export function pathTableBytes(directories: readonly HierarchyDirectory[]): number {
  return directories.reduce((sum, directory) => sum + recordBytes(directory), 0);
}

const MAX_PARENT_NUMBER = 0xffff;

/** @throws ImageError "limit" when a directory with subdirectories has a number that does not fit 16 bits */
export function checkParentNumbers(directories: readonly HierarchyDirectory[]): void {
  const beyond = directories.find(({ parent }) => parent.number > MAX_PARENT_NUMBER);
  if (!beyond) return;
  const { path } = beyond.parent;
  const message = `${toText(path)}: more than ${MAX_PARENT_NUMBER} directories come before this one, which has subdirectories`;
  throw new ImageError("limit", `${message}; the path table of ISO 9660 cannot number it`, { path });
}

export function encodePathTable(directories: readonly HierarchyDirectory[], type: "L" | "M", target: Uint8Array): void {
  const declared = type === "L" ? pathTableRecordL : pathTableRecordM;
  let offset = 0;
  for (const directory of directories) {
    const { identifier, lba, parent } = directory;
    declared.encode(
      {
        "Length of Directory Identifier": identifier.length,
        "Location of Extent": lba,
        "Parent Directory Number": parent.number,
      },
      target,
      offset,
    );
    writeByteString(identifier, target, offset + declared.sizeBytes);
    offset += recordBytes(directory);
  }
}
