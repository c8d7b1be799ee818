// Path tables (ECMA-119 6.9, 9.4): both say the same, name every directory once with its parent, and are in order.

import { byteString, compareByteStrings, readBytes, toText } from "../bytes/index.ts";
import { pathTableRecordL, pathTableRecordM, SECTOR_BYTES, SELF_IDENTIFIER } from "./format.ts";
import { orderKey } from "./names.ts";
import type { Complain } from "./problem.ts";
import { firstBlock, isDirectoryRecord, type SeenHierarchy } from "./read-hierarchy.ts";
import type { SeenVolume } from "./volume.ts";

interface Row {
  readonly identifier: string;
  readonly lba: number;
  readonly parent: number;
}

/** A path table beyond this would have millions of directories. */
const MAX_TABLE_BYTES = 2 ** 27;

export async function checkPathTables({ image, hierarchies }: SeenVolume, complain: Complain): Promise<void> {
  for (const hierarchy of hierarchies) {
    const { kind, values } = hierarchy.descriptor;
    const size = values["Path Table Size"];
    const readTable = async (type: "L" | "M", lba: number): Promise<Row[] | undefined> => {
      const what = `the ${kind} path table ${type} at block ${lba}`;
      if (lba * SECTOR_BYTES + size > image.sizeBytes || size > MAX_TABLE_BYTES) {
        complain("path-table", "error", `${what} (${size} bytes) lies beyond the image`);
        return undefined;
      }
      return rowsOf(await readBytes(image, lba * SECTOR_BYTES, size), type, what, complain);
    };
    const tableL = await readTable("L", values["Location of Occurrence of Type L Path Table"]);
    const tableM = await readTable("M", values["Location of Occurrence of Type M Path Table"]);
    if (!tableL || !tableM) continue;
    const differs = tableL.length !== tableM.length || tableL.some((row, i) => !sameRow(row, tableM[i]));
    if (differs) complain("path-table", "error", `the ${kind} path tables L and M differ`);
    checkRows(tableL, hierarchy, complain);
  }
}

const sameRow = (a: Row, b: Row | undefined): boolean =>
  b !== undefined && a.identifier === b.identifier && a.lba === b.lba && a.parent === b.parent;

function rowsOf(bytes: Uint8Array, type: "L" | "M", what: string, complain: Complain): Row[] {
  const declared = type === "L" ? pathTableRecordL : pathTableRecordM;
  const rows: Row[] = [];
  let offset = 0;
  while (offset + declared.sizeBytes <= bytes.length) {
    const values = declared.decode(bytes, offset);
    const length = values["Length of Directory Identifier"];
    const from = offset + declared.sizeBytes;
    if (length === 0 || from + length > bytes.length) {
      complain("path-table", "error", `${what}: record ${rows.length + 1} has an identifier of ${length} bytes`);
      break;
    }
    rows.push({
      identifier: byteString(bytes, from, from + length),
      lba: values["Location of Extent"] + values["Extended Attribute Record Length"],
      parent: values["Parent Directory Number"],
    });
    offset = from + length + (length % 2);
  }
  return rows;
}

function checkRows(rows: readonly Row[], hierarchy: SeenHierarchy, complain: Complain): void {
  const { kind } = hierarchy.descriptor;
  const table = `the ${kind} path table`;
  const expected = expectedDirectories(hierarchy);
  rows.forEach(({ identifier, lba, parent }, i) => {
    const number = i + 1;
    const directory = expected.get(lba);
    const parentLba = rows[parent - 1]?.lba;
    const name = toText(identifier);
    if (!directory)
      complain("path-table", "error", `${table}: record ${number} (${name}): no directory at block ${lba}`);
    else if (directory.identifier !== identifier || (directory.parentLba !== parentLba && number > 1)) {
      complain(
        "path-table",
        "error",
        `${table}: record ${number} (${name}) has another name or parent than the directory`,
      );
    }
    expected.delete(lba);
    if (number > 1 && parent >= number) {
      complain("path-table", "error", `${table}: record ${number} (${name}) comes before its parent`);
    }
  });
  for (const { path, lba } of expected.values()) {
    complain("path-table", "error", `the directory at block ${lba} is not in the ${kind} path table`, path);
  }
  checkOrder(rows, hierarchy, complain);
}

/** By parent, and below one parent by identifier (6.9.1). */
function checkOrder(rows: readonly Row[], { descriptor }: SeenHierarchy, complain: Complain): void {
  const { kind } = descriptor;
  for (let i = 2; i < rows.length; i++) {
    const [before, after] = [rows[i - 1], rows[i]];
    if (!before || !after) continue;
    const [a, b] = [before, after].map(({ identifier }) => orderKey(identifier, kind === "joliet"));
    const wrong =
      before.parent > after.parent || (before.parent === after.parent && compareByteStrings(a ?? "", b ?? "") > 0);
    if (!wrong) continue;
    complain("path-table-order", "warning", `the ${kind} path table is not sorted at record ${i + 1} (6.9.1)`);
    return;
  }
}

interface Expected {
  readonly path: string;
  readonly lba: number;
  readonly identifier: string;
  /** Block of the directory that holds its record; a relocated directory's record is not in its true parent. */
  readonly parentLba: number;
}

function expectedDirectories({ root, directories }: SeenHierarchy): Map<number, Expected> {
  const expected = new Map<number, Expected>();
  expected.set(root.lba, { path: "/", lba: root.lba, identifier: SELF_IDENTIFIER, parentLba: root.lba });
  const paths = new Map(directories.map(({ lba, path }) => [lba, path]));
  for (const parent of directories) {
    for (const record of parent.records) {
      if (!isDirectoryRecord(record)) continue;
      const lba = firstBlock(record);
      const path = paths.get(lba);
      if (path === undefined) continue;
      expected.set(lba, { path, lba, identifier: record.identifier, parentLba: parent.lba });
    }
  }
  return expected;
}
