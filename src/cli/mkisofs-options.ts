// The words of a mkisofs command line, and what they ask for. Pure: files are only named. The spelling is mkisofs' own: long
// options with one dash (or two), flags in one word (-RJ), values in the next word, or behind "=" or the letter.

import { fromText } from "../bytes/index.ts";
import type { Platform } from "../iso9660-writer-ts/eltorito.ts";
import { LEVEL_1, LEVEL_2, type NameRules, RELAXED } from "../iso9660-writer-ts/names.ts";
import type { VolumeIdentifiers } from "../iso9660-writer-ts/options.ts";
import {
  FLAGS,
  LONG_NAMES,
  type MutableBoot,
  type NameFlags,
  newState,
  REFUSED,
  type State,
  usage,
  VALUES,
} from "./mkisofs-words.ts";

/** A boot image as asked for; its path is in the ISO. */
export interface BootRequest {
  readonly path: string;
  readonly platform: Platform;
  readonly emulation: MutableBoot["emulation"];
  readonly loadSectors: number | undefined;
  readonly loadSegment: number | undefined;
  readonly bootable: boolean;
  readonly bootInfoTable: boolean;
}

/** What goes on the ISO: a host path, and with graft points its place. */
export interface PathSpec {
  readonly source: string;
  /** A byte string; undefined is the root. */
  readonly target: string | undefined;
}

export interface MkisofsRequest {
  readonly output: string | undefined;
  readonly printSize: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly paths: readonly PathSpec[];
  /** Globs of what is left out, by name or by whole host path. */
  readonly excludes: readonly string[];
  readonly identifiers: VolumeIdentifiers;
  readonly names: NameRules;
  readonly rockRidge: boolean;
  readonly enhanced: boolean;
  readonly joliet: false | { readonly maxLength: number };
  readonly keepDeepDirectories: boolean;
  /** Owner and modes that replace the tree's; all undefined leaves them. */
  readonly owners: {
    readonly uid?: number;
    readonly gid?: number;
    readonly fileMode?: number;
    readonly dirMode?: number;
  };
  /** -r: everything readable, nothing writable. */
  readonly rationalize: boolean;
  readonly padding: boolean;
  readonly boot: readonly BootRequest[];
  readonly bootCatalogPath: string;
  /** Host file for the system area. */
  readonly genericBoot: string | undefined;
}

const asWritten = (option: string): string => `-${option}`;

/**
 * Parses the words behind `mkisofs`.
 * @throws ImageError "invalid-argument" naming the option that is unknown, lacks its value or has a wrong one
 */
export function parseMkisofs(words: readonly string[]): MkisofsRequest {
  const state = newState();
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      state.operands.push(...rest.splice(0));
    } else if (word.startsWith("-") && word !== "-") parseOption(state, word, rest);
    else state.operands.push(word);
  }
  return requestOf(state);
}

function parseOption(state: State, word: string, rest: string[]): void {
  const [written = "", attached] = splitOnce(word.replace(/^--?/, ""), "=");
  const option = LONG_NAMES[written] ?? written;
  const flag = FLAGS[option];
  const value = VALUES[option];
  const reason = REFUSED[option];
  if (flag && attached === undefined) flag(state);
  else if (value)
    value(state, attached ?? rest.shift() ?? usage(`-${written}: its value is missing`), asWritten(written));
  else if (reason !== undefined) usage(`option -${written} is not supported: ${reason}`);
  else if (isLongName(word) || !parseCluster(state, word.slice(1), rest)) usage(`unknown option ${word}`);
}

/** Words with dashes are names of options that are not known here: -path-list is no -p with the value "ath-list". */
function isLongName(word: string): boolean {
  return /^--?[a-z]+([-_][a-z0-9]+)+(=|$)/i.test(word) && !/^-[A-Z]/.test(word);
}

/** Flags of one letter in one word, the last of which may have a value: -RJ, -Villumos. Does nothing when one is unknown. */
function parseCluster(state: State, letters: string, rest: string[]): boolean {
  const actions: (() => void)[] = [];
  for (let i = 0; i < letters.length; i++) {
    const letter = letters[i] ?? "";
    const flag = FLAGS[letter];
    const value = VALUES[letter];
    if (flag) actions.push(() => flag(state));
    else if (value && (i === 0 || i === letters.length - 1)) {
      const attached = letters.slice(i + 1);
      if (attached === "" && rest.length === 0) usage(`-${letter}: its value is missing`);
      actions.push(() => value(state, attached || (rest.shift() ?? ""), asWritten(letter)));
      break;
    } else return false;
  }
  for (const action of actions) action();
  return letters !== "";
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function requestOf(state: State): MkisofsRequest {
  if (state.operands.length === 0) usage("nothing to put on the ISO: name a directory");
  if (state.output === undefined && !state.printSize) usage("no output: -o FILE is needed");
  return {
    output: state.output,
    printSize: state.printSize,
    quiet: state.quiet,
    verbose: state.verbose,
    paths: state.operands.map((operand) => pathSpec(operand, state.graftPoints)),
    excludes: state.excludes,
    identifiers: { volumeId: "CDROM", ...state.identifiers },
    names: nameRules(state.flags),
    rockRidge: state.rockRidge,
    enhanced: state.flags.level === 4,
    joliet: state.joliet,
    keepDeepDirectories: state.keepDeepDirectories,
    owners: state.owners,
    rationalize: state.rationalize,
    padding: state.padding,
    boot: state.boot.map(bootRequest),
    bootCatalogPath: state.bootCatalogPath,
    genericBoot: state.genericBoot,
  };
}

function bootRequest({ path, ...entry }: MutableBoot): BootRequest {
  if (path === undefined) usage("boot options without a boot image: -b FILE is missing");
  return { path, loadSectors: undefined, loadSegment: undefined, ...entry };
}

/** TARGET=SOURCE with -graft-points; a backslash before "=" or a backslash takes its meaning away. */
function pathSpec(operand: string, graftPoints: boolean): PathSpec {
  if (!graftPoints) return { source: operand, target: undefined };
  const parts = /^((?:[^\\=]|\\.)*)=(.*)$/s.exec(operand);
  const plain = (text: string): string => text.replaceAll(/\\([\\=])/g, "$1");
  if (!parts) return { source: plain(operand), target: undefined };
  const [, target = "", source = ""] = parts;
  if (source === "") usage(`${operand}: a graft point without a source`);
  return { source: plain(source), target: fromText(plain(target)) };
}

/** The rules that the name options make together. */
function nameRules(flags: NameFlags): NameRules {
  if (flags.untranslated || flags.level === 4) return RELAXED;
  const base = flags.level === 1 && !flags.full && !flags.max ? LEVEL_1 : LEVEL_2;
  const { maxFileLength, maxDirectoryLength } = flags.max ? RELAXED : base;
  return {
    ...base,
    maxFileLength,
    maxDirectoryLength,
    characters: flags.relaxed ? "ascii" : base.characters,
    ...(flags.noTranslate && { extraCharacters: "#~-" }),
    upperCase: !flags.lowerCase,
    multipleDots: flags.multiDot,
    leadingDot: flags.leadingDots,
    trailingDot: !flags.omitPeriod,
    version: !flags.omitVersion,
  };
}
