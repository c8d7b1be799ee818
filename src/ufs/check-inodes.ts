// fsck phases 1 and 1b (pass1.c, pass1b.c): every inode by itself, and the frags that it claims.

import { divideUp, readBytes } from "../bytes/index.ts";
import { S_IFMT, typeOfMode } from "../tree/index.ts";
import { firstLbnOfLevel } from "./block-map.ts";
import {
  BAD,
  type CheckState,
  DIRECTORY,
  FILE,
  isUsed,
  mark,
  SHADOW,
  setUsed,
  UNALLOCATED,
  ZERO_LINKS,
} from "./check-state.ts";
import { isDataRange, isReserved } from "./file-content.ts";
import {
  dinode,
  IFALLOCATE,
  IFATTRDIR,
  IFSHAD,
  MAXOFF32,
  MAXPATHLEN,
  NDADDR,
  NIADDR,
  UFS_MAXOFFSET_T,
  UFSROOTINO,
} from "./format.ts";
import { shortId } from "./inode.ts";
import { cgbase, cgdmin, cgimin, cgsblock, csumFrags, INODE_BYTES } from "./superblock.ts";
import { type Dinode, walkAddresses } from "./volume.ts";

/** After so many the check of one inode is silent (fsck.h, MAXBAD and MAXDUP). */
const MAX_BAD = 10;

/** Phase 1. */
export async function checkInodes(state: CheckState): Promise<void> {
  const { sb, image } = state.volume;
  markMetadata(state);
  for (let group = 0; group < sb.fs_ncg; group++) {
    const bytes = await readBytes(image, cgimin(sb, group) * sb.fs_fsize, sb.fs_ipg * INODE_BYTES);
    const words = new Int32Array(bytes.buffer);
    for (let i = 0; i < sb.fs_ipg; i++) {
      const inode = group * sb.fs_ipg + i;
      if (inode < UFSROOTINO || isFree(words, i)) continue;
      await checkInode(state, inode, dinode.decode(bytes, i * INODE_BYTES));
    }
  }
}

const WORDS = INODE_BYTES / 4;
const SIZE_WORD = dinode.fields.ic_lsize.offset / 4;
const FIRST_ADDRESS_WORD = dinode.fields.ic_db.offset / 4;

/** Whether mode, size and addresses of an inode are all zero; most inodes are, and need not be decoded. */
function isFree(words: Int32Array, index: number): boolean {
  const at = index * WORDS;
  if (((words[at] ?? 0) & 0xffff) !== 0 || words[at + SIZE_WORD] !== 0 || words[at + SIZE_WORD + 1] !== 0) return false;
  for (let i = 0; i < NDADDR + NIADDR; i++) if (words[at + FIRST_ADDRESS_WORD + i] !== 0) return false;
  return true;
}

/** Boot block, superblocks, groups, inodes and the summary array. */
function markMetadata(state: CheckState): void {
  const { sb } = state.volume;
  for (let group = 0; group < sb.fs_ncg; group++) {
    const from = group === 0 ? cgbase(sb, 0) : cgsblock(sb, group);
    const to = cgdmin(sb, group) + (group === 0 ? csumFrags(sb) : 0);
    for (let frag = from; frag < to; frag++) setUsed(state, frag);
  }
  state.usedFrags = 0;
}

async function checkInode(state: CheckState, inode: number, dinode: Dinode): Promise<void> {
  const { report } = state;
  const { ic_lsize, ic_smode, ic_db, ic_ib } = dinode;
  const type = ic_smode & S_IFMT;
  if (type === 0) {
    report("1", "partially-allocated", "error", `PARTIALLY ALLOCATED INODE I=${inode}`, { inode });
    if (dinode.ic_nlink <= 0) return;
    // Most likely it was in use: its frags are not missed then.
    state.states[inode] = FILE | BAD;
    await claimAddresses(state, inode, dinode);
    return;
  }
  const isDirectory = type === 0o040000 || type === IFATTRDIR;
  const kind = isDirectory ? DIRECTORY : type === IFSHAD ? SHADOW : FILE;
  const bogus = (code: string, message: string): void => {
    report("1", code, "error", `${message}  I=${inode}`, { inode });
    state.states[inode] = kind | BAD;
    if (isDirectory) addDirectory(state, inode, dinode);
  };

  if (ic_lsize > UFS_MAXOFFSET_T) return bogus("size", `NEGATIVE SIZE ${ic_lsize}`);
  if (type === S_IFMT) return bogus("mode", `BAD MODE 0${type.toString(8)}`);
  if (typeOfMode(ic_smode) === undefined && type !== IFSHAD && type !== IFATTRDIR) {
    return bogus("mode", `UNKNOWN FILE TYPE 0${ic_smode.toString(8)}`);
  }
  const isDevice = type === 0o020000 || type === 0o060000;
  if (isDevice) {
    if (ic_lsize !== 0) return bogus("device-size", `SPECIAL FILE WITH NON-ZERO LENGTH ${ic_lsize}`);
    const addresses = [...ic_db.filter((_, i) => i !== 1), ...ic_ib];
    if (addresses.some((frag) => frag !== 0)) {
      return bogus("device-addresses", "SPECIAL FILE WITH NON-ZERO FRAGMENT LIST");
    }
  } else if (hasAddressesPastEnd(state, dinode)) {
    report("1", "past-end", "warning", `FILE WITH FRAGMENTS PAST END  I=${inode}`, { inode });
  }

  state.files++;
  state.states[inode] = kind | (dinode.ic_nlink <= 0 ? ZERO_LINKS : 0);
  state.links[inode] = dinode.ic_nlink;
  state.nlink[inode] = dinode.ic_nlink;
  if (isDirectory) addDirectory(state, inode, dinode);
  if (kind === SHADOW) state.shadows.push({ inode, dinode });
  if (ic_lsize === 0 && kind !== FILE) {
    const what = kind === SHADOW ? "SHADOW" : type === IFATTRDIR ? "ATTRDIR" : "DIR";
    report("1", "zero-length", "error", `ZERO-LENGTH ${what}  I=${inode}`, { inode });
    mark(state, inode, BAD);
  }
  if (ic_lsize > MAXOFF32) state.largeFiles++;
  checkIds(state, inode, dinode);
  if (type === 0o120000 && ic_lsize > MAXPATHLEN) {
    report("1", "symlink-length", "error", `I=${inode}  Symlink longer than supported maximum`, { inode });
    return;
  }
  const { sectors, hasHole } = isDevice ? NO_CLAIMS : await claimAddresses(state, inode, dinode);
  if (isDirectory && hasHole) state.holes.push(inode);
  if (dinode.ic_blocks !== sectors) {
    const message = `INCORRECT DISK BLOCK COUNT I=${inode} (${dinode.ic_blocks} should be ${sectors})`;
    report("1", "block-count", "warning", message, { inode, field: "ic_blocks" });
  }
  if (type === 0o120000) await checkSymlinkEnd(state, inode, dinode);
  await checkReferences(state, inode, dinode, type);
}

function addDirectory(state: CheckState, inode: number, dinode: Dinode): void {
  const isAttributes = (dinode.ic_smode & S_IFMT) === IFATTRDIR;
  state.directories.set(inode, {
    inode,
    dinode,
    isAttributes,
    links: [],
    above: 0,
    parent: 0,
    dotdot: 0,
    isFound: false,
  });
}

function hasAddressesPastEnd({ volume: { sb } }: CheckState, { ic_lsize, ic_db, ic_ib }: Dinode): boolean {
  const blocks = divideUp(ic_lsize, sb.fs_bsize);
  return (
    ic_db.some((frag, lbn) => frag !== 0 && lbn >= blocks) ||
    ic_ib.some((frag, i) => frag !== 0 && firstLbnOfLevel(sb.fs_nindir, i + 1) >= blocks)
  );
}

/** The kernel reads the 16-bit id unless it says 65535, and writes both. */
function checkIds(state: CheckState, inode: number, dinode: Dinode): void {
  const pairs = [
    ["ic_suid", dinode.ic_suid, dinode.ic_uid],
    ["ic_sgid", dinode.ic_sgid, dinode.ic_gid],
  ] as const;
  for (const [field, short, long] of pairs) {
    if (short === shortId(long)) continue;
    const message = `${field} IS ${short} BUT ${field.replace("ic_s", "ic_")} IS ${long}  I=${inode}`;
    state.report("1", "ids", "warning", message, { inode, field, beyondFsck: true });
  }
}

/** The boot reader takes a symbolic link's text up to a NUL, wherever the link's size says that it ends. */
async function checkSymlinkEnd(state: CheckState, inode: number, dinode: Dinode): Promise<void> {
  const { sb, image } = state.volume;
  const frag = dinode.ic_db[0] ?? 0;
  const rest = dinode.ic_lsize % sb.fs_fsize;
  if (rest === 0 || dinode.ic_lsize > sb.fs_bsize || !isDataRange(sb, frag, 1)) return;
  const [next] = await readBytes(image, frag * sb.fs_fsize + dinode.ic_lsize, 1);
  if (next === 0) return;
  state.report("1", "symlink-end", "warning", `SYMLINK WITHOUT A NUL AFTER ITS TEXT  I=${inode}`, {
    inode,
    block: frag,
    beyondFsck: true,
  });
}

/** CHECK_ACL_ALLOWED (ufs_acl.h): directories, also of attributes, files, fifos and devices. */
const MAY_HAVE_ACL: ReadonlySet<number> = new Set([0o040000, IFATTRDIR, 0o100000, 0o010000, 0o020000, 0o060000]);

async function checkReferences(state: CheckState, inode: number, dinode: Dinode, type: number): Promise<void> {
  const { report, volume, inodes } = state;
  const { ic_shadow, ic_oeftflag } = dinode;
  if (ic_shadow !== 0) {
    if (!MAY_HAVE_ACL.has(type)) {
      report("1", "acl-reference", "error", `NON-ZERO ACL REFERENCE, I=${inode}`, { inode, field: "ic_shadow" });
    } else if (ic_shadow <= UFSROOTINO || ic_shadow >= inodes) {
      report("1", "acl-reference", "error", `BAD ACL REFERENCE I=${inode}`, { inode, field: "ic_shadow" });
    } else addClient(state.shadowClients, ic_shadow, inode);
  }
  if (ic_oeftflag === 0) return;
  const bad = (what: string): void => {
    const message = `${what} I=${ic_oeftflag} FROM I=${inode}`;
    report("1", "attribute-reference", "error", message, { inode, field: "ic_oeftflag" });
  };
  if (ic_oeftflag <= UFSROOTINO || ic_oeftflag >= inodes) return bad("BAD ATTRIBUTE REFERENCE TO");
  const attributes = await volume.dinode(ic_oeftflag);
  if ((attributes.ic_smode & S_IFMT) !== IFATTRDIR) return bad("BAD ATTRIBUTE DIR REF TO");
  if (attributes.ic_lsize === 0) return bad("REFERENCE TO ZERO-LENGTH ATTRIBUTE DIR");
  addClient(state.attributeClients, ic_oeftflag, inode);
}

function addClient(clients: Map<number, number[]>, of: number, inode: number): void {
  const list = clients.get(of);
  if (list) list.push(inode);
  else clients.set(of, [inode]);
}

interface Claims {
  readonly sectors: number;
  readonly hasHole: boolean;
}

const NO_CLAIMS: Claims = { sectors: 0, hasHole: false };

/** Marks all frags of an inode as used, and reports those that cannot be or that someone has already. */
async function claimAddresses(state: CheckState, inode: number, dinode: Dinode): Promise<Claims> {
  const { volume, report } = state;
  const { sb } = volume;
  let sectors = 0;
  let hasHole = false;
  let complaints = 0;
  let isTruncated = false;
  const complain = (code: string, frag: number, what: string, lbn: number): void => {
    mark(state, inode, BAD);
    if (++complaints > MAX_BAD) return;
    const message =
      complaints === MAX_BAD
        ? `EXCESSIVE BAD OR DUPLICATE FRAGMENTS I=${inode}`
        : `FRAGMENT ${frag} ${what} I=${inode} LFN ${lbn * sb.fs_frag}`;
    report("1", code, "error", message, { inode, block: frag });
  };
  /** Returns whether the frags are data, and nobody had them before. */
  const claim = (address: number, frags: number, lbn: number): boolean => {
    const frag = address < 0 && dinode.ic_flags & IFALLOCATE ? -address : address;
    sectors += frags * sb.fs_nspf;
    if (!isDataRange(sb, frag, frags)) {
      complain("out-of-range", frag, "OUT OF RANGE", lbn);
      // A run that only goes too far has good frags too.
      for (let i = frag; i < frag + frags; i++) if (isDataRange(sb, i, 1) && !isUsed(state, i)) setUsed(state, i);
      return false;
    }
    const taken: number[] = [];
    for (let i = frag; i < frag + frags; i++) {
      if (isUsed(state, i)) taken.push(i);
      else setUsed(state, i);
    }
    const [first] = taken;
    if (first === undefined) return true;
    for (const i of taken) state.duplicates.set(i, (state.duplicates.get(i) ?? new Set()).add(inode));
    complain("dup", first, isReserved(sb, first) ? "DUP (METADATA)" : "DUP", lbn);
    return false;
  };
  await walkAddresses(volume, dinode, {
    data(lbn, frag, frags) {
      claim(frag, frags, lbn);
    },
    hole() {
      hasHole = true;
    },
    indirect(_level, firstLbn, frag) {
      return claim(frag, sb.fs_frag, firstLbn);
    },
    beyond() {
      if (isTruncated) return;
      isTruncated = true;
      report("1", "partially-truncated", "warning", `PARTIALLY TRUNCATED INODE I=${inode}`, { inode });
    },
  });
  return { sectors, hasHole };
}

/** Phase 1b: who had the frags first that were found to be claimed twice. */
export async function findFirstClaims(state: CheckState): Promise<void> {
  const { volume, report, duplicates, inodes } = state;
  const { sb } = volume;
  for (let inode = UFSROOTINO; inode < inodes; inode++) {
    if (state.states[inode] === UNALLOCATED) continue;
    const dinode = await volume.dinode(inode);
    const type = dinode.ic_smode & S_IFMT;
    if (type === 0o020000 || type === 0o060000 || dinode.ic_lsize > UFS_MAXOFFSET_T) continue;
    const entered = new Set<number>();
    let complaints = 0;
    const look = (frag: number, frags: number, lbn: number): void => {
      for (let i = frag; i < frag + frags; i++) {
        const claimants = duplicates.get(i);
        if (claimants === undefined || claimants.has(inode)) continue;
        claimants.add(inode);
        mark(state, inode, BAD);
        if (i > frag && duplicates.get(i - 1)?.has(inode)) continue; // one message for a run of frags
        if (++complaints <= MAX_BAD) {
          const message = `FRAGMENT ${i} DUP I=${inode} LFN ${lbn * sb.fs_frag + i - frag}`;
          report("1b", "dup", "error", message, { inode, block: i });
        }
      }
    };
    await walkAddresses(volume, dinode, {
      data: (lbn, frag, frags) => look(frag, frags, lbn),
      indirect(_level, firstLbn, frag) {
        look(frag, sb.fs_frag, firstLbn);
        if (entered.has(frag) || !isDataRange(sb, frag, sb.fs_frag)) return false;
        entered.add(frag);
        return state.patience-- > 0;
      },
    });
  }
}
