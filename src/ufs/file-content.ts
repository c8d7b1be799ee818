// The bytes of a file in a UFS image, read at any place through its block addresses. Holes, and blocks that are
// allocated but not written (negative addresses of preallocated files), are zeros.

import { type Content, divideUp, ImageError, type Range, toText } from "../bytes/index.ts";
import { type DataRun, firstLbnOfLevel, type IndirectBlock } from "./block-map.ts";
import { IFALLOCATE, NDADDR, NIADDR, UFS_MAXOFFSET_T } from "./format.ts";
import { cgbase, cgdmin, cgsblock, csumFrags, type Superblock } from "./superblock.ts";
import { type BlockStore, blockStore, type Dinode, type Volume, walkAddresses } from "./volume.ts";

/** Whether frags [frag, frag + frags) lie in one block of the data of one group (fsck, inode.c chkrange). */
export function isDataRange(sb: Superblock, frag: number, frags: number): boolean {
  if (frag < 1 || frag + frags > sb.fs_size || (frag % sb.fs_frag) + frags > sb.fs_frag) return false;
  const group = Math.floor(frag / sb.fs_fpg);
  if (frag >= cgdmin(sb, group)) return frag + frags <= cgbase(sb, group + 1);
  return frag + frags <= cgsblock(sb, group);
}

/** Whether frags are among those that no file may have: the metadata, with boot block and summary array in group 0. */
export function isReserved(sb: Superblock, frag: number): boolean {
  const group = Math.floor(frag / sb.fs_fpg);
  const from = group === 0 ? 0 : cgsblock(sb, group);
  return frag >= from && frag < cgdmin(sb, group) + (group === 0 ? csumFrags(sb) : 0);
}

export interface AddressMap {
  readonly runs: readonly DataRun[];
  readonly indirect: readonly IndirectBlock[];
}

/**
 * All block addresses of an inode.
 * @param seen first frags of blocks (or parts of blocks) that must not come up again; those that are found are added
 * @throws ImageError "bad-format" when one lies outside of the data, or is there twice
 */
export async function addressMap(
  volume: Volume,
  inode: Dinode,
  path: string,
  seen: Set<number> = new Set(),
): Promise<AddressMap> {
  const { sb } = volume;
  const runs: { lbn: number; frag: number; frags: number }[] = [];
  const indirect: IndirectBlock[] = [];
  const blocks = divideUp(inode.ic_lsize, sb.fs_bsize);
  const check = (frag: number, frags: number): void => {
    if (!isDataRange(sb, frag, frags)) throw badAddress(path, frag);
    if (seen.has(frag)) throw new ImageError("bad-format", `${toText(path)}: frag ${frag} is used twice`, { path });
    seen.add(frag);
  };
  await walkAddresses(volume, inode, {
    data(lbn, address, frags) {
      if (lbn >= blocks) return;
      const frag = address < 0 && inode.ic_flags & IFALLOCATE ? -address : address;
      check(frag, frags);
      const last = runs.at(-1);
      if (last && last.frag + last.frags === frag && last.lbn * sb.fs_frag + last.frags === lbn * sb.fs_frag) {
        last.frags += frags;
      } else runs.push({ lbn, frag, frags });
    },
    indirect(level, firstLbn, frag) {
      check(frag, sb.fs_frag);
      indirect.push({ level, firstLbn, frag });
      return true;
    },
  });
  return { runs, indirect };
}

function badAddress(path: string, frag: number): ImageError {
  return new ImageError("bad-format", `${toText(path)}: block address ${frag} is not in the data of any group`, {
    path,
  });
}

/** Blocks of addresses, of all files together, and how many may still be gone through to find holes. */
export interface Addresses {
  readonly blockAt: BlockStore;
  patience: number;
}

export function addressesOf({ image, sb }: Volume): Addresses {
  return { blockAt: blockStore(image, sb.fs_bsize, 128), patience: Math.ceil(image.sizeBytes / sb.fs_bsize) };
}

/**
 * The bytes of an inode.
 * @throws ImageError "bad-format" when it is larger than a file can be
 */
export async function fileContent(volume: Volume, addresses: Addresses, inode: Dinode, path: string): Promise<Content> {
  const { sb } = volume;
  const sizeBytes = inode.ic_lsize;
  if (sizeBytes > UFS_MAXOFFSET_T) {
    throw new ImageError("bad-format", `${toText(path)}: a size of ${sizeBytes} bytes cannot be`, { path });
  }
  const addressOf = async (lbn: number): Promise<number> => {
    if (lbn < NDADDR) return inode.ic_db[lbn] ?? 0;
    let level = 1;
    while (level < NIADDR && lbn >= firstLbnOfLevel(sb.fs_nindir, level + 1)) level++;
    let index = lbn - firstLbnOfLevel(sb.fs_nindir, level);
    let address = inode.ic_ib[level - 1] ?? 0;
    for (; level > 0; level--) {
      if (address === 0) return 0;
      if (!isDataRange(sb, address, sb.fs_frag)) throw badAddress(path, address);
      const step = sb.fs_nindir ** (level - 1);
      const block = await addresses.blockAt(address * sb.fs_fsize);
      address = new DataView(block.buffer).getInt32(4 * Math.floor(index / step), true);
      index %= step;
    }
    return address;
  };
  const read = async (target: Uint8Array, offset: number): Promise<void> => {
    const end = offset + target.length;
    for (let at = offset; at < end; ) {
      const lbn = Math.floor(at / sb.fs_bsize);
      const first = await addressOf(lbn);
      const inBlock = at - lbn * sb.fs_bsize;
      let length = Math.min(sb.fs_bsize - inBlock, end - at);
      if (first <= 0) {
        if (first < 0 && !(inode.ic_flags & IFALLOCATE)) throw badAddress(path, first);
        target.fill(0, at - offset, at - offset + length);
      } else {
        // Blocks that follow each other on disk are read at once.
        for (let next = lbn + 1; at + length < end; next++) {
          if ((await addressOf(next)) !== first + (next - lbn) * sb.fs_frag) break;
          length += Math.min(sb.fs_bsize, end - at - length);
        }
        await readFrags(volume, first, inBlock, target.subarray(at - offset, at - offset + length), path);
      }
      at += length;
    }
  };
  const isFull = !mayHaveHoles(sb, sizeBytes, inode.ic_blocks);
  const dataRanges = isFull ? undefined : await dataRangesOf(volume, addresses, inode);
  return { sizeBytes, read, dataRanges };
}

/** Whether an inode counts fewer sectors (ic_blocks) than its size takes. */
export function mayHaveHoles({ fs_fsize, fs_nspf }: Superblock, sizeBytes: number, sectors: number): boolean {
  return sectors < divideUp(sizeBytes, fs_fsize) * fs_nspf;
}

async function readFrags(volume: Volume, frag: number, skip: number, target: Uint8Array, path: string): Promise<void> {
  const { sb, image } = volume;
  const lastFrag = frag + Math.floor((skip + target.length - 1) / sb.fs_fsize);
  if (!isDataRange(sb, frag, 1) || !isDataRange(sb, lastFrag, 1)) throw badAddress(path, frag);
  const offset = frag * sb.fs_fsize + skip;
  if (offset + target.length > image.sizeBytes) {
    throw new ImageError(
      "truncated",
      `${toText(path)}: its data at byte ${offset} are beyond the image's end at ${image.sizeBytes}`,
      { path },
    );
  }
  await image.read(target, offset);
}

/** Where a file has data; undefined where that would take too long to find out, as only in an image that is damaged. */
async function dataRangesOf(volume: Volume, addresses: Addresses, inode: Dinode): Promise<Range[] | undefined> {
  const { fs_bsize } = volume.sb;
  const blocks = divideUp(inode.ic_lsize, fs_bsize);
  const ranges: { from: number; to: number }[] = [];
  const entered = new Set<number>();
  await walkAddresses(volume, inode, {
    data(lbn, address) {
      const last = ranges.at(-1);
      if (address < 0 || lbn >= blocks) return;
      if (last?.to === lbn) last.to++;
      else ranges.push({ from: lbn, to: lbn + 1 });
    },
    indirect(_level, _firstLbn, frag) {
      if (entered.has(frag)) addresses.patience = 0;
      entered.add(frag);
      return addresses.patience-- > 0;
    },
  });
  if (addresses.patience < 0) return undefined;
  return ranges.map(({ from, to }) => ({
    offset: from * fs_bsize,
    length: Math.min(to * fs_bsize, inode.ic_lsize) - from * fs_bsize,
  }));
}
