// A gzip'd UFS whose metadata are taken in one pass. Listing or checking a file system reads its inodes, directories, links
// and indirect blocks, which lie all over it, and going back and forth in compressed data is slow. So the archive is inflated
// once, front to back, and what a reader will ask for is kept as it comes by: inodes lie before most of what they lead to.

import { type Content, type Hasher, isAllZeros } from "../bytes/index.ts";
import { checkGzip } from "../gzip/check.ts";
import { readIsize } from "../gzip/read.ts";
import { S_IFMT, typeOfMode } from "../tree/index.ts";
import { dinode, fs, IFATTRDIR, IFSHAD, NDADDR, SBOFF, SBSIZE } from "../ufs/format.ts";
import { cgimin, cgsblock, cgtod, INODE_BYTES, type Superblock } from "../ufs/superblock.ts";
import { superblockFault } from "../ufs/volume.ts";
import { type InspectHost, once } from "./layer.ts";

/** Up to here an archive is inflated without a pass: what it is, and its figures, are told by the superblock. */
const HEAD_BYTES = 1 << 18;
/** A ramdisk of 1 GiB has some 20 MiB of metadata that are not zeros. What is not kept is inflated again. */
const MAX_KEPT_BYTES = 96 << 20;
/** Blocks that may be waited for: all inode blocks of an image of 4 GiB, and many more directories than there are. */
const MAX_WISHES = 1 << 20;

/** Gets an image's bytes in order and keeps the metadata; whatever the bytes are, not more than a bounded part of them. */
export interface MetadataKeeper extends Pick<Hasher, "update"> {
  /** The bytes from `offset` on into `target`, if all of them were kept. */
  read(target: Uint8Array, offset: number): boolean;
}

/**
 * The uncompressed bytes of `compressed`: metadata from memory after one pass, all else from `plain`.
 * @param plain the same bytes with random access
 */
export function metadataContent(compressed: Content, plain: Content, host: InspectHost): Content {
  const pass = async (): Promise<MetadataKeeper> => {
    const keeper = metadataKeeper();
    const sizeBytes = await readIsize(compressed);
    await checkGzip(compressed, {
      hashers: [keeper],
      createInflater: host.createInflater,
      crc32: () => 0, // what the check finds is not asked for here
      signal: host.signal,
      onProgress: (done) => host.onProgress?.("inflating", done, sizeBytes),
    });
    return keeper;
  };
  return keptContent(plain, once(pass));
}

/** `plain` with what a keeper has; the keeper is asked for only behind the head of the image. */
export function keptContent(plain: Content, keeper: () => Promise<MetadataKeeper>): Content {
  return {
    sizeBytes: plain.sizeBytes,
    async read(target, offset) {
      if (offset + target.length > HEAD_BYTES && (await keeper()).read(target, offset)) return;
      await plain.read(target, offset);
    },
  };
}

/** A part of the image that will come by and shall be kept. */
interface Wish {
  readonly offset: number;
  readonly length: number;
  /** What else to wish for, once it is here. */
  readonly next: ((bytes: Uint8Array) => void) | undefined;
}

interface Piece {
  readonly offset: number;
  readonly length: number;
  /** Undefined: all zeros. */
  readonly bytes: Uint8Array | undefined;
}

export function metadataKeeper(): MetadataKeeper {
  const wishes = wishQueue();
  const wished = new Set<number>();
  const pieces: Piece[] = [];
  let isSorted = true;
  let keptBytes = 0;
  let position = 0;
  let begun: { readonly wish: Wish; readonly bytes: Uint8Array }[] = [];

  /** What has gone by already is not kept: the second pass of a reader is for those few. */
  const wish = (offset: number, length: number, next?: Wish["next"]): void => {
    if (offset < position || wished.has(offset) || wished.size >= MAX_WISHES) return;
    wished.add(offset);
    wishes.push({ offset, length, next });
  };

  const keep = ({ offset, length, next }: Wish, bytes: Uint8Array): void => {
    if (isAllZeros(bytes)) {
      pieces.push({ offset, length, bytes: undefined });
      return;
    }
    if (keptBytes + length > MAX_KEPT_BYTES) return;
    keptBytes += length;
    pieces.push({ offset, length, bytes });
    isSorted = false;
    next?.(bytes);
  };

  wish(SBOFF, SBSIZE, (bytes) => {
    const sb = fs.decode(bytes);
    if (superblockFault(sb) === undefined) wishSuperblock(sb, wish);
  });

  return {
    update(bytes) {
      const end = position + bytes.length;
      /** Copies what the chunk has of a wish; whether that completes it. */
      const take = ({ offset, length }: Wish, target: Uint8Array): boolean => {
        const from = Math.max(offset, position);
        const to = Math.min(offset + length, end);
        target.set(bytes.subarray(from - position, to - position), from - offset);
        return to === offset + length;
      };
      const before = begun;
      begun = [];
      for (const entry of before) {
        if (take(entry.wish, entry.bytes)) keep(entry.wish, entry.bytes);
        else begun.push(entry);
      }
      for (let next = wishes.takeBelow(end); next; next = wishes.takeBelow(end)) {
        const target = new Uint8Array(next.length);
        if (take(next, target)) keep(next, target);
        else begun.push({ wish: next, bytes: target });
      }
      position = end;
    },
    read(target, offset) {
      if (!isSorted) pieces.sort((a, b) => a.offset - b.offset);
      isSorted = true;
      return copyPieces(pieces, target, offset);
    },
  };
}

type MakeWish = (offset: number, length: number, next?: Wish["next"]) => void;

function wishSuperblock(sb: Superblock, wish: MakeWish): void {
  const { fs_fsize, fs_bsize, fs_ipg } = sb;
  wish(sb.fs_csaddr * fs_fsize, sb.fs_cssize);
  for (let group = 0; group < sb.fs_ncg; group++) {
    wish(cgsblock(sb, group) * fs_fsize, SBSIZE);
    wish(cgtod(sb, group) * fs_fsize, fs_bsize);
    const inodes = cgimin(sb, group) * fs_fsize;
    for (let at = 0; at < fs_ipg * INODE_BYTES; at += fs_bsize) {
      wish(inodes + at, fs_bsize, (bytes) => wishInodes(sb, bytes, wish));
    }
  }
}

/** Directories, links and ACLs whole; of files the indirect blocks. */
function wishInodes(sb: Superblock, bytes: Uint8Array, wish: MakeWish): void {
  const { fs_bsize, fs_fsize } = sb;
  const { ic_smode, ic_lsize, ic_db, ic_ib } = dinode.fields;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += INODE_BYTES) {
    const mode = ic_smode.type.read(view, at + ic_smode.offset);
    const type = typeOfMode(mode);
    const isWhole =
      type === "directory" || type === "symlink" || (mode & S_IFMT) === IFSHAD || (mode & S_IFMT) === IFATTRDIR;
    if (type !== "file" && !isWhole) continue;
    const sizeBytes = ic_lsize.type.read(view, at + ic_lsize.offset);
    if (isWhole) {
      const blocks = ic_db.type.read(view, at + ic_db.offset);
      for (let lbn = 0; lbn < NDADDR; lbn++) {
        const rest = sizeBytes - lbn * fs_bsize;
        const frag = blocks[lbn] ?? 0;
        if (rest > 0 && frag > 0) wish(frag * fs_fsize, Math.min(fs_bsize, Math.ceil(rest / fs_fsize) * fs_fsize));
      }
    }
    if (sizeBytes <= NDADDR * fs_bsize) continue;
    ic_ib.type.read(view, at + ic_ib.offset).forEach((frag, level) => {
      if (frag > 0) wishIndirect(sb, frag, level + 1, isWhole, wish);
    });
  }
}

function wishIndirect(sb: Superblock, frag: number, level: number, isWhole: boolean, wish: MakeWish): void {
  const { fs_bsize, fs_fsize, fs_size } = sb;
  const lead = (bytes: Uint8Array): void => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < bytes.length; i += 4) {
      const next = view.getInt32(i, true);
      if (next <= 0 || next >= fs_size) continue;
      if (level > 1) wishIndirect(sb, next, level - 1, isWhole, wish);
      else wish(next * fs_fsize, fs_bsize);
    }
  };
  wish(frag * fs_fsize, fs_bsize, level > 1 || isWhole ? lead : undefined);
}

/** Fills `target` from pieces sorted by offset, if they have all of it. */
function copyPieces(pieces: readonly Piece[], target: Uint8Array, offset: number): boolean {
  for (let done = 0; done < target.length; ) {
    const at = offset + done;
    const piece = pieces[lastAtOrBefore(pieces, at)];
    if (piece === undefined || piece.offset + piece.length <= at) return false;
    const from = at - piece.offset;
    const count = Math.min(piece.length - from, target.length - done);
    if (piece.bytes) target.set(piece.bytes.subarray(from, from + count), done);
    else target.fill(0, done, done + count);
    done += count;
  }
  return true;
}

function lastAtOrBefore(pieces: readonly Piece[], offset: number): number {
  let low = -1;
  let high = pieces.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((pieces[middle]?.offset ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low;
}

interface WishQueue {
  push(wish: Wish): void;
  /** Takes the wish of the lowest offset, if that is below `end`. */
  takeBelow(end: number): Wish | undefined;
}

/** A binary heap: wishes come in any order, and are wanted by rising offsets. */
function wishQueue(): WishQueue {
  const heap: Wish[] = [];
  const at = (i: number): Wish => heap[i] as Wish; // asked for only below heap.length
  const swap = (i: number, j: number): void => {
    [heap[i], heap[j]] = [at(j), at(i)];
  };
  return {
    push(wish) {
      heap.push(wish);
      for (let i = heap.length - 1; i > 0; ) {
        const parent = (i - 1) >> 1;
        if (at(parent).offset <= at(i).offset) break;
        swap(i, parent);
        i = parent;
      }
    },
    takeBelow(end) {
      const first = heap[0];
      if (first === undefined || first.offset >= end) return undefined;
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return first;
      heap[0] = last;
      for (let i = 0; ; ) {
        const left = 2 * i + 1;
        if (left >= heap.length) break;
        const child = left + 1 < heap.length && at(left + 1).offset < at(left).offset ? left + 1 : left;
        if (at(i).offset <= at(child).offset) break;
        swap(i, child);
        i = child;
      }
      return first;
    },
  };
}
