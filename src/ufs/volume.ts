// A UFS image opened for reading: its superblock, checked so far that nothing read by it can go astray, its inodes and the
// blocks that hang on them. What is not UFS, or another UFS, is named (ufs_vfsops.c, mountfs; FreeBSD sys/ufs/ffs/fs.h).

import { type Content, divideUp, ImageError, readBytes, roundUp, type StructValues } from "../bytes/index.ts";
import { firstLbnOfLevel } from "./block-map.ts";
import { csum, dinode, FS_MAGIC, fs, MTB_UFS_MAGIC, NIADDR, SBOFF, UFSROOTINO } from "./format.ts";
import { cgdmin, cgend, cgsizeOf, INODE_BYTES, inodeOffset, maxipg, nspb, type Superblock } from "./superblock.ts";

/** All fields of struct dinode by name. */
export type Dinode = StructValues<typeof dinode>;

export interface Volume {
  readonly image: Content;
  readonly sb: Superblock;
  /** Sector of the superblock that was read. */
  readonly superblockSector: number;
  /** @throws ImageError "bad-format" when there is no such inode */
  dinode(inode: number): Promise<Dinode>;
  /** The same, not decoded. */
  inodeBytes(inode: number): Promise<InodeBytes>;
  /** The same without waiting, where the inode lies in the block that was looked at last. */
  knownInodeBytes(inode: number): InodeBytes | undefined;
}

/** An inode where it lies in the image: `struct dinode` at `offset` of a block of inodes. */
export interface InodeBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly offset: number;
}

const SECTOR = 512;
const MAGIC_OFFSET = fs.fields.fs_magic.offset;
const FS_UFS2_MAGIC = 0x19540119;
/** Where FreeBSD looks for UFS2 superblocks. */
const UFS2_OFFSETS = [65536, 8192, 0, 262144];

/**
 * Opens a UFS image.
 * @param superblockSector 16, or that of a copy, as `fsck -o b=` takes it
 * @throws ImageError "bad-format" when it is no UFS, or its superblock is damaged; "unsupported" for big-endian, BSD and
 *   multi-terabyte UFS; "truncated" when the image ends before the superblock
 */
export async function openVolume(image: Content, superblockSector: number = SBOFF / SECTOR): Promise<Volume> {
  const sb = await readSuperblock(image, superblockSector);
  const fault = superblockFault(sb);
  if (fault) {
    throw new ImageError(
      "bad-format",
      `superblock at sector ${superblockSector}: ${fault.message}; try a copy (sector 32, or the others that newfs named)`,
      { field: fault.field },
    );
  }
  return makeVolume(image, sb, superblockSector);
}

/** A volume whose superblock was found good. */
export function makeVolume(image: Content, sb: Superblock, superblockSector: number): Volume {
  return { image, sb, superblockSector, ...inodeReader(image, sb) };
}

/**
 * The superblock at a sector, as it is: only its magic number is checked.
 * @throws ImageError as `openVolume`
 */
export async function readSuperblock(image: Content, sector: number): Promise<Superblock> {
  if (!Number.isInteger(sector) || sector < 0) {
    throw new ImageError("invalid-argument", `superblock: ${sector} is not the number of a sector`);
  }
  const offset = sector * SECTOR;
  if (offset + fs.sizeBytes > image.sizeBytes) {
    throw new ImageError(
      "truncated",
      `the image ends at byte ${image.sizeBytes}, before a superblock at byte ${offset}: it is no UFS, or cut off`,
    );
  }
  const bytes = await readBytes(image, offset, fs.sizeBytes);
  const sb = fs.decode(bytes);
  if (sb.fs_magic === FS_MAGIC && !isBsd(bytes)) return sb;
  throw (await recognise(image, bytes)) ?? noUfs(sector);
}

function noUfs(sector: number): ImageError {
  return new ImageError("bad-format", `no UFS superblock at sector ${sector}: the magic number is wrong`, {
    field: "fs_magic",
  });
}

/** The error for a UFS of another kind, or undefined when it is none. */
async function recognise(image: Content, bytes: Uint8Array): Promise<ImageError | undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const little = view.getUint32(MAGIC_OFFSET, true);
  const big = view.getUint32(MAGIC_OFFSET, false);
  const unsupported = (what: string): ImageError =>
    new ImageError("unsupported", `this is ${what}; only illumos' little-endian UFS is read here`, {
      field: "fs_magic",
    });
  if (little === MTB_UFS_MAGIC || big === MTB_UFS_MAGIC) {
    return unsupported("a multi-terabyte UFS (magic 0xdecade), which the boot reader cannot read");
  }
  if (little === FS_MAGIC) return unsupported("a BSD UFS1 (FFS)");
  if (big === FS_MAGIC) return unsupported(isBsd(bytes) ? "a big-endian BSD UFS1 (FFS)" : "a big-endian UFS (SPARC)");
  for (const offset of UFS2_OFFSETS) {
    if (offset + fs.sizeBytes > image.sizeBytes) continue;
    const magic = new DataView((await readBytes(image, offset + MAGIC_OFFSET, 4)).buffer);
    if (magic.getUint32(0, true) === FS_UFS2_MAGIC) return unsupported("a BSD UFS2 (FFS)");
    if (magic.getUint32(0, false) === FS_UFS2_MAGIC) return unsupported("a big-endian BSD UFS2 (FFS)");
  }
  return undefined;
}

/** BSD's 4.4 superblock has the same magic at the same place, but fs_qbmask and fs_qfmask four bytes earlier. */
function isBsd(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = fs.fields.fs_qbmask.offset - 4;
  for (const littleEndian of [true, false]) {
    const mask = (offset: number): bigint => view.getBigUint64(offset, littleEndian);
    const bsize = view.getInt32(fs.fields.fs_bsize.offset, littleEndian);
    const fsize = view.getInt32(fs.fields.fs_fsize.offset, littleEndian);
    if (bsize > 0 && mask(at) === BigInt(bsize - 1) && fsize > 0 && mask(at + 8) === BigInt(fsize - 1)) return true;
  }
  return false;
}

export interface SuperblockFault {
  readonly field: string;
  readonly message: string;
}

/** The first thing in a superblock by which a reader would go astray, or undefined. */
export function superblockFault(sb: Superblock): SuperblockFault | undefined {
  const isPower = (value: number, min: number, max: number): boolean =>
    value >= min && value <= max && (value & (value - 1)) === 0;
  const rules: [keyof Superblock, boolean][] = [
    ["fs_version", sb.fs_version === 0 || sb.fs_version === 2],
    ["fs_bsize", isPower(sb.fs_bsize, 4096, 8192)],
    ["fs_fsize", isPower(sb.fs_fsize, Math.max(SECTOR, sb.fs_bsize / 8), sb.fs_bsize)],
    ["fs_frag", sb.fs_frag * sb.fs_fsize === sb.fs_bsize],
    ["fs_nspf", sb.fs_nspf * SECTOR === sb.fs_fsize],
    ["fs_nindir", sb.fs_nindir * 4 === sb.fs_bsize],
    ["fs_inopb", sb.fs_inopb * INODE_BYTES === sb.fs_bsize],
    ["fs_ncg", sb.fs_ncg >= 1],
    ["fs_cpg", sb.fs_cpg >= 1],
    ["fs_ncyl", sb.fs_ncg * sb.fs_cpg >= sb.fs_ncyl && (sb.fs_ncg - 1) * sb.fs_cpg < sb.fs_ncyl],
    ["fs_nsect", sb.fs_nsect >= 1],
    ["fs_nrpos", sb.fs_nrpos >= 1 && sb.fs_nrpos <= sb.fs_nsect],
    ["fs_ntrak", sb.fs_ntrak >= 1],
    ["fs_spc", sb.fs_spc >= 1 && sb.fs_spc <= sb.fs_nsect * sb.fs_ntrak],
    ["fs_fpg", sb.fs_fpg * sb.fs_nspf === sb.fs_cpg * sb.fs_spc && (sb.fs_cpg * sb.fs_spc) % nspb(sb) === 0],
    ["fs_size", sb.fs_size > (sb.fs_ncg - 1) * sb.fs_fpg && sb.fs_size <= sb.fs_ncg * sb.fs_fpg],
    ["fs_ipg", sb.fs_ipg >= 1 && sb.fs_ipg <= maxipg(sb.fs_bsize) && sb.fs_ipg % sb.fs_inopb === 0],
    ["fs_sblkno", isBlock(sb, sb.fs_sblkno) && sb.fs_sblkno * sb.fs_fsize >= 2 * SBOFF],
    ["fs_cblkno", isBlock(sb, sb.fs_cblkno) && (sb.fs_cblkno - sb.fs_sblkno) * sb.fs_fsize >= SBOFF],
    ["fs_iblkno", isBlock(sb, sb.fs_iblkno) && sb.fs_iblkno >= sb.fs_cblkno + sb.fs_frag],
    ["fs_dblkno", sb.fs_dblkno === sb.fs_iblkno + (sb.fs_ipg / sb.fs_inopb) * sb.fs_frag],
    ["fs_cgmask", sb.fs_cgmask < 0 && isPower(-sb.fs_cgmask, 1, 2 ** 31)],
    ["fs_cgoffset", isBlock(sb, sb.fs_cgoffset) || sb.fs_cgoffset === 0],
    ["fs_cgoffset", metadataFit(sb)],
    ["fs_cgsize", cgsizeOf(sb) <= sb.fs_cgsize && sb.fs_cgsize <= sb.fs_bsize],
    ["fs_cssize", sb.fs_cssize === roundUp(sb.fs_ncg * csum.sizeBytes, sb.fs_fsize)],
    ["fs_csaddr", sb.fs_csaddr === cgdmin(sb, 0) && cgdmin(sb, 0) + sb.fs_cssize / sb.fs_fsize <= cgend(sb, 0)],
  ];
  const broken = rules.find(([, holds]) => !holds)?.[0];
  if (broken === undefined) return undefined;
  return { field: broken, message: `${broken} is ${sb[broken]}, which cannot be` };
}

function isBlock(sb: Superblock, frag: number): boolean {
  return frag > 0 && frag % sb.fs_frag === 0;
}

/** Whether the metadata of every group lie inside of it. */
function metadataFit(sb: Superblock): boolean {
  const mostRotated = Math.min(~sb.fs_cgmask, sb.fs_ncg - 1);
  const inside = (group: number): boolean => cgdmin(sb, group) <= cgend(sb, group);
  return sb.fs_cgoffset >= 0 && inside(mostRotated) && inside(sb.fs_ncg - 1) && inside(0);
}

/** Blocks of the image that were read lately: neighbouring inodes and addresses are mostly wanted together. */
export type BlockStore = (offset: number) => Promise<Uint8Array<ArrayBuffer>>;

export function blockStore(image: Content, sizeBytes: number, kept: number): BlockStore {
  const blocks = new Map<number, Promise<Uint8Array<ArrayBuffer>>>();
  return (offset) => {
    const known = blocks.get(offset);
    if (known) return known;
    const block = readBytes(image, offset, sizeBytes);
    block.catch(() => blocks.delete(offset)); // whoever asked for it gets the error, and may ask again
    blocks.set(offset, block);
    if (blocks.size > kept) {
      for (const oldest of blocks.keys()) {
        blocks.delete(oldest);
        break;
      }
    }
    return block;
  };
}

function inodeReader(image: Content, sb: Superblock): Pick<Volume, "dinode" | "inodeBytes" | "knownInodeBytes"> {
  const blockAt = blockStore(image, sb.fs_bsize, 64);
  let last: { readonly first: number; readonly bytes: Uint8Array; readonly view: DataView } | undefined;
  const knownInodeBytes: Volume["knownInodeBytes"] = (inode) => {
    if (last === undefined || inode < last.first || inode >= last.first + sb.fs_inopb) return undefined;
    const { bytes, view, first } = last;
    return { bytes, view, offset: (inode - first) * INODE_BYTES };
  };
  const inodeBytes: Volume["inodeBytes"] = async (inode) => {
    if (!Number.isInteger(inode) || inode < UFSROOTINO || inode >= sb.fs_ncg * sb.fs_ipg) {
      throw new ImageError("bad-format", `inode ${inode} does not exist: there are ${sb.fs_ncg * sb.fs_ipg}`);
    }
    const first = inode - (inode % sb.fs_inopb);
    const bytes = await blockAt(inodeOffset(sb, first));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    last = { first, bytes, view };
    return { bytes, view, offset: (inode - first) * INODE_BYTES };
  };
  return {
    inodeBytes,
    knownInodeBytes,
    async dinode(inode) {
      const { bytes, offset } = await inodeBytes(inode);
      return dinode.decode(bytes, offset);
    },
  };
}

/** What a walk over the block addresses of an inode meets. */
export interface AddressVisitor {
  /** A data block with `frags` frags in it. Also called for direct addresses beyond the file's end. */
  data(lbn: number, frag: number, frags: number): void;
  /** Blocks [lbn, lbn + blocks) have no address. */
  hole?(lbn: number, blocks: number): void;
  /** An indirect block. Returns whether to go into it. */
  indirect(level: number, firstLbn: number, frag: number): boolean;
  /** An address in an indirect block beyond the file's end. */
  beyond?(level: number, index: number, frag: number): void;
  /** An indirect block could not be read: it lies outside of the image. */
  unreadable?(frag: number): void;
}

/** Goes through all block addresses of an inode in order. Whoever visits has to see to it that no block is gone into twice. */
export async function walkAddresses(volume: Volume, inode: Dinode, visitor: AddressVisitor): Promise<void> {
  const { sb, image } = volume;
  const blocks = divideUp(inode.ic_lsize, sb.fs_bsize);
  const rest = inode.ic_lsize % sb.fs_bsize;
  inode.ic_db.forEach((frag, lbn) => {
    const isTail = lbn === blocks - 1 && rest > 0;
    if (frag !== 0) visitor.data(lbn, frag, isTail ? divideUp(rest, sb.fs_fsize) : sb.fs_frag);
    else if (lbn < blocks) visitor.hole?.(lbn, 1);
  });
  const visit = async (level: number, firstLbn: number, frag: number): Promise<void> => {
    if (!visitor.indirect(level, firstLbn, frag)) return;
    const offset = frag * sb.fs_fsize;
    if (offset < 0 || offset + sb.fs_bsize > image.sizeBytes) {
      visitor.unreadable?.(frag);
      return;
    }
    const addresses = new DataView((await readBytes(image, offset, sb.fs_bsize)).buffer);
    const step = sb.fs_nindir ** (level - 1);
    for (let i = 0; i < sb.fs_nindir; i++) {
      const address = addresses.getInt32(4 * i, true);
      const lbn = firstLbn + i * step;
      if (lbn >= blocks) {
        if (address !== 0) visitor.beyond?.(level, i, address);
      } else if (address === 0) visitor.hole?.(lbn, Math.min(step, blocks - lbn));
      else if (level === 1) visitor.data(lbn, address, sb.fs_frag);
      else await visit(level - 1, lbn, address);
    }
  };
  for (let level = 1; level <= NIADDR; level++) {
    const frag = inode.ic_ib[level - 1] ?? 0;
    const first = firstLbnOfLevel(sb.fs_nindir, level);
    if (frag !== 0) await visit(level, first, frag);
    else if (first < blocks) visitor.hole?.(first, Math.min(sb.fs_nindir ** level, blocks - first));
  }
}
