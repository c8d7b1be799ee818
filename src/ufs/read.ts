// From a UFS image to a tree. Everything that illumos puts on such a disk can be seen: files with holes, both device
// encodings, ACLs and extended attributes, the log and the state. Nothing is loaded that is not asked for.

import { type Content, ImageError, readAll, readBytes, toText } from "../bytes/index.ts";
import { type Directory, joinPath, type NodeType, splitPath, typeOfMode } from "../tree/index.ts";
import { type AclEntry, aclEntries } from "./acl.ts";
import { type Addresses, addressesOf, fileContent } from "./file-content.ts";
import {
  FSACTIVE,
  FSBAD,
  FSCLEAN,
  FSFIX,
  FSLOG,
  FSOKAY,
  FSSTABLE,
  FSSUSPEND,
  IFATTRDIR,
  UFSROOTINO,
} from "./format.ts";
import { directoryLedger, readDirectory, type UfsDirectoryEntry } from "./read-directory.ts";
import { readTree } from "./read-tree.ts";
import type { Superblock } from "./superblock.ts";
import { type Dinode, openVolume, type Volume } from "./volume.ts";

/** What an inode has beside what a tree can hold. */
export interface UfsExtra {
  readonly path: string;
  readonly acl?: readonly AclEntry[] | undefined;
  /** Extended attributes by name. */
  readonly attributes?: ReadonlyMap<string, Content> | undefined;
}

/** fs_clean, where it may be believed, by its name in ufs_fs.h. */
export type UfsState = "active" | "clean" | "stable" | "bad" | "suspended" | "logging" | "fix" | "unknown";

export interface Ufs {
  readonly superblock: Superblock;
  readonly state: UfsState;
  /** Whether there is a log (fs_logbno): what it holds is not applied. */
  readonly hasLog: boolean;
  /** @throws ImageError "bad-format" when there is no such inode */
  dinode(inode: number): Promise<Dinode>;
  /** @throws ImageError "not-found"; "wrong-type" when something on the way is no directory. Links are not followed. */
  inodeOf(path: string): Promise<number>;
  /** Entries as stored, without "." and "..". */
  list(path: string): Promise<UfsDirectoryEntry[]>;
  /**
   * Bytes of a regular file.
   * @throws ImageError "truncated" when they are not all there; "wrong-type"; as `inodeOf`
   */
  read(path: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The whole tree; contents are read when they are asked for. */
  tree(): Promise<Directory>;
  /** ACLs and extended attributes, in walking order of the inodes that have some. */
  extras(): Promise<UfsExtra[]>;
}

export interface OpenUfsOptions {
  /** Sector of the superblock: 16, or that of a copy where the first one is damaged. */
  readonly superblock?: number | undefined;
}

/**
 * Opens a UFS image.
 * @throws ImageError "bad-format", "truncated"; "unsupported" for other kinds of UFS, which are named
 */
export async function openUfs(image: Content, options: OpenUfsOptions = {}): Promise<Ufs> {
  const volume = await openVolume(image, options.superblock);
  const addresses = addressesOf(volume);
  const { sb } = volume;
  const mustBe = async (path: string, type: NodeType): Promise<Dinode> => {
    const inode = await volume.dinode(await inodeOf(path));
    if (typeOfMode(inode.ic_smode) === type) return inode;
    throw new ImageError("wrong-type", `${toText(path)}: is not a ${type}`, { path });
  };
  const inodeOf = async (path: string): Promise<number> => {
    let inode = UFSROOTINO;
    let at = "/";
    for (const name of splitPath(path)) {
      const parent = await volume.dinode(inode);
      if (typeOfMode(parent.ic_smode) !== "directory") {
        throw new ImageError("wrong-type", `${toText(at)}: is not a directory`, { path: at });
      }
      const found = (await readDirectory(volume, addresses, parent, at)).find((entry) => entry.name === name);
      at = joinPath(at, name);
      if (found === undefined) throw new ImageError("not-found", `${toText(at)}: no such path`, { path: at });
      inode = found.inode;
    }
    return inode;
  };
  return {
    superblock: sb,
    state: stateOf(sb),
    hasLog: sb.fs_logbno !== 0,
    dinode: volume.dinode,
    inodeOf,
    list: async (path) => readDirectory(volume, addresses, await mustBe(path, "directory"), path),
    async read(path, offset, length) {
      const content = await fileContent(volume, addresses, await mustBe(path, "file"), path);
      return readBytes(content, offset, length);
    },
    tree: () => readTree(volume, addresses),
    async extras() {
      const extras: UfsExtra[] = [];
      for await (const { path, inode, isFirst } of traverse(volume, addresses)) {
        if (!isFirst || (inode.ic_shadow === 0 && inode.ic_oeftflag === 0)) continue;
        const acl = inode.ic_shadow === 0 ? undefined : await readAcl(volume, addresses, inode.ic_shadow, path);
        const attributes =
          inode.ic_oeftflag === 0 ? undefined : await readAttributes(volume, addresses, inode.ic_oeftflag, path);
        extras.push({ path, acl, attributes });
      }
      return extras;
    },
  };
}

const STATES: ReadonlyMap<number, UfsState> = new Map([
  [FSACTIVE, "active"],
  [FSCLEAN, "clean"],
  [FSSTABLE, "stable"],
  [FSBAD, "bad"],
  [FSSUSPEND, "suspended"],
  [FSLOG, "logging"],
  [FSFIX, "fix"],
]);

export function stateOf(sb: Superblock): UfsState {
  return ((sb.fs_state + sb.fs_time) | 0) === FSOKAY ? (STATES.get(sb.fs_clean) ?? "unknown") : "active";
}

export interface Traversed {
  readonly path: string;
  readonly number: number;
  readonly inode: Dinode;
  /** Whether this is the first of the inode's names. */
  readonly isFirst: boolean;
  /** Of directories: how many of the next visits are its own entries. */
  readonly entries: readonly UfsDirectoryEntry[] | undefined;
}

/**
 * Every path with its inode, parents before children, names in bytewise order.
 * @throws ImageError "bad-format" when directories are damaged, have two names, or claim more than the image holds
 */
export async function* traverse(volume: Volume, addresses: Addresses): AsyncGenerator<Traversed> {
  const seen = new Set<number>();
  const enter = directoryLedger(volume);
  const pending: { path: string; number: number }[] = [{ path: "/", number: UFSROOTINO }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { path, number } = next;
    const inode = await volume.dinode(number);
    const isFirst = !seen.has(number);
    seen.add(number);
    const type = typeOfMode(inode.ic_smode);
    if (type === undefined) {
      throw new ImageError("bad-format", `${toText(path)}: inode ${number} has mode ${octal(inode.ic_smode)}`, {
        path,
      });
    }
    if (number === UFSROOTINO && type !== "directory") {
      throw new ImageError("bad-format", "the root inode is not a directory", { path });
    }
    let entries: UfsDirectoryEntry[] | undefined;
    if (type === "directory") {
      enter(number, inode.ic_lsize, path);
      entries = (await readDirectory(volume, addresses, inode, path)).sort((a, b) => (a.name < b.name ? -1 : 1));
      for (let i = entries.length - 1; i >= 0; i--) {
        const { name, inode: child } = entries[i] as UfsDirectoryEntry; // 0 <= i < length
        pending.push({ path: joinPath(path, name), number: child });
      }
    }
    yield { path, number, inode, isFirst, entries };
  }
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}

async function readAcl(volume: Volume, addresses: Addresses, shadow: number, path: string): Promise<AclEntry[]> {
  const content = await fileContent(volume, addresses, await volume.dinode(shadow), path);
  return aclEntries(await readAll(content, volume.image.sizeBytes));
}

async function readAttributes(
  volume: Volume,
  addresses: Addresses,
  number: number,
  path: string,
): Promise<ReadonlyMap<string, Content>> {
  const inode = await volume.dinode(number);
  if ((inode.ic_smode & 0o170000) !== IFATTRDIR) {
    throw new ImageError("bad-format", `${toText(path)}: inode ${number} is not a directory of attributes`, { path });
  }
  const attributes = new Map<string, Content>();
  for (const entry of await readDirectory(volume, addresses, inode, path)) {
    attributes.set(entry.name, await fileContent(volume, addresses, await volume.dinode(entry.inode), path));
  }
  return attributes;
}
