// The tree of a UFS image. It has ten thousands of inodes, and whoever lists it wants a few fields of each: those are read where
// they lie, and what a file's content needs is read when the content is asked for.

import { byteString, type Content, divideUp, ImageError, i32, readAll, toText } from "../bytes/index.ts";
import {
  type Attributes,
  type Directory,
  device,
  directory,
  file,
  joinPath,
  type Node,
  type NodeType,
  special,
  symlink,
  typeOfMode,
} from "../tree/index.ts";
import { type Addresses, fileContent, isDataRange, mayHaveHoles } from "./file-content.ts";
import { dinode, UFS_MAXOFFSET_T, UFSROOTINO } from "./format.ts";
import { decodeDevice, readId } from "./inode.ts";
import { directoryEntries, directoryLedger, readDirectory, type UfsDirectoryEntry } from "./read-directory.ts";
import type { InodeBytes, Volume } from "./volume.ts";

/** @throws ImageError "bad-format" when directories or inodes are damaged; what reading the image throws */
export async function readTree(volume: Volume, addresses: Addresses): Promise<Directory> {
  const enter = directoryLedger(volume);
  const leaves = new Map<number, Node>(); // by inode: a second name is the same node
  // What is read of directories and links is not kept: one buffer does for all, where ten thousands of them would keep the
  // garbage collector busy for longer than everything else takes.
  const scratch = new Uint8Array(volume.sb.fs_bsize);
  const pending: { readonly path: string; readonly at: InodeBytes; readonly entries: Map<string, Node> }[] = [];

  /** A directory that is still to be filled. */
  const begin = (at: InodeBytes, number: number, path: string): Directory => {
    enter(number, sizeOf(at), path);
    const entries = new Map<string, Node>();
    pending.push({ path, at, entries });
    return directory(attributesOf(at), entries);
  };

  const first = await volume.inodeBytes(UFSROOTINO);
  if (typeOf(first) !== "directory") {
    throw new ImageError("bad-format", "the root inode is not a directory", { path: "/" });
  }
  const root = begin(first, UFSROOTINO, "/");
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const { name, inode: number } of await entriesOf(volume, addresses, next.at, next.path, scratch)) {
      const known = leaves.get(number);
      if (known !== undefined) {
        next.entries.set(name, known);
        continue;
      }
      const path = joinPath(next.path, name);
      const at = volume.knownInodeBytes(number) ?? (await volume.inodeBytes(number));
      if (typeOf(at) === "directory") next.entries.set(name, begin(at, number, path));
      else {
        const leaf =
          plainFile(volume, addresses, at, number, path) ?? (await otherLeaf(volume, addresses, at, path, scratch));
        leaves.set(number, leaf);
        next.entries.set(name, leaf);
      }
    }
  }
  return root;
}

async function entriesOf(
  volume: Volume,
  addresses: Addresses,
  at: InodeBytes,
  path: string,
  scratch: Uint8Array,
): Promise<UfsDirectoryEntry[]> {
  const bytes = await oneBlock(volume, at, scratch);
  const entries = bytes
    ? directoryEntries(volume, bytes, 0, path)
    : await readDirectory(volume, addresses, dinode.decode(at.bytes, at.offset), path);
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The bytes of an inode that has one block or less, as most directories and links do, in `scratch`; undefined for all others. */
async function oneBlock({ sb, image }: Volume, at: InodeBytes, scratch: Uint8Array): Promise<Uint8Array | undefined> {
  const sizeBytes = sizeOf(at);
  const frag = i32.read(at.view, at.offset + ic_db.offset); // the first of twelve
  if (sizeBytes === 0 || sizeBytes > sb.fs_bsize || !isDataRange(sb, frag, divideUp(sizeBytes, sb.fs_fsize))) {
    return undefined;
  }
  const offset = frag * sb.fs_fsize;
  if (offset + sizeBytes > image.sizeBytes) return undefined;
  const bytes = scratch.subarray(0, sizeBytes);
  await image.read(bytes, offset);
  return bytes;
}

const { ic_smode, ic_suid, ic_sgid, ic_lsize, ic_mtime, ic_db, ic_blocks, ic_uid, ic_gid } = dinode.fields;

function typeOf({ view, offset }: InodeBytes): NodeType | undefined {
  return typeOfMode(ic_smode.type.read(view, offset + ic_smode.offset));
}

function sizeOf({ view, offset }: InodeBytes): number {
  return ic_lsize.type.read(view, offset + ic_lsize.offset);
}

function attributesOf({ view, offset }: InodeBytes): Attributes {
  return {
    mode: ic_smode.type.read(view, offset + ic_smode.offset) & 0o7777,
    uid: readId(ic_suid.type.read(view, offset + ic_suid.offset), ic_uid.type.read(view, offset + ic_uid.offset)),
    gid: readId(ic_sgid.type.read(view, offset + ic_sgid.offset), ic_gid.type.read(view, offset + ic_gid.offset)),
    mtimeSeconds: ic_mtime.type.read(view, offset + ic_mtime.offset),
  };
}

/** A file without holes, which most are; undefined for anything else. */
function plainFile(
  volume: Volume,
  addresses: Addresses,
  at: InodeBytes,
  number: number,
  path: string,
): Node | undefined {
  if (typeOf(at) !== "file") return undefined;
  const sizeBytes = sizeOf(at);
  const sectors = ic_blocks.type.read(at.view, at.offset + ic_blocks.offset);
  if (sizeBytes > UFS_MAXOFFSET_T || mayHaveHoles(volume.sb, sizeBytes, sectors)) return undefined;
  let opened: Promise<Content> | undefined;
  const open = async (): Promise<Content> => fileContent(volume, addresses, await volume.dinode(number), path);
  const content: Content = {
    sizeBytes,
    async read(target, offset) {
      opened ??= open();
      await (await opened).read(target, offset);
    },
  };
  return file(attributesOf(at), content);
}

async function otherLeaf(
  volume: Volume,
  addresses: Addresses,
  at: InodeBytes,
  path: string,
  scratch: Uint8Array,
): Promise<Node> {
  const attributes = attributesOf(at);
  const target = typeOf(at) === "symlink" ? await oneBlock(volume, at, scratch) : undefined;
  if (target) return symlink(attributes, byteString(target));
  const inode = dinode.decode(at.bytes, at.offset);
  const type = typeOfMode(inode.ic_smode);
  switch (type) {
    case "file":
      return file(attributes, await fileContent(volume, addresses, inode, path));
    case "symlink": {
      const { fs_bsize } = volume.sb;
      if (inode.ic_lsize > fs_bsize) {
        throw new ImageError("bad-format", `${toText(path)}: a symbolic link of ${inode.ic_lsize} bytes`, { path });
      }
      return symlink(
        attributes,
        byteString(await readAll(await fileContent(volume, addresses, inode, path), fs_bsize)),
      );
    }
    case "character":
    case "block": {
      const { major, minor } = decodeDevice(inode.ic_db[1] ?? 0);
      return device(attributes, type, major, minor);
    }
    case "fifo":
    case "socket":
      return special(attributes, type);
    default:
      throw new ImageError("bad-format", `${toText(path)}: has mode 0${inode.ic_smode.toString(8)}`, { path });
  }
}
