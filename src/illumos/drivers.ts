// Kernel state files from driver actions, byte for byte as add_drv(8) and update_drv(8) leave them when pkg5 installs the
// packages into an alternate root: majors, aliases, classes, permissions, device policy, privileges, devlink.tab.
// Source: pkg5 src/modules/actions/driver.py; illumos-gate usr/src/cmd/modload/{add_drv,update_drv,drvsubr}.c.

import { compareByteStrings, ImageError } from "../bytes/index.ts";
import type { Directory } from "../tree/index.ts";
import { type Action, attribute, attributeValues, manifestError, placeText } from "./actions.ts";
import { policyLines, replacePolicy, withoutPolicy } from "./device-policy.ts";
import { bindingFields, type DriverData, driverData } from "./driver-data.ts";
import {
  clash,
  closeState,
  DRIVER_STATE_FILES,
  type DriverReport,
  type DriverStateFile,
  type DriverStateTexts,
  driverName,
  MAX_MAJOR,
  openState,
  parseMajors,
  reportOf,
  type State,
} from "./driver-state.ts";
import { KERNEL_STATE_FILES } from "./kernel-state.ts";
import { permEntries, updateMinorPerm, withoutEntry } from "./minor-perm.ts";
import { readTextFile, replaceTextFiles } from "./text-files.ts";

export interface DriverState {
  /** The files that were there or now hold something. */
  readonly files: DriverStateTexts;
  readonly report: DriverReport;
}

/**
 * @throws ImageError "bad-format" with file and line for an action that add_drv would refuse, and for a line of
 *   name_to_major that is none; "limit" when no major number is free
 */
export function driverFiles(existing: DriverStateTexts, actions: readonly Action[]): DriverState {
  const state = openState(existing, actions);
  const added: string[] = [];
  const updated: string[] = [];
  for (const action of [...actions].sort(installOrder)) {
    const name = driverName(action);
    if (state.majors.has(name)) {
      if (added.includes(name) || updated.includes(name)) {
        const message = `${name} has two driver actions; the second one's values replace the first one's`;
        clash(state, action, { kind: "driver", driver: name, other: name, value: name, message });
      }
      updateDriver(state, name, action);
      updated.push(name);
    } else {
      addDriver(state, name, action);
      added.push(name);
    }
  }
  return { files: closeState(state, existing), report: reportOf(state, added, updated) };
}

/** The clone driver first: others add minors to it. Then by name. */
function installOrder(a: Action, b: Action): number {
  const [one, other] = [attribute(a, "name") ?? "", attribute(b, "name") ?? ""];
  if (one !== other && (one === "clone" || other === "clone")) return one === "clone" ? -1 : 1;
  return compareByteStrings(one, other);
}

/** `add_drv -n -b ROOT -m … -i … -c … -P … -p … NAME`, then `update_drv -a -m … clone` for each of `clone_perms`. */
function addDriver(state: State, name: string, action: Action): void {
  const { lines } = state;
  const major = assignMajor(state, name, action);
  lines.name_to_major.push(`${name} ${major}`);
  for (const entry of permEntries(attributeValues(action, "perms").join(","), action)) {
    lines.minor_perm.push(`${name}:${entry}`);
  }
  for (const alias of attributeValues(action, "alias")) addAlias(state, name, alias, action);
  for (const value of words(attributeValues(action, "class"), /\s+/)) lines.driver_classes.push(`${name}\t${value}`);
  for (const value of words(attributeValues(action, "privs"), /[\s,]+/)) lines.extra_privs.push(`${name}:${value}`);
  const policies = attributeValues(action, "policy");
  if (policies.length > 0) lines.device_policy.push(...policyLines(policies.join(" "), name, action));
  for (const entry of clonePerms(name, action)) updateMinorPerm(lines.minor_perm, "clone", entry);
  addDevlinks(state, action);
}

/**
 * What pkg5 does for a driver that name_to_major already lists: attribute by attribute, what the files say and the action
 * does not is removed (aliases aside), what only the action says is added.
 */
function updateDriver(state: State, name: string, action: Action): void {
  const { lines } = state;
  const found = driverData(lines, name);
  for (const alias of missingFrom(found.aliases, attributeValues(action, "alias")))
    addAlias(state, name, alias, action);
  updateClasses(state, name, found, attributeValues(action, "class"));
  addDevlinks(state, action);
  const perms = attributeValues(action, "perms");
  for (const entry of missingFrom(perms, found.perms)) {
    lines.minor_perm = withoutEntry(lines.minor_perm, name, entry);
  }
  for (const entry of missingFrom(found.perms, perms)) {
    for (const one of permEntries(entry, action)) updateMinorPerm(lines.minor_perm, name, one);
  }
  const privs = attributeValues(action, "privs");
  for (const value of words(missingFrom(found.privs, privs), /[\s,]+/)) lines.extra_privs.push(`${name}:${value}`);
  for (const value of missingFrom(privs, found.privs)) {
    lines.extra_privs = withoutEntry(lines.extra_privs, name, value);
  }
  const policies = attributeValues(action, "policy");
  for (const policy of missingFrom(policies, found.policies)) {
    // As pkg5 tells them apart: three words begin with a minor, two are taken for tokens of all minors.
    const [minor = "*", ...tokens] = policy.split(" ");
    lines.device_policy = withoutPolicy(lines.device_policy, `${name}:${tokens.length === 2 ? minor : "*"}`);
  }
  for (const policy of missingFrom(found.policies, policies)) {
    lines.device_policy = replacePolicy(lines.device_policy, policyLines(policy, name, action));
  }
  const clones = clonePerms(name, action);
  for (const entry of missingFrom(clones, found.clonePerms)) {
    lines.minor_perm = withoutEntry(lines.minor_perm, "clone", entry);
  }
  for (const entry of missingFrom(found.clonePerms, clones)) updateMinorPerm(lines.minor_perm, "clone", entry);
}

/** Those of `wanted` that `present` does not hold, each once. */
function missingFrom(present: readonly string[], wanted: readonly string[]): string[] {
  return [...new Set(wanted)].filter((value) => !present.includes(value));
}

function words(values: readonly string[], separator: RegExp): string[] {
  return values.flatMap((value) => value.split(separator)).filter(Boolean);
}

/** Three fields are for the minor that bears the driver's name. */
function clonePerms(name: string, action: Action): string[] {
  return attributeValues(action, "clone_perms").flatMap((value) =>
    permEntries(words([value], /\s+/).length === 3 ? `${name} ${value}` : value, action),
  );
}

function updateClasses(state: State, name: string, found: DriverData, wanted: readonly string[]): void {
  const surplus = missingFrom(wanted, found.classes);
  if (surplus.length > 0) {
    state.lines.driver_classes = state.lines.driver_classes.filter((line) => {
      const [driver, value, ...more] = line.split(/\s+/).filter(Boolean);
      return more.length > 0 || driver !== name || value === undefined || !surplus.includes(value);
    });
  }
  for (const value of missingFrom(found.classes, wanted)) state.lines.driver_classes.push(`${name}\t${value}`);
}

/** devlink.tab: `\t` stands for TAB, other backslashes for themselves (`t4nex\M2`). Not twice. */
function addDevlinks({ lines }: State, action: Action): void {
  for (const value of attributeValues(action, "devlink")) {
    const line = value.replaceAll("\\t", "\t");
    if (!lines["devlink.tab"].includes(line)) lines["devlink.tab"].push(line);
  }
}

/** A reservation in rem_name_to_major, else the first number free in both files; 0 is never handed out. */
function assignMajor(state: State, name: string, action: Action): number {
  const { majors, lines } = state;
  const reserved = parseMajors(lines.rem_name_to_major, "rem_name_to_major");
  const taken = new Set(majors.values());
  const take = (major: number): number => {
    majors.set(name, major);
    return major;
  };
  // Of several reservations of one number add_drv knows the last only.
  const reservation = reserved.get(name);
  const last = [...reserved].findLast(([, major]) => major === reservation)?.[0];
  if (reservation !== undefined && last === name) {
    lines.rem_name_to_major = lines.rem_name_to_major.filter(
      (line) => line.replace(/#.*$/s, "").split(/\s+/).filter(Boolean)[0] !== name,
    );
    if (!taken.has(reservation)) return take(reservation);
    reserved.delete(name);
  }
  for (const major of reserved.values()) taken.add(major);
  for (let major = 1; major <= MAX_MAJOR; major++) if (!taken.has(major)) return take(major);
  throw new ImageError("limit", `${placeText(action)}: no major number up to ${MAX_MAJOR} is free for ${name}`);
}

/**
 * The kernel takes names before aliases, and of two equal aliases the first: one that could have no effect is not
 * written. A line of a driver that no package delivers gives way, as pkg5 has it.
 */
function addAlias(state: State, name: string, alias: string, action: Action): void {
  if (alias === "" || /[\s"#]/.test(alias))
    throw manifestError(action, `driver ${name}: "${alias}" cannot be an alias`);
  const report = (kind: "alias" | "name", other: string, what: string): void => {
    const message = `${name} wants the alias "${alias}", which is ${what}`;
    clash(state, action, { kind, driver: name, other, value: alias, message });
  };
  if (alias !== name && state.names.has(alias)) {
    report("name", alias, "the name of a driver: the name holds");
    return;
  }
  const other = state.aliases.get(alias);
  if (other !== undefined && other !== name) {
    if (state.ownNames.has(other)) {
      report("alias", other, `${other}'s: the kernel keeps the first`);
      return;
    }
    report("alias", other, `${other}'s in the file: no package has ${other}, so its line is made a comment`);
    state.lines.driver_aliases = state.lines.driver_aliases.map((line) => {
      const [driver, value] = bindingFields(line);
      return driver === other && value === alias ? `# pkg(7): ${other} "${alias}"` : line;
    });
  }
  state.aliases.set(alias, name);
  state.lines.driver_aliases.push(`${name} "${alias}"`);
}

/**
 * The tree with its kernel state files as the actions leave them. A new file is 0644 root:sys.
 * @throws ImageError as driverFiles
 */
export async function applyDrivers(
  tree: Directory,
  actions: readonly Action[],
  timeSeconds: number,
): Promise<{ tree: Directory; report: DriverReport }> {
  const existing: Partial<Record<DriverStateFile, string>> = {};
  for (const name of DRIVER_STATE_FILES) {
    const text = await readTextFile(tree, KERNEL_STATE_FILES[name] ?? "");
    if (text !== undefined) existing[name] = text;
  }
  const { files, report } = driverFiles(existing, actions);
  const changed = DRIVER_STATE_FILES.flatMap((name): [string, string][] => {
    const text = files[name];
    return text === undefined || text === existing[name] ? [] : [[KERNEL_STATE_FILES[name] ?? "", text]];
  });
  return { tree: replaceTextFiles(tree, changed, { mode: 0o644, uid: 0, gid: 3, mtimeSeconds: timeSeconds }), report };
}
