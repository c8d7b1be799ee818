// Names on FAT: a long one in UTF-16 (up to 255 units, case kept, compared without case) and a short one of 8 + 3 bytes
// in upper case, which is the only one when the name is such. FAT 1.03, "Long File Name Implementation".

import { bytesOf, ImageError, toText } from "../bytes/index.ts";
import { MAX_LONG_NAME_UNITS, NAME_E5, NAME_FREE, NT_LOWER_CASE_BASE, NT_LOWER_CASE_EXTENSION } from "./format.ts";

const BASE_LENGTH = 8;
const EXTENSION_LENGTH = 3;
const SHORT_LENGTH: number = BASE_LENGTH + EXTENSION_LENGTH;
const MAX_TAIL = 999_999;

/** Characters that may stand in a short name as they are. */
const SHORT_CHARACTERS = /^[A-Z0-9$%'\-_@~`!(){}^#&]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are among the forbidden ones
const FORBIDDEN = /[\x00-\x1f"*/:<>?\\|]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are ASCII
const IS_ASCII = /^[\x00-\x7f]*$/;
const LONE_SURROGATE = /\p{Cs}/u;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text of a tree's name (a byte string, UTF-8).
 * @throws ImageError "limit" naming what FAT cannot hold
 */
export function longNameText(name: string, path: string): string {
  const fail = (why: string, remedy = "rename it") =>
    new ImageError("limit", `${toText(path)}: ${why}; ${remedy} or leave it out`, { path });
  let text: string;
  try {
    text = strictUtf8.decode(bytesOf(name));
  } catch {
    throw fail("the name is not UTF-8, and FAT stores names as Unicode");
  }
  if (text.length > MAX_LONG_NAME_UNITS) {
    throw fail(`the name is ${text.length} UTF-16 units long; FAT allows ${MAX_LONG_NAME_UNITS}`);
  }
  const forbidden = FORBIDDEN.exec(text)?.[0];
  if (forbidden !== undefined) throw fail(`the name holds ${JSON.stringify(forbidden)}, which FAT forbids`);
  if (/[. ]$/.test(text)) throw fail("the name ends with a dot or a space, which FAT drivers strip");
  return text;
}

/** Whether a name read from an image can be the name of a tree entry, and is one that FAT allows. */
export function isLongNameText(text: string): boolean {
  const wellFormed = !LONE_SURROGATE.test(text) && !FORBIDDEN.test(text);
  return wellFormed && text !== "" && text !== "." && text !== ".." && text.length <= MAX_LONG_NAME_UNITS;
}

/** Two names are one to FAT when this is equal. Simple case mapping, unit by unit, as FAT drivers do it. */
export function foldCase(text: string): string {
  if (IS_ASCII.test(text)) return text.toUpperCase();
  let folded = "";
  for (let i = 0; i < text.length; i++) {
    const unit = text.charAt(i);
    const upper = unit.toUpperCase();
    folded += upper.length === 1 ? upper : unit;
  }
  return folded;
}

/** DIR_Name without trailing padding of the whole, as the structure holds it: "README  TXT", "EFI". */
function packShortName(base: string, extension: string): string {
  return (base.padEnd(BASE_LENGTH) + extension).trimEnd();
}

/** The short name when the text is one by itself (upper case, 8.3): then no long name is stored. */
export function plainShortName(text: string): string | undefined {
  const [base = "", extension = "", ...more] = text.split(".");
  if (more.length > 0 || base === "" || text.endsWith(".")) return undefined;
  if (base.length > BASE_LENGTH || extension.length > EXTENSION_LENGTH) return undefined;
  return SHORT_CHARACTERS.test(base + extension) ? packShortName(base, extension) : undefined;
}

interface Basis {
  readonly base: string;
  readonly extension: string;
}

/**
 * The basis name of a long name, in upper-case ASCII: spaces, leading dots and, as Windows does, all dots but the last are
 * dropped; what has no place in a short name becomes "_".
 */
function basisOf(text: string): Basis {
  const stripped = foldCase(text).replaceAll(" ", "").replace(/^\.+/, "");
  const dot = stripped.lastIndexOf(".");
  const clean = (part: string) =>
    Array.from(part.replaceAll(".", ""), (character) => (SHORT_CHARACTERS.test(character) ? character : "_")).join("");
  return {
    base: clean(dot === -1 ? stripped : stripped.slice(0, dot)) || "_",
    extension: clean(dot === -1 ? "" : stripped.slice(dot + 1)).slice(0, EXTENSION_LENGTH),
  };
}

/**
 * Short names for the entries of one directory, in the given order. Names that are short ones (but for case) keep them;
 * the others get the first free `~N` (N from 1), counted for each basis.
 * @param texts long names, no two equal after foldCase
 * @throws ImageError "limit" when a million names share a basis
 */
export function assignShortNames(texts: readonly string[], path: string): string[] {
  const names = texts.map((text) => plainShortName(foldCase(text)));
  const taken = new Set(names);
  const nextTail = new Map<string, number>();
  return names.map((name, index) => {
    if (name !== undefined) return name;
    const { base, extension } = basisOf(texts[index] ?? "");
    const key = `${base.slice(0, BASE_LENGTH - 2)}.${extension}`;
    for (let tail = nextTail.get(key) ?? 1; tail <= MAX_TAIL; tail++) {
      const suffix = `~${tail}`;
      const alias = packShortName(base.slice(0, BASE_LENGTH - suffix.length) + suffix, extension);
      if (taken.has(alias)) continue;
      taken.add(alias);
      nextTail.set(key, tail + 1);
      return alias;
    }
    throw new ImageError("limit", `${toText(path)}: more than ${MAX_TAIL} names are alike in their first letters`, {
      path,
    });
  });
}

/** LDIR_Chksum: binds a long name to its short one. */
export function shortNameChecksum(shortName: string): number {
  let sum = 0;
  for (const byte of bytesOf(shortName.padEnd(SHORT_LENGTH))) sum = (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff;
  return sum;
}

/** Code page 437, upper half: what bytes from 0x80 on mean in short names unless the machine was set up otherwise. */
const CODE_PAGE_437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

/** The text of a DIR_Name ("README  TXT" is README.TXT), with Windows NT's lower-case bits. */
export function shortNameText(shortName: string, ntRes: number): string {
  const first = shortName.charCodeAt(0) === NAME_E5 ? String.fromCharCode(NAME_FREE) : shortName.charAt(0);
  const name = first + shortName.slice(1);
  const decode = (part: string, lower: boolean) => {
    const text = Array.from(part.trimEnd(), (character) => {
      const code = character.charCodeAt(0);
      return code < 0x80 ? character : CODE_PAGE_437.charAt(code - 0x80);
    }).join("");
    return lower ? text.toLowerCase() : text;
  };
  const base = decode(name.slice(0, BASE_LENGTH), (ntRes & NT_LOWER_CASE_BASE) !== 0);
  const extension = decode(name.slice(BASE_LENGTH), (ntRes & NT_LOWER_CASE_EXTENSION) !== 0);
  return extension === "" ? base : `${base}.${extension}`;
}

/** Whether a DIR_Name is one that the standard allows (bytes above ASCII are). */
export function isShortName(shortName: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are among the forbidden ones
  return !/^ |[\x00-\x04\x06-\x1f"*+,./:;<=>?[\\\]|\x7fa-z]/.test(shortName) && !shortName.slice(1).includes("\x05");
}

/**
 * A volume label as DIR_Name: upper case, 11 bytes.
 * @throws ImageError "invalid-argument"
 */
export function packLabel(label: string): string {
  const trimmed = label.trimEnd();
  if (trimmed.length > SHORT_LENGTH || !/^(?! )[A-Za-z0-9$%'\-_@~`!(){}^#& ]*$/.test(trimmed)) {
    throw new ImageError(
      "invalid-argument",
      `volume label "${label}": FAT allows ${SHORT_LENGTH} of A-Z 0-9 space $%'-_@~\`!(){}^#&`,
    );
  }
  return trimmed.toUpperCase();
}
