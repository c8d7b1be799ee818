// Transforms: rules that change the actions of a gate's manifests before they are published, as pkgmogrify(1) applies
// them: `<transform TYPES KEY=PATTERN … -> OPERATION …>`. Patterns are anchored at the start only, and every value of
// the key must match. Rules apply in order, each to what the ones before it left.
// Source: pkg5 src/modules/mogrify.py and pkgmogrify(1).

import { type EditableAction, manifestError, type Place, parseAction } from "./actions.ts";
import {
  type PackageAttributes,
  regularExpression,
  type Subject,
  splitShellWords,
  substitute,
} from "./transform-text.ts";

/** What became of an action. */
export interface Transformed {
  /** The action and those that rules emitted; empty when it was dropped. */
  readonly actions: readonly EditableAction[];
  /** A rule said `abort`: the whole package is not for this build. */
  readonly aborted: boolean;
}

export interface Transform extends Place {
  /** Action types; empty for any. */
  readonly types: ReadonlySet<string>;
  readonly patterns: readonly (readonly [key: string, pattern: RegExp])[];
  readonly operation: Operation;
}

type Outcome = "keep" | "drop" | "abort" | EditableAction;

interface Operation {
  /** The attribute that the rule leaves alone when it is there: known before any pattern is tried, so much work is saved. */
  readonly onlyWithout?: string;
  apply(subject: Subject): Outcome;
}

/** Emitted actions pass all rules again; a rule that emits what it matches would never end. Of one action: */
const MAX_EMITTED = 1000;

/** `<transform …>` as written, brackets included. */
export function parseTransform(text: string, place: Place): Transform {
  const body = text.slice("<transform".length, -1);
  const arrow = body.indexOf("->");
  if (arrow === -1) throw manifestError(place, "transform without ->");
  const words = body.slice(0, arrow).split(/\s+/).filter(Boolean);
  const keys = words.filter((word) => word.includes("="));
  const patterns: (readonly [string, RegExp])[] = [];
  if (keys.length > 0) {
    for (const [key, values] of parseAction(`unknown ${keys.join(" ")}`, place).attributes) {
      if (values.length > 1) throw manifestError(place, `transform with two patterns for ${key}`);
      patterns.push([key, regularExpression(`^(?:${values[0]})`, place, "")]);
    }
  }
  return {
    types: new Set(words.filter((word) => !word.includes("="))),
    patterns,
    operation: parseOperation(body.slice(arrow + 2).trim(), place),
    file: place.file,
    line: place.line,
  };
}

/** Rules in their order, those that speak of a type found at once: a gate has 45,000 actions and 40 rules. */
export interface RuleSet {
  forType(name: string): readonly Transform[];
}

export function ruleSet(rules: readonly Transform[]): RuleSet {
  const byType = new Map<string, readonly Transform[]>();
  return {
    forType(name) {
      const known = byType.get(name);
      if (known) return known;
      const found = rules.filter(({ types }) => types.size === 0 || types.has(name));
      byType.set(name, found);
      return found;
    },
  };
}

/** Passes an action through all rules, and the actions that rules emit as well. The action is changed in place. */
export function applyTransforms(
  rules: RuleSet,
  action: EditableAction,
  packageAttributes: PackageAttributes,
): Transformed {
  const actions: EditableAction[] = [];
  const pending = [action];
  for (let emitted = 0, next = pending.pop(); next !== undefined; next = pending.pop()) {
    const found = applyOnce(rules, next, packageAttributes);
    if (found === "abort") return { actions: [], aborted: true };
    if (found.kept) actions.push(next);
    emitted += found.emitted.length;
    if (emitted > MAX_EMITTED) throw manifestError(action, "a transform emits an action that it matches itself");
    pending.push(...found.emitted.reverse());
  }
  return { actions, aborted: false };
}

function applyOnce(
  rules: RuleSet,
  action: EditableAction,
  packageAttributes: PackageAttributes,
): "abort" | { readonly kept: boolean; readonly emitted: EditableAction[] } {
  const emitted: EditableAction[] = [];
  for (const rule of rules.forType(action.name)) {
    if (rule.operation.onlyWithout !== undefined && action.attributes.has(rule.operation.onlyWithout)) continue;
    const groups = matchAll(rule, action);
    if (groups === undefined) continue;
    const outcome = rule.operation.apply({ action, package: packageAttributes, groups, rule });
    if (outcome === "abort") return outcome;
    if (outcome === "drop") return { kept: false, emitted };
    if (outcome !== "keep") emitted.push(outcome);
  }
  return { kept: true, emitted };
}

const NO_GROUPS: readonly string[] = [];

/** The groups of all matches, or undefined when a key is missing or one of its values does not match. */
function matchAll(rule: Transform, action: EditableAction): readonly (string | undefined)[] | undefined {
  let groups: readonly (string | undefined)[] = NO_GROUPS;
  for (const [key, pattern] of rule.patterns) {
    const values = action.attributes.get(key);
    if (values === undefined) return undefined;
    for (const value of values) {
      const match = pattern.exec(value);
      if (match === null) return undefined;
      if (match.length > 1) groups = [...groups, ...match.slice(1)];
    }
  }
  return groups;
}

function parseOperation(text: string, place: Place): Operation {
  const [, name = "", rest = ""] = /^(\S*)\s*([\s\S]*)$/.exec(text) ?? [];
  const wanted = (least: number, most: number): string[] => {
    const words = splitShellWords(rest, place);
    if (words.length < least || words.length > most) {
      throw manifestError(place, `transform: ${name} takes ${least} operands, not ${words.length}`);
    }
    return words;
  };
  switch (name) {
    case "drop":
      wanted(0, 0);
      return { apply: () => "drop" };
    case "abort":
      wanted(0, 0);
      return { apply: () => "abort" };
    case "print":
      return { apply: () => "keep" }; // messages of the gate's own build
    case "exit":
      return exitOperation(rest);
    case "emit":
      return { apply: (subject) => emit(rest, subject) };
    case "set":
    case "default":
    case "add": {
      const [key = "", value = ""] = wanted(2, 2);
      return assignment(name, key, value);
    }
    case "edit": {
      const [key = "", pattern = "", replacement = ""] = wanted(2, 3);
      return { apply: (subject) => edit(key, pattern, replacement, subject) };
    }
    case "delete": {
      const [key = "", pattern = ""] = wanted(2, 2);
      const unwanted = regularExpression(pattern, place, "");
      return { apply: ({ action }) => remove(key, unwanted, action) };
    }
    default:
      throw manifestError(place, `transform: unknown operation "${name}"`);
  }
}

function assignment(name: "set" | "default" | "add", key: string, value: string): Operation {
  const apply = (subject: Subject): Outcome => {
    const attributes = subject.action.attributes;
    const to = substitute(key, subject);
    if (name === "default" && attributes.has(to)) return "keep";
    const text = substitute(value, subject);
    if (name === "set" && to === "action.hash") subject.action.hash = text;
    else if (name === "add") attributes.set(to, [...(attributes.get(to) ?? []), text]);
    else attributes.set(to, [text]);
    return "keep";
  };
  return name === "default" && !key.includes("%") ? { onlyWithout: key, apply } : { apply };
}

/** `exit 0` ends a package quietly, as abort does; any other status is an error that the rule's author foresaw. */
function exitOperation(rest: string): Operation {
  const [, status = "0", message = ""] = /^(\S*)\s*([\s\S]*)$/.exec(rest) ?? [];
  return {
    apply(subject) {
      if (Number(status) === 0) return "abort";
      throw manifestError(subject.action, substitute(message, subject) || `a transform ends with status ${status}`);
    },
  };
}

function emit(text: string, subject: Subject): Outcome {
  const line = substitute(text, subject, true).trim();
  return line === "" || line.startsWith("#") ? "keep" : parseAction(line, subject.action);
}

function edit(key: string, pattern: string, replacement: string, subject: Subject): Outcome {
  const { attributes } = subject.action;
  const to = substitute(key, subject);
  const values = attributes.get(to);
  if (values === undefined) return "keep";
  const search = regularExpression(substitute(pattern, subject), subject.rule, "g");
  const template = substitute(replacement, subject);
  // Python's template: \1, \g<1> and \g<name> stand for groups.
  const expand = (...found: (string | undefined)[]): string =>
    template.replace(/\\(?:(\d+)|g<(\d+)>|\\)/g, (whole, short?: string, long?: string) =>
      whole === "\\\\" ? "\\" : (found[Number(short ?? long)] ?? ""),
    );
  attributes.set(
    to,
    values.map((value) => value.replace(search, expand)),
  );
  return "keep";
}

function remove(key: string, unwanted: RegExp, action: EditableAction): Outcome {
  const values = action.attributes.get(key)?.filter((value) => !unwanted.test(value));
  if (values === undefined) return "keep";
  if (values.length > 0) action.attributes.set(key, values);
  else action.attributes.delete(key);
  return "keep";
}
