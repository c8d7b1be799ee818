// Random access to the plain bytes of a big gzip file with zlib, which can neither be left nor taken up again in the middle
// and is three times as fast as what can (src/gzip). On the first way through, the data are divided into segments that begin on
// borders of deflate blocks; of each the 32 KiB before it are kept, so that it can be inflated by itself, on any thread.

import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { type Content, ImageError, readBytes } from "../bytes/index.ts";
import { likelyBorders } from "../gzip/block-borders.ts";
import { checkGzip } from "../gzip/check.ts";
import { DEFLATE_WINDOW_BYTES, trailer } from "../gzip/format.ts";
import { LEAD_BYTES, leadIn } from "../gzip/lead-in.ts";
import { gunzipContent, isGzip, readGzipHeader, readIsize } from "../gzip/read.ts";
import { firstExtentAt } from "../layout/index.ts";
import type { Decompressed, Packed, UnpackCache } from "../source/index.ts";
import { errnoOf } from "./host-errors.ts";
import { continueCrc32, createZlibInflater } from "./zlib-inflater.ts";

/** Plain bytes of a segment: enough to be worth a thread, few enough to have many at hand. */
const SEGMENT_BYTES = 1 << 20;
/** Their windows take 32 MiB; of larger files the segments are larger. */
const MAX_SEGMENTS = 1024;
/** What data of sane programs stay below. Others are left to src/gzip, which needs the same memory for any data. */
const MAX_PLAIN_BYTES = 32 << 20;
const MAX_PACKED_BYTES = 8 << 20;
const MIN_PACKED_BYTES = 1 << 15;
/** Packed bytes behind a border without which inflating from there proves nothing. */
const PROOF_BYTES = 1 << 10;
/** Packed bytes in which a border is looked for, and how many candidates are tried. */
const SEARCH_BYTES = 1 << 17;
const MAX_CANDIDATES = 64;

interface Border {
  /** In the file. */
  readonly bit: number;
  /** Of the plain bytes. */
  readonly offset: number;
  /** The up to 32 KiB of plain bytes before. */
  readonly window: Uint8Array;
}

interface Segment extends Border, Packed {
  /** sizeBytes, by the name that ranges have for it. */
  readonly length: number;
  /** The byte of the file behind the last that it needs. */
  readonly end: number;
}

interface InflateOptions extends zlib.ZlibOptions {
  readonly info: true;
}
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}
type Inflate<Result> = (bytes: Uint8Array, options: InflateOptions) => Result;
const inflateRaw = promisify(zlib.inflateRaw) as unknown as Inflate<Promise<Inflated>>;
const inflateRawSync = zlib.inflateRawSync as unknown as Inflate<Inflated>;

/** All plain bytes that the packed ones give; the data may go on behind them. */
const whateverThereIs = (window: Uint8Array, maxOutputLength: number): zlib.ZlibOptions => ({
  finishFlush: zlib.constants.Z_SYNC_FLUSH,
  maxOutputLength,
  ...(window.length > 0 && { dictionary: window }),
});

/**
 * The plain bytes of a gzip file of any number of members. `sizeBytes` is what the last trailer says, modulo 2^32; `whole` gives
 * what is right, and `plain` itself only when nothing that was read of it before was wrong. Reading throws ImageError "bad-format" and "truncated" as that of gunzipContent.
 */
export async function segmentedGunzip(
  content: Content,
  cache: UnpackCache,
  segmentBytes: number = SEGMENT_BYTES,
): Promise<Decompressed> {
  const { sizeBytes: headerBytes } = await readGzipHeader(content);
  const statedBytes = await readIsize(content);
  const wantedBytes = Math.max(segmentBytes, Math.ceil(statedBytes / MAX_SEGMENTS));
  const segments: Segment[] = [];
  let next: Border | undefined = { bit: headerBytes * 8, offset: 0, window: new Uint8Array(0) };
  let member = { offset: 0, crc: 0 };
  let packedBytes = clampPacked(wantedBytes * (content.sizeBytes / Math.max(1, statedBytes)));
  let room = new Uint8Array(0);
  /** Packed bytes that were too many to be inflated at once, from the border at hand. */
  let tooMuchBytes = Number.POSITIVE_INFINITY;
  /** Takes over when these data are not what is expected here, and says what is wrong with them, if something is. */
  let other: Promise<Content> | undefined;

  /** One more segment, or a larger try at one; false when these data are unlike what is expected here. */
  async function extend(border: Border): Promise<boolean> {
    const from = Math.floor(border.bit / 8);
    const roomBytes = LEAD_BYTES + Math.min(packedBytes, content.sizeBytes - from);
    if (room.length < roomBytes) room = new Uint8Array(roomBytes);
    const packed = room.subarray(LEAD_BYTES, roomBytes);
    await content.read(packed, from);
    const bytes = leadIn(room.subarray(0, roomBytes), border.bit % 8);
    // On this thread: nothing can go on before this is known.
    const { buffer, engine } = inflateRawSync(bytes, {
      ...whateverThereIs(border.window, MAX_PLAIN_BYTES),
      info: true,
      chunkSize: wantedBytes + (wantedBytes >>> 2),
    });
    if (engine.bytesWritten < bytes.length) {
      const end = from + packed.length - (bytes.length - engine.bytesWritten);
      add(border, end, buffer);
      packedBytes = clampPacked(Math.min(packedBytes, 2 * (end - from)));
      next = await beginMember(end);
      return true;
    }
    const found = from + packed.length < content.sizeBytes ? provenBorder(packed, border, buffer) : undefined;
    if (found === undefined) {
      if (packed.length >= Math.min(MAX_PACKED_BYTES, content.sizeBytes - from)) return false;
      if (packedBytes * 2 >= tooMuchBytes) return false;
      packedBytes = clampPacked(packedBytes * 2);
      return true;
    }
    add(border, Math.ceil(found.bit / 8), buffer.subarray(0, found.offset - border.offset));
    packedBytes = clampPacked((wantedBytes / buffer.length) * packed.length);
    next = found;
    return true;
  }

  function add(border: Border, end: number, bytes: Uint8Array): void {
    member.crc = continueCrc32(bytes, member.crc);
    tooMuchBytes = Number.POSITIVE_INFINITY;
    if (bytes.length === 0) return;
    const segment: Segment = { ...border, end, sizeBytes: bytes.length, length: bytes.length };
    segments.push(segment);
    void cache.whole(segment, async () => bytes);
  }

  /** Checks the trailer at `end`; what follows it is another member, or nothing that counts (gzip ignores it too). */
  async function beginMember(end: number): Promise<Border | undefined> {
    const { CRC32, ISIZE } = trailer.decode(await readBytes(content, end, trailer.sizeBytes));
    const offset = indexedBytes();
    if (CRC32 !== member.crc || ISIZE !== (offset - member.offset) % 2 ** 32) {
      giveUp();
      return undefined;
    }
    const at = end + trailer.sizeBytes;
    if (!isGzip(await readBytes(content, at, Math.min(3, content.sizeBytes - at)))) return undefined;
    member = { offset, crc: 0 };
    return { bit: (at + (await readGzipHeader(content, at)).sizeBytes) * 8, offset, window: new Uint8Array(0) };
  }

  function giveUp(): void {
    segments.length = 0;
    other = gunzipContent(content);
  }

  function indexedBytes(): number {
    const last = segments.at(-1);
    return last ? last.offset + last.sizeBytes : 0;
  }

  let indexing: Promise<unknown> = Promise.resolve();
  /** Segments up to `end`, or all there are. */
  function index(end: number): Promise<void> {
    const reached = indexing.then(async () => {
      while (next !== undefined && other === undefined && indexedBytes() < end) await extendOrGiveUp(next);
    });
    indexing = reached.catch(() => {});
    return reached;
  }

  async function extendOrGiveUp(border: Border): Promise<void> {
    try {
      if (!(await extend(border))) giveUp();
    } catch (error) {
      if (isTooLarge(error) && packedBytes > MIN_PACKED_BYTES) {
        tooMuchBytes = packedBytes;
        packedBytes = clampPacked(packedBytes / 2);
      } else if (isZlibError(error)) giveUp();
      else throw error;
    }
  }

  async function bytesOf(segment: Segment): Promise<Uint8Array> {
    const from = Math.floor(segment.bit / 8);
    const packed = new Uint8Array(LEAD_BYTES + segment.end - from);
    await content.read(packed.subarray(LEAD_BYTES), from);
    const { buffer } = await inflateRaw(leadIn(packed, segment.bit % 8), {
      ...whateverThereIs(segment.window, MAX_PLAIN_BYTES),
      info: true,
      chunkSize: segment.sizeBytes + 1,
    });
    if (buffer.length >= segment.sizeBytes) return buffer;
    throw new ImageError("input-changed", "gzip: the file changed while it was read");
  }

  async function read(target: Uint8Array, offset: number): Promise<void> {
    const end = offset + target.length;
    if (indexedBytes() < end) await index(end);
    for (let at = offset; at < end; ) {
      const segment = segments[firstExtentAt({ extents: segments }, at)];
      if (segment === undefined) {
        if (other) return (await other).read(target.subarray(at - offset), at);
        throw new ImageError("truncated", `gzip: the data end after ${indexedBytes()} bytes, not ${end}`);
      }
      const bytes = await cache.whole(segment, () => bytesOf(segment));
      const piece = bytes.subarray(at - segment.offset, Math.min(end - segment.offset, segment.sizeBytes));
      target.set(piece, at - offset);
      at += piece.length;
    }
  }

  const plain: Decompressed = {
    sizeBytes: statedBytes,
    read,
    async whole() {
      await index(Number.POSITIVE_INFINITY);
      if (other === undefined) return indexedBytes() === statedBytes ? plain : { sizeBytes: indexedBytes(), read };
      const { findings } = await checkGzip(content, { createInflater: createZlibInflater, crc32: continueCrc32 });
      const error = findings.find(({ severity }) => severity === "error");
      if (error) throw new ImageError(error.code === "truncated" ? "truncated" : "bad-format", error.message);
      return { sizeBytes: statedBytes, read };
    },
  };
  return plain;
}

/** The last border in `packed` that can be proved: inflating from it gives the end of `plain`, what all of `packed` gives. */
function provenBorder(packed: Uint8Array, from: Border, plain: Uint8Array): Border | undefined {
  const last = (packed.length - PROOF_BYTES) * 8;
  const first = Math.max(from.bit % 8, last - SEARCH_BYTES * 8) + 1;
  let candidates = 0;
  for (const bit of likelyBorders(packed, first, last)) {
    if (++candidates > MAX_CANDIDATES) return undefined;
    const tail = new Uint8Array(LEAD_BYTES + packed.length - (bit >>> 3));
    tail.set(packed.subarray(bit >>> 3), LEAD_BYTES);
    const bytes = leadIn(tail, bit % 8);
    // What is before the border decides which bytes come behind it, but not how many.
    const sizeBytes = attempt(bytes, NO_WINDOW, plain.length)?.length;
    if (sizeBytes === undefined || sizeBytes === plain.length) continue;
    const at = plain.length - sizeBytes;
    const window = windowBefore(plain, at, from.window);
    if (attempt(bytes, window, plain.length)?.equals(plain.subarray(at))) {
      return { bit: from.bit - (from.bit % 8) + bit, offset: from.offset + at, window };
    }
  }
  return undefined;
}

const NO_WINDOW: Uint8Array = new Uint8Array(DEFLATE_WINDOW_BYTES);

function attempt(bytes: Uint8Array, window: Uint8Array, limit: number): Buffer | undefined {
  try {
    return zlib.inflateRawSync(bytes, whateverThereIs(window, limit));
  } catch {
    return undefined;
  }
}

/** The 32 KiB before plain[at], of which some may be in the window before `plain`. */
function windowBefore(plain: Uint8Array, at: number, before: Uint8Array): Uint8Array {
  const kept = before.subarray(Math.max(0, Math.min(before.length, before.length + at - DEFLATE_WINDOW_BYTES)));
  const added = plain.subarray(Math.max(0, at - DEFLATE_WINDOW_BYTES), at);
  const window = new Uint8Array(kept.length + added.length); // a copy: `plain` is not to live as long
  window.set(kept);
  window.set(added, kept.length);
  return window;
}

const clampPacked = (bytes: number): number =>
  Math.round(Math.min(MAX_PACKED_BYTES, Math.max(MIN_PACKED_BYTES, bytes)));

const isTooLarge = (error: unknown): boolean => errnoOf(error) === "ERR_BUFFER_TOO_LARGE";
const isZlibError = (error: unknown): boolean => isTooLarge(error) || (errnoOf(error) ?? "").startsWith("Z_");
