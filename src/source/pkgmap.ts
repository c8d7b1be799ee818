// The pkgmap of an SVR4 package: one line an object, as pkgmk(1) writes and pkgmap(5) describes it, read as illumos'
// usr/src/lib/libpkg/common/gpkgmap.c reads it. And pkginfo(5). Texts are byte strings.

import { ImageError, toText } from "../bytes/index.ts";
import type { Place } from "../illumos/index.ts";

interface MapLine extends Place {
  /** Volume that holds it; 1 when the line has none. */
  readonly part: number;
  /** As written: absolute, or relative to BASEDIR. */
  readonly path: string;
}

/** Attributes that are undefined are written "?" (leave as it is on the system) or not at all. */
export interface MapAttributes {
  readonly mode: number | undefined;
  readonly owner: string | undefined;
  readonly group: string | undefined;
}

export interface MapFile extends MapLine, MapAttributes {
  /** f file, e edited by a class action, v volatile. */
  readonly ftype: "f" | "e" | "v";
  readonly class: string;
  /** Where the content is in the package when not under the object's own name. */
  readonly local: string | undefined;
  readonly size: number | undefined;
  readonly sum: number | undefined;
  readonly modtime: number | undefined;
}

export interface MapDirectory extends MapLine, MapAttributes {
  /** x: a directory that is the package's alone. */
  readonly ftype: "d" | "x";
  readonly class: string;
}

export interface MapHardLink extends MapLine {
  readonly ftype: "l";
  readonly class: string;
  readonly local: string;
}

export interface MapSymlink extends MapLine {
  readonly ftype: "s";
  readonly class: string;
  readonly local: string;
}

export interface MapDevice extends MapLine, MapAttributes {
  readonly ftype: "b" | "c";
  readonly class: string;
  readonly major: number;
  readonly minor: number;
}

export interface MapFifo extends MapLine, MapAttributes {
  readonly ftype: "p";
  readonly class: string;
}

/** A file about the package: pkginfo, depend, a script. */
export interface MapInfo extends MapLine {
  readonly ftype: "i";
}

export type MapObject = MapFile | MapDirectory | MapHardLink | MapSymlink | MapDevice | MapFifo | MapInfo;

export interface Pkgmap {
  /** Volumes of the package. */
  readonly parts: number;
  readonly objects: readonly MapObject[];
}

/** @throws ImageError "bad-format" with file and line */
export function parsePkgmap(text: string, file: string): Pkgmap {
  const objects: MapObject[] = [];
  let parts = 1;
  let line = 0;
  for (const raw of text.split("\n")) {
    line++;
    const words = raw.split(/[ \t\r]+/).filter((word) => word !== "");
    const [first = "#"] = words;
    if (first.startsWith("#")) continue;
    if (first.startsWith(":")) {
      const count = Number(first === ":" ? words[1] : first.slice(1));
      if (Number.isSafeInteger(count) && count > 1) parts = count;
      continue;
    }
    objects.push(parseObject(words, { file, line }));
  }
  return { parts, objects };
}

function parseObject(words: string[], place: Place): MapObject {
  const { file, line } = place;
  const bad = (what: string) => new ImageError("bad-format", `${toText(file)}:${line}: ${what}`, { path: file });
  let at = 0;
  const part = /^[0-9]+$/.test(words[0] ?? "") ? Math.max(1, Number(words[at++])) : 1;
  const ftype = words[at++] ?? "";
  if (ftype === "i") return { file, line, part, ftype, path: splitAtEquals(words[at] ?? "").path };
  if (!/^[fevdxlsbcp]$/.test(ftype)) throw bad(`unknown type of object "${toText(ftype.slice(0, 20))}"`);
  const objectClass = words[at++];
  const { path, local } = splitAtEquals(words[at++] ?? "");
  if (objectClass === undefined || path === "") throw bad("class or path is missing");
  const base = { file, line, part, class: objectClass, path };

  const number = (word: string | undefined, what: string): number | undefined => {
    if (word === undefined || word === "?") return undefined;
    const value = /^[0-9]+$/.test(word) ? Number(word) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw bad(`${what} is "${toText(word.slice(0, 20))}", no number`);
    return value;
  };
  const attributes = (): MapAttributes => {
    const [mode, owner, group] = words.slice(at, at + 3).map((word) => (word === "?" ? undefined : word));
    at += 3;
    if (mode !== undefined && !/^[0-7]{1,5}$/.test(mode)) throw bad(`mode "${toText(mode.slice(0, 20))}" is not octal`);
    return { mode: mode === undefined ? undefined : Number.parseInt(mode, 8) & 0o7777, owner, group };
  };

  switch (ftype) {
    case "l":
    case "s":
      if (local === undefined || local === "") throw bad(`the link ${toText(path)} has no target`);
      return { ...base, ftype, local };
    case "b":
    case "c": {
      const major = number(words[at++], "the major number");
      const minor = number(words[at++], "the minor number");
      if (major === undefined || minor === undefined) throw bad(`the device ${toText(path)} has no numbers`);
      return { ...base, ftype, major, minor, ...attributes() };
    }
    case "d":
    case "x":
    case "p":
      return { ...base, ftype, ...attributes() };
    default: {
      const given = attributes();
      const [size, sum, modtime] = words.slice(at, at + 3);
      return {
        ...base,
        ftype: ftype as MapFile["ftype"],
        local,
        ...given,
        size: number(size, "the size"),
        sum: number(sum, "the sum"),
        modtime: number(modtime, "the time"),
      };
    }
  }
}

function splitAtEquals(word: string): { path: string; local: string | undefined } {
  const equals = word.indexOf("=");
  if (equals === -1) return { path: word, local: undefined };
  return { path: word.slice(0, equals), local: word.slice(equals + 1) };
}

/** `NAME=value` lines, values perhaps in quotes; the first one of a name counts. */
export function parsePkginfo(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*?)[ \t\r]*$/.exec(line);
    if (!match?.[1] || values.has(match[1])) continue;
    values.set(match[1], (match[2] ?? "").replace(/^(["'])(.*)\1$/, "$2"));
  }
  return values;
}

/**
 * A path with its parameters ($NAME as a whole step) put in from pkginfo.
 * @throws ImageError "bad-format" when pkginfo has no such parameter
 */
export function expandPath(path: string, pkginfo: ReadonlyMap<string, string>, { file, line }: Place): string {
  if (!path.includes("$")) return path;
  const expanded = path.split("/").map((step) => {
    if (!step.startsWith("$")) return step;
    const value = pkginfo.get(step.slice(1));
    if (value !== undefined) return value;
    const what = `the path ${path} has the parameter ${step}, which pkginfo does not give`;
    throw new ImageError("bad-format", `${toText(file)}:${line}: ${toText(what)}`, { path: file });
  });
  return expanded.join("/");
}
