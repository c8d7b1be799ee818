// Bytes that can be read at any place, whatever they are: a file on disk, a file inside an image, an image on
// disk, an image that is only planned. Readers take a Content, trees hold Contents, layouts are Contents.

import { ImageError } from "./errors.ts";

export interface Content {
  readonly sizeBytes: number;
  /**
   * Fills all of `target` with the bytes from `offset` on. The caller guarantees
   * offset >= 0 and offset + target.length <= sizeBytes.
   * @throws ImageError "input-missing", "input-changed", "bad-format" … as the origin has it
   */
  read(target: Uint8Array, offset: number): Promise<void>;
  /** Where the data is, in order, when the rest is known to be zeros without reading it (sparse files). */
  readonly dataRanges?: readonly Range[] | undefined;
}

export interface Range {
  readonly offset: number;
  readonly length: number;
}

export function memoryContent(bytes: Uint8Array): Content {
  return {
    sizeBytes: bytes.length,
    async read(target, offset) {
      target.set(bytes.subarray(offset, offset + target.length));
    },
  };
}

/** The UTF-8 bytes of a text. */
export function textContent(text: string): Content {
  return memoryContent(new TextEncoder().encode(text));
}

/**
 * Bytes that are made when they are asked for. `encode` gets a zeroed buffer of exactly `sizeBytes`; it must write
 * the same bytes each time. A part is made by making the whole, so keep one of these under a few MiB.
 * @param of handed to `encode`: where there are ten thousands of these, one function for all takes a fraction of the memory
 */
export function encodedContent(sizeBytes: number, encode: (target: Uint8Array) => void): Content;
export function encodedContent<Of>(sizeBytes: number, encode: (target: Uint8Array, of: Of) => void, of: Of): Content;
export function encodedContent<Of>(sizeBytes: number, encode: (target: Uint8Array, of?: Of) => void, of?: Of): Content {
  return new EncodedContent(sizeBytes, encode, of);
}

class EncodedContent<Of> implements Content {
  readonly sizeBytes: number;
  readonly encode: (target: Uint8Array, of?: Of) => void;
  readonly of: Of | undefined;

  constructor(sizeBytes: number, encode: (target: Uint8Array, of?: Of) => void, of: Of | undefined) {
    this.sizeBytes = sizeBytes;
    this.encode = encode;
    this.of = of;
  }

  async read(target: Uint8Array, offset: number): Promise<void> {
    if (target.length === this.sizeBytes) {
      target.fill(0);
      this.encode(target, this.of);
      return;
    }
    const whole = new Uint8Array(this.sizeBytes);
    this.encode(whole, this.of);
    target.set(whole.subarray(offset, offset + target.length));
  }
}

/** A window onto another content. */
export function sliceContent(content: Content, offset: number, sizeBytes: number): Content {
  if (offset < 0 || sizeBytes < 0 || offset + sizeBytes > content.sizeBytes) {
    throw new ImageError("truncated", `bytes ${offset}..${offset + sizeBytes} of ${content.sizeBytes} are not there`);
  }
  return { sizeBytes, read: (target, at) => content.read(target, offset + at) };
}

/**
 * Reads `length` bytes at `offset` into a new buffer.
 * @throws ImageError "truncated" when they are not all there: checked before anything is allocated
 */
export async function readBytes(content: Content, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  if (offset < 0 || length < 0 || offset + length > content.sizeBytes) {
    throw new ImageError(
      "truncated",
      `wanted bytes ${offset}..${offset + length}, but there are only ${content.sizeBytes}`,
    );
  }
  const bytes = new Uint8Array(length);
  if (length > 0) await content.read(bytes, offset);
  return bytes;
}

/** All bytes; `limitBytes` guards against reading something huge into memory by mistake. */
export async function readAll(content: Content, limitBytes: number = 2 ** 30): Promise<Uint8Array<ArrayBuffer>> {
  if (content.sizeBytes > limitBytes) {
    throw new ImageError("limit", `${content.sizeBytes} bytes are more than the ${limitBytes} that are read at once`);
  }
  return readBytes(content, 0, content.sizeBytes);
}

/** The content as UTF-8 text (configuration files; bytes that are no UTF-8 become U+FFFD). */
export async function readText(content: Content, limitBytes: number = 2 ** 26): Promise<string> {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await readAll(content, limitBytes));
}
