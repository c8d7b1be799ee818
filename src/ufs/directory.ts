// Directories: rows of 512-byte chunks with entries that never cross a chunk's end (usr/src/uts/common/sys/fs/ufs_fsdir.h,
// mkfs.c makedir; fsck, dir.c dircheck). The last entry of a chunk reaches to its end; a chunk without names holds one free entry.

import { byteString, writeByteString } from "../bytes/index.ts";
import { DIRBLKSIZ, direct, MAXNAMLEN } from "./format.ts";

const { d_ino, d_reclen, d_namlen } = direct.fields;

export interface Entry {
  readonly name: string;
  readonly inode: number;
}

/** Bytes of an entry: head, name, NUL, padding to 4 (DIRSIZ). */
export function entryBytes(nameLength: number): number {
  return direct.sizeBytes + ((nameLength + 4) & ~3);
}

const DOT_BYTES = 2 * entryBytes(1);

/** Bytes (whole chunks) of a directory that holds "." and ".." and then these names, in this order. */
export function directorySize(names: readonly string[]): number {
  let chunks = 1;
  let used = DOT_BYTES;
  for (const name of names) {
    const bytes = entryBytes(name.length);
    if (used + bytes > DIRBLKSIZ) {
      chunks++;
      used = 0;
    }
    used += bytes;
  }
  return chunks * DIRBLKSIZ;
}

/** Writes a directory into all of `target`, whose length is a multiple of DIRBLKSIZ and which is zeroed. */
export function encodeDirectory(inode: number, parent: number, entries: Iterable<Entry>, target: Uint8Array): void {
  const view = new DataView(target.buffer, target.byteOffset, target.length);
  const setReclen = (entry: number, bytes: number): void => d_reclen.type.write(view, entry + d_reclen.offset, bytes);
  let chunk = 0;
  let at = 0;
  let last = 0;
  const write = (name: string, ino: number): void => {
    const bytes = entryBytes(name.length);
    if (at + bytes > chunk + DIRBLKSIZ) {
      setReclen(last, chunk + DIRBLKSIZ - last);
      chunk += DIRBLKSIZ;
      at = chunk;
    }
    d_ino.type.write(view, at + d_ino.offset, ino);
    setReclen(at, bytes);
    d_namlen.type.write(view, at + d_namlen.offset, name.length);
    writeByteString(name, target, at + direct.sizeBytes);
    last = at;
    at += bytes;
  };
  write(".", inode);
  write("..", parent);
  for (const { name, inode: ino } of entries) write(name, ino);
  setReclen(last, chunk + DIRBLKSIZ - last);
  for (chunk += DIRBLKSIZ; chunk < target.length; chunk += DIRBLKSIZ) setReclen(chunk, DIRBLKSIZ);
}

export interface ScannedEntry extends Entry {
  /** Byte offset in the directory. */
  readonly offset: number;
  readonly reclen: number;
}

export interface CorruptEntry {
  /** Byte offset in the directory; what is left of the chunk is not looked at. */
  readonly offset: number;
  readonly corrupt: true;
}

/**
 * The entries of a directory in order, free ones (inode 0) included. Where the next entry is damaged, the rest of the
 * chunk is passed over.
 */
export function* scanDirectory(bytes: Uint8Array, inodes: number): Generator<ScannedEntry | CorruptEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let chunk = 0; chunk < bytes.length; chunk += DIRBLKSIZ) {
    const end = Math.min(chunk + DIRBLKSIZ, bytes.length);
    for (let at = chunk; at < end; ) {
      const entry = scanEntry(view, bytes, at, end, inodes);
      if (entry === undefined) {
        yield { offset: at, corrupt: true };
        break;
      }
      yield entry;
      at += entry.reclen;
    }
  }
}

/** The entry at `at`, if it is one. */
function scanEntry(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  end: number,
  inodes: number,
): ScannedEntry | undefined {
  if (at + direct.sizeBytes > end) return undefined;
  const inode = d_ino.type.read(view, at + d_ino.offset);
  const reclen = d_reclen.type.read(view, at + d_reclen.offset);
  const namlen = d_namlen.type.read(view, at + d_namlen.offset);
  if (inode >= inodes || reclen % 4 !== 0 || at + reclen > end) return undefined;
  if (namlen > MAXNAMLEN || reclen < entryBytes(namlen)) return undefined;
  const start = at + direct.sizeBytes;
  if (inode === 0) return { name: "", inode, offset: at, reclen };
  if (bytes[start + namlen] !== 0) return undefined;
  const name = byteString(bytes, start, start + namlen);
  if (name.includes("\0") || name.includes("/")) return undefined;
  return { name, inode, offset: at, reclen };
}
