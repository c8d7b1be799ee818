// Each option of mkisofs that is known, and what it does to what is asked for. Long spellings are names for short ones.

import { fromText, ImageError } from "../bytes/index.ts";
import { PLATFORMS, type Platform } from "../iso9660-writer-ts/eltorito.ts";
import { JOLIET, JOLIET_LONG_MAX_LENGTH } from "../iso9660-writer-ts/names.ts";
import type { VolumeIdentifiers } from "../iso9660-writer-ts/options.ts";

export interface MutableBoot {
  path?: string;
  platform: Platform;
  /** "diskette" is mkisofs' default: the size of the image says which. */
  emulation: "none" | "diskette" | "hard-disk";
  loadSectors?: number;
  loadSegment?: number;
  bootable: boolean;
  bootInfoTable: boolean;
}

export interface NameFlags {
  level: number;
  full: boolean;
  max: boolean;
  omitVersion: boolean;
  omitPeriod: boolean;
  leadingDots: boolean;
  lowerCase: boolean;
  multiDot: boolean;
  relaxed: boolean;
  noTranslate: boolean;
  untranslated: boolean;
}

export interface State {
  output?: string;
  printSize: boolean;
  quiet: boolean;
  verbose: boolean;
  graftPoints: boolean;
  readonly operands: string[];
  readonly excludes: string[];
  readonly identifiers: { -readonly [Key in keyof VolumeIdentifiers]: VolumeIdentifiers[Key] };
  readonly flags: NameFlags;
  rockRidge: boolean;
  rationalize: boolean;
  joliet: false | { maxLength: number };
  keepDeepDirectories: boolean;
  readonly owners: { uid?: number; gid?: number; fileMode?: number; dirMode?: number };
  padding: boolean;
  readonly boot: MutableBoot[];
  bootCatalogPath: string;
  genericBoot?: string;
}

export function newBoot(): MutableBoot {
  return { platform: "bios", emulation: "diskette", bootable: true, bootInfoTable: false };
}

export function usage(message: string): never {
  throw new ImageError("invalid-argument", `mkisofs: ${message}`);
}

/** The entry that boot options speak of: the last one begun. */
function boot(state: State): MutableBoot {
  const last = state.boot.at(-1);
  if (last) return last;
  const first = newBoot();
  state.boot.push(first);
  return first;
}

type Flag = (state: State) => void;

export const FLAGS: Readonly<Record<string, Flag>> = {
  R: (s) => set(s, { rockRidge: true }),
  r: (s) => set(s, { rockRidge: true, rationalize: true }),
  J: (s) => set(s, { joliet: s.joliet || { maxLength: JOLIET.maxFileLength } }),
  "joliet-long": (s) => set(s, { joliet: { maxLength: JOLIET_LONG_MAX_LENGTH } }),
  D: (s) => set(s, { keepDeepDirectories: true }),
  N: (s) => name(s, { omitVersion: true }),
  d: (s) => name(s, { omitPeriod: true }),
  l: (s) => name(s, { full: true }),
  L: (s) => name(s, { leadingDots: true }),
  U: (s) => name(s, { untranslated: true }),
  "max-iso9660-filenames": (s) => name(s, { max: true, omitVersion: true }),
  "allow-lowercase": (s) => name(s, { lowerCase: true }),
  "allow-multidot": (s) => name(s, { multiDot: true }),
  "relaxed-filenames": (s) => name(s, { relaxed: true }),
  "no-iso-translate": (s) => name(s, { noTranslate: true }),
  // Hard links share their data here always.
  "cache-inodes": () => {},
  pad: (s) => set(s, { padding: true }),
  "no-pad": (s) => set(s, { padding: false }),
  quiet: (s) => set(s, { quiet: true }),
  v: (s) => set(s, { verbose: true }),
  "print-size": (s) => set(s, { printSize: true }),
  "graft-points": (s) => set(s, { graftPoints: true }),
  "no-emul-boot": (s) => set(boot(s), { emulation: "none" }),
  "hard-disk-boot": (s) => set(boot(s), { emulation: "hard-disk" }),
  "no-boot": (s) => set(boot(s), { bootable: false }),
  "boot-info-table": (s) => set(boot(s), { bootInfoTable: true }),
  "eltorito-alt-boot": (s) => void s.boot.push(newBoot()),
};

type Value = (state: State, value: string, option: string) => void;

export const VALUES: Readonly<Record<string, Value>> = {
  o: (s, output) => set(s, { output }),
  V: (s, id) => identify(s, "volumeId", id),
  A: (s, id) => identify(s, "applicationId", id),
  P: (s, id) => identify(s, "publisherId", id),
  p: (s, id) => identify(s, "dataPreparerId", id),
  sysid: (s, id) => identify(s, "systemId", id),
  volset: (s, id) => identify(s, "volumeSetId", id),
  copyright: (s, id) => identify(s, "copyrightFileId", id),
  abstract: (s, id) => identify(s, "abstractFileId", id),
  biblio: (s, id) => identify(s, "bibliographicFileId", id),
  m: (s, glob) => void s.excludes.push(glob),
  x: (s, path) => void s.excludes.push(path),
  "iso-level": (s, level, option) => name(s, { level: wholeNumber(level, option, 1, 4) }),
  uid: (s, id, option) => set(s.owners, { uid: wholeNumber(id, option, 0, 0xffffffff) }),
  gid: (s, id, option) => set(s.owners, { gid: wholeNumber(id, option, 0, 0xffffffff) }),
  "file-mode": (s, mode, option) => set(s.owners, { fileMode: octalMode(mode, option) }),
  "dir-mode": (s, mode, option) => set(s.owners, { dirMode: octalMode(mode, option) }),
  b: (s, path) => bootImage(s, path),
  e: (s, path) => {
    bootImage(s, path);
    set(boot(s), { platform: "efi", emulation: "none" });
  },
  c: (s, path) => set(s, { bootCatalogPath: fromText(path) }),
  "boot-load-size": (s, count, option) => set(boot(s), { loadSectors: wholeNumber(count, option, 0, 0xffff) }),
  "boot-load-seg": (s, segment, option) => set(boot(s), { loadSegment: wholeNumber(segment, option, 0, 0xffff) }),
  "eltorito-platform": (s, platform, option) => set(boot(s), { platform: platformOf(platform, option) }),
  G: (s, file) => set(s, { genericBoot: file }),
  "input-charset": (_, charset, option) => {
    if (!/^(utf-?8|default)$/i.test(charset)) usage(`${option} ${charset}: names are bytes here, and UTF-8 for Joliet`);
  },
};

export const LONG_NAMES: Readonly<Record<string, string>> = {
  rock: "R",
  "rational-rock": "r",
  joliet: "J",
  "disable-deep-relocation": "D",
  "omit-version-number": "N",
  "omit-period": "d",
  "full-iso9660-filenames": "l",
  ldots: "L",
  "allow-leading-dots": "L",
  "untranslated-filenames": "U",
  verbose: "v",
  output: "o",
  volid: "V",
  appid: "A",
  publisher: "P",
  preparer: "p",
  exclude: "m",
  "old-exclude": "x",
  "eltorito-boot": "b",
  "efi-boot": "e",
  "eltorito-catalog": "c",
  "generic-boot": "G",
};

function set<Target extends object>(target: Target, values: Partial<Target>): void {
  Object.assign(target, values);
}

function name(state: State, values: Partial<NameFlags>): void {
  Object.assign(state.flags, values);
}

function identify(state: State, field: keyof VolumeIdentifiers, text: string): void {
  state.identifiers[field] = fromText(text);
}

/** A second image without -eltorito-alt-boot in between begins another entry too, as in Schilling's mkisofs. */
function bootImage(state: State, path: string): void {
  if (boot(state).path !== undefined) state.boot.push(newBoot());
  set(boot(state), { path: fromText(path) });
}

function wholeNumber(text: string, option: string, min: number, max: number): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) usage(`${option} ${text}: must be a whole number from ${min} to ${max}`);
  return value;
}

function octalMode(text: string, option: string): number {
  if (!/^[0-7]{1,4}$/.test(text)) usage(`${option} ${text}: must be an octal mode such as 0555`);
  return Number.parseInt(text, 8);
}

function platformOf(text: string, option: string): Platform {
  const names: Readonly<Record<string, Platform>> = { x86: "bios", ppc: "powerpc", mac: "mac", efi: "efi" };
  const known = names[text.toLowerCase()];
  if (known) return known;
  const id = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  const byId = (Object.keys(PLATFORMS) as Platform[]).find((platform) => PLATFORMS[platform] === id);
  return byId ?? usage(`${option} ${text}: must be x86, PPC, Mac, efi or one of their numbers`);
}

/** Options that mkisofs has and this command has not, with the reason where there is something to say. */
export const REFUSED: Readonly<Record<string, string>> = {
  f: "symbolic links are kept as they are; use -R",
  T: "no TRANS.TBL files are made; use -R",
  z: "no compressed files are made",
  udf: "no UDF hierarchy is made",
  hfs: "no HFS volume is made",
  apple: "no Apple extensions are made",
  map: "no HFS volume is made",
  magic: "no HFS volume is made",
  probe: "no HFS volume is made",
  macbin: "no HFS volume is made",
  part: "no HFS partition table is made",
  bsize: "no HFS volume is made",
  hide: "every path is in every hierarchy; -m leaves paths out",
  sort: "files lie in the order of their paths",
  M: "images are not appended to",
  C: "images are not appended to",
};

/** What mkisofs does when nothing is asked for. */
export function newState(): State {
  return {
    printSize: false,
    quiet: false,
    verbose: false,
    graftPoints: false,
    operands: [],
    excludes: [],
    identifiers: {},
    flags: {
      level: 1,
      full: false,
      max: false,
      omitVersion: false,
      omitPeriod: false,
      leadingDots: false,
      lowerCase: false,
      multiDot: false,
      relaxed: false,
      noTranslate: false,
      untranslated: false,
    },
    rockRidge: false,
    rationalize: false,
    joliet: false,
    keepDeepDirectories: false,
    owners: {},
    padding: true,
    boot: [],
    bootCatalogPath: "boot.cat",
  };
}
