// Directories: rows of 512-byte chunks with entries that never cross a chunk's end (usr/src/uts/common/sys/fs/ufs_fsdir.h,
// mkfs.c makedir). The last entry of a chunk reaches to its end; a chunk without names holds one free entry.

import { writeByteString } from "../bytes/index.ts";
import { DIRBLKSIZ, direct } from "./format.ts";

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

/** Bytes (whole chunks) of a directory that holds "." and ".." and then names of these lengths, in this order. */
export function directorySize(nameLengths: Iterable<number>): number {
  let chunks = 1;
  let used = DOT_BYTES;
  for (const length of nameLengths) {
    const bytes = entryBytes(length);
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
