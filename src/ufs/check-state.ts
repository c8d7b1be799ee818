// What the phases of a check tell each other: the state of every inode, who uses which frag, names and links.

import { ImageError, toText } from "../bytes/index.ts";
import { joinPath, S_IFMT } from "../tree/index.ts";
import type { Report } from "./findings.ts";
import { IFATTRDIR, IFSHAD, UFSROOTINO } from "./format.ts";
import { readId } from "./inode.ts";
import type { Dinode, Volume } from "./volume.ts";

export const UNALLOCATED = 0;
export const FILE = 1;
export const DIRECTORY = 2;
export const SHADOW = 3;
/** Mask of the four above. */
export const KIND = 3;
/** The inode is beyond use (DUP, BAD, zero length): what follows from that is not reported again. */
export const BAD = 4;
/** ic_nlink is 0 or less. */
export const ZERO_LINKS = 8;

export interface CheckedDirectory {
  readonly inode: number;
  readonly dinode: Dinode;
  readonly isAttributes: boolean;
  /** Entries for this directory. */
  readonly links: { readonly parent: number; readonly name: string }[];
  /** Where the first ".." leads, wherever it stands. */
  above: number;
  /** The directory that has the right one of `links`; 0 while none is known. */
  parent: number;
  /** What ".." says where it belongs; 0: nothing. */
  dotdot: number;
  isFound: boolean;
}

export interface CheckState {
  readonly volume: Volume;
  readonly report: Report;
  readonly inodes: number;
  /** By inode: kind and flags. */
  readonly states: Uint8Array;
  /** By inode: ic_nlink less the names and references found. */
  readonly links: Int32Array;
  readonly nlink: Int16Array;
  /** Bit set: frag in use. */
  readonly used: Uint8Array;
  readonly directories: Map<number, CheckedDirectory>;
  /** Inodes with an ACL, by that ACL's inode; and files with attributes, by their directory. */
  readonly shadowClients: Map<number, number[]>;
  readonly attributeClients: Map<number, number[]>;
  /** Directories with blocks missing. */
  readonly holes: number[];
  readonly shadows: { readonly inode: number; readonly dinode: Dinode }[];
  /** By inode: a directory in which it has a name, and the name. */
  readonly nameParents: Int32Array;
  readonly names: (string | undefined)[];
  /** Frags that two claimed: by whom, as far as reported. */
  readonly duplicates: Map<number, Set<number>>;
  files: number;
  usedFrags: number;
  largeFiles: number;
  /** Blocks that may still be gone through although others have them too: damaged images must not take for ever. */
  patience: number;
}

/** The check keeps eleven bytes for each: more would not fit into memory. */
const MAX_INODES = 2 ** 27;

/** @throws ImageError "limit" */
export function checkState(volume: Volume, report: Report): CheckState {
  const { sb } = volume;
  const inodes = sb.fs_ncg * sb.fs_ipg;
  if (inodes > MAX_INODES) {
    throw new ImageError("limit", `${inodes} inodes are too many: up to ${MAX_INODES} can be checked`);
  }
  return {
    volume,
    report,
    inodes,
    states: new Uint8Array(inodes),
    links: new Int32Array(inodes),
    nlink: new Int16Array(inodes),
    used: new Uint8Array((sb.fs_size >> 3) + 1),
    directories: new Map(),
    shadowClients: new Map(),
    attributeClients: new Map(),
    holes: [],
    shadows: [],
    nameParents: new Int32Array(inodes),
    names: [],
    duplicates: new Map(),
    files: 0,
    usedFrags: 0,
    largeFiles: 0,
    patience: 4 * Math.ceil(volume.image.sizeBytes / sb.fs_bsize),
  };
}

export function kindOf(state: CheckState, inode: number): number {
  return (state.states[inode] ?? UNALLOCATED) & KIND;
}

export function isMarked(state: CheckState, inode: number, flag: number): boolean {
  return ((state.states[inode] ?? 0) & flag) !== 0;
}

export function mark(state: CheckState, inode: number, flag: number): void {
  state.states[inode] = (state.states[inode] ?? 0) | flag;
}

export function addLinks(state: CheckState, inode: number, count: number): void {
  state.links[inode] = (state.links[inode] ?? 0) + count;
}

export function isUsed(state: CheckState, frag: number): boolean {
  return ((state.used[frag >> 3] ?? 0) & (1 << (frag & 7))) !== 0;
}

export function setUsed(state: CheckState, frag: number): void {
  state.used[frag >> 3] = (state.used[frag >> 3] ?? 0) | (1 << (frag & 7));
  state.usedFrags++;
}

/** A path of an inode, as far as names are known; "?" stands for what is not. */
export function pathOf(state: CheckState, inode: number): string | undefined {
  const names: string[] = [];
  for (let at = inode; at !== UFSROOTINO; at = state.nameParents[at] ?? 0) {
    const name = state.names[at];
    if (name === undefined || names.length > 1024) return undefined;
    names.push(name);
  }
  return names.reverse().reduce(joinPath, "/");
}

/** The path for a message. */
export function shownPath(state: CheckState, inode: number): string {
  return toText(pathOf(state, inode) ?? "?");
}

/** What fsck calls an inode of this mode. */
export function kindName(mode: number): string {
  const type = mode & S_IFMT;
  if (type === 0o040000) return "DIR";
  if (type === IFATTRDIR) return "ATTR DIR";
  return type === IFSHAD ? "ACL" : "FILE";
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** fsck's lines about an inode, in one; the time in UTC. */
export function inodeText(inode: number, dinode: Dinode): string {
  const time = new Date(dinode.ic_mtime * 1000);
  const pad = (value: number, fill: string): string => String(value).padStart(2, fill);
  const clock = `${pad(time.getUTCHours(), "0")}:${pad(time.getUTCMinutes(), "0")}`;
  const date = `${MONTHS[time.getUTCMonth()]} ${pad(time.getUTCDate(), " ")} ${clock} ${time.getUTCFullYear()}`;
  const owner = readId(dinode.ic_suid, dinode.ic_uid);
  return `I=${inode}  OWNER=${owner} MODE=${dinode.ic_smode.toString(8)} SIZE=${dinode.ic_lsize} MTIME=${date}`;
}
