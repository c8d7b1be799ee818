// What lies at an offset of an image: which structure, which field, which value, by which clause; and if what lies there is
// an image itself, the same of that one.

import { ImageError, readBytes, toText } from "../bytes/index.ts";
import { header, trailer } from "../gzip/index.ts";
import { tarHeader } from "../source/format-tar.ts";
import { collectWarnings } from "../source/source.ts";
import { hasTarChecksum, tarMembers } from "../source/tar-members.ts";
import { windowReader } from "../source/window.ts";
import type { ArchiveLayer, GzipLayer, Layer } from "./layer.ts";
import { locateDisk } from "./locate-disk.ts";
import { locateFat } from "./locate-fat.ts";
import { locateIso } from "./locate-iso.ts";
import { locateUfs } from "./locate-ufs.ts";
import { type Located, structureAt } from "./located.ts";
import { openImage } from "./open.ts";
import { recognize } from "./recognize.ts";

export interface Dumped extends Omit<Located, "inner"> {
  /** What the offset is in. */
  readonly layer: string;
  readonly offset: number;
  /** Bytes from a multiple of 16 at or before the offset on. */
  readonly bytes: Uint8Array;
  readonly bytesOffset: number;
  /** The same offset in the image that lies there. */
  readonly inner?: Dumped | undefined;
}

const DEFAULT_LENGTH = 64;
const LINE_BYTES = 16;
const MAX_LENGTH = 1 << 20;
const MAX_NESTING = 8;

/**
 * @param name of the layer, for people
 * @param lengthBytes how many bytes to show from the offset on
 * @throws ImageError "invalid-argument" for an offset beyond the end; what reading the layer throws
 */
export async function dumpAt(
  layer: Layer,
  name: string,
  offset: number,
  lengthBytes: number = DEFAULT_LENGTH,
): Promise<Dumped> {
  return dumpNested(layer, name, offset, Math.min(lengthBytes, MAX_LENGTH), 0);
}

async function dumpNested(
  layer: Layer,
  name: string,
  offset: number,
  lengthBytes: number,
  depth: number,
): Promise<Dumped> {
  const { content, title } = layer;
  if (content === undefined) throw new ImageError("wrong-type", `${name}: is a directory and has no bytes of its own`);
  if (!Number.isSafeInteger(offset) || offset < 0 || offset >= content.sizeBytes) {
    throw new ImageError("invalid-argument", `offset ${offset}: ${name} ends at ${content.sizeBytes}`);
  }
  const { inner, ...located } = await locatedIn(layer, offset);
  const bytesOffset = offset - (offset % LINE_BYTES);
  const length = Math.min(content.sizeBytes - bytesOffset, offset - bytesOffset + lengthBytes);
  const bytes = await readBytes(content, bytesOffset, length);
  const dumped: Dumped = { ...located, layer: `${name}: ${title}`, offset, bytes, bytesOffset };
  if (inner === undefined || depth >= MAX_NESTING || inner.offset >= inner.content.sizeBytes) return dumped;
  try {
    if ((await recognize(inner.content)) === "plain") return dumped;
    const nested = await openImage(inner.content, layer.host);
    return { ...dumped, inner: await dumpNested(nested, toText(inner.name), inner.offset, lengthBytes, depth + 1) };
  } catch (error) {
    // What is there is too damaged to say more.
    if (error instanceof ImageError && error.code !== "interrupted") return dumped;
    throw error;
  }
}

async function locatedIn(layer: Layer, offset: number): Promise<Located> {
  switch (layer.kind) {
    case "iso":
      return locateIso(layer, offset);
    case "ufs":
      return locateUfs(layer, offset);
    case "fat":
      return locateFat(layer, offset);
    case "disk":
      return locateDisk(layer, offset);
    case "gzip":
      return locateGzip(layer, offset);
    case "archive":
      return locateArchive(layer, offset);
    default:
      return { what: "data", structures: [] };
  }
}

async function locateGzip({ content, header: read }: GzipLayer, offset: number): Promise<Located> {
  const end = content.sizeBytes - trailer.sizeBytes;
  if (offset < read.sizeBytes)
    return { what: "gzip header", structures: [await structureAt(content, header, "gzip header", 0)] };
  if (offset >= end)
    return { what: "gzip trailer", structures: [await structureAt(content, trailer, "gzip trailer", end)] };
  return { what: "deflate data", structures: [] };
}

/** In a tar the header before the offset; other archives are not taken apart. */
async function locateArchive({ content }: ArchiveLayer, offset: number): Promise<Located> {
  const archive = { content, reader: windowReader(content), warnings: collectWarnings() };
  let at = 0;
  if (!hasTarChecksum(await readBytes(content, 0, Math.min(content.sizeBytes, tarHeader.sizeBytes)))) {
    return { what: "archive", structures: [] };
  }
  for await (const { path, next } of tarMembers(archive)) {
    if (offset < next) {
      const title = `member ${toText(path)}`;
      // Extended headers come before the member's own.
      const isHeader = hasTarChecksum(await readBytes(content, offset - (offset % 512), tarHeader.sizeBytes));
      const structures = isHeader ? [await structureAt(content, tarHeader, "tar header", offset - (offset % 512))] : [];
      return { what: isHeader ? `header of ${title}` : `data of ${title}`, structures };
    }
    at = next;
  }
  return { what: at <= offset ? "end of the archive" : "archive", structures: [] };
}
