// A second opinion on images: everything counted anew from the bytes, by ufs_fs.h alone. It shares the declared structures
// with the writer, and nothing else. What is wrong is listed.

import { isAllZeros, type StructValues } from "../../src/bytes/index.ts";
import { cg, csum, dinode, direct, fs } from "../../src/ufs/format.ts";

type Fs = StructValues<typeof fs>;
type Inode = StructValues<typeof dinode>;

interface Counts {
  ndir: number;
  nbfree: number;
  nifree: number;
  nffree: number;
}

const S_IFMT = 0o170000;
const NAMES = ["ndir", "nbfree", "nifree", "nffree"] as const;

export function recount(bytes: Uint8Array<ArrayBuffer>): string[] {
  const view = new DataView(bytes.buffer);
  const sb = fs.decode(bytes, 8192);
  const faults: string[] = [];
  const expect = (what: string, found: unknown, expected: unknown): void => {
    if (String(found) !== String(expected)) faults.push(`${what}: ${found}, counted ${expected}`);
  };
  const expectZeros = (what: string, from: number, to: number): void => {
    if (!isAllZeros(bytes.subarray(from, to))) faults.push(`${what}: bytes ${from}..${to} are not zero`);
  };

  const used = new Uint8Array(sb.fs_size);
  const take = (frag: number, frags: number, what: string): void => {
    for (let i = frag; i < frag + frags; i++) {
      if (i < 0 || i >= sb.fs_size || used[i]) faults.push(`frag ${i} of ${what} is not there, or taken twice`);
      used[i] = 1;
    }
  };
  const startOf = (group: number): number => group * sb.fs_fpg + sb.fs_cgoffset * (group & ~sb.fs_cgmask);
  const inodeAt = (inode: number): number => {
    const group = Math.floor(inode / sb.fs_ipg);
    return (startOf(group) + sb.fs_iblkno) * sb.fs_fsize + (inode % sb.fs_ipg) * 128;
  };
  const all = sb.fs_ncg * sb.fs_ipg;
  const inodes = Array.from({ length: all }, (_, i) => dinode.decode(bytes, inodeAt(i)));

  for (let group = 0; group < sb.fs_ncg; group++) {
    const from = group === 0 ? 0 : startOf(group) + sb.fs_sblkno;
    const to = startOf(group) + sb.fs_dblkno + (group === 0 ? sb.fs_cssize / sb.fs_fsize : 0);
    take(from, to - from, `the metadata of group ${group}`);
  }

  const links = new Int32Array(all);
  inodes.forEach((inode, i) => {
    if (inode.ic_smode === 0) {
      expectZeros(`free inode ${i}`, inodeAt(i), inodeAt(i) + 128);
      return;
    }
    const frags = fragsOf(sb, view, inode);
    for (const { frag, count } of frags) take(frag, count, `inode ${i}`);
    expect(`ic_blocks of ${i}`, inode.ic_blocks, frags.reduce((sum, { count }) => sum + count, 0) * sb.fs_nspf);
    for (const { frag, count, unused } of frags) {
      // mkfs writes the first frag of the root whole, with free entries.
      if (i !== 2)
        expectZeros(`the end of inode ${i}`, (frag + count) * sb.fs_fsize - unused, (frag + count) * sb.fs_fsize);
    }
    const zero = [inode.ic_flags, inode.ic_shadow, inode.ic_oeftflag, inode.ic_gen, inode.ic_atime_usec];
    expect(`unused fields of inode ${i}`, [...zero, inode.ic_mtime_usec, inode.ic_ctime_usec], [0, 0, 0, 0, 0, 0, 0]);
    if ((inode.ic_smode & S_IFMT) !== 0o040000) return;
    for (const { frag, count, unused, isData } of frags) {
      if (!isData) continue;
      countLinks(bytes, frag * sb.fs_fsize, (frag + count) * sb.fs_fsize - unused, links, faults);
    }
  });
  inodes.forEach((inode, i) => {
    if (inode.ic_smode !== 0) expect(`ic_nlink of ${i}`, inode.ic_nlink, links[i]);
  });

  const total: Counts = { ndir: 0, nbfree: 0, nifree: 0, nffree: 0 };
  for (let group = 0; group < sb.fs_ncg; group++) {
    const counted = countGroup(sb, bytes, group, startOf(group), used, inodes, faults);
    const summary = csum.decode(bytes, sb.fs_csaddr * sb.fs_fsize + 16 * group);
    for (const name of NAMES) {
      expect(`cs_${name} of group ${group}`, summary[`cs_${name}`], counted[name]);
      total[name] += counted[name];
    }
  }
  for (const name of NAMES) expect(`fs_cstotal.cs_${name}`, sb[`fs_cstotal_${name}`], total[name]);

  expectZeros("the boot block", 0, 8192);
  expectZeros("fs_id", 8192 + fs.fields.fs_id.offset, 8192 + fs.fields.fs_csaddr.offset);
  expectZeros("fs_cgrotor, fs_u", 8192 + fs.fields.fs_cgrotor.offset, 8192 + fs.fields.fs_cpc.offset);
  expectZeros("fs_sparecon", 8192 + fs.fields.fs_sparecon.offset, 8192 + fs.fields.fs_version.offset);
  expectZeros("the rest of the superblock", 8192 + sb.fs_sbsize, 16384);
  const array = sb.fs_csaddr * sb.fs_fsize;
  expectZeros("the rest of the summary array", array + 16 * sb.fs_ncg, array + sb.fs_cssize);
  for (let frag = 0; frag < sb.fs_size; frag++) {
    if (!used[frag]) expectZeros(`free frag ${frag}`, frag * sb.fs_fsize, (frag + 1) * sb.fs_fsize);
  }
  expectZeros("what is beyond the file system", sb.fs_size * sb.fs_fsize, bytes.length);
  return faults;
}

interface Part {
  readonly frag: number;
  readonly count: number;
  /** Bytes at its end that nothing is in. */
  readonly unused: number;
  readonly isData: boolean;
}

/** Everything an inode holds, block by block. */
function fragsOf(sb: Fs, view: DataView, inode: Inode): Part[] {
  const type = inode.ic_smode & S_IFMT;
  if (type === 0o020000 || type === 0o060000) return [];
  const parts: Part[] = [];
  let left = inode.ic_lsize;
  const data = (frag: number, mayBeShort: boolean): void => {
    const bytes = Math.min(left, sb.fs_bsize);
    const count = mayBeShort ? Math.ceil(bytes / sb.fs_fsize) : sb.fs_frag;
    left -= bytes;
    if (frag !== 0 && count > 0) parts.push({ frag, count, unused: count * sb.fs_fsize - bytes, isData: true });
  };
  const indirect = (frag: number, level: number): void => {
    if (level === 0) {
      data(frag, false);
      return;
    }
    if (frag === 0) {
      left = Math.max(0, left - sb.fs_bsize * sb.fs_nindir ** level);
      return;
    }
    const needed = Math.min(sb.fs_nindir, Math.ceil(left / (sb.fs_bsize * sb.fs_nindir ** (level - 1))));
    parts.push({ frag, count: sb.fs_frag, unused: sb.fs_bsize - 4 * needed, isData: false });
    for (let i = 0; i < needed; i++) indirect(view.getInt32(frag * sb.fs_fsize + 4 * i, true), level - 1);
  };
  for (const frag of inode.ic_db) if (left > 0) data(frag, true);
  inode.ic_ib.forEach((frag, i) => {
    if (left > 0) indirect(frag, i + 1);
  });
  return parts;
}

/** Adds the links that a piece of a directory makes, and looks whether its entries are as they must be. */
function countLinks(bytes: Uint8Array, from: number, to: number, links: Int32Array, faults: string[]): void {
  for (let at = from; at < to; ) {
    const { d_ino, d_reclen, d_namlen } = direct.decode(bytes, at);
    const needed = 8 + 4 * (Math.floor(d_namlen / 4) + 1);
    const end = at + d_reclen;
    const isWrong = d_reclen % 4 !== 0 || Math.floor((at - from) / 512) !== Math.floor((end - 1 - from) / 512);
    if (isWrong || (d_ino !== 0 && d_reclen < needed)) {
      faults.push(`directory entry at byte ${at}`);
      return;
    }
    const name = at + 8 + (d_ino === 0 ? 0 : d_namlen);
    if (!isAllZeros(bytes.subarray(name, end))) faults.push(`after the name at byte ${at}`);
    if (d_ino !== 0) links[d_ino] = (links[d_ino] ?? 0) + 1;
    at = end;
  }
}

function countGroup(
  sb: Fs,
  bytes: Uint8Array,
  group: number,
  start: number,
  used: Uint8Array,
  inodes: readonly Inode[],
  faults: string[],
): Counts {
  const at = (start + sb.fs_cblkno) * sb.fs_fsize;
  const head = cg.decode(bytes, at);
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const first = group * sb.fs_fpg;
  const frags = Math.min(sb.fs_fpg, sb.fs_size - first);
  const bit = (map: number, i: number): number => (view.getUint8(map + (i >> 3)) >> (i & 7)) & 1;
  const expect = (what: string, found: unknown, expected: unknown): void => {
    if (String(found) !== String(expected)) faults.push(`group ${group}, ${what}: ${found}, counted ${expected}`);
  };
  const counts: Counts = { ndir: 0, nbfree: 0, nifree: 0, nffree: 0 };
  for (let i = 0; i < sb.fs_ipg; i++) {
    const number = group * sb.fs_ipg + i;
    const mode = inodes[number]?.ic_smode ?? 0;
    const isUsed = number < 2 || mode !== 0;
    if (bit(head.cg_iusedoff, i) !== Number(isUsed)) faults.push(`inode map, ${number}`);
    if (!isUsed) counts.nifree++;
    if ((mode & S_IFMT) === 0o040000) counts.ndir++;
  }
  const frsum = new Array<number>(8).fill(0);
  const btot = new Int32Array(sb.fs_cpg);
  const positions = new Int32Array(sb.fs_cpg * sb.fs_nrpos);
  for (let block = 0; block < frags; block += sb.fs_frag) {
    let map = "";
    for (let i = block; i < block + sb.fs_frag && i < frags; i++) {
      map += used[first + i] ? "-" : "f";
      if (bit(head.cg_freeoff, i) === used[first + i]) faults.push(`frag map of group ${group}, ${i}`);
    }
    if (map === "f".repeat(sb.fs_frag)) {
      const sector = block * sb.fs_nspf;
      const cylinder = Math.floor(sector / sb.fs_spc);
      const position = Math.floor((((sector % sb.fs_spc) % sb.fs_nsect) * sb.fs_nrpos) / sb.fs_nsect);
      counts.nbfree++;
      btot[cylinder] = (btot[cylinder] ?? 0) + 1;
      const i = cylinder * sb.fs_nrpos + position;
      positions[i] = (positions[i] ?? 0) + 1;
    } else {
      for (const { length } of map.match(/f+/g) ?? []) {
        counts.nffree += length;
        frsum[length] = (frsum[length] ?? 0) + 1;
      }
    }
  }
  for (const name of NAMES) expect(`cs_${name}`, head[`cg_cs_${name}`], counts[name]);
  expect("cg_frsum", head.cg_frsum, frsum);
  expect("cg_ndblk", head.cg_ndblk, frags);
  const last = sb.fs_ncyl - sb.fs_cpg * (sb.fs_ncg - 1);
  expect("cg_ncyl", head.cg_ncyl, group < sb.fs_ncg - 1 ? sb.fs_cpg : last);
  btot.forEach((count, i) => {
    expect(`cg_btot ${i}`, view.getInt32(head.cg_btotoff + 4 * i, true), count);
  });
  positions.forEach((count, i) => {
    expect(`cg_b ${i}`, view.getInt16(head.cg_boff + 2 * i, true), count);
  });
  for (let i = frags; i < sb.fs_fpg; i++) if (bit(head.cg_freeoff, i)) faults.push(`frag map beyond the end, ${i}`);
  expect(
    "cg_sparecon",
    head.cg_sparecon.every((byte) => byte === 0),
    true,
  );
  expect("the rest", isAllZeros(bytes.subarray(at + head.cg_nextfreeoff, at + sb.fs_bsize)), true);
  return counts;
}
