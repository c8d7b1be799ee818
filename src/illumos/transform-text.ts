// The small languages inside of transforms: `%(key)` and its kin, shell words, Python's regular expressions.
// Source: pkg5 src/modules/mogrify.py (substitute_values), Python's shlex and re.

import { type EditableAction, manifestError, type Place } from "./actions.ts";

/** Values of the package's own attributes (`set name=… value=…`) so far, for `%{name}`. */
export type PackageAttributes = ReadonlyMap<string, readonly string[]>;

/** What a rule is applied to. */
export interface Subject {
  readonly action: EditableAction;
  readonly package: PackageAttributes;
  /** What the groups of all patterns matched, in order, for `%<1>`. */
  readonly groups: readonly (string | undefined)[];
  readonly rule: Place;
}

/**
 * `%(key)`: the action's attribute; `%{name}`: the package's; `%<1>`: a group of the match. Within the brackets after
 * a semicolon: `sep=`, `prefix=`, `suffix=`, `notfound=`, `quote`, `noquote`.
 */
export function substitute(text: string, subject: Subject, quote = false): string {
  if (!text.includes("%")) return text;
  return text
    .replace(/%\((.+?)\)|%\{(.+?)\}/g, (_, ofAction?: string, ofPackage?: string) => {
      const [key = "", ...words] = (ofAction ?? ofPackage ?? "").split(";");
      const options = new Map(
        words.map((word): [string, string] => {
          const [name = "", ...value] = word.split("=");
          return [name.trim(), value.join("=").replace(/^(["'])(.*)\1$/, "$2")];
        }),
      );
      const notFound = options.get("notfound");
      const values =
        (ofAction === undefined ? subject.package.get(key) : actionValues(key, subject)) ??
        (notFound === undefined ? undefined : [notFound]);
      if (values === undefined) throw manifestError(subject.action, `a transform wants %(${key}), which is not there`);
      const quoted = (quote || options.has("quote")) && !options.has("noquote");
      return values
        .map(
          (value) =>
            `${options.get("prefix") ?? ""}${quoted ? quoteValue(value) : value}${options.get("suffix") ?? ""}`,
        )
        .join(options.get("sep") ?? " ");
    })
    .replace(/%<(\d)>/g, (whole, digit: string) => {
      const group = subject.groups[Number(digit) - 1];
      if (group === undefined) throw manifestError(subject.rule, `${whole} refers to a group that matched nothing`);
      return group;
    });
}

function actionValues(key: string, { action }: Subject): readonly string[] | undefined {
  switch (key) {
    case "pkg.manifest.lineno":
      return [`${action.line}`];
    case "pkg.manifest.filename":
      return [action.file];
    case "action.hash":
      return action.hash === undefined ? undefined : [action.hash];
    case "action.name":
      return [action.name];
    default:
      return action.attributes.get(key);
  }
}

function quoteValue(value: string): string {
  if (value !== "" && !/[ '"]/.test(value)) return value;
  if (!value.includes('"')) return `"${value}"`;
  return value.includes("'") ? `"${value.replaceAll('"', '\\"')}"` : `'${value}'`;
}

/** Words as a POSIX shell splits them: '…' is literal, in "…" a backslash protects " and itself, elsewhere anything. */
export function splitShellWords(text: string, place: Place): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "\\") {
      word = (word ?? "") + (text[++at] ?? "");
    } else if (character === '"' || character === "'") {
      word ??= "";
      for (at++; text[at] !== character; at++) {
        if (at >= text.length) throw manifestError(place, "transform: a quote has no end");
        if (character === '"' && text[at] === "\\" && /["\\]/.test(text[at + 1] ?? "")) at++;
        word += text[at];
      }
    } else word = (word ?? "") + character;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** A regular expression of Python's re; what JavaScript spells otherwise is respelled. */
export function regularExpression(source: string, place: Place, flags: string): RegExp {
  const respelled = source
    .replace(/\(\?P</g, "(?<")
    .replace(/\(\?P=(\w+)\)/g, "\\k<$1>")
    .replace(/\\A/g, "^")
    .replace(/\\Z/g, "$");
  try {
    return new RegExp(respelled, flags);
  } catch (cause) {
    throw manifestError(place, `transform: "${source}" is no regular expression (${String(cause)})`);
  }
}
