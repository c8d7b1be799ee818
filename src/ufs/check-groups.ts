// fsck phase 5 (pass5.c, utilities.c cg_sanity): the cylinder groups against what the inodes say.

import { isAllZeros, readBytes } from "../bytes/index.ts";
import { type CheckState, DIRECTORY, isUsed, kindOf, UNALLOCATED } from "./check-state.ts";
import { type CylinderGroup, cgOffsets, cylindersOf, setBits, type Tally, tally } from "./cylinder-group.ts";
import { CG_MAGIC, cg, csum, UFSROOTINO } from "./format.ts";
import { cgbase, cgend, cgtod, type Superblock } from "./superblock.ts";

interface Counts {
  readonly ndir: number;
  readonly nbfree: number;
  readonly nifree: number;
  readonly nffree: number;
}

/** What a group holds: by the inodes, or by its own maps. */
interface Account {
  readonly counts: Counts;
  readonly tally: Tally;
}

interface Maps {
  readonly inodes: Uint8Array;
  readonly frags: Uint8Array;
}

/** Phase 5. */
export async function checkGroups(state: CheckState): Promise<void> {
  const { volume, report } = state;
  const { sb, image } = volume;
  const summary = await readBytes(image, sb.fs_csaddr * sb.fs_fsize, sb.fs_cssize);
  const totals = [emptyCounts(), emptyCounts()] as const;
  for (let group = 0; group < sb.fs_ncg; group++) {
    // Where a map is wrong, the counts that were made from it are wrong too; that is not said again. So counts are
    // good when they agree with the inodes, or with the maps.
    const accounts = await checkGroup(state, group);
    addTo(totals[0], accounts[0].counts);
    addTo(totals[1], accounts[1].counts);
    const { cs_ndir, cs_nbfree, cs_nifree, cs_nffree } = csum.decode(summary, csum.sizeBytes * group);
    const listed = { ndir: cs_ndir, nbfree: cs_nbfree, nifree: cs_nifree, nffree: cs_nffree };
    const difference = differenceOf(
      listed,
      accounts.map(({ counts }) => counts),
    );
    if (difference) {
      const message = `BAD CG SUMMARIES FOR CG ${group} IN THE SUMMARY ARRAY (${difference})`;
      report("5", "csum", "warning", message, { group, field: "fs_csaddr" });
    }
  }
  if (!isAllZeros(summary.slice(csum.sizeBytes * sb.fs_ncg))) {
    report("5", "padding", "warning", "BYTES AFTER THE SUMMARY ARRAY ARE NOT ZERO", {
      field: "fs_cssize",
      beyondFsck: true,
    });
  }
  const stored = {
    ndir: sb.fs_cstotal_ndir,
    nbfree: sb.fs_cstotal_nbfree,
    nifree: sb.fs_cstotal_nifree,
    nffree: sb.fs_cstotal_nffree,
  };
  const difference = differenceOf(stored, totals);
  if (difference) {
    report("5", "global-summary", "error", `GLOBAL SUMMARY WRONG (${difference})`, { field: "fs_cstotal" });
  }
}

function emptyCounts(): Counts {
  return { ndir: 0, nbfree: 0, nifree: 0, nffree: 0 };
}

function addTo(total: { -readonly [K in keyof Counts]: number }, counts: Counts): void {
  total.ndir += counts.ndir;
  total.nbfree += counts.nbfree;
  total.nifree += counts.nifree;
  total.nffree += counts.nffree;
}

/** How counts differ from the first of `expected`, unless they are equal to one of them. */
function differenceOf(found: Counts, expected: readonly Counts[]): string | undefined {
  const differences = expected.map((counts) =>
    (["ndir", "nbfree", "nifree", "nffree"] as const)
      .filter((name) => found[name] !== counts[name])
      .map((name) => `cs_${name} is ${found[name]}, should be ${counts[name]}`),
  );
  if (differences.some((list) => list.length === 0)) return undefined;
  return differences[0]?.join(", ");
}

/** The maps that a group should have. */
function expectedMaps(state: CheckState, group: number): Maps {
  const { sb } = state.volume;
  const { cg_iusedoff, cg_freeoff, cg_nextfreeoff } = cgOffsets(sb);
  const inodes = new Uint8Array(cg_freeoff - cg_iusedoff);
  for (let i = 0; i < sb.fs_ipg; i++) {
    const inode = group * sb.fs_ipg + i;
    if (inode < UFSROOTINO || kindOf(state, inode) !== UNALLOCATED) setBits(inodes, i, i + 1);
  }
  const frags = new Uint8Array(cg_nextfreeoff - cg_freeoff);
  const base = cgbase(sb, group);
  for (let frag = base; frag < cgend(sb, group); frag++) {
    if (!isUsed(state, frag)) setBits(frags, frag - base, frag - base + 1);
  }
  return { inodes, frags };
}

function accountOf(state: CheckState, group: number, { inodes, frags }: Maps): Account {
  const { sb } = state.volume;
  const counted = tally(sb, frags, cgend(sb, group) - cgbase(sb, group));
  let ndir = 0;
  for (let inode = group * sb.fs_ipg; inode < (group + 1) * sb.fs_ipg; inode++) {
    if (inode >= UFSROOTINO && kindOf(state, inode) === DIRECTORY) ndir++;
  }
  const used = countBits(inodes, new Uint8Array(inodes.length));
  return {
    counts: { ndir, nbfree: counted.nbfree, nifree: sb.fs_ipg - used, nffree: counted.nffree },
    tally: counted,
  };
}

/** Checks one group, and gives the accounts that its summary may agree with: by the inodes, and by its maps. */
async function checkGroup(state: CheckState, group: number): Promise<readonly [Account, Account]> {
  const { volume, report } = state;
  const { sb, image } = volume;
  const expected = expectedMaps(state, group);
  const account = accountOf(state, group, expected);
  const bytes = await readBytes(image, cgtod(sb, group) * sb.fs_fsize, sb.fs_bsize);
  const header = cg.decode(bytes);
  const faults = headerFaults(sb, group, header);
  const [first] = faults;
  if (first) {
    const message = `CG ${group}: ${faults.map(([, what]) => what).join("; ")}`;
    const beyondFsck = faults.every(([, , beyond]) => beyond) || undefined;
    report("5", "cg-header", "error", message, { group, field: first[0], beyondFsck });
    return [account, account]; // fsck goes no further with such a group
  }
  const { cg_iusedoff, cg_freeoff, cg_nextfreeoff } = cgOffsets(sb);
  const stored: Maps = {
    inodes: bytes.subarray(cg_iusedoff, cg_freeoff),
    frags: bytes.subarray(cg_freeoff, cg_nextfreeoff),
  };
  const accounts = [account, accountOf(state, group, stored)] as const;
  const counts = {
    ndir: header.cg_cs_ndir,
    nbfree: header.cg_cs_nbfree,
    nifree: header.cg_cs_nifree,
    nffree: header.cg_cs_nffree,
  };
  const difference = differenceOf(
    counts,
    accounts.map((one) => one.counts),
  );
  if (difference) {
    const message = `BAD CG SUMMARIES FOR CG ${group} (${difference})`;
    report("5", "cg-cs", "warning", message, { group, field: "cg_cs" });
  }
  checkMaps(state, group, stored, expected);
  const tallies = accounts.map((one) => one.tally);
  checkTables(state, group, bytes, tallies);
  checkRest(state, group, header, bytes, tallies);
  return accounts;
}

function checkMaps({ volume: { sb }, report }: CheckState, group: number, stored: Maps, expected: Maps): void {
  const more = (a: Uint8Array, b: Uint8Array): string => {
    const count = countBits(a, b);
    return count > 1 ? ` AND ${count - 1} MORE` : "";
  };
  const bit = firstBit(stored.inodes, expected.inodes);
  if (bit !== undefined) {
    const inode = group * sb.fs_ipg + bit;
    const what = bitAt(stored.inodes, bit)
      ? `UNALLOCATED FILE ${inode} WAS MARKED USED`
      : `ALLOCATED FILE ${inode} WAS MARKED FREE`;
    const message = `FILE BITMAP WRONG IN CG ${group} (${what} ON DISK${more(stored.inodes, expected.inodes)})`;
    const isInode = bit < sb.fs_ipg && inode >= UFSROOTINO;
    report("5", "inode-map", "warning", message, { group, inode: isInode ? inode : undefined });
  }
  const frag = firstBit(stored.frags, expected.frags);
  if (frag !== undefined) {
    const block = cgbase(sb, group) + frag;
    const what = bitAt(stored.frags, frag)
      ? `ALLOCATED FRAG ${block} WAS MARKED FREE`
      : `UNALLOCATED FRAG ${block} WAS MARKED USED`;
    const message = `FRAG BITMAP WRONG IN CG ${group} (${what} ON DISK${more(stored.frags, expected.frags)})`;
    report("5", "frag-map", "warning", message, { group, block });
  }
}

type HeaderFault = readonly [field: string, message: string, beyondFsck?: boolean];

function headerFaults(sb: Superblock, group: number, header: CylinderGroup): HeaderFault[] {
  const faults: HeaderFault[] = [];
  const frags = cgend(sb, group) - cgbase(sb, group);
  const offsets = cgOffsets(sb);
  const hex = (value: number): string => `0x${value.toString(16)}`;
  const equal = (field: keyof CylinderGroup, expected: number, text: (found: number) => string): void => {
    const found = Number(header[field]);
    if (found !== expected) faults.push([field, text(found)]);
  };
  const below = (field: "cg_rotor" | "cg_frotor" | "cg_irotor", what: string, limit: number): void => {
    const found = header[field];
    if (found >= 0 && found < limit) return;
    const text = `(${found} should be at least 0 and less than ${limit})`;
    faults.push([field, `IMPOSSIBLE ${what} ALLOCATION ROTOR POSITION ${text}`]);
  };
  equal("cg_magic", CG_MAGIC, (n) => `BAD CG MAGIC NUMBER (${hex(n)} should be ${hex(CG_MAGIC)})`);
  equal("cg_cgx", group, (n) => `WRONG CG NUMBER (${n} should be ${group})`);
  const { cg_ncyl } = header;
  const ncyl = cylindersOf(sb, group);
  if (cg_ncyl < 1) {
    faults.push(["cg_ncyl", `IMPOSSIBLE NUMBER OF CYLINDERS IN GROUP (${cg_ncyl} is less than 1)`]);
  } else if (cg_ncyl > sb.fs_cpg) {
    const text = `(${cg_ncyl} is greater than ${sb.fs_cpg})`;
    faults.push(["cg_ncyl", `IMPOSSIBLE NUMBER OF CYLINDERS IN GROUP ${text}`]);
  } else if (cg_ncyl !== ncyl) {
    faults.push(["cg_ncyl", `INCORRECT NUMBER OF CYLINDERS IN GROUP (${cg_ncyl} should be ${ncyl})`, true]);
  }
  equal("cg_niblk", sb.fs_ipg, (n) => `INCORRECT NUMBER OF INODES IN GROUP (${n} should be ${sb.fs_ipg})`);
  equal("cg_ndblk", frags, (n) => `INCORRECT NUMBER OF DATA BLOCKS IN GROUP (${n} should be ${frags})`);
  below("cg_rotor", "BLOCK", frags);
  below("cg_frotor", "FRAGMENT", frags);
  below("cg_irotor", "INODE", sb.fs_ipg);
  const { cg_btotoff, cg_boff, cg_iusedoff, cg_freeoff, cg_nextfreeoff } = offsets;
  equal("cg_btotoff", cg_btotoff, (n) => `INCORRECT BLOCK TOTALS OFFSET (${n} should be ${cg_btotoff})`);
  equal("cg_boff", cg_boff, (n) => `BAD FREE BLOCK POSITIONS TABLE OFFSET (${n} should ${cg_boff})`);
  equal("cg_iusedoff", cg_iusedoff, (n) => `INCORRECT USED INODE MAP OFFSET (${n} should be ${cg_iusedoff})`);
  equal("cg_freeoff", cg_freeoff, (n) => `INCORRECT FREE FRAGMENT MAP OFFSET (${n} should be ${cg_freeoff})`);
  equal("cg_nextfreeoff", cg_nextfreeoff, (n) => `END OF HEADER POSITION INCORRECT (${n} should be ${cg_nextfreeoff})`);
  return faults;
}

/** Free blocks by cylinder and by rotational position. */
function checkTables(state: CheckState, group: number, bytes: Uint8Array, tallies: readonly Tally[]): void {
  const { volume, report } = state;
  const { cg_btotoff, cg_boff } = cgOffsets(volume.sb);
  const { fs_nrpos } = volume.sb;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const position = firstWrong(
    tallies.map(({ b }) => b),
    (i) => view.getInt16(cg_boff + 2 * i, true),
  );
  if (position) {
    const where = `cylinder ${Math.floor(position.at / fs_nrpos)}, position ${position.at % fs_nrpos}`;
    const text = `(${position.found} at ${where}, should be ${position.expected})`;
    report("5", "cg-b", "warning", `ROTATIONAL POSITIONS BLOCK COUNT WRONG IN CG ${group} ${text}`, {
      group,
      field: "cg_boff",
    });
  }
  const cylinder = firstWrong(
    tallies.map(({ btot }) => btot),
    (i) => view.getInt32(cg_btotoff + 4 * i, true),
  );
  if (cylinder) {
    const text = `(${cylinder.found} in cylinder ${cylinder.at}, should be ${cylinder.expected})`;
    report("5", "cg-btot", "warning", `ROTATIONAL POSITIONS BLOCK TOTAL WRONG IN CG ${group} ${text}`, {
      group,
      field: "cg_btotoff",
    });
  }
}

interface Wrong {
  readonly at: number;
  readonly found: number;
  readonly expected: number;
}

/** Where a table differs first from the first of `expected`, unless it is equal to one of them. */
function firstWrong(expected: readonly ArrayLike<number>[], read: (index: number) => number): Wrong | undefined {
  const places = expected.map((table) => Array.from(table).findIndex((count, i) => read(i) !== count));
  if (places.includes(-1)) return undefined;
  const at = places[0] ?? 0;
  return { at, found: read(at), expected: expected[0]?.[at] ?? 0 };
}

/** What fsck does not look at: cg_frsum, and what must be zero. */
function checkRest(
  { volume, report }: CheckState,
  group: number,
  header: CylinderGroup,
  bytes: Uint8Array,
  tallies: readonly Tally[],
): void {
  const beyondFsck = true;
  const wrong = firstWrong(
    tallies.map(({ frsum }) => frsum),
    (k) => header.cg_frsum[k] ?? 0,
  );
  if (wrong) {
    const text = `(${wrong.found} free runs of ${wrong.at} frags, should be ${wrong.expected})`;
    const where = { group, field: "cg_frsum", beyondFsck };
    report("5", "cg-frsum", "warning", `FREE FRAGMENT SUMMARY WRONG IN CG ${group} ${text}`, where);
  }
  const zeros: [string, Uint8Array][] = [
    ["cg_link", bytes.slice(cg.fields.cg_link.offset, cg.fields.cg_link.offset + 4)],
    ["cg_sparecon", header.cg_sparecon],
    ["cg_nextfreeoff", bytes.slice(cgOffsets(volume.sb).cg_nextfreeoff)],
  ];
  for (const [field, part] of zeros) {
    if (isAllZeros(part)) continue;
    const what = field === "cg_nextfreeoff" ? "BYTES AFTER THE MAPS" : field;
    report("5", "padding", "warning", `${what} IN CG ${group} NOT ZERO`, { group, field, beyondFsck });
  }
}

function bitAt(map: Uint8Array, bit: number): boolean {
  return ((map[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

function firstBit(a: Uint8Array, b: Uint8Array): number | undefined {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  if (at === -1) return undefined;
  const difference = (a[at] ?? 0) ^ (b[at] ?? 0);
  return 8 * at + (31 - Math.clz32(difference & -difference));
}

function countBits(a: Uint8Array, b: Uint8Array): number {
  let count = 0;
  a.forEach((byte, i) => {
    for (let bits = byte ^ (b[i] ?? 0); bits !== 0; bits &= bits - 1) count++;
  });
  return count;
}
