// fsck's setup (setup.c): the superblock alone, then against the copy of the last group; and what fsck does not look at:
// the other copies, and what must be zero.

import { type Content, isAllZeros, readBytes, roundUp } from "../bytes/index.ts";
import type { Report } from "./findings.ts";
import { csum, FS_DYNAMICPOSTBLFMT, fs, SBOFF, SBSIZE } from "./format.ts";
import { cgsblock, encodeSuperblock, INODE_BYTES, maxipg, type Superblock } from "./superblock.ts";
import { superblockFault } from "./volume.ts";

const SECTOR = 512;

/** Fields that a running system changes in the first superblock only. fsck does not compare them. */
const VOLATILE: ReadonlySet<string> = new Set([
  "fs_link",
  "fs_rolled",
  "fs_time",
  "fs_state",
  "fs_cstotal_ndir",
  "fs_cstotal_nbfree",
  "fs_cstotal_nifree",
  "fs_cstotal_nffree",
  "fs_cgrotor",
  "fs_fmod",
  "fs_clean",
  "fs_ronly",
  "fs_flags",
  "fs_maxcontig",
  "fs_minfree",
  "fs_optim",
  "fs_rotdelay",
  "fs_maxbpg",
  "fs_logbno",
  "fs_reclaim",
  "fs_si",
  "fs_fsmnt",
  "fs_u",
  "fs_fsbtodb",
  "fs_npsect",
  "fs_nrpos",
]);

/** fsck's tests of the superblock by itself, in its order: what is wrong, and the field. */
const TESTS: readonly (readonly [string, keyof Superblock, (sb: Superblock) => boolean])[] = [
  ["UNRECOGNIZED VERSION", "fs_version", (sb) => sb.fs_version === 0 || sb.fs_version === 2],
  ["NCG OUT OF RANGE", "fs_ncg", (sb) => sb.fs_ncg >= 1],
  ["CPG OUT OF RANGE", "fs_cpg", (sb) => sb.fs_cpg >= 1],
  [
    "NCYL IS INCONSISTENT WITH NCG*CPG",
    "fs_ncyl",
    (sb) => sb.fs_ncg * sb.fs_cpg >= sb.fs_ncyl && (sb.fs_ncg - 1) * sb.fs_cpg < sb.fs_ncyl,
  ],
  ["SIZE OUT OF RANGE", "fs_sbsize", (sb) => sb.fs_sbsize >= 0 && sb.fs_sbsize <= SBSIZE],
  [
    "NUMBER OF DIRECTORIES OUT OF RANGE",
    "fs_cstotal_ndir",
    (sb) => sb.fs_cstotal_ndir >= 1 && sb.fs_cstotal_ndir <= sb.fs_ncg * sb.fs_ipg,
  ],
  [
    "ROTATIONAL POSITION TABLE SIZE OUT OF RANGE",
    "fs_postbloff",
    (sb) =>
      sb.fs_nrpos > 0 &&
      sb.fs_postbloff >= 0 &&
      sb.fs_cpc >= 0 &&
      sb.fs_postbloff + sb.fs_nrpos * sb.fs_cpc * 2 <= sb.fs_sbsize,
  ],
  [
    "SIZE OF CYLINDER GROUP SUMMARY AREA WRONG",
    "fs_cssize",
    (sb) => sb.fs_fsize > 0 && sb.fs_cssize === roundUp(sb.fs_ncg * csum.sizeBytes, sb.fs_fsize),
  ],
  ["INOPB NONSENSICAL RELATIVE TO BSIZE", "fs_inopb", (sb) => sb.fs_inopb === Math.floor(sb.fs_bsize / INODE_BYTES)],
  ["BLOCK SIZE LARGER THAN MAXIMUM SUPPORTED", "fs_bsize", (sb) => sb.fs_bsize <= SBSIZE],
  ["FRAGS PER BLOCK OR FRAG SIZE WRONG", "fs_frag", (sb) => sb.fs_bsize === sb.fs_frag * sb.fs_fsize],
  ["NUMBER OF DATA BLOCKS OUT OF RANGE", "fs_dsize", (sb) => sb.fs_dsize < sb.fs_size],
  [
    "INODES PER GROUP OUT OF RANGE",
    "fs_ipg",
    (sb) => sb.fs_ipg > 0 && sb.fs_ipg <= maxipg(sb.fs_bsize, Math.max(1, sb.fs_inopb)),
  ],
  ["CG HEADER LARGER THAN ONE BLOCK", "fs_cgsize", (sb) => sb.fs_cgsize <= sb.fs_bsize],
];

/**
 * Reports what is wrong with a superblock whose magic number is right.
 * @returns whether it can be relied on
 */
export async function checkSuperblock(
  image: Content,
  sb: Superblock,
  sector: number,
  report: Report,
): Promise<boolean> {
  const bad = (what: string, field?: string): false => {
    report("setup", "superblock", "error", `BAD SUPERBLOCK AT BLOCK ${sector}: ${what}`, { field });
    return false;
  };
  for (const [what, field, holds] of TESTS) if (!holds(sb)) return bad(`${what} (${field} is ${sb[field]})`, field);

  const isFirst = sector === SBOFF / SECTOR;
  if (isFirst) {
    const last = sb.fs_ncg - 1;
    const offset = cgsblock(sb, last) * sb.fs_fsize;
    if (offset < 0 || offset + SBSIZE > image.sizeBytes) {
      return bad(`BAD VALUES IN SUPER BLOCK (the copy of group ${last} would be at byte ${offset}, beyond the image)`);
    }
    const copy = fs.decode(await readBytes(image, offset, SBSIZE));
    const field = firstDifference(sb, copy);
    if (field) {
      return bad(
        `BAD VALUES IN SUPER BLOCK (${field} is ${shown(sb[field])}, in the copy of group ${last} ${shown(copy[field])})`,
        field,
      );
    }
  }
  const fault = superblockFault(sb);
  if (fault) return bad(`BAD VALUES IN SUPER BLOCK (${fault.message})`, fault.field);
  if (sb.fs_postblformat !== FS_DYNAMICPOSTBLFMT) {
    report("setup", "postblformat", "error", `UNSUPPORTED ROTATIONAL TABLE FORMAT ${sb.fs_postblformat}`, {
      field: "fs_postblformat",
    });
    return false;
  }
  if (sb.fs_size * sb.fs_fsize > image.sizeBytes) {
    report(
      "setup",
      "truncated",
      "error",
      `FILE SYSTEM OF ${sb.fs_size * sb.fs_fsize} BYTES IN AN IMAGE OF ${image.sizeBytes}`,
      { field: "fs_size" },
    );
    return false;
  }
  if (sb.fs_optim !== 0 && sb.fs_optim !== 1) {
    report("setup", "optim", "error", "UNDEFINED OPTIMIZATION IN SUPERBLOCK", { field: "fs_optim" });
  }
  if (sb.fs_minfree < 0 || sb.fs_minfree > 99) {
    const field = "fs_minfree";
    report("setup", "minfree", "error", `IMPOSSIBLE MINFREE=${sb.fs_minfree} IN SUPERBLOCK`, { field });
  }
  if (isFirst) await checkBeyondFsck(image, sb, report);
  return true;
}

function firstDifference(sb: Superblock, copy: Superblock): keyof Superblock | undefined {
  const fields = Object.keys(fs.fields) as (keyof Superblock)[];
  return fields.find((field) => !VOLATILE.has(field) && shown(sb[field]) !== shown(copy[field]));
}

function shown(value: unknown): string {
  return value instanceof Uint8Array ? `bytes ${value.join(" ")}` : String(value);
}

/** What fsck does not compare: copies but the last, derived fields, bytes that no field has. */
async function checkBeyondFsck(image: Content, sb: Superblock, report: Report): Promise<void> {
  const beyondFsck = true;
  const bytes = await readBytes(image, SBOFF, SBSIZE);
  for (const field of ["fs_sparecon", "fs_sparecon2"] as const) {
    const { offset, type } = fs.fields[field];
    if (isAllZeros(bytes.slice(offset, offset + type.sizeBytes))) continue;
    report("setup", "padding", "warning", `${field} IN SUPERBLOCK IS NOT ZERO`, { field, beyondFsck });
  }
  const expected = new Uint8Array(SBSIZE);
  encodeSuperblock(sb, expected);
  const tables = firstByte(bytes, expected, fs.fields.fs_opostbl.offset, fs.fields.fs_sparecon.offset);
  const rest = tables ?? firstByte(bytes, expected, fs.fields.fs_magic.offset + 4, SBSIZE);
  if (rest !== undefined) {
    report("setup", "rotational-tables", "warning", `ROTATIONAL TABLES IN SUPERBLOCK WRONG AT BYTE ${rest}`, {
      field: "fs_postbloff",
      beyondFsck,
    });
  }
  // fsck copies these two before it compares; by a wrong fs_fsbtodb it then reads wrong places.
  for (const [field, value] of [
    ["fs_npsect", sb.fs_nsect],
    ["fs_fsbtodb", Math.log2(sb.fs_nspf)],
  ] as const) {
    if (sb[field] === value) continue;
    const message = `${field} IN SUPERBLOCK IS ${sb[field]} AND SHOULD BE ${value}`;
    const where = field === "fs_npsect" ? { field, beyondFsck } : { field };
    report("setup", "derived", field === "fs_npsect" ? "warning" : "error", message, where);
  }
  for (let group = 0; group < sb.fs_ncg - 1; group++) {
    const copy = fs.decode(await readBytes(image, cgsblock(sb, group) * sb.fs_fsize, fs.sizeBytes));
    const field = firstDifference(sb, copy);
    if (field === undefined) continue;
    const message = `SUPERBLOCK COPY OF CG ${group} IS WRONG (${field} is ${shown(copy[field])}, should be ${shown(sb[field])})`;
    report("setup", "superblock-copy", "warning", message, { group, field, beyondFsck });
  }
}

function firstByte(bytes: Uint8Array, expected: Uint8Array, from: number, to: number): number | undefined {
  for (let i = from; i < to; i++) if (bytes[i] !== expected[i]) return i;
  return undefined;
}
