// A zip archive as a tree: the central directory is read, members stay packed until they are read. A deflated member is
// given to the gzip reader with the header and trailer that a gzip file would have, so that there is one inflater.

import {
  byteString,
  type Content,
  ImageError,
  memoryContent,
  readAll,
  readBytes,
  sliceContent,
  toText,
} from "../bytes/index.ts";
import { CM_DEFLATE, ID as GZIP_ID, header as gzipHeader, trailer as gzipTrailer } from "../gzip/index.ts";
import { extent, layoutContent, makeLayout } from "../layout/index.ts";
import { type Attributes, directory, file, symlink, TYPE_BITS, typeOfMode } from "../tree/index.ts";
import {
  EXTRA,
  FLAG_ENCRYPTED,
  METHOD,
  SIGNATURE,
  SYSTEM_UNIX,
  zip64End,
  zip64Locator,
  zipCentralHeader,
  zipEnd,
  zipLocalHeader,
} from "./format-zip.ts";
import { collectWarnings, type Decompressor, type Source, sourceError } from "./source.ts";
import { MAX_NAME_BYTES, treeBuilder } from "./tree-builder.ts";
import { unpackCache, unpackedContent } from "./unpacked.ts";
import { crc32OfContent } from "./verified.ts";
import { windowReader } from "./window.ts";

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc32: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
  readonly localOffset: number;
  /** st_mode, or 0 when the archive does not come from Unix. */
  readonly unixMode: number;
  readonly mtimeSeconds: number;
  readonly uid: number;
  readonly gid: number;
}

interface CentralDirectory {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly entries: number;
}

/**
 * The tree in a zip archive.
 * @throws ImageError "bad-format", "truncated", "unsupported" (encrypted, other methods, several disks), "limit"
 */
export async function readZip(content: Content, gunzip: Decompressor): Promise<Source> {
  const warnings = collectWarnings();
  const builder = treeBuilder(warnings);
  const cache = unpackCache();
  for await (const entry of centralEntries(content, await findCentralDirectory(content))) {
    const { name, unixMode, sizeBytes, uid, gid, mtimeSeconds } = entry;
    const type = name.endsWith("/") ? "directory" : typeOfMode(unixMode || TYPE_BITS.file);
    const mode = unixMode === 0 ? (type === "directory" ? 0o755 : 0o644) : unixMode & 0o7777;
    const attributes: Attributes = { mode, uid, gid, mtimeSeconds };
    if (type === "directory") builder.put(name, directory(attributes));
    else {
      const open = () => openMember(content, entry, gunzip);
      const member = unpackedContent(cache, { path: name, text: toText(name) }, sizeBytes, open, async (plain) => {
        if ((await crc32OfContent(plain)) === entry.crc32) return;
        throw sourceError("bad-format", name, "its CRC is not the one in the zip archive: it is damaged");
      });
      if (type === "symlink") {
        // Targets are read now; were they allowed to be big, many entries could show one piece of data as theirs.
        if (entry.packedBytes > MAX_NAME_BYTES) throw sourceError("limit", name, "the target of the link is too long");
        builder.put(name, symlink(attributes, byteString(await readAll(member, MAX_NAME_BYTES))));
      } else builder.put(name, file(attributes, member));
    }
  }
  return { tree: builder.finish(), warnings: warnings.list() };
}

/** A comment of up to 65,535 bytes may stand behind the end record. */
const MAX_END_BYTES: number = zipEnd.sizeBytes + 0xffff;

async function findCentralDirectory(content: Content): Promise<CentralDirectory> {
  const tailBytes = Math.min(content.sizeBytes, MAX_END_BYTES);
  const tailOffset = content.sizeBytes - tailBytes;
  const tail = await readBytes(content, tailOffset, tailBytes);
  for (let at = tailBytes - zipEnd.sizeBytes; at >= 0; at--) {
    if (tail[at] !== 0x50 || tail[at + 1] !== 0x4b) continue;
    const end = zipEnd.decode(tail, at);
    if (end.signature !== SIGNATURE.end || at + zipEnd.sizeBytes + end.commentLength !== tailBytes) continue;
    if (end.disk !== 0 || end.centralDisk !== 0) {
      const whole = end.disk === 0xffff; // ZIP64 writers may fill all fields
      if (!whole) throw new ImageError("unsupported", "a zip archive of several disks: join it first");
    }
    const big = await findZip64(content, tailOffset + at);
    return checked(content, big ?? { offset: end.centralOffset, sizeBytes: end.centralSize, entries: end.entries });
  }
  throw new ImageError("bad-format", "no zip archive, or cut off: it has no end of central directory record");
}

async function findZip64(content: Content, endOffset: number): Promise<CentralDirectory | undefined> {
  const locatorOffset = endOffset - zip64Locator.sizeBytes;
  if (locatorOffset < 0) return undefined;
  const locator = zip64Locator.decode(await readBytes(content, locatorOffset, zip64Locator.sizeBytes));
  if (locator.signature !== SIGNATURE.locator64) return undefined;
  const end = zip64End.decode(await readBytes(content, locator.offset, zip64End.sizeBytes));
  if (end.signature !== SIGNATURE.end64)
    throw new ImageError("bad-format", "the ZIP64 record is not where it should be");
  return { offset: end.centralOffset, sizeBytes: end.centralSize, entries: end.entries };
}

function checked(content: Content, central: CentralDirectory): CentralDirectory {
  const { offset, sizeBytes, entries } = central;
  if (!(offset + sizeBytes <= content.sizeBytes) || entries * zipCentralHeader.sizeBytes > sizeBytes) {
    throw new ImageError("bad-format", `a central directory of ${entries} entries is not at byte ${offset}`);
  }
  return central;
}

async function* centralEntries(content: Content, central: CentralDirectory): AsyncGenerator<Entry> {
  const reader = windowReader(sliceContent(content, central.offset, central.sizeBytes));
  let at = 0;
  for (let i = 0; i < central.entries; i++) {
    const header = zipCentralHeader.decode(await reader.bytes(at, zipCentralHeader.sizeBytes));
    if (header.signature !== SIGNATURE.central) {
      throw new ImageError("bad-format", `entry ${i} of the zip archive's central directory is damaged`);
    }
    at += zipCentralHeader.sizeBytes;
    const { nameLength, extraLength, commentLength } = header;
    const rest = await reader.bytes(at, nameLength + extraLength);
    at += nameLength + extraLength + commentLength;
    const name = byteString(rest, 0, nameLength);
    const extra = readExtra(rest.subarray(nameLength), header, name);
    yield {
      name,
      method: header.method,
      encrypted: (header.flags & FLAG_ENCRYPTED) !== 0,
      crc32: header.crc32,
      unixMode: header.versionMadeBy >> 8 === SYSTEM_UNIX ? header.externalAttributes >>> 16 : 0,
      ...extra,
    };
  }
}

type CentralHeader = ReturnType<typeof zipCentralHeader.decode>;

/** What the extra fields say, else the header. */
function readExtra(
  extra: Uint8Array,
  header: CentralHeader,
  name: string,
): Pick<Entry, "packedBytes" | "sizeBytes" | "localOffset" | "mtimeSeconds" | "uid" | "gid"> {
  let { compressedSize: packedBytes, uncompressedSize: sizeBytes, localHeaderOffset: localOffset } = header;
  let mtimeSeconds = dosSeconds(header.date, header.time);
  let uid = 0;
  let gid = 0;
  const view = new DataView(extra.buffer, extra.byteOffset, extra.length);
  for (let at = 0; at + 4 <= extra.length; ) {
    const id = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    const data = at + 4;
    at = data + length;
    if (at > extra.length) break; // some writers leave garbage here
    if (id === EXTRA.zip64) {
      // Only those values are there whose field in the header is full, in this order.
      let next = data;
      const value = (inHeader: number): number => {
        if (inHeader !== 0xffffffff) return inHeader;
        if (next + 8 > at) throw sourceError("bad-format", name, "its ZIP64 extra field is too short");
        next += 8;
        return view.getUint32(next - 8, true) + view.getUint32(next - 4, true) * 2 ** 32;
      };
      sizeBytes = value(sizeBytes);
      packedBytes = value(packedBytes);
      localOffset = value(localOffset);
    } else if (id === EXTRA.timestamp && length >= 5 && (view.getUint8(data) & 1) !== 0) {
      mtimeSeconds = view.getInt32(data + 1, true);
    } else if (
      id === EXTRA.unixOwner &&
      length === 11 &&
      view.getUint8(data + 1) === 4 &&
      view.getUint8(data + 6) === 4
    ) {
      uid = view.getUint32(data + 2, true);
      gid = view.getUint32(data + 7, true);
    }
  }
  return { packedBytes, sizeBytes, localOffset, mtimeSeconds, uid, gid };
}

/** MS-DOS date and time know no time zone; taken as UTC, so that the result does not depend on where one is. */
function dosSeconds(date: number, time: number): number {
  const year = 1980 + (date >> 9);
  const month = Math.max(0, ((date >> 5) & 15) - 1);
  return Date.UTC(year, month, date & 31, time >> 11, (time >> 5) & 63, (time & 31) * 2) / 1000;
}

/** The plain bytes of a member. */
async function openMember(archive: Content, entry: Entry, gunzip: Decompressor): Promise<Content> {
  const { name, method, localOffset, packedBytes, sizeBytes } = entry;
  if (entry.encrypted) throw sourceError("unsupported", name, "is encrypted in the zip archive");
  const local = zipLocalHeader.decode(await readBytes(archive, localOffset, zipLocalHeader.sizeBytes));
  if (local.signature !== SIGNATURE.local) {
    throw sourceError("bad-format", name, "its local header is not where the central directory says");
  }
  const dataOffset = localOffset + zipLocalHeader.sizeBytes + local.nameLength + local.extraLength;
  if (dataOffset + packedBytes > archive.sizeBytes) {
    throw sourceError("truncated", name, `its ${packedBytes} bytes reach beyond the end of the archive`);
  }
  const data = sliceContent(archive, dataOffset, packedBytes);
  if (method === METHOD.deflated) return gunzip(asGzip(data, entry));
  if (method !== METHOD.stored) {
    const what = `is packed with zip method ${method}; stored and deflated are read: unzip it first`;
    throw sourceError("unsupported", name, what);
  }
  if (packedBytes !== sizeBytes) throw sourceError("bad-format", name, "is stored, but its two sizes differ");
  return data;
}

/** Deflated data with the header and trailer of RFC 1952 around it. */
function asGzip(data: Content, { crc32: crc, sizeBytes }: Entry): Content {
  const head = new Uint8Array(gzipHeader.sizeBytes);
  gzipHeader.encode({ ID: GZIP_ID, CM: CM_DEFLATE }, head);
  const tail = new Uint8Array(gzipTrailer.sizeBytes);
  gzipTrailer.encode({ CRC32: crc, ISIZE: sizeBytes % 2 ** 32 }, tail);
  const end = head.length + data.sizeBytes;
  return layoutContent(
    makeLayout(end + tail.length, [
      extent(0, { what: "header" }, memoryContent(head)),
      extent(head.length, { what: "data" }, data),
      extent(end, { what: "trailer" }, memoryContent(tail)),
    ]),
  );
}
