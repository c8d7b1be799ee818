// Drivers that a package's postinstall script adds, as `driver` actions: plain calls of add_drv(8) and update_drv(8), and
// lines appended to /etc/driver_classes (which is how Tribblix' packages give a driver a second class). Scripts are never run.

import type { Action } from "../illumos/index.ts";
import { type ShellCommand, shellCommands } from "./shell-words.ts";

export interface ScriptDrivers {
  /** One action a driver, in the order of the script. */
  readonly actions: readonly Action[];
  /** Calls that name drivers, but with words that only running the script would tell. */
  readonly notUnderstood: readonly ShellCommand[];
}

/** Options of add_drv and update_drv that take a value, and the attribute that the value becomes. */
const OPTION_ATTRIBUTES: Readonly<Record<string, string | undefined>> = {
  i: "alias",
  c: "class",
  m: "perms",
  p: "policy",
  P: "privs",
  b: undefined, // another root
  u: undefined, // moves an alias from one driver to another on a running system
};

interface DriverCall {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

/** What a script (a byte string) adds. `file` is for messages and the actions' place. */
export function scriptDrivers(script: string, file: string): ScriptDrivers {
  const drivers = new Map<string, { line: number; attributes: Map<string, string[]> }>();
  const notUnderstood: ShellCommand[] = [];
  let lastAdded: string | undefined;
  const note = (name: string, line: number, attribute: string, values: readonly string[]): void => {
    const driver = drivers.get(name) ?? { line, attributes: new Map([["name", [name]]]) };
    const before = driver.attributes.get(attribute) ?? [];
    const added = values.filter((value) => !before.includes(value));
    if (before.length + added.length > 0) driver.attributes.set(attribute, [...before, ...added]);
    drivers.set(name, driver);
  };

  for (const command of shellCommands(script)) {
    const [program, ...operands] = command.words;
    const tool = program?.slice(program.lastIndexOf("/") + 1);
    if (tool === "add_drv" || tool === "update_drv") {
      const call = readCall(withoutRedirections(operands));
      if (call === undefined) {
        notUnderstood.push(command);
        continue;
      }
      // What pkg(7) calls clone_perms: minors of the clone driver, given by the package of the driver they are for.
      const forClone = tool === "update_drv" && call.name === "clone" && lastAdded !== undefined;
      const name = forClone ? (lastAdded ?? call.name) : call.name;
      note(name, command.line, "name", [name]);
      for (const [attribute, values] of call.attributes) {
        note(name, command.line, forClone && attribute === "perms" ? "clone_perms" : attribute, values);
      }
      if (tool === "add_drv") lastAdded = call.name;
    } else if (tool === "echo" || tool === "printf") {
      const target = operands.at(-1);
      if (operands.at(-2) !== ">>" || !(target ?? "?").endsWith("driver_classes")) continue;
      const words = operands.slice(0, -2).map((word) => word?.split(/\\t|\\n|[ \t\n]+/).filter(Boolean));
      const [name, driverClass, ...more] = words.flatMap((word) => word ?? [undefined]);
      if (name && driverClass && more.length === 0) note(name, command.line, "class", [driverClass]);
      else notUnderstood.push(command);
    } else if (program === undefined && /\b(add|update)_drv\b/.test(command.text)) notUnderstood.push(command);
  }
  const actions = Array.from(drivers.values(), ({ line, attributes }) => ({ name: "driver", attributes, file, line }));
  return { actions, notUnderstood };
}

/** The operands of one call, by getopt(3C)'s rules; undefined when a word cannot be known or the call is wrong. */
function readCall(operands: readonly (string | undefined)[]): DriverCall | undefined {
  const attributes = new Map<string, string[]>();
  let at = 0;
  for (; at < operands.length; at++) {
    const word = operands[at];
    if (word === undefined) return undefined;
    if (!word.startsWith("-") || word === "-") break;
    for (let i = 1; i < word.length; i++) {
      const option = word[i] ?? "";
      if (!(option in OPTION_ATTRIBUTES)) continue; // a flag
      const value = i + 1 < word.length ? word.slice(i + 1) : operands[++at];
      const attribute = OPTION_ATTRIBUTES[option];
      if (value === undefined) {
        if (option === "b") break; // whatever other root that would be
        return undefined;
      }
      if (attribute) attributes.set(attribute, [...(attributes.get(attribute) ?? []), ...splitValue(attribute, value)]);
      break;
    }
  }
  const [name, ...more] = operands.slice(at);
  if (name === undefined || more.length > 0 || !/^[^\s/]+$/.test(name)) return undefined;
  return { name, attributes };
}

/** One option's value as several of an action: aliases at blanks, without their quotes; permissions at commas. */
function splitValue(attribute: string, value: string): string[] {
  switch (attribute) {
    case "alias":
      return Array.from(value.matchAll(/"([^"]*)"|([^\s"]+)/g), (match) => match[1] ?? match[2] ?? "").filter(Boolean);
    case "perms":
      return splitPermissions(value);
    case "privs":
      return value.split(",").filter(Boolean);
    default:
      return [value];
  }
}

/** A comma ends an entry only after the entry's first blank: a minor may hold commas ("*,cu 0600 uucp uucp"). */
function splitPermissions(value: string): string[] {
  const entries: string[] = [];
  for (let rest = value.trimStart(); rest !== ""; ) {
    const blank = rest.search(/\s/);
    const comma = blank === -1 ? -1 : rest.indexOf(",", blank);
    const entry = comma === -1 ? rest : rest.slice(0, comma);
    entries.push(entry.trimEnd().split(/\s+/).join(" "));
    rest = comma === -1 ? "" : rest.slice(comma + 1).trimStart();
  }
  return entries;
}

/** The operands before the first redirection ("2", ">&", "1" are three words here). */
function withoutRedirections(operands: readonly (string | undefined)[]): readonly (string | undefined)[] {
  const at = operands.findIndex((word) => word !== undefined && /^(>>?|<|[<>]&)$/.test(word));
  if (at === -1) return operands;
  return operands.slice(0, /^[0-9]$/.test(operands[at - 1] ?? "") ? at - 1 : at);
}
