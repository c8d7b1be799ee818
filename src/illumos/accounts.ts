// Users and groups of an image: its own /etc/passwd, /etc/group and /etc/shadow, and the `user` and `group` actions of
// packages, which installing a package would add to these files. Names become numbers here and nowhere else: those of
// the machine that builds never matter.
// Source: passwd(5), group(5), shadow(5); pkg5 src/modules/actions/{user,group}.py, src/modules/cfgfiles.py.

import { didYouMean, ImageError, toText } from "../bytes/index.ts";
import type { Directory } from "../tree/index.ts";
import { type Action, attribute, attributeValues, type Place, placeText } from "./actions.ts";
import { readTextFile } from "./text-files.ts";

export interface Accounts {
  readonly users: ReadonlyMap<string, number>;
  readonly groups: ReadonlyMap<string, number>;
}

/** The account files as texts (byte strings); an absent file is "". */
export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
  readonly shadow: string;
}

export const ACCOUNT_PATHS: Readonly<Record<keyof AccountFiles, string>> = {
  passwd: "/etc/passwd",
  group: "/etc/group",
  shadow: "/etc/shadow",
};

/** What every illumos image has, should the image hold no account files. Source: usr/src/cmd/Adm/{group,sun/passwd}. */
const ALWAYS: Accounts = {
  users: new Map([
    ["root", 0],
    ["daemon", 1],
    ["bin", 2],
    ["sys", 3],
    ["adm", 4],
  ]),
  groups: new Map([
    ["root", 0],
    ["other", 1],
    ["bin", 2],
    ["sys", 3],
    ["adm", 4],
  ]),
};

/** The largest id, UID_MAX of illumos. */
const MAX_ID = 2 ** 31 - 1;
/** Ids for accounts that name none, as pkg5 hands them out. */
const FIRST_DYNAMIC_ID = 100;
const LAST_DYNAMIC_ID = 499;

/** The image's own account files. */
export async function readAccountFiles(tree: Directory): Promise<AccountFiles> {
  const read = async (path: string): Promise<string> => (await readTextFile(tree, path)) ?? "";
  return {
    passwd: await read(ACCOUNT_PATHS.passwd),
    group: await read(ACCOUNT_PATHS.group),
    shadow: await read(ACCOUNT_PATHS.shadow),
  };
}

/**
 * Name to number, as the files have it: the first line of a name counts, as for getpwnam(3C).
 * @throws ImageError "bad-format" with file and line when a line of a name has no number
 */
export function parseAccounts({ passwd, group }: Pick<AccountFiles, "passwd" | "group">): Accounts {
  return {
    users: new Map([...ALWAYS.users, ...parseIds(passwd, "etc/passwd")]),
    groups: new Map([...ALWAYS.groups, ...parseIds(group, "etc/group")]),
  };
}

function parseIds(text: string, file: string): Map<string, number> {
  const ids = new Map<string, number>();
  let line = 0;
  for (const entry of text.split("\n")) {
    line++;
    if (/^\s*($|[#+-])/.test(entry)) continue; // blank, comment, NIS compatibility
    const [name = "", , id = ""] = entry.split(":");
    if (!ids.has(name)) ids.set(name, parseId(id, { file, line }, name));
  }
  return ids;
}

function parseId(text: string, place: Place, name: string): number {
  const id = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(id <= MAX_ID)) {
    throw new ImageError(
      "bad-format",
      `${placeText(place)}: "${toText(name)}" has the id "${toText(text)}", not a number`,
    );
  }
  return id;
}

export interface AccountsWithActions {
  readonly accounts: Accounts;
  /** The files with what the actions add. */
  readonly files: AccountFiles;
  /** Names that actions added. */
  readonly added: readonly string[];
}

/**
 * Adds the `group` and `user` actions to the account files, groups first. An account that a file already has stays as it is.
 * @throws ImageError "bad-format" when an action has a bad id, "not-found" when its group is unknown, "limit" when ids run out
 */
export function addAccountActions(files: AccountFiles, actions: readonly Action[]): AccountsWithActions {
  const base = parseAccounts(files);
  const users = new Map(base.users);
  const groups = new Map(base.groups);
  const inFile = { users: parseIds(files.passwd, "etc/passwd"), groups: parseIds(files.group, "etc/group") };
  const lines: Record<keyof AccountFiles, string> = { ...files };
  const added: string[] = [];
  const add = (file: keyof AccountFiles, fields: readonly (string | number)[]): void => {
    lines[file] += `${lines[file] === "" || lines[file].endsWith("\n") ? "" : "\n"}${fields.join(":")}\n`;
  };
  for (const action of actions.filter(({ name }) => name === "group")) {
    const name = attribute(action, "groupname") ?? "";
    if (inFile.groups.has(name)) continue;
    const gid = newId(action, "gid", groups);
    groups.set(name, gid);
    inFile.groups.set(name, gid);
    add("group", [name, "", gid, ""]);
    added.push(name);
  }
  for (const action of actions.filter(({ name }) => name === "user")) {
    const name = attribute(action, "username") ?? "";
    if (inFile.users.has(name)) continue;
    const uid = newId(action, "uid", users);
    const gid = lookupId(groups, attribute(action, "group") ?? "other", "group", action);
    users.set(name, uid);
    inFile.users.set(name, uid);
    const value = (key: string, otherwise: string): string => attribute(action, key) ?? otherwise;
    add("passwd", [
      name,
      "x",
      uid,
      gid,
      value("gcos-field", "& User"),
      value("home-dir", "/"),
      value("login-shell", ""),
    ]);
    // The day of the last change is left blank: the day of the build would make each build another one.
    const limits = ["min", "max", "warn", "inactive", "expire", "flag"].map((key) => value(key, ""));
    if (files.shadow !== "") add("shadow", [name, value("password", "*LK*"), value("lastchg", ""), ...limits]);
    for (const other of attributeValues(action, "group-list")) lines.group = withMember(lines.group, other, name);
    added.push(name);
  }
  return { accounts: { users, groups }, files: lines, added };
}

function newId(action: Action, key: "uid" | "gid", taken: ReadonlyMap<string, number>): number {
  const given = attribute(action, key);
  if (given !== undefined) return parseId(given, action, action.name);
  const used = new Set(taken.values());
  for (let id = FIRST_DYNAMIC_ID; id <= LAST_DYNAMIC_ID; id++) if (!used.has(id)) return id;
  throw new ImageError("limit", `${placeText(action)}: no ${key} is free in ${FIRST_DYNAMIC_ID}..${LAST_DYNAMIC_ID}`);
}

function withMember(group: string, name: string, user: string): string {
  return group
    .split("\n")
    .map((line) => {
      const fields = line.split(":");
      if (fields[0] !== name || fields.length !== 4) return line;
      const members = (fields[3] ?? "").split(",").filter(Boolean);
      return [...fields.slice(0, 3), [...new Set([...members, user])].join(",")].join(":");
    })
    .join("\n");
}

/**
 * The number of a user or group that an action names; a number stands for itself.
 * @throws ImageError "not-found" naming file and line, and the nearest names
 */
export function lookupId(
  ids: ReadonlyMap<string, number>,
  name: string,
  what: "user" | "group",
  place: Partial<Place> & Pick<Place, "file">,
): number {
  const id = ids.get(name);
  if (id !== undefined) return id;
  if (/^\d+$/.test(name) && Number(name) <= MAX_ID) return Number(name);
  throw new ImageError(
    "not-found",
    `${placeText(place)}: unknown ${what} "${toText(name)}": neither /etc/${what === "user" ? "passwd" : "group"} of the image ` +
      `nor a ${what} action has it${didYouMean(name, ids.keys())}`,
    { path: place.file },
  );
}
