// File names are bytes, not text. Inside the project a name is a JS string with one character a byte
// (U+0000..U+00FF): it sorts bytewise with `<`, compares exactly and loses nothing. Only printing decodes UTF-8.

import { ImageError } from "./errors.ts";

/** The byte string of `bytes[start..end)`. (TextDecoder("latin1") would be wrong: it means windows-1252.) */
export function byteString(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = "";
  for (let from = start; from < end; from += 4096) {
    // apply takes anything with a length, and a third of the time that spreading takes.
    const codes = bytes.subarray(from, Math.min(from + 4096, end)) as unknown as number[];
    text += String.fromCharCode.apply(null, codes);
  }
  return text;
}

/** The byte string up to the first NUL, or all of `bytes[start..end)` if there is none. */
export function byteStringToNul(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  const nul = bytes.subarray(0, end).indexOf(0, start);
  return byteString(bytes, start, nul === -1 ? end : nul);
}

/** Writes the bytes of a byte string to `target` at `offset`. */
export function writeByteString(name: string, target: Uint8Array, offset = 0): void {
  for (let i = 0; i < name.length; i++) target[offset + i] = name.charCodeAt(i);
}

/**
 * The bytes of a byte string.
 * @throws ImageError "invalid-argument" when a character is above U+00FF: then it is text; use `fromText` first
 */
export function bytesOf(name: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(name.length);
  for (let i = 0; i < name.length; i++) {
    const byte = name.charCodeAt(i);
    if (byte > 0xff) throw new ImageError("invalid-argument", `"${name}" is text, not a byte string`);
    bytes[i] = byte;
  }
  return bytes;
}

/** Text (as typed by a user) to the byte string of its UTF-8 form. */
export function fromText(text: string): string {
  return byteString(new TextEncoder().encode(text));
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Byte string to text for people: UTF-8 where it is valid, else `\xNN` for each byte outside ASCII.
 * Control characters are always escaped: a file name must not be able to move a terminal's cursor.
 */
export function toText(name: string): string {
  if (/^[\x20-\x7e]*$/.test(name)) return name;
  let text: string;
  try {
    text = strictUtf8.decode(bytesOf(name));
  } catch {
    text = name.replace(/[\x80-\xff]/g, hexEscape);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, hexEscape);
}

function hexEscape(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** Bytewise order, for Array.sort. */
export function compareByteStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
