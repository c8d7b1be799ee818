// File names to ISO 9660 identifiers: which characters and how many (ECMA-119 7.4-7.6, 10.1-10.3, Joliet, and the ways
// in which mkisofs relaxes them), what happens when two names become one, and the order of records (9.3).
// Rock Ridge carries the true name beside the identifier, so what is lost here is lost only to readers without it.

import { bytesOf, compareByteStrings, ImageError, toText } from "../bytes/index.ts";

/** "d": letters, digits and _; "ascii": printable ASCII but "/" and ";"; "bytes": also 0x80..0xff; "ucs2": UTF-16, for Joliet. */
export type Characters = "d" | "ascii" | "bytes" | "ucs2";

export interface NameRules {
  readonly characters: Characters;
  /** Characters that are allowed beside these (mkisofs -no-iso-translate allows "#~"). */
  readonly extraCharacters?: string;
  /** Longest file identifier without its version, in characters, the dot included. */
  readonly maxFileLength: number;
  readonly maxDirectoryLength: number;
  /** Longest part before and after the last dot, where the rules limit them. */
  readonly maxStemLength?: number;
  readonly maxExtensionLength?: number;
  readonly upperCase: boolean;
  /** Keep all dots, also in directory names; else only a file's last one is kept. */
  readonly multipleDots: boolean;
  readonly leadingDot: boolean;
  /** "NAME." for a file without extension. */
  readonly trailingDot: boolean;
  /** ";1" behind file identifiers. */
  readonly version: boolean;
}

const strict = { characters: "d", upperCase: true, multipleDots: false, leadingDot: false, trailingDot: true } as const;
const free = { upperCase: false, multipleDots: true, leadingDot: true, trailingDot: false } as const;

/** ECMA-119 10.1: names of 8.3, directories of 8. */
export const LEVEL_1: NameRules = {
  ...strict,
  version: true,
  maxFileLength: 12,
  maxDirectoryLength: 8,
  maxStemLength: 8,
  maxExtensionLength: 3,
};
/** ECMA-119 10.2 and 10.3: 30 characters and a dot (7.5.1), directories of 31 (7.6.3). */
export const LEVEL_2: NameRules = { ...strict, version: true, maxFileLength: 31, maxDirectoryLength: 31 };
/** ISO 9660:1999: up to 207 bytes, no dot or version is demanded. */
export const LEVEL_4: NameRules = {
  ...free,
  characters: "bytes",
  version: false,
  maxFileLength: 207,
  maxDirectoryLength: 207,
};
/** mkisofs -U (with -N -l -d -allow-multidot -no-iso-translate): names as they are, up to 37 characters of ASCII. */
export const RELAXED: NameRules = {
  ...free,
  characters: "ascii",
  version: false,
  maxFileLength: 37,
  maxDirectoryLength: 37,
};
/** Joliet Specification: 64 characters of UCS-2. */
export const JOLIET: NameRules = {
  ...free,
  characters: "ucs2",
  version: true,
  maxFileLength: 64,
  maxDirectoryLength: 64,
};

/** mkisofs -joliet-long: more than the specification allows, and read by many all the same. */
export const JOLIET_LONG_MAX_LENGTH = 103;

/** What is replaced by "_": control characters always, and what the set has not. */
const FORBIDDEN: Readonly<Record<Characters, RegExp>> = {
  d: /[^A-Za-z0-9_.]/g,
  ascii: /[^\x20-\x7e]|[/;]/g,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  bytes: /[\x00-\x1f\x7f/;]/g,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  ucs2: /[\x00-\x1f\x7f*/:;?\\]/g,
};

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The characters that the rules count: UTF-16 for Joliet (bytes that are no UTF-8 stand for themselves), else bytes. */
function charactersOf(name: string, { characters }: NameRules): string {
  if (characters !== "ucs2") return name;
  try {
    return strictUtf8.decode(bytesOf(name));
  } catch {
    return name;
  }
}

/** UCS-2 is stored big endian (Joliet Specification), so a byte string of two bytes a character. */
function identifierBytes(text: string, { characters }: NameRules): string {
  if (characters !== "ucs2") return text;
  let bytes = "";
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes += String.fromCharCode(unit >> 8, unit & 0xff);
  }
  return bytes;
}

/**
 * A volume identifier for a Joliet descriptor, cut to what a field of `fieldBytes` holds and padded with UCS-2 spaces.
 * (An odd field ends in a zero byte.)
 */
export function ucs2Identifier(value: string, fieldBytes: number): string {
  const text = cut(charactersOf(value, JOLIET), fieldBytes >> 1, JOLIET).padEnd(fieldBytes >> 1);
  return identifierBytes(text, JOLIET).padEnd(fieldBytes, "\0");
}

/** Cuts to `length` characters, and never between the halves of a surrogate pair. */
function cut(text: string, length: number, rules: NameRules): string {
  const short = text.slice(0, Math.max(0, length));
  return rules.characters === "ucs2" && /[\ud800-\udbff]$/.test(short) && short.length < text.length
    ? short.slice(0, -1)
    : short;
}

/** The parts of an identifier. A name without a dot to keep has no extension at all (undefined). */
interface Parts {
  readonly stem: string;
  readonly extension: string | undefined;
}

const joined = ({ stem, extension }: Parts): string => (extension === undefined ? stem : `${stem}.${extension}`);

/** Of ASCII letters only: bytes above are no Latin-1 characters. */
function upperCase(text: string): string {
  return /[\x80-\uffff]/.test(text) ? text.replace(/[a-z]+/g, (letters) => letters.toUpperCase()) : text.toUpperCase();
}

/** A name in the allowed characters and lengths. */
function translate(text: string, isDirectory: boolean, rules: NameRules): Parts {
  const forbidden = FORBIDDEN[rules.characters];
  const { extraCharacters } = rules;
  let allowed = extraCharacters
    ? text.replace(forbidden, (character) => (extraCharacters.includes(character) ? character : "_"))
    : text.replace(forbidden, "_");
  if (rules.upperCase) allowed = upperCase(allowed);
  if (!rules.leadingDot && allowed.startsWith(".")) allowed = `_${allowed.slice(1)}`;
  const lastDot = allowed.lastIndexOf(".");
  const mayHaveDot = !isDirectory || rules.multipleDots;
  let stem = lastDot > 0 && mayHaveDot ? allowed.slice(0, lastDot) : allowed;
  let extension = stem === allowed ? undefined : allowed.slice(lastDot + 1);
  if (!rules.multipleDots && stem.includes(".", 1)) stem = stem.slice(0, 1) + stem.slice(1).replaceAll(".", "_");
  if (extension === "" && !rules.multipleDots) extension = undefined; // "NAME." is written the same way by trailingDot
  return fitted({ stem, extension }, isDirectory, rules);
}

const maxLengthOf = (isDirectory: boolean, rules: NameRules): number =>
  isDirectory ? rules.maxDirectoryLength : rules.maxFileLength;

/** Characters that a long extension leaves to the stem: enough for any number that has to go there. */
const RESERVED_FOR_STEM = 8;

function shortExtension(extension: string | undefined, isDirectory: boolean, rules: NameRules): string | undefined {
  const maxLength = maxLengthOf(isDirectory, rules) - 1 - RESERVED_FOR_STEM;
  return extension === undefined ? undefined : cut(extension, rules.maxExtensionLength ?? maxLength, rules);
}

/** Cuts what is too long: the extension down to what leaves a stem, then the stem. */
function fitted({ stem, extension }: Parts, isDirectory: boolean, rules: NameRules): Parts {
  const maxExtensionLength = rules.maxExtensionLength ?? Number.POSITIVE_INFINITY;
  const fits = stem.length <= stemRoom(extension, isDirectory, rules) && (extension ?? "").length <= maxExtensionLength;
  if (fits) return { stem, extension };
  const short = shortExtension(extension, isDirectory, rules);
  return { stem: cut(stem, stemRoom(short, isDirectory, rules), rules), extension: short };
}

/** Characters that a stem may have beside this extension. */
function stemRoom(extension: string | undefined, isDirectory: boolean, rules: NameRules): number {
  const maxLength = maxLengthOf(isDirectory, rules);
  const dot = extension === undefined ? (rules.trailingDot && !isDirectory ? 1 : 0) : 1 + extension.length;
  return Math.min(rules.maxStemLength ?? maxLength, maxLength - dot);
}

export interface Named {
  readonly name: string;
  readonly path: string;
  readonly isDirectory: boolean;
}

/**
 * Identifiers for the entries of one directory, by index. Names that the rules leave as they are keep themselves; the
 * others get theirs in bytewise order of names, and where that is taken, digits in place of the stem's end: the
 * result depends on the set of names only.
 * @throws ImageError "limit" when a name's stem has no room left for a number
 */
export function identifiers(entries: readonly Named[], rules: NameRules): string[] {
  const result = new Array<string>(entries.length);
  const taken = new Set<string>();
  const nextNumber = new Map<string, number>();
  const finish = (index: number, key: string, isDirectory: boolean): void => {
    taken.add(key);
    const dot = rules.trailingDot && !key.includes(".") ? "." : "";
    const tail = isDirectory ? "" : dot + (rules.version ? ";1" : "");
    result[index] = identifierBytes(key + tail, rules);
  };
  const changed: { index: number; entry: Named; parts: Parts; key: string }[] = [];
  entries.forEach((entry, index) => {
    const text = charactersOf(entry.name, rules);
    const parts = translate(text, entry.isDirectory, rules);
    const key = joined(parts);
    if (key === text && !taken.has(text)) finish(index, key, entry.isDirectory);
    else changed.push({ index, entry, parts, key });
  });
  changed.sort((a, b) => compareByteStrings(a.entry.name, b.entry.name));
  for (const { index, entry, parts, key } of changed) {
    const free = taken.has(key) ? joined(numbered(parts, entry, rules, taken, nextNumber)) : key;
    finish(index, free, entry.isDirectory);
  }
  return result;
}

/** The first free name of the form STEM000, STEM001 …; the stem gives way as the number grows. */
function numbered(
  { stem, extension: long }: Parts,
  { path, isDirectory }: Named,
  rules: NameRules,
  taken: ReadonlySet<string>,
  nextNumber: Map<string, number>,
): Parts {
  const extension = shortExtension(long, isDirectory, rules);
  const room = stemRoom(extension, isDirectory, rules);
  const counter = joined({ stem: cut(stem, room - 3, rules), extension });
  for (let number = nextNumber.get(counter) ?? 0; ; number++) {
    const digits = String(number).padStart(3, "0");
    if (digits.length > room) {
      throw new ImageError("limit", `${toText(path)}: too many names here are alike in their first characters`, {
        path,
      });
    }
    const parts = { stem: cut(stem, room - digits.length, rules) + digits, extension };
    if (!taken.has(joined(parts))) {
      nextNumber.set(counter, number + 1);
      return parts;
    }
  }
}

/** The characters of an identifier as it lies in a record. */
export function identifierText(identifier: string, ucs2: boolean): string {
  if (!ucs2) return identifier;
  let text = "";
  for (let i = 0; i + 1 < identifier.length; i += 2) {
    text += String.fromCharCode(identifier.charCodeAt(i) * 256 + identifier.charCodeAt(i + 1));
  }
  return text;
}

/**
 * A string whose order is the order of directory records (ECMA-119 9.3): the name before its extension before its
 * version, the shorter first as if padded with spaces. With the separators below all other characters this holds for
 * identifiers with any number of dots.
 */
export function orderKey(identifier: string, ucs2: boolean): string {
  const text = identifierText(identifier, ucs2);
  return text.replaceAll(";", "\x01").replaceAll(".", "\x02");
}
