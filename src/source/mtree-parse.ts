// mtree(5) specifications, of both styles: nested (a directory's entries follow it, ".." ends it) and with full paths, as
// NetBSD's and FreeBSD's mtree(8), bsdtar and makefs(8) write and read them. Text is byte strings.

import { ImageError, toText } from "../bytes/index.ts";
import type { Place } from "../illumos/index.ts";
import { joinPath, type NodeType, parentPath } from "../tree/index.ts";
import { treePath } from "./tree-builder.ts";
import { visDecode } from "./vis.ts";

/** What a specification says of one path; what it does not say is undefined. */
export interface MtreeEntry extends Place {
  /** "/usr/bin" */
  readonly path: string;
  readonly type?: NodeType;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly uname?: string;
  readonly gname?: string;
  readonly mtimeSeconds?: number;
  /** Target of a symbolic link. */
  readonly link?: string;
  readonly device?: readonly [major: number, minor: number];
  /** A file that has the content, where it is not the one of the same path. */
  readonly contents?: string;
  /** Whether the path may be missing. */
  readonly optional?: boolean;
  readonly size?: number;
  readonly nlink?: number;
  readonly sha256digest?: string;
}

export interface MtreeSpec {
  readonly entries: readonly MtreeEntry[];
  /** Keywords that are none of mtree(5), each with its first line. */
  readonly unknownKeywords: ReadonlyMap<string, number>;
}

const TYPES: Readonly<Record<string, NodeType>> = {
  block: "block",
  char: "character",
  dir: "directory",
  fifo: "fifo",
  file: "file",
  link: "symlink",
  socket: "socket",
};

/** Keywords of mtree(5) that say nothing a tree can take: other digests, BSD flags, hints for the program that compares. */
const WITHOUT_MEANING = new Set(
  "cksum flags ignore inode md5 md5digest nochange resdevice rmd160 rmd160digest ripemd160digest sha1 sha1digest sha384 sha384digest sha512 sha512digest tags".split(
    " ",
  ),
);

type Keywords = ReadonlyMap<string, string | undefined>;

/**
 * @param file for messages
 * @throws ImageError "bad-format" with file and line
 */
export function parseMtree(text: string, file: string): MtreeSpec {
  const entries: MtreeEntry[] = [];
  const unknownKeywords = new Map<string, number>();
  let defaults: Keywords = new Map();
  let current: string | undefined; // the directory that nested entries are in; none before the first one
  for (const { line, words } of logicalLines(text)) {
    const [first = "", ...rest] = words;
    const place = { file, line };
    if (first === "/set") defaults = new Map([...defaults, ...keywordsOf(rest)]);
    else if (first === "/unset") {
      defaults = rest.includes("all")
        ? new Map()
        : new Map([...defaults].filter(([keyword]) => !rest.includes(keyword)));
    } else if (first.startsWith("/")) throw bad(place, `unknown command "${toText(first)}"`);
    else if (first === "..") {
      if (current === undefined || current === "/") throw bad(place, '".." above the top directory');
      current = parentPath(current);
    } else {
      const isFull = first.includes("/");
      const name = visDecode(first);
      const path = located(isFull || current === undefined ? name : joinPath(current, name), place);
      const keywords = new Map([...defaults, ...keywordsOf(rest)]);
      const entry = makeEntry(path, keywords, place, unknownKeywords);
      entries.push(entry);
      if (!isFull && (entry.type === "directory" || path === "/")) current = path;
    }
  }
  return { entries, unknownKeywords };
}

/** The tree path, with what is wrong with it told by file and line. */
function located(name: string, place: Place): string {
  try {
    return treePath(name);
  } catch (error) {
    throw error instanceof ImageError ? bad(place, error.message) : error;
  }
}

function bad({ file, line }: Place, what: string): ImageError {
  return new ImageError("bad-format", `${toText(file)}:${line}: ${what}`, { path: file });
}

/** Lines that end in a backslash joined with the next; comments and blank lines left out. */
function* logicalLines(text: string): Generator<{ line: number; words: string[] }> {
  let pending: { line: number; parts: string[] } | undefined;
  let line = 0;
  for (const raw of text.split("\n")) {
    line++;
    if (pending === undefined && /^[ \t\r]*(#|$)/.test(raw)) continue;
    const continued = /(^|[^\\])(\\\\)*\\$/.test(raw.slice(-64));
    pending ??= { line, parts: [] };
    pending.parts.push(continued ? raw.slice(0, -1) : raw);
    if (continued) continue;
    yield {
      line: pending.line,
      words: pending.parts
        .join(" ")
        .split(/[ \t\r]+/)
        .filter(Boolean),
    };
    pending = undefined;
  }
  if (pending)
    yield {
      line: pending.line,
      words: pending.parts
        .join(" ")
        .split(/[ \t\r]+/)
        .filter(Boolean),
    };
}

function keywordsOf(words: readonly string[]): [string, string | undefined][] {
  return words.map((word) => {
    const equals = word.indexOf("=");
    return equals === -1 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function makeEntry(path: string, keywords: Keywords, place: Place, unknown: Map<string, number>): MtreeEntry {
  const values: { -readonly [K in keyof MtreeEntry]: MtreeEntry[K] } = { path, file: place.file, line: place.line };
  for (const [keyword, given] of keywords) {
    const value = given ?? "";
    const number = (pattern: RegExp, radix = 10): number => {
      const parsed = pattern.test(value) ? Number.parseInt(value, radix) : Number.NaN;
      if (!Number.isSafeInteger(parsed)) throw bad(place, `${keyword}=${toText(value.slice(0, 40))} is no number`);
      return parsed;
    };
    switch (keyword) {
      case "type": {
        const type = Object.hasOwn(TYPES, value) ? TYPES[value] : undefined;
        if (type === undefined)
          throw bad(place, `type=${toText(value)} is not one of ${Object.keys(TYPES).join(", ")}`);
        values.type = type;
        break;
      }
      case "mode":
        values.mode = number(/^[0-7]{1,6}$/, 8) & 0o7777;
        break;
      case "uid":
      case "gid":
      case "size":
      case "nlink":
        values[keyword] = number(/^[0-9]+$/);
        break;
      case "time":
        number(/^-?[0-9]+(\.[0-9]*)?$/);
        values.mtimeSeconds = Math.floor(Number(value));
        break;
      case "uname":
      case "gname":
      case "link":
      case "contents":
      case "content":
        if (visDecode(value).includes("\0")) throw bad(place, `${keyword}= holds a NUL byte`);
        values[keyword === "content" ? "contents" : keyword] = visDecode(value);
        break;
      case "sha256":
      case "sha256digest":
        values.sha256digest = value.toLowerCase();
        break;
      case "device":
        values.device = parseDevice(value, place);
        break;
      case "optional":
        values.optional = true;
        break;
      default:
        if (!WITHOUT_MEANING.has(keyword) && !unknown.has(keyword)) unknown.set(keyword, place.line);
    }
  }
  return values;
}

/** "native,13,2", "solaris,13,2" …: a packing, a major and a minor number. */
function parseDevice(value: string, place: Place): [number, number] {
  const [, major, minor] =
    /^[a-z0-9]+,([0-9]{1,10}|0x[0-9a-fA-F]{1,8}),([0-9]{1,10}|0x[0-9a-fA-F]{1,8})$/.exec(value) ?? [];
  if (major === undefined || minor === undefined) {
    // A bare number is packed as the machine that wrote it packs a dev_t; which one that was is not said.
    throw bad(
      place,
      `device=${toText(value.slice(0, 40))} does not tell major and minor: write device=native,MAJOR,MINOR`,
    );
  }
  return [Number(major), Number(minor)];
}
