// The action language of IPS package manifests: one action a line, `file HASH path=usr/bin/ls mode=0555 …`.
// Grammar as pkg5 reads it (pkg(7), src/modules/actions/_actions.c): type, perhaps a hash, then key=value pairs; values
// may be quoted with ' or ", a backslash protects the quote and itself, adjacent quoted values join, a repeated key
// makes a list. All text here is byte strings (src/bytes): a value of `path` compares with names in a tree as it is.

import { ImageError, toText } from "../bytes/index.ts";

/** Where an action was written, for messages. */
export interface Place {
  readonly file: string;
  /** 1 is the first; of a continued line, the line that it begins on. */
  readonly line: number;
}

export interface Action extends Place {
  /** The action's type: "file", "dir", "driver" … Types that pkg5 does not know are kept (see KNOWN_ACTIONS). */
  readonly name: string;
  /** The payload's name: positional, or given as `hash=`. In a gate's manifests a path in the proto area, if any. */
  readonly hash?: string | undefined;
  /** Every value of every key, in the order written. A key has at least one value. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

/** An action that its reader still works on (transforms change attributes before anyone else sees the action). */
export interface EditableAction extends Action {
  hash?: string | undefined;
  readonly attributes: Map<string, string[]>;
}

/** Every action type that pkg5 knows, with the attribute that identifies an action of the type (its "key attribute"). */
export const KNOWN_ACTIONS: Readonly<Record<string, string | undefined>> = {
  depend: "fmri",
  dir: "path",
  driver: "name",
  file: "path",
  group: "groupname",
  hardlink: "path",
  legacy: "pkg",
  license: "license",
  link: "path",
  set: "name",
  signature: "value",
  unknown: undefined,
  user: "username",
};

/** Types whose action may name a payload. */
const WITH_PAYLOAD: ReadonlySet<string> = new Set(["file", "license", "signature"]);
/** Types that may repeat their key attribute (`depend type=require-any fmri=… fmri=…`). */
const REPEATED_KEY: ReadonlySet<string> = new Set(["depend"]);

/** The first value of an attribute. */
export function attribute(action: Action, key: string): string | undefined {
  return action.attributes.get(key)?.[0];
}

/** All values of an attribute; none when it is absent. */
export function attributeValues(action: Action, key: string): readonly string[] {
  return action.attributes.get(key) ?? [];
}

/** "SUNWcs.p5m:17", or the bare name of what has no lines (an option). */
export function placeText({ file, line }: Partial<Place> & Pick<Place, "file">): string {
  return line === undefined ? toText(file) : `${toText(file)}:${line}`;
}

/** An error in a manifest, with file and line. */
export function manifestError(place: Place, what: string): ImageError {
  return new ImageError("bad-format", `${placeText(place)}: ${what}`, { path: place.file });
}

export interface LogicalLine {
  readonly line: number;
  readonly text: string;
}

/** Lines without blanks around them, those that end in a backslash joined with the next; blank lines are left out. */
export function logicalLines(text: string): LogicalLine[] {
  const lines: LogicalLine[] = [];
  let pending: LogicalLine | undefined;
  let line = 0;
  for (let start = 0; start <= text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    const stripped = withoutBlanksAround(text, start, end);
    start = end + 1;
    line++;
    if (stripped === "") continue; // also inside a continued line, as in pkgmogrify(1)
    const continued = stripped.endsWith("\\");
    const part = continued ? stripped.slice(0, -1) : stripped;
    pending = pending ? { line: pending.line, text: pending.text + part } : { line, text: part };
    if (continued) continue;
    lines.push(pending);
    pending = undefined;
  }
  if (pending) lines.push(pending);
  return lines;
}

const TAB = 0x09;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/** TAB, VT, FF, CR and blank. Not what String.trim takes: U+00A0 is half of a UTF-8 character in a byte string. */
function withoutBlanksAround(text: string, from: number, to: number): string {
  const blank = (code: number): boolean => code === SPACE || (code >= TAB && code <= CARRIAGE_RETURN);
  let [start, end] = [from, to];
  while (start < end && blank(text.charCodeAt(start))) start++;
  while (end > start && blank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/**
 * The actions of a published manifest (no macros, includes or transforms: for those see manifest.ts).
 * `text` is a byte string; `file` is only for messages.
 * @throws ImageError "bad-format" with file and line on a syntax error
 */
export function parseActions(text: string, file: string): EditableAction[] {
  const actions: EditableAction[] = [];
  for (const logical of logicalLines(text)) {
    if (!logical.text.startsWith("#")) actions.push(parseAction(logical.text, { file, line: logical.line }));
  }
  return actions;
}

const EQUALS = 0x3d;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;

const isBlank = (code: number): boolean => code === SPACE || code === TAB;
const isQuote = (code: number): boolean => code === DOUBLE_QUOTE || code === SINGLE_QUOTE;

/**
 * One action from one logical line.
 * @throws ImageError "bad-format" with file and line
 */
export function parseAction(text: string, place: Place): EditableAction {
  const { file, line } = place;
  let at = endOfWord(text, 0);
  const name = text.slice(0, at);
  const payload = WITH_PAYLOAD.has(name) || !Object.hasOwn(KNOWN_ACTIONS, name);
  const attributes = new Map<string, string[]>();
  let hash: string | undefined;
  let lastValues: string[] | undefined; // of the value before, when it was quoted: another quoted one joins it

  for (;;) {
    while (isBlank(text.charCodeAt(at))) at++;
    if (at >= text.length) break;
    if (lastValues && isQuote(text.charCodeAt(at))) {
      const joined = quotedValue(text, at, place);
      lastValues.push((lastValues.pop() ?? "") + joined.value);
      at = joined.end;
      continue;
    }
    const keyEnd = endOfKey(text, at);
    const key = text.slice(at, keyEnd);
    at = keyEnd;
    if (isQuote(text.charCodeAt(at))) throw manifestError(place, `a quote in the key "${toText(key)}"`);
    if (text.charCodeAt(at) !== EQUALS) {
      if (attributes.size > 0 || hash !== undefined) {
        throw manifestError(place, `"${toText(key)}" is neither key=value nor quoted`);
      }
      if (!payload) {
        throw manifestError(place, `"${toText(key)}" is not key=value, and a ${toText(name)} action has no payload`);
      }
      hash = key;
      continue;
    }
    if (key === "") throw manifestError(place, "a value without a key");
    at++;
    if (at >= text.length || isBlank(text.charCodeAt(at))) throw manifestError(place, `${toText(key)}= has no value`);
    const quoted = isQuote(text.charCodeAt(at)) ? quotedValue(text, at, place) : undefined;
    const end = quoted?.end ?? endOfWord(text, at);
    const value = quoted?.value ?? text.slice(at, end);
    at = end;
    lastValues = undefined;
    if (key === "hash") {
      if (!payload) throw manifestError(place, `a ${toText(name)} action has no payload, so no hash`);
      if (hash !== undefined && hash !== value) throw manifestError(place, "two hashes that differ");
      hash = value;
      continue;
    }
    const values = attributes.get(key);
    if (values) values.push(value);
    else attributes.set(key, [value]);
    if (quoted) lastValues = attributes.get(key);
  }
  if (attributes.size === 0) throw manifestError(place, `${toText(name)}: no attributes`);
  if (name === "set") spellOutSet(attributes, place);
  checkKeyAttribute(name, attributes, place);
  return { name, hash, attributes, file, line };
}

interface Scanned {
  readonly end: number;
  readonly value: string;
}

function endOfWord(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** Where a key ends: at "=", a blank, a quote, or the end. */
function endOfKey(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === EQUALS || isBlank(code) || isQuote(code)) return at;
  }
  return text.length;
}

/** A quoted value that begins with the quote at `from`. */
function quotedValue(text: string, from: number, place: Place): Scanned {
  const quote = text.charCodeAt(from);
  let value = "";
  let start = from + 1;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return { end: at + 1, value: value + text.slice(start, at) };
    if (code !== BACKSLASH) continue;
    at++;
    if (text.charCodeAt(at) !== quote && text.charCodeAt(at) !== BACKSLASH) continue;
    value += text.slice(start, at - 1);
    start = at;
  }
  throw manifestError(place, `the quoted value ${toText(text.slice(from, from + 20))}… has no end`);
}

/** `set pkg.summary=…` is short for `set name=pkg.summary value=…`. */
function spellOutSet(attributes: Map<string, string[]>, place: Place): void {
  if (attributes.has("name") && attributes.has("value")) return;
  const [first, ...others] = attributes;
  if (first === undefined || others.length > 0) throw manifestError(place, "set: name or value is missing");
  attributes.clear();
  attributes.set("name", [first[0]]);
  attributes.set("value", first[1]);
}

function checkKeyAttribute(name: string, attributes: ReadonlyMap<string, readonly string[]>, place: Place): void {
  const key = Object.hasOwn(KNOWN_ACTIONS, name) ? KNOWN_ACTIONS[name] : undefined;
  if (key === undefined) return;
  const values = attributes.get(key);
  if (values === undefined) throw manifestError(place, `${name} without ${key}=`);
  if (values.length > 1 && !REPEATED_KEY.has(name)) throw manifestError(place, `${name} with ${key}= more than once`);
}
