// A Sun x86 UFS image made by hand, one cylinder group, to try the harness on something that no code of src/ has made.
// Offsets are spelled out here and nowhere else refer to src/ufs: an oracle's own test must not share its subject's code.

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { type Digest, type ListedPath, type Listing, toListing } from "./listing.ts";

const BSIZE = 8192;
const FSIZE = 1024;
const FRAG = 8;
const IPG = 128;
const IBLKNO = 32;
const DBLKNO = IBLKNO + (IPG * 128) / FSIZE;
const TIME = 1_000_000_000;

type Kind = Pick<ListedPath, "type" | "mode"> &
  Partial<Pick<ListedPath, "uid" | "gid" | "nlink" | "target" | "device">>;

const TYPE_BITS: Readonly<Record<string, number>> = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
};

export interface SunUfs {
  readonly image: Buffer;
  listing(digest: Digest): Listing;
}

/** An image of 4096 blocks (32 MiB) with every type of node, fragments, holes, single and double indirect blocks. */
export function makeSunUfs(): SunUfs {
  const image = Buffer.alloc(4096 * BSIZE);
  let nextBlock = DBLKNO / FRAG + 1;
  const records: Omit<ListedPath, "digest">[] = [];
  const contents = new Map<string, Buffer>();

  const allocate = () => nextBlock++ * FRAG;
  const writeInode = (inode: number, kind: Kind, size: number, nlink: number): number => {
    const at = IBLKNO * FSIZE + inode * 128;
    image.writeUInt16LE((TYPE_BITS[kind.type] ?? 0) | kind.mode, at);
    image.writeUInt16LE(nlink, at + 2);
    image.writeUInt16LE(Math.min(kind.uid ?? 0, 65535), at + 4);
    image.writeUInt16LE(Math.min(kind.gid ?? 0, 65535), at + 6);
    image.writeUInt32LE(size, at + 8);
    for (const offset of [16, 24, 32]) image.writeInt32LE(TIME + inode, at + offset);
    image.writeUInt32LE(kind.uid ?? 0, at + 116);
    image.writeUInt32LE(kind.gid ?? 0, at + 120);
    return at;
  };
  /** Whole blocks for all, zero blocks as holes. */
  const writeContent = (at: number, content: Buffer) => {
    const indirects = new Map<string, number>();
    const pointerTo = (lbn: number): number => {
      if (lbn < 12) return at + 40 + 4 * lbn;
      let parent = lbn < 12 + 2048 ? at + 88 : at + 92;
      const rest = lbn < 12 + 2048 ? lbn - 12 : lbn - 12 - 2048;
      const path = lbn < 12 + 2048 ? [rest] : [rest >> 11, rest & 2047];
      for (const index of path) {
        const key = String(parent);
        const block = indirects.get(key) ?? allocate();
        indirects.set(key, block);
        image.writeUInt32LE(block, parent);
        parent = block * FSIZE + 4 * index;
      }
      return parent;
    };
    let blocks = 0;
    for (let lbn = 0; lbn * BSIZE < content.length; lbn++) {
      const piece = content.subarray(lbn * BSIZE, (lbn + 1) * BSIZE);
      if (piece.every((byte) => byte === 0)) continue;
      const address = allocate();
      piece.copy(image, address * FSIZE);
      image.writeUInt32LE(address, pointerTo(lbn));
      blocks++;
    }
    image.writeUInt32LE((blocks + indirects.size) * 16, at + 104);
  };
  const add = (inode: number, path: string, kind: Kind, content: Buffer, nlink = 1) => {
    const at = writeInode(inode, kind, content.length, nlink);
    writeContent(at, content);
    if (kind.device) image.writeUInt32LE(encodeDevice(kind.device), at + 44);
    records.push(record(inode, path, kind, content.length, nlink));
    if (kind.type === "file") contents.set(path, content);
  };
  const directoryOf = (inode: number, parent: number, entries: readonly (readonly [string, number])[]): Buffer => {
    const all: (readonly [string, number])[] = [[".", inode], ["..", parent], ...entries];
    const chunks: Buffer[] = [];
    let chunk = Buffer.alloc(0);
    for (const [name, ino] of all) {
      const entry = Buffer.alloc(8 + ((name.length + 4) & ~3));
      entry.writeUInt32LE(ino, 0);
      entry.writeUInt16LE(entry.length, 4);
      entry.writeUInt16LE(name.length, 6);
      entry.write(name, 8, "latin1");
      if (chunk.length + entry.length > 512) {
        chunks.push(padChunk(chunk));
        chunk = Buffer.alloc(0);
      }
      chunk = Buffer.concat([chunk, entry]);
    }
    return Buffer.concat([...chunks, padChunk(chunk)]);
  };

  const big = Buffer.alloc((12 + 2048 + 3) * BSIZE + 77);
  for (const lbn of [0, 11, 12, 13, 12 + 2047, 12 + 2048, 12 + 2050])
    big.fill(`block ${lbn} `, lbn * BSIZE, (lbn + 1) * BSIZE);
  big.write("the very end", big.length - 12);
  const long = "n".repeat(255);
  const odd = 'odd \n\t\\"\xff\x80name';
  const inRoot: [string, number][] = [
    ["etc", 4],
    ["big", 5],
    ["link", 6],
    ["cons", 7],
    ["disk", 8],
    ["pipe", 9],
    ["hard", 10],
  ];
  inRoot.push([long, 11], [odd, 12], ["setuid", 13], ["empty", 14], ["newform", 15], ["hole", 16]);
  add(2, "/", { type: "directory", mode: 0o755 }, directoryOf(2, 2, inRoot), 3);
  add(4, "/etc", { type: "directory", mode: 0o1777, gid: 3 }, directoryOf(4, 2, [["motd", 10]]), 2);
  add(5, "/big", { type: "file", mode: 0o644 }, big);
  add(6, "/link", { type: "symlink", mode: 0o777, target: "../a target" }, Buffer.from("../a target"));
  add(7, "/cons", { type: "character", mode: 0o620, device: [0, 1] }, Buffer.alloc(0));
  add(8, "/disk", { type: "block", mode: 0o640, gid: 3, device: [102, 64] }, Buffer.alloc(0));
  add(9, "/pipe", { type: "fifo", mode: 0o600 }, Buffer.alloc(0));
  add(10, "/hard", { type: "file", mode: 0o444, uid: 71, gid: 8 }, Buffer.from("message of the day\n"), 2);
  records.push({ ...record(10, "/etc/motd", { type: "file", mode: 0o444, uid: 71, gid: 8 }, 19, 2) });
  contents.set("/etc/motd", Buffer.from("message of the day\n"));
  add(11, `/${long}`, { type: "file", mode: 0o644 }, Buffer.from(long));
  add(12, `/${odd}`, { type: "file", mode: 0o600 }, Buffer.from("odd"));
  add(13, "/setuid", { type: "file", mode: 0o4755, uid: 100_000, gid: 200_000 }, Buffer.alloc(BSIZE, 7));
  add(14, "/empty", { type: "file", mode: 0o644 }, Buffer.alloc(0));
  add(15, "/newform", { type: "character", mode: 0o600, device: [300, 70_000] }, Buffer.alloc(0));
  add(16, "/hole", { type: "file", mode: 0o644 }, Buffer.alloc(3 * BSIZE + 1));
  writeSuperblock(image);

  return {
    image,
    listing: (digest) =>
      toListing(
        records.map((path) => {
          const content = contents.get(path.path);
          return content === undefined || digest === "none" ? path : { ...path, digest: digestOf(content, digest) };
        }),
      ),
  };
}

function record(inode: number, path: string, kind: Kind, size: number, nlink: number): Omit<ListedPath, "digest"> {
  const { type, mode, uid = 0, gid = 0, target, device } = kind;
  const base = { path, type, mode, uid, gid, nlink, size, mtimeSeconds: TIME + inode, inode };
  return { ...base, ...(target !== undefined && { target }), ...(device && { device }) };
}

function padChunk(chunk: Buffer): Buffer {
  const padded = Buffer.concat([chunk, Buffer.alloc(512 - chunk.length)]);
  let last = 0;
  for (let at = 0; at < chunk.length; at += chunk.readUInt16LE(at + 4)) last = at;
  padded.writeUInt16LE(512 - last, last + 4);
  return padded;
}

function encodeDevice([major, minor]: readonly [number, number]): number {
  return major <= 127 && minor <= 255 ? (major << 8) | minor : major * 2 ** 18 + minor;
}

function digestOf(content: Buffer, digest: Digest): string {
  if (digest === "sha256") return createHash("sha256").update(content).digest("hex");
  return crc32(content).toString(16).padStart(8, "0");
}

function writeSuperblock(image: Buffer): void {
  const frags = image.length / FSIZE;
  const fields: readonly (readonly [number, number])[] = [
    [8, 16], // fs_sblkno
    [12, 24], // fs_cblkno
    [16, IBLKNO],
    [20, DBLKNO],
    [24, 304], // fs_cgoffset
    [28, -1], // fs_cgmask
    [32, TIME],
    [36, frags],
    [40, frags - DBLKNO],
    [44, 1], // fs_ncg
    [48, BSIZE],
    [52, FSIZE],
    [56, FRAG],
    [72, -BSIZE],
    [76, -FSIZE],
    [80, 13],
    [84, 10],
    [88, 1], // fs_maxcontig
    [92, BSIZE / 4], // fs_maxbpg
    [96, 3], // fs_fragshift
    [100, 1], // fs_fsbtodb
    [104, 2048], // fs_sbsize
    [108, -512], // fs_csmask
    [112, 9], // fs_csshift
    [116, BSIZE / 4], // fs_nindir
    [120, BSIZE / 128], // fs_inopb
    [124, 2], // fs_nspf
    [132, 0x7c269d38 - TIME], // fs_state
    [152, DBLKNO], // fs_csaddr
    [156, 1024], // fs_cssize
    [160, 2048], // fs_cgsize
    [164, 1], // fs_ntrak
    [168, 600], // fs_nsect
    [172, 600], // fs_spc
    [176, Math.ceil((frags * 2) / 600)], // fs_ncyl
    [180, 200], // fs_cpg
    [184, IPG],
    [188, frags], // fs_fpg
    [1336, 600], // fs_npsect
    [1340, BSIZE - 1], // fs_qbmask
    [1348, FSIZE - 1], // fs_qfmask
    [1356, 1], // fs_postblformat
    [1360, 8], // fs_nrpos
    [1372, 0x00011954],
  ];
  for (const [offset, value] of fields) image.writeInt32LE(value, 8192 + offset);
  image.writeUInt8(1, 8192 + 209); // fs_clean
}
