// The kernel state files while drivers are added: their lines, and what is looked up in them again and again.

import { ImageError } from "../bytes/index.ts";
import { type Action, attribute, manifestError, type Place } from "./actions.ts";
import { bindingFields } from "./driver-data.ts";
import { KERNEL_STATE_FILES } from "./kernel-state.ts";

export const DRIVER_STATE_FILES = [
  "name_to_major",
  "rem_name_to_major",
  "driver_aliases",
  "driver_classes",
  "minor_perm",
  "device_policy",
  "extra_privs",
  "devlink.tab",
] as const;
export type DriverStateFile = (typeof DRIVER_STATE_FILES)[number];

/** Texts (byte strings) of the files that are there. */
export type DriverStateTexts = Readonly<Partial<Record<DriverStateFile, string>>>;

export interface DriverClash extends Place {
  /** "alias": two drivers want it; "name": an alias is another driver's name; "driver": two actions for one driver. */
  readonly kind: "alias" | "name" | "driver";
  readonly driver: string;
  /** The driver that has it. */
  readonly other: string;
  /** What both want. */
  readonly value: string;
  /** What became of it, in words. */
  readonly message: string;
}

export interface DriverReport {
  /** Drivers that got a major number, and those that the files already listed. */
  readonly added: readonly string[];
  readonly updated: readonly string[];
  /** Entries of the files as they are now, comments aside. */
  readonly majors: number;
  readonly aliases: number;
  readonly perms: number;
  readonly classes: number;
  readonly policies: number;
  readonly privs: number;
  readonly devlinks: number;
  readonly clashes: readonly DriverClash[];
}

/** The largest major number of a 32-bit dev_t (L_MAXMAJ32). */
export const MAX_MAJOR = 0x3fff;

export interface State {
  readonly lines: Record<DriverStateFile, string[]>;
  readonly majors: Map<string, number>;
  /** Each alias with the driver that has it. */
  readonly aliases: Map<string, string>;
  /** Names of all drivers that there will be, and of those that have an action. */
  readonly names: ReadonlySet<string>;
  readonly ownNames: ReadonlySet<string>;
  readonly clashes: DriverClash[];
}

export function driverName(action: Action): string {
  const name = attribute(action, "name") ?? "";
  if (!/^[^\s/:#]+$/.test(name)) throw manifestError(action, `"${name}" cannot be the name of a driver`);
  return name;
}

export function openState(existing: DriverStateTexts, actions: readonly Action[]): State {
  const lines = Object.fromEntries(DRIVER_STATE_FILES.map((name) => [name, linesOf(existing[name] ?? "")])) as Record<
    DriverStateFile,
    string[]
  >; // one entry for each of the names
  const majors = parseMajors(lines.name_to_major, "name_to_major");
  const own = new Set(actions.map(driverName));
  const aliases = new Map<string, string>();
  for (const line of lines.driver_aliases) {
    const [name, alias, ...more] = bindingFields(line);
    if (name !== undefined && alias !== undefined && more.length === 0 && !aliases.has(alias)) aliases.set(alias, name);
  }
  return {
    lines,
    majors,
    aliases,
    names: new Set([...majors.keys(), ...own]),
    ownNames: own,
    clashes: [],
  };
}

/** Lines without their ends. What follows the last newline is a line too: appending after it must not lengthen it. */
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

export function parseMajors(lines: readonly string[], file: DriverStateFile): Map<string, number> {
  const majors = new Map<string, number>();
  for (const [i, line] of lines.entries()) {
    const [name, major] = line.replace(/#.*$/s, "").split(/\s+/).filter(Boolean);
    if (name === undefined) continue;
    if (major === undefined || !/^\d+$/.test(major) || Number(major) > MAX_MAJOR) {
      throw new ImageError("bad-format", `etc/${file}:${i + 1}: "${line}" is no driver and number up to ${MAX_MAJOR}`, {
        path: KERNEL_STATE_FILES[file],
      });
    }
    majors.set(name, Number(major));
  }
  return majors;
}

export function clash(state: State, { file, line }: Place, found: Omit<DriverClash, "file" | "line">): void {
  state.clashes.push({ ...found, file, line });
}

export function closeState(state: State, existing: DriverStateTexts): DriverStateTexts {
  const texts: Partial<Record<DriverStateFile, string>> = {};
  for (const name of DRIVER_STATE_FILES) {
    const lines = state.lines[name];
    if (lines.length > 0 || existing[name] !== undefined) texts[name] = lines.map((line) => `${line}\n`).join("");
  }
  return texts;
}

export function reportOf(state: State, added: readonly string[], updated: readonly string[]): DriverReport {
  const entries = (name: DriverStateFile): number => state.lines[name].filter((line) => !/^\s*($|#)/.test(line)).length;
  return {
    added,
    updated,
    majors: state.majors.size,
    aliases: entries("driver_aliases"),
    perms: entries("minor_perm"),
    classes: entries("driver_classes"),
    policies: entries("device_policy"),
    privs: entries("extra_privs"),
    devlinks: entries("devlink.tab"),
    clashes: state.clashes,
  };
}
