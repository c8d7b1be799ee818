// The file tree in memory. It is immutable: edits return a new tree (draft.ts). Two names of one inode (hard links)
// are two entries that hold the same object; identity of the object is identity of the inode.

import type { Content } from "../bytes/index.ts";

export interface Attributes {
  /** Permission, set-id and sticky bits only: 0..0o7777. The type is in `type`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970-01-01T00:00:00Z, whole (tar and ISO 9660 know no more; a fraction would not survive a copy). */
  readonly mtimeSeconds: number;
}

export interface Directory extends Attributes {
  readonly type: "directory";
  /** By name, a byte string: 1..255 bytes, no "/" and no NUL, not "." or "..". */
  readonly entries: ReadonlyMap<string, Node>;
}

export interface File extends Attributes {
  readonly type: "file";
  readonly content: Content;
}

export interface Symlink extends Attributes {
  readonly type: "symlink";
  /** A byte string, stored verbatim. */
  readonly target: string;
}

export interface Device extends Attributes {
  readonly type: "character" | "block";
  readonly major: number;
  readonly minor: number;
}

export interface Special extends Attributes {
  readonly type: "fifo" | "socket";
}

export type Node = Directory | File | Symlink | Device | Special;
export type NodeType = Node["type"];

export const S_IFMT = 0o170000;

/** File type bits of st_mode (the same in UFS inodes, Rock Ridge PX and cpio). */
export const TYPE_BITS: Readonly<Record<NodeType, number>> = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
};

const TYPE_BY_BITS: ReadonlyMap<number, NodeType> = new Map(
  Object.entries(TYPE_BITS).map(([type, bits]) => [bits, type as NodeType]),
);

/** The node type that st_mode's type bits stand for; undefined for bits that are none of POSIX' seven. */
export function typeOfMode(mode: number): NodeType | undefined {
  return TYPE_BY_BITS.get(mode & S_IFMT);
}

/** st_mode: type and permission bits. */
export function modeWithType(node: Node): number {
  return TYPE_BITS[node.type] | node.mode;
}

export const ROOT_OWNED = { uid: 0, gid: 0 } as const;

// Written out, since trees have ten thousands of these: spreading takes several times as long.
export function directory(attributes: Attributes, entries: ReadonlyMap<string, Node> = new Map()): Directory {
  const { mode, uid, gid, mtimeSeconds } = attributes;
  return { type: "directory", mode, uid, gid, mtimeSeconds, entries };
}

export function file({ mode, uid, gid, mtimeSeconds }: Attributes, content: Content): File {
  return { type: "file", mode, uid, gid, mtimeSeconds, content };
}

export function symlink({ mode, uid, gid, mtimeSeconds }: Attributes, target: string): Symlink {
  return { type: "symlink", mode, uid, gid, mtimeSeconds, target };
}

export function device(attributes: Attributes, type: "character" | "block", major: number, minor: number): Device {
  return { type, ...pickAttributes(attributes), major, minor };
}

export function special(attributes: Attributes, type: "fifo" | "socket"): Special {
  return { type, ...pickAttributes(attributes) };
}

/** Only the attributes, so that a node may be passed where attributes are wanted. */
export function pickAttributes({ mode, uid, gid, mtimeSeconds }: Attributes): Attributes {
  return { mode, uid, gid, mtimeSeconds };
}
