// The members of a tar archive, one after the other: V7, ustar, pax (POSIX.1-2017), GNU and what Solaris' tar adds
// (illumos usr/src/cmd/tar/tar.c). Only headers are read; of a member's content its place in the archive is told.

import { byteStringToNul, type Content, ImageError, sliceContent } from "../bytes/index.ts";
import { TAR_BLOCK_BYTES, type TarHeader, tarHeader, USTAR_MAGIC } from "./format-tar.ts";
import { sourceError, type Warnings } from "./source.ts";
import { applyPaxRecords, parsePaxRecords, paxNumber } from "./tar-pax.ts";
import { parsePaxMap, readOldGnuMap, readPaxMapInData, sparseContent } from "./tar-sparse.ts";
import type { WindowReader } from "./window.ts";

export interface TarArchive {
  readonly content: Content;
  readonly reader: WindowReader;
  readonly warnings: Warnings;
}

export interface TarMember {
  readonly header: TarHeader;
  /** Where the header is in the archive; what it heads follows it. */
  readonly headerOffset: number;
  /** What the extended headers say, by keyword. */
  readonly pax: ReadonlyMap<string, string>;
  readonly path: string;
  readonly linkpath: string;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  readonly mtimeSeconds: number;
  readonly devmajor: number;
  readonly devminor: number;
  /** The bytes of the file; empty for members that have none. */
  readonly content: Content;
  /** Where the next member begins. */
  readonly next: number;
}

/** Extended headers of one member are read into memory: more than this are none (tar programs write some KiB). */
const MAX_EXTENSION_BYTES = 1 << 20;

/** Members that a tree does not hold, by type. */
const SKIPPED: ReadonlyMap<string, readonly ["member-skipped" | "attributes-dropped", string]> = new Map([
  ["V", ["member-skipped", "a volume label was left out"]],
  ["N", ["member-skipped", "a list of long names of old GNU tar was left out"]],
  ["A", ["attributes-dropped", "an access control list was left out"]],
  ["E", ["attributes-dropped", "an extended attribute was left out"]], // header and attribute are both of this type
]);

/** Links, devices, directories and fifos: their size, if any, says nothing about the archive. */
const NO_CONTENT: ReadonlySet<string> = new Set(["2", "3", "4", "5", "6"]);

/** Extended keywords that say something about a tree (the rest would only cost memory). */
const KEYWORDS =
  /^(path|linkpath|size|uid|gid|uname|gname|mtime|comment|(SCHILY|SUN)\.dev(major|minor)|SCHILY\.realsize|GNU\.sparse\..*)$/;
const DROPPED_KEYWORDS = /^(SCHILY\.(xattr|acl|fflags)|LIBARCHIVE\.xattr|RHT\.security|SUN\.attr)/;

/**
 * Every member in order, up to the end mark or the end of the archive.
 * @throws ImageError "bad-format", "truncated", "unsupported", "limit"
 */
export async function* tarMembers(archive: TarArchive): AsyncGenerator<TarMember> {
  const global = new Map<string, string>();
  for (let offset = 0; ; ) {
    const member = await readTarMember(archive, offset, global);
    if (member === undefined) return;
    yield member;
    offset = member.next;
  }
}

/** The member whose headers begin at `offset`; undefined at the archive's end. `global` holds what global headers said. */
export async function readTarMember(
  archive: TarArchive,
  offset: number,
  global: Map<string, string> = new Map(),
): Promise<TarMember | undefined> {
  let local = new Map<string, string>();
  let extensionBytes = 0;
  for (let at = offset; ; ) {
    const header = await readHeader(archive, at);
    if (header === undefined) return undefined;
    const { typeflag, size, name } = header;
    const dataOffset = at + TAR_BLOCK_BYTES;
    const readExtension = async (): Promise<Uint8Array> => {
      extensionBytes += size;
      if (extensionBytes > MAX_EXTENSION_BYTES) {
        throw sourceError(
          "limit",
          name,
          `an extended header of ${size} bytes; ${MAX_EXTENSION_BYTES} are read at most`,
        );
      }
      return archive.reader.bytes(dataOffset, size);
    };
    const skipped = SKIPPED.get(typeflag);
    if (typeflag === "x" || typeflag === "X" || typeflag === "g") {
      const records = parsePaxRecords(await readExtension(), name);
      if (records.some(([keyword]) => DROPPED_KEYWORDS.test(keyword))) {
        archive.warnings.add("attributes-dropped", name, "extended attributes were left out", "pax");
      }
      const known = records.filter(([keyword]) => KEYWORDS.test(keyword));
      applyPaxRecords(typeflag === "g" ? global : local, known);
    } else if (typeflag === "L" || typeflag === "K") {
      local.set(typeflag === "L" ? "path" : "linkpath", byteStringToNul(await readExtension()));
    } else if (skipped) {
      archive.warnings.add(skipped[0], name, skipped[1], typeflag);
      if (typeflag !== "A") local = new Map(); // what was said so far was about this member
    } else if (typeflag === "M") {
      throw sourceError("unsupported", name, "begins on another volume: join the volumes of the archive first");
    } else {
      return describe(archive, header, at, new Map([...global, ...local]));
    }
    at = dataOffset + padded(size);
  }
}

/** The header at `offset`, checked; undefined for a block of zeros or nothing at all: the end. */
async function readHeader({ reader, warnings }: TarArchive, offset: number): Promise<TarHeader | undefined> {
  const left = reader.sizeBytes - offset;
  if (left <= 0) return undefined;
  if (left < TAR_BLOCK_BYTES) {
    if ((await reader.bytes(offset, left)).every((byte) => byte === 0)) return undefined;
    throw new ImageError("truncated", `the tar archive ends inside a header at byte ${offset}`);
  }
  const block = await reader.bytes(offset, TAR_BLOCK_BYTES);
  if (block.every((byte) => byte === 0)) {
    await checkEnd(reader, warnings, offset + TAR_BLOCK_BYTES);
    return undefined;
  }
  if (!hasTarChecksum(block)) {
    throw new ImageError("bad-format", `no tar header at byte ${offset}: its checksum is wrong`, { field: "chksum" });
  }
  const header = tarHeader.decode(block);
  for (const field of ["mode", "uid", "gid", "size", "mtime"] as const) {
    const value = header[field];
    if (Number.isSafeInteger(value) && (value >= 0 || field === "mtime")) continue;
    throw new ImageError("bad-format", `the ${field} of the tar header at byte ${offset} is no number in range`, {
      field,
    });
  }
  return header;
}

/** Members after the end mark (archives that were joined with cat) are not read by any tar unless asked; say so. */
async function checkEnd(reader: WindowReader, warnings: Warnings, offset: number): Promise<void> {
  if (offset + TAR_BLOCK_BYTES > reader.sizeBytes) return;
  if (hasTarChecksum(await reader.bytes(offset, TAR_BLOCK_BYTES))) {
    warnings.add("trailing-data", "end of the archive", `more members follow the end mark at byte ${offset}; not read`);
  }
}

/** Whether a block's checksum is right: the sum of unsigned bytes, or of signed ones as old Sun tars wrote. */
export function hasTarChecksum(block: Uint8Array): boolean {
  if (block.length < TAR_BLOCK_BYTES) return false;
  const { offset, type } = tarHeader.fields.chksum;
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < TAR_BLOCK_BYTES; i++) {
    const byte = i >= offset && i < offset + type.sizeBytes ? 0x20 : (block[i] ?? 0);
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 0x100;
  }
  const chksum = type.read(new DataView(block.buffer, block.byteOffset, TAR_BLOCK_BYTES), offset);
  return chksum === unsigned || chksum === signed;
}

const padded = (sizeBytes: number): number => Math.ceil(sizeBytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;

/** Puts together what the header and the extended headers say. */
async function describe(
  archive: TarArchive,
  header: TarHeader,
  headerOffset: number,
  pax: ReadonlyMap<string, string>,
): Promise<TarMember> {
  const fullName = header.magic === USTAR_MAGIC && header.prefix ? `${header.prefix}/${header.name}` : header.name;
  const path = pax.get("GNU.sparse.name") || pax.get("path") || fullName;
  const number = (keyword: string, otherwise: number): number => {
    const value = pax.get(keyword);
    return value ? paxNumber(value, keyword, path) : otherwise;
  };
  const natural = (keyword: string, otherwise: number): number => {
    const value = number(keyword, otherwise);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw sourceError("bad-format", path, `${keyword} is ${value}, out of range`);
  };

  const dataOffset = headerOffset + TAR_BLOCK_BYTES;
  const storedBytes = await contentBytes(archive.reader, header, dataOffset, natural("size", header.size));
  const dataEnd = dataOffset + storedBytes;
  if (dataEnd > archive.content.sizeBytes) {
    const missing = dataEnd - archive.content.sizeBytes;
    throw sourceError("truncated", path, `its ${storedBytes} bytes reach ${missing} beyond the end of the archive`);
  }
  const sparse = await sparseFile(archive, header, headerOffset, dataEnd, pax, path);
  return {
    header,
    headerOffset,
    pax,
    path,
    linkpath: pax.get("linkpath") || header.linkname,
    uid: natural("uid", header.uid),
    gid: natural("gid", header.gid),
    uname: pax.get("uname") ?? header.uname,
    gname: pax.get("gname") ?? header.gname,
    mtimeSeconds: number("mtime", header.mtime),
    devmajor: natural("SUN.devmajor", natural("SCHILY.devmajor", header.devmajor || 0)),
    devminor: natural("SUN.devminor", natural("SCHILY.devminor", header.devminor || 0)),
    content: sparse?.content ?? sliceContent(archive.content, dataOffset, storedBytes),
    next: padded(Math.max(sparse?.end ?? 0, dataEnd) - dataOffset) + dataOffset,
  };
}

/** How many bytes follow the header. */
async function contentBytes(
  reader: WindowReader,
  { typeflag }: TarHeader,
  dataOffset: number,
  size: number,
): Promise<number> {
  if (NO_CONTENT.has(typeflag)) return 0;
  // Hard links: pax lets them carry the content again, older tars state a size and write none. What follows decides.
  if (typeflag === "1" && size > 0 && dataOffset + TAR_BLOCK_BYTES <= reader.sizeBytes) {
    if (hasTarChecksum(await reader.bytes(dataOffset, TAR_BLOCK_BYTES))) return 0;
  }
  return size;
}

/** The file with its holes, when the member is a sparse one; and where its data begins. */
async function sparseFile(
  archive: TarArchive,
  header: TarHeader,
  headerOffset: number,
  dataEnd: number,
  pax: ReadonlyMap<string, string>,
  path: string,
): Promise<{ content: Content; end: number } | undefined> {
  const { content, reader } = archive;
  const dataOffset = headerOffset + TAR_BLOCK_BYTES;
  const realSize = (keywords: readonly string[], otherwise: number): number => {
    const keyword = keywords.find((candidate) => pax.has(candidate));
    const value = keyword === undefined ? otherwise : paxNumber(pax.get(keyword) ?? "", keyword, path);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw sourceError("bad-format", path, "the size of the sparse file is out of range");
  };
  if (header.typeflag === "S") {
    const { map, realSizeBytes } = await readOldGnuMap(reader, headerOffset, path);
    // Here the size counts the data alone: the blocks with the map come before.
    const end = dataEnd + (map.dataOffset - dataOffset);
    if (end > content.sizeBytes) throw sourceError("truncated", path, "its data reaches beyond the end of the archive");
    const size = realSize(["GNU.sparse.realsize", "SCHILY.realsize"], realSizeBytes);
    return { content: sparseContent(content, map, end, size, path), end };
  }
  const text = pax.get("GNU.sparse.map");
  const map =
    pax.get("GNU.sparse.major") === "1"
      ? await readPaxMapInData(reader, dataOffset, dataEnd, path)
      : text !== undefined
        ? parsePaxMap(text, dataOffset, path)
        : undefined;
  if (map === undefined) return undefined;
  const size = realSize(["GNU.sparse.realsize", "GNU.sparse.size"], dataEnd - map.dataOffset);
  return { content: sparseContent(content, map, dataEnd, size, path), end: dataEnd };
}
