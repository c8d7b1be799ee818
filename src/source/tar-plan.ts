// A tree as a tar archive: ustar headers, with a pax extended header before those that do not fit (POSIX.1-2017 pax).
// Names in bytewise order, no clock, no user names: the same tree gives the same bytes.

import { bytesOf, memoryContent, roundUp } from "../bytes/index.ts";
import { type Extent, extent, type Layout, makeLayout } from "../layout/index.ts";
import { type Directory, type Node, type NodeType, walk } from "../tree/index.ts";
import { TAR_BLOCK_BYTES, TAR_RECORD_BYTES, type TarHeader, tarHeader, USTAR_MAGIC } from "./format-tar.ts";
import { sourceError } from "./source.ts";
import { formatPaxRecords, type PaxRecord } from "./tar-pax.ts";

const TYPEFLAGS: Readonly<Record<NodeType, string>> = {
  file: "0",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
  socket: "", // tar has none
};

const { name: NAME, prefix: PREFIX, uid: ID, size: NUMBER } = tarHeader.fields;
/** The largest numbers that octal digits hold in the short and in the long number fields. */
const MAX_OCTAL_ID: number = 8 ** (ID.type.sizeBytes - 1) - 1;
const MAX_OCTAL_NUMBER: number = 8 ** (NUMBER.type.sizeBytes - 1) - 1;

/**
 * The archive of a tree, root included ("./"). The second and later names of an inode are hard links to the first.
 * @throws ImageError "unsupported" on sockets, which tar cannot hold; "limit" on device numbers above 21 bits
 */
export function planTar(tree: Directory): Layout {
  const extents: Extent[] = [];
  const firstNames = new Map<Node, string>();
  let offset = 0;
  const place = (next: Extent): void => {
    extents.push(next);
    offset = roundUp(next.offset + next.length, TAR_BLOCK_BYTES);
  };
  for (const { path, node } of walk(tree)) {
    // "./" before every name, as `tar -c .` has it: bsdtar takes "a:" at the very front for a drive letter.
    const name = path === "/" ? "./" : `.${path}${node.type === "directory" ? "/" : ""}`;
    const firstName = firstNames.get(node);
    const headers = headerBlocks(name, node, path, firstName);
    place(extent(offset, { what: "header", path }, memoryContent(headers)));
    if (firstName !== undefined) continue;
    if (node.type !== "directory") firstNames.set(node, name);
    if (node.type === "file" && node.content.sizeBytes > 0) place(extent(offset, { what: "data", path }, node.content));
  }
  // The end mark: two blocks of zeros.
  return makeLayout(roundUp(offset + 2 * TAR_BLOCK_BYTES, TAR_RECORD_BYTES), extents);
}

function headerBlocks(name: string, node: Node, path: string, firstName: string | undefined): Uint8Array {
  if (node.type === "socket") throw sourceError("unsupported", path, "a socket; tar archives cannot hold sockets");
  const records: PaxRecord[] = [];
  const fitting = (keyword: string, value: number, limit: number): number => {
    if (value >= 0 && value <= limit) return value;
    records.push([keyword, String(value)]);
    return 0;
  };
  const linkname = firstName ?? (node.type === "symlink" ? node.target : "");
  const split = splitName(name);
  if (split === undefined) records.push(["path", name]);
  if (linkname.length > NAME.type.sizeBytes) records.push(["linkpath", linkname]);
  const header: Partial<TarHeader> = {
    name: split?.name ?? name.slice(0, NAME.type.sizeBytes),
    prefix: split?.prefix ?? "",
    mode: node.mode,
    uid: fitting("uid", node.uid, MAX_OCTAL_ID),
    gid: fitting("gid", node.gid, MAX_OCTAL_ID),
    size:
      firstName === undefined && node.type === "file" ? fitting("size", node.content.sizeBytes, MAX_OCTAL_NUMBER) : 0,
    mtime: fitting("mtime", node.mtimeSeconds, MAX_OCTAL_NUMBER),
    typeflag: firstName === undefined ? TYPEFLAGS[node.type] : "1",
    linkname: linkname.slice(0, NAME.type.sizeBytes),
    devmajor: node.type === "character" || node.type === "block" ? node.major : 0,
    devminor: node.type === "character" || node.type === "block" ? node.minor : 0,
  };
  if (records.length === 0) return sealed(header);
  // Without this record a pax reader may take names for UTF-8; with it, bytes are bytes.
  if (records.some(([, value]) => /[\x80-\xff]/.test(value))) records.unshift(["hdrcharset", "BINARY"]);
  const body = bytesOf(formatPaxRecords(records));
  const extended = sealed({
    name: `PaxHeaders/${name.replace(/\/$/, "").slice(-80)}`,
    mode: 0o644,
    mtime: header.mtime ?? 0,
    size: body.length,
    typeflag: "x",
  });
  const blocks = new Uint8Array(extended.length + roundUp(body.length, TAR_BLOCK_BYTES) + TAR_BLOCK_BYTES);
  blocks.set(extended);
  blocks.set(body, extended.length);
  blocks.set(sealed(header), blocks.length - TAR_BLOCK_BYTES);
  return blocks;
}

/** A header block with magic and checksum. */
function sealed(header: Partial<TarHeader>): Uint8Array {
  const block = new Uint8Array(TAR_BLOCK_BYTES);
  tarHeader.encode({ ...header, magic: USTAR_MAGIC }, block);
  const { offset, type } = tarHeader.fields.chksum;
  block.fill(0x20, offset, offset + type.sizeBytes);
  tarHeader.patch({ chksum: block.reduce((sum, byte) => sum + byte, 0) }, block);
  return block;
}

/** A name in the two fields, or undefined when it fits at no slash. */
function splitName(name: string): { name: string; prefix: string } | undefined {
  const nameLimit = NAME.type.sizeBytes;
  if (name.length <= nameLimit) return { name, prefix: "" };
  // The first slash that leaves few enough bytes behind it; a directory's own trailing slash is no place to split.
  const slash = name.indexOf("/", name.length - nameLimit - 1);
  if (slash <= 0 || slash > PREFIX.type.sizeBytes || slash === name.length - 1) return undefined;
  return { name: name.slice(slash + 1), prefix: name.slice(0, slash) };
}
