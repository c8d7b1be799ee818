// Which structure of a UFS an offset lies in. Metadata have their places by the superblock; data belong to whom the inodes say.

import { type DumpLine, readBytes, toText } from "../bytes/index.ts";
import { cgOffsets } from "../ufs/cylinder-group.ts";
import { scanDirectory } from "../ufs/directory.ts";
import { cg, csum, DIRBLKSIZ, dinode, direct, fs, SBOFF, SBSIZE } from "../ufs/format.ts";
import { cgbase, cgimin, cgsblock, cgtod, INODE_BYTES, type Superblock } from "../ufs/superblock.ts";
import { inodeNumbers } from "./inode-numbers.ts";
import type { UfsLayer } from "./layer.ts";
import { type Located, madeStructure, structureAt } from "./located.ts";
import { regionsOf } from "./regions.ts";
import { ufsExtents } from "./stat.ts";
import type { Structure } from "./structure.ts";

export async function locateUfs(layer: UfsLayer, offset: number): Promise<Located> {
  const sb = layer.ufs.superblock;
  if (offset < SBOFF) return { what: "boot block", structures: [] };
  if (offset < SBOFF + SBSIZE) return superblock(layer, SBOFF, "superblock");
  if (offset >= sb.fs_size * sb.fs_fsize) return { what: "behind the file system", structures: [] };
  const group = Math.min(Math.floor(offset / (sb.fs_fpg * sb.fs_fsize)), sb.fs_ncg - 1);
  const place = (frag: number): number => frag * sb.fs_fsize;
  const isIn = (from: number, length: number): boolean => offset >= from && offset < from + length;
  if (isIn(place(cgsblock(sb, group)), SBSIZE)) {
    return superblock(layer, place(cgsblock(sb, group)), `superblock copy of cylinder group ${group}`);
  }
  if (isIn(place(cgtod(sb, group)), sb.fs_bsize)) return cylinderGroup(layer, group, offset);
  if (isIn(place(cgimin(sb, group)), sb.fs_ipg * INODE_BYTES)) {
    const index = Math.floor((offset - place(cgimin(sb, group))) / INODE_BYTES);
    return inode(layer, group * sb.fs_ipg + index, place(cgimin(sb, group)) + index * INODE_BYTES);
  }
  if (isIn(place(sb.fs_csaddr), sb.fs_cssize)) {
    const index = Math.floor((offset - place(sb.fs_csaddr)) / csum.sizeBytes);
    const at = place(sb.fs_csaddr) + index * csum.sizeBytes;
    const what = index < sb.fs_ncg ? `summary of cylinder group ${index}` : "rest of the summary array";
    return { what, structures: [await structureAt(layer.content, csum, what, at)] };
  }
  return data(layer, group, offset);
}

async function superblock({ content }: UfsLayer, at: number, what: string): Promise<Located> {
  return { what, structures: [await structureAt(content, fs, what, at)] };
}

async function inode(layer: UfsLayer, number: number, at: number): Promise<Located> {
  const numbers = await inodeNumbers(layer);
  const paths = [...numbers].filter(([, one]) => one === number).map(([path]) => toText(path));
  const of = paths.length > 0 ? ` of ${paths.join(", ")}` : number < 2 ? " (never used)" : " (no path leads to it)";
  return {
    what: `inode ${number}${of}`,
    structures: [await structureAt(layer.content, dinode, `inode ${number}`, at)],
  };
}

/** The header, or the element of a table or map behind it. */
async function cylinderGroup({ content, ufs }: UfsLayer, group: number, offset: number): Promise<Located> {
  const sb = ufs.superblock;
  const start = cgtod(sb, group) * sb.fs_fsize;
  const at = offset - start;
  const what = `cylinder group ${group}`;
  const header = await structureAt(content, cg, what, start);
  if (at < cg.sizeBytes) return { what, structures: [header] };
  const view = new DataView((await readBytes(content, start, sb.fs_bsize)).buffer);
  const offsets = cgOffsets(sb);
  const element = (base: number, sizeBytes: number, name: (index: number) => string, meaning: string): Located => {
    const index = Math.floor((at - base) / sizeBytes);
    const from = base + index * sizeBytes;
    const value =
      sizeBytes === 4 ? view.getInt32(from, true) : sizeBytes === 2 ? view.getInt16(from, true) : view.getUint8(from);
    const line = { offset: start + from, sizeBytes, name: name(index), value, meaning };
    return { what, structures: [madeStructure(what, "cg", [line])] };
  };
  if (at < offsets.cg_boff)
    return element(offsets.cg_btotoff, 4, (i) => `cg_btot[${i}]`, "free blocks in this cylinder");
  if (at < offsets.cg_iusedoff) {
    const name = (i: number): string => `cg_b[${Math.floor(i / sb.fs_nrpos)}][${i % sb.fs_nrpos}]`;
    return element(offsets.cg_boff, 2, name, "free blocks in this cylinder at this rotational position");
  }
  const bits =
    (first: number, noun: string): ((i: number) => string) =>
    (i) =>
      `${noun} ${first + 8 * i} … ${first + 8 * i + 7}`;
  if (at < offsets.cg_freeoff) {
    return element(offsets.cg_iusedoff, 1, bits(group * sb.fs_ipg, "cg_iused: inodes"), "bit set = used, lowest first");
  }
  if (at < offsets.cg_nextfreeoff) {
    return element(
      offsets.cg_freeoff,
      1,
      bits(cgbase(sb, group), "cg_blksfree: frags"),
      "bit set = free, lowest first",
    );
  }
  return { what: `${what}, behind its maps`, structures: [] };
}

async function data(layer: UfsLayer, group: number, offset: number): Promise<Located> {
  const sb = layer.ufs.superblock;
  const { regions } = await regionsOf(layer);
  const region = regions.find((one) => offset >= one.offset && offset < one.offset + one.length);
  if (region?.path === undefined) {
    const frag = Math.floor(offset / sb.fs_fsize);
    return { what: `${region?.what ?? "unknown"}: frag ${frag} of cylinder group ${group}`, structures: [] };
  }
  const { path, what } = region;
  const shown = `${what} of ${toText(path)}`;
  if (region.kind === "indirect") return { what: shown, structures: [await address(layer, offset)] };
  const { extents } = await ufsExtents(layer, path);
  const extent = extents.find((one) => offset >= one.offset && offset < one.offset + one.length);
  const fileOffset = extent?.fileOffset === undefined ? undefined : extent.fileOffset + (offset - extent.offset);
  const structures = region.kind === "directory" ? await entry(layer, sb, offset) : [];
  return { what: shown, structures, fileOffset };
}

/** An element of an indirect block. */
async function address({ content }: UfsLayer, offset: number): Promise<Structure> {
  const at = offset - (offset % 4);
  const value = new DataView((await readBytes(content, at, 4)).buffer).getInt32(0, true);
  const line = { offset: at, sizeBytes: 4, name: "address", value, meaning: "frag of a block, 0 = hole" };
  return madeStructure("indirect block", "daddr32_t", [line]);
}

/** The directory entry that holds an offset. */
async function entry({ content }: UfsLayer, sb: Superblock, offset: number): Promise<Structure[]> {
  const chunk = offset - (offset % DIRBLKSIZ);
  const bytes = await readBytes(content, chunk, DIRBLKSIZ);
  for (const one of scanDirectory(bytes, sb.fs_ncg * sb.fs_ipg)) {
    if ("corrupt" in one || offset < chunk + one.offset || offset >= chunk + one.offset + one.reclen) continue;
    const title = one.inode === 0 ? "free directory entry" : `directory entry "${toText(one.name)}"`;
    const head = await structureAt(content, direct, title, chunk + one.offset);
    const name: DumpLine = {
      offset: chunk + one.offset + direct.sizeBytes,
      sizeBytes: one.reclen - direct.sizeBytes,
      name: "d_name",
      value: one.name,
      meaning: "the name, a NUL, and room",
    };
    return [{ ...head, sizeBytes: one.reclen, fields: [...head.fields, name] }];
  }
  return [];
}
