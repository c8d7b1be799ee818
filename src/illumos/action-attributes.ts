// What an action says of owner, group, mode and time, as numbers.
// Source: pkg(7); pkg5 src/modules/actions/file.py (timestamp).

import type { Attributes } from "../tree/index.ts";
import { type Accounts, lookupId } from "./accounts.ts";
import { type Action, attribute, manifestError } from "./actions.ts";

const MAX_MODE = 0o7777;

export interface ActionAttributes extends Omit<Attributes, "mtimeSeconds"> {
  /** What `timestamp=` of a file says, seconds since 1970. */
  readonly mtimeSeconds: number | undefined;
}

/**
 * The attributes of a `file` or `dir` action.
 * @throws ImageError "bad-format" for what is missing or no number, "not-found" for an unknown owner or group, with file and line
 */
export function attributesOf(action: Action, accounts: Accounts): ActionAttributes {
  return {
    mode: parseMode(required(action, "mode"), action),
    uid: lookupId(accounts.users, required(action, "owner"), "user", action),
    gid: lookupId(accounts.groups, required(action, "group"), "group", action),
    mtimeSeconds: action.name === "file" ? parseTimestamp(action) : undefined,
  };
}

function required(action: Action, key: string): string {
  const value = attribute(action, key);
  if (value === undefined) throw manifestError(action, `${action.name} without ${key}=`);
  return value;
}

function parseMode(text: string, action: Action): number {
  const mode = /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
  if (!(mode <= MAX_MODE)) throw manifestError(action, `mode=${text} is no octal number up to 7777`);
  return mode;
}

/** `timestamp=20130711T145433Z` in seconds since 1970. */
function parseTimestamp(action: Action): number | undefined {
  const text = attribute(action, "timestamp");
  if (text === undefined) return undefined;
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
  const seconds = Date.parse(iso) / 1000;
  if (!Number.isInteger(seconds)) throw manifestError(action, `timestamp=${text} is not of the form 20130711T145433Z`);
  return seconds;
}
