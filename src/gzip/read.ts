// Reading gzip files: the header of a member, and random access to the uncompressed bytes of any gzip file in bounded memory.

import { byteString, type Content, ImageError, readBytes } from "../bytes/index.ts";
import { CM_DEFLATE, FCOMMENT, FEXTRA, FHCRC, FLG_RESERVED, FNAME, header, ID, trailer } from "./format.ts";
import { createInflater, type InflatePosition, type Inflater, startPosition } from "./inflate.ts";

export interface GzipHeader {
  readonly flags: number;
  readonly mtimeSeconds: number;
  /** FNAME and FCOMMENT, byte strings. */
  readonly name: string | undefined;
  readonly comment: string | undefined;
  /** The CRC-16 that the header holds (FHCRC). */
  readonly crc16: number | undefined;
  /** Length of the header: the deflate data begin here. */
  readonly sizeBytes: number;
}

/** Whether bytes look like the start of a gzip file (the test that boot loaders make). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 3 && bytes[0] === (ID & 0xff) && bytes[1] === ID >>> 8 && bytes[2] === CM_DEFLATE;
}

const MAX_HEADER_BYTES = 1 << 18;

/**
 * The header of the member that begins at `offset`.
 * @throws ImageError "bad-format", "truncated", "unsupported" (method other than deflate, reserved flags), "limit" (a name
 *   without end)
 */
export async function readGzipHeader(content: Content, offset = 0): Promise<GzipHeader> {
  const bytes = await readBytes(content, offset, Math.min(Math.max(0, content.sizeBytes - offset), MAX_HEADER_BYTES));
  const { ID: id, CM, FLG, MTIME } = header.decode(bytes);
  if (id !== ID) throw new ImageError("bad-format", `no gzip member at byte ${offset}: it does not begin with 1f 8b`);
  if (CM !== CM_DEFLATE)
    throw new ImageError("unsupported", `gzip: compression method ${CM} is not deflate (8)`, { field: "CM" });
  if (FLG & FLG_RESERVED) {
    throw new ImageError("unsupported", `gzip: reserved flags are set (0x${FLG.toString(16)})`, { field: "FLG" });
  }
  let at = header.sizeBytes;
  const need = (count: number): void => {
    if (at + count <= bytes.length) return;
    if (offset + bytes.length === content.sizeBytes) throw new ImageError("truncated", "gzip: the header does not end");
    throw new ImageError("limit", `gzip: the header is larger than ${MAX_HEADER_BYTES} bytes`);
  };
  const takeU16 = (): number => {
    need(2);
    at += 2;
    return (bytes[at - 2] ?? 0) | ((bytes[at - 1] ?? 0) << 8);
  };
  const takeString = (): string => {
    const from = at;
    const nul = bytes.indexOf(0, from);
    need((nul === -1 ? bytes.length : nul) + 1 - from);
    at = nul + 1;
    return byteString(bytes, from, nul);
  };
  if (FLG & FEXTRA) {
    const length = takeU16();
    need(length);
    at += length;
  }
  const name = FLG & FNAME ? takeString() : undefined;
  const comment = FLG & FCOMMENT ? takeString() : undefined;
  const crc16 = FLG & FHCRC ? takeU16() : undefined;
  return { flags: FLG, mtimeSeconds: MTIME, name, comment, crc16, sizeBytes: at };
}

/** The uncompressed size as the file's last four bytes have it (ISIZE): what boot loaders go by. */
export async function readIsize(content: Content): Promise<number> {
  const end = Math.max(0, content.sizeBytes - trailer.sizeBytes);
  return trailer.decode(await readBytes(content, end, Math.min(trailer.sizeBytes, content.sizeBytes))).ISIZE;
}

/** Places to take inflating up from are kept at most this many: a window of 32 KiB each. */
const MAX_POSITIONS = 512;
const MIN_POSITION_SPACING_BYTES = 1 << 20;
const CHUNK_BYTES = 1 << 18;
const MAX_CHUNKS = 64;

/**
 * The uncompressed bytes of the first member, ISIZE of them. Memory: at most 16 MiB of places to begin at (made on the first
 * way through) and 16 MiB of uncompressed chunks. Going back costs inflating from the place before, at most ISIZE / 512 or 1 MiB.
 * @throws ImageError as readGzipHeader; reading throws "bad-format" or "truncated" where the data are damaged or fewer than ISIZE.
 *   Neither ISIZE nor the CRC are checked against all of the data: that takes a full pass (checkGzip).
 */
export async function gunzipContent(content: Content): Promise<Content> {
  const { sizeBytes: dataOffset } = await readGzipHeader(content);
  const sizeBytes = await readIsize(content);
  const spacing = Math.max(
    MIN_POSITION_SPACING_BYTES,
    CHUNK_BYTES * Math.ceil(sizeBytes / MAX_POSITIONS / CHUNK_BYTES),
  );
  const positions: InflatePosition[] = [startPosition(dataOffset)]; // index: outputOffset / spacing
  const chunks = new Map<number, Uint8Array>(); // least recently used first
  let cursor: Inflater = createInflater(content, startPosition(dataOffset));
  let lastRead: Promise<unknown> = Promise.resolve();

  /** Inflates the chunk that comes next. */
  async function nextChunk(): Promise<Uint8Array> {
    const offset = cursor.outputOffset;
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, sizeBytes - offset));
    const length = await cursor.read(chunk);
    if (length < chunk.length) {
      throw new ImageError(
        "truncated",
        `gzip: the data end after ${offset + length} bytes, the trailer says ${sizeBytes}`,
        {
          field: "ISIZE",
        },
      );
    }
    if (cursor.outputOffset === positions.length * spacing) positions.push(cursor.position());
    chunks.delete(offset);
    chunks.set(offset, chunk);
    const oldest = chunks.keys().next();
    if (chunks.size > MAX_CHUNKS && !oldest.done) chunks.delete(oldest.value);
    return chunk;
  }

  async function chunkAt(offset: number): Promise<Uint8Array> {
    const known = chunks.get(offset);
    if (known) {
      chunks.delete(offset);
      chunks.set(offset, known);
      return known;
    }
    const nearest = positions[Math.min(positions.length - 1, Math.floor(offset / spacing))];
    try {
      if (nearest && (cursor.outputOffset > offset || cursor.outputOffset < nearest.outputOffset)) {
        cursor = createInflater(content, nearest);
      }
      while (cursor.outputOffset < offset) await nextChunk();
      return await nextChunk();
    } catch (error) {
      cursor = createInflater(content, startPosition(dataOffset)); // one that failed stands somewhere in between
      throw error;
    }
  }

  async function read(target: Uint8Array, offset: number): Promise<void> {
    for (let done = 0; done < target.length; ) {
      const at = offset + done;
      const from = at % CHUNK_BYTES;
      const piece = (await chunkAt(at - from)).subarray(from, from + target.length - done);
      target.set(piece, done);
      done += piece.length;
    }
  }

  return {
    sizeBytes,
    read(target, offset) {
      if (offset < 0 || offset + target.length > sizeBytes) {
        const asked = `bytes ${offset}..${offset + target.length}`;
        return Promise.reject(new ImageError("truncated", `gzip: ${asked} are beyond the ${sizeBytes} that there are`));
      }
      const reading = lastRead.then(() => read(target, offset)); // one at a time: there is one cursor
      lastRead = reading.catch(() => {});
      return reading;
    },
  };
}
