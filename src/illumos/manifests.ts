// Package manifests as files: a gate's (`*.p5m`, `*.mf`: macros, includes, transforms) and published ones, by one reader:
// published manifests have none of these and pass as they are. Text is byte strings, as everywhere (src/bytes).
// Source: pkgmogrify(1), pkg5 src/modules/mogrify.py; illumos-gate usr/src/pkg/Makefile.

import { compareByteStrings, ImageError } from "../bytes/index.ts";
import {
  type Action,
  attribute,
  attributeValues,
  logicalLines,
  manifestError,
  type Place,
  parseAction,
} from "./actions.ts";
import { GATE_INCLUDES, GATE_RULES, gateMacros, TRANSFORM_ORDER } from "./gate-rules.ts";
import { applyTransforms, parseTransform, type RuleSet, ruleSet, type Transform } from "./transforms.ts";
import { DEFAULT_ARCHITECTURE } from "./variants.ts";

/** A file below the directory of manifests. */
export interface ManifestText {
  /** Path relative to that directory ("manifests/SUNWcs.p5m", "SUNWcs.p5m"), a byte string. */
  readonly name: string;
  /** Its bytes, one character each. */
  readonly text: string;
}

export interface Package {
  /** The stem of its FMRI: "system/kernel". Without `pkg.fmri` the name of the file. */
  readonly name: string;
  /** "0.5.11,5.11-2021.0.0:20210331T…Z", "" when the FMRI has none. */
  readonly version: string;
  readonly file: string;
  readonly actions: readonly Action[];
}

export interface DroppedPackage {
  readonly name: string;
  readonly file: string;
  /** "variant.arch=sparc" */
  readonly reason: string;
}

export interface UndefinedMacro extends Place {
  readonly macro: string;
}

export interface PackageSet {
  /** By name, bytewise. */
  readonly packages: readonly Package[];
  readonly dropped: readonly DroppedPackage[];
  /** Macros that have no value, each with the first place that uses it; their text stays, a line that begins with one is kept. */
  readonly undefinedMacros: readonly UndefinedMacro[];
}

export interface ManifestReading {
  readonly architecture?: string | undefined;
  /** Values for `$(NAME)`, over the gate's own (gate-rules.ts). */
  readonly macros?: Readonly<Record<string, string>> | undefined;
}

const MANIFEST_NAME = /\.(p5m|mf|manifest)$/;
/** A gate's directory of packages holds other files named so, made from the rest (osnet-redist.p5m). */
const IN_MANIFESTS = /(^|\/)manifests\//;
const TRANSFORM_NAME = /(^|\/)transforms\/([^/]+)$/;
/** Of a manifest with all that it includes; a gate has as many in all. Files that include others twice multiply. */
const MAX_LINES = 100_000;
const MAX_MACRO_PASSES = 32;
const MAX_EXPANDED_BYTES = 2 ** 20;

/**
 * Reads every manifest among `files`. A file in a `transforms` directory is a transform; manifests are `*.p5m`, `*.mf` and
 * `*.manifest`, those in a `manifests` directory if there is one, and when nothing is so named every other file. All are
 * there to be included. A directory of a gate (usr/src/pkg), its manifests alone, and published manifests will all do.
 * @throws ImageError "bad-format" with file and line on a syntax error; "not-found" for an include that is not there
 */
export function readManifests(files: readonly ManifestText[], reading: ManifestReading = {}): PackageSet {
  const sorted = [...files].sort((a, b) => compareByteStrings(a.name, b.name));
  const reader: Reader = {
    includes: includeTable(sorted),
    macros: new Map([
      ...gateMacros(reading.architecture ?? DEFAULT_ARCHITECTURE),
      ...Object.entries(reading.macros ?? {}),
    ]),
    undefinedMacros: new Map(),
  };
  const others = sorted.filter(({ name }) => !TRANSFORM_NAME.test(name));
  const named = others.filter(({ name }) => MANIFEST_NAME.test(name));
  const inPlace = named.filter(({ name }) => IN_MANIFESTS.test(name));
  const manifests = [inPlace, named, others].find((some) => some.length > 0) ?? [];
  const common = commonTransforms(sorted, reader);
  const packages: Package[] = [];
  const dropped: DroppedPackage[] = [];
  for (const file of manifests) {
    const read = readManifest(file, common, reader);
    if ("reason" in read) dropped.push(read);
    else packages.push(read);
  }
  return {
    packages: newestOfEach(packages, dropped),
    dropped,
    undefinedMacros: [...reader.undefinedMacros].map(([macro, { file, line }]) => ({ macro, file, line })),
  };
}

interface Reader {
  readonly includes: ReadonlyMap<string, ManifestText>;
  readonly macros: ReadonlyMap<string, string>;
  readonly undefinedMacros: Map<string, Place>;
}

/** What a file says, macros expanded and includes read: its lines, and the transforms among them. */
interface Lines {
  readonly lines: { readonly text: string; readonly place: Place }[];
  readonly transforms: Transform[];
  /** Lines read for it, whatever came of them. */
  count: number;
}

/** By every name that an include may use: the whole, and the last part, which transforms/ has before manifests/. */
function includeTable(files: readonly ManifestText[]): Map<string, ManifestText> {
  const table = new Map([...GATE_INCLUDES].map(([name, text]) => [name, { name, text }]));
  const inTransforms = files.filter(({ name }) => TRANSFORM_NAME.test(name));
  for (const file of [...files, ...inTransforms]) {
    table.set(file.name, file);
    table.set(file.name.slice(file.name.lastIndexOf("/") + 1), file);
  }
  return table;
}

/** The transforms that every manifest passes, in the gate's order; the gate's own rules when no transforms are there. */
function commonTransforms(files: readonly ManifestText[], reader: Reader): Lines {
  const byName = new Map(files.map((file) => [TRANSFORM_NAME.exec(file.name)?.[2], file]));
  const all: Lines = { lines: [], transforms: [], count: 0 };
  const own = TRANSFORM_ORDER.flatMap((name) => byName.get(name) ?? []);
  for (const file of own.length > 0 ? own : [{ name: "gate rules", text: GATE_RULES }])
    readLines(file, reader, all, []);
  return all;
}

/** @param including the files that include this one, outermost first */
function readLines(file: ManifestText, reader: Reader, into: Lines, including: readonly ManifestText[]): void {
  for (const { text: raw, line } of logicalLines(file.text)) {
    const place = { file: file.name, line };
    const text = raw.includes("$(") ? expandMacros(raw, place, reader) : raw;
    if (++into.count > MAX_LINES) {
      throw new ImageError("limit", `${file.name}:${line}: more than ${MAX_LINES} lines with all that is included`, {
        path: file.name,
      });
    }
    if (text === "" || text.startsWith("#")) continue;
    if (!(text.startsWith("<") && text.endsWith(">"))) into.lines.push({ text, place });
    else if (text.startsWith("<transform")) into.transforms.push(parseTransform(text, place));
    else if (text.startsWith("<include")) {
      const name = text.slice("<include".length, -1).trim().replace(/^"|"$/g, "");
      const included = reader.includes.get(name);
      if (included === undefined) {
        throw new ImageError("not-found", `${file.name}:${line}: <include ${name}>: no such file with the manifests`, {
          path: name,
        });
      }
      if (included === file || including.includes(included)) {
        throw manifestError(place, `<include ${name}>: files include each other`);
      }
      readLines(included, reader, into, [...including, file]);
    } else throw manifestError(place, `unknown directive ${text.slice(0, 30)}`);
  }
}

/** `$(NAME)` repeatedly, innermost first, until none is left that has a value. */
function expandMacros(raw: string, place: Place, reader: Reader): string {
  let text = raw;
  for (let pass = 0; ; pass++) {
    const expanded = text.replace(/\$\(([^()]*)\)/g, (whole, name: string) => reader.macros.get(name) ?? whole);
    if (expanded === text) break;
    if (pass >= MAX_MACRO_PASSES || expanded.length > MAX_EXPANDED_BYTES)
      throw manifestError(place, `macros that stand for each other in ${raw.slice(0, 40)}`);
    text = expanded;
  }
  text = text.replace(/^[\t ]+/, "");
  if (text.startsWith("#")) return text;
  for (const [, name = ""] of text.matchAll(/\$\(([^()]*)\)/g)) {
    if (!reader.undefinedMacros.has(name)) reader.undefinedMacros.set(name, place);
  }
  return text.replace(/^(\$\([^()]*\))+/, "");
}

function readManifest(file: ManifestText, common: Lines, reader: Reader): Package | DroppedPackage {
  const own: Lines = { lines: [], transforms: [], count: 0 };
  readLines(file, reader, own, []);
  const rules = ruleSet([...own.transforms, ...common.transforms]);
  const actions: Action[] = [];
  /** The reason when a rule aborted the package. */
  const take = (lines: Lines["lines"], attributes: Map<string, string[]>): string | undefined => {
    for (const { text, place } of lines) {
      const action = parseAction(text, place);
      if (action.name === "set") note(action, attributes);
      const transformed = applyTransforms(rules, action, attributes);
      if (transformed.aborted) return reasonText(action);
      actions.push(...transformed.actions);
    }
    return undefined;
  };
  const attributes = new Map<string, string[]>();
  const reason =
    take(own.lines, attributes) ?? takeWhole(rules, attributes, file, actions) ?? take(common.lines, new Map()); // each file knows the attributes that it has itself
  const { name, version } = packageName(attributes.get("pkg.fmri")?.[0], file);
  return reason === undefined ? { name, version, file: file.name, actions } : { name, file: file.name, reason };
}

/** Rules for the type "pkg" see each package once, at the end of its manifest, with the attributes that it has. */
function takeWhole(
  rules: RuleSet,
  attributes: Map<string, string[]>,
  file: ManifestText,
  actions: Action[],
): string | undefined {
  if (!attributes.has("pkg.fmri")) return undefined;
  const whole = { name: PACKAGE_ACTION, attributes, file: file.name, line: 1 };
  const { actions: transformed, aborted } = applyTransforms(rules, whole, attributes);
  actions.push(...transformed.filter((action) => action !== whole));
  return aborted ? "a transform of the whole package" : undefined;
}

const PACKAGE_ACTION = "pkg";

function note(action: Action, attributes: Map<string, string[]>): void {
  const name = attribute(action, "name") ?? "";
  attributes.set(name, [...(attributes.get(name) ?? []), ...attributeValues(action, "value")]);
}

function reasonText(action: Action): string {
  if (action.name !== "set") return `${action.name} action`;
  return `${attribute(action, "name")}=${attributeValues(action, "value").join(",")}`;
}

/** "pkg://publisher/system/kernel@0.5.11,5.11-…" → stem and version. */
function packageName(fmri: string | undefined, file: ManifestText): { name: string; version: string } {
  if (fmri !== undefined) return parseFmri(fmri);
  return { name: file.name.slice(file.name.lastIndexOf("/") + 1).replace(MANIFEST_NAME, ""), version: "" };
}

/** An FMRI's stem and version; scheme, publisher and version may be missing. */
export function parseFmri(fmri: string): { name: string; version: string } {
  const [, stem = "", version = ""] = /^(?:pkg:\/\/[^/]*\/|pkg:\/|\/)?([^@]*)(?:@(.*))?$/s.exec(fmri) ?? [];
  return { name: stem, version };
}

/** Sorted by name, of each package the newest version only; the others go to `dropped`. */
function newestOfEach(packages: readonly Package[], dropped: DroppedPackage[]): Package[] {
  const newest = new Map<string, Package>();
  for (const next of packages) {
    const other = newest.get(next.name);
    const order = other ? compareVersions(next.version, other.version) : 1;
    if (order > 0) newest.set(next.name, next);
    if (other === undefined) continue;
    const [kept, gone] = order > 0 ? [next, other] : [other, next];
    const reason = `${order === 0 ? "same package and version as" : "older than"} ${kept.file}`;
    dropped.push({ name: gone.name, file: gone.file, reason });
  }
  return [...newest.values()].sort((a, b) => compareByteStrings(a.name, b.name));
}

/** FMRI versions `component,build-branch:timestamp`, part by part, numbers as numbers. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionParts(a), versionParts(b)];
  for (let part = 0; part < left.length; part++) {
    const [one, other] = [left[part] ?? [], right[part] ?? []];
    for (let i = 0; i < Math.max(one.length, other.length); i++) {
      const order = (one[i] ?? -1) - (other[i] ?? -1);
      if (order !== 0) return order;
    }
  }
  return 0;
}

function versionParts(version: string): number[][] {
  const [, component = "", , branch = "", time = ""] =
    /^([^,:-]*)(?:,([^:-]*))?(?:-([^:]*))?(?::(.*))?$/s.exec(version) ?? [];
  return [component, branch, time].map((part) => part.split(/\D+/).filter(Boolean).map(Number));
}
