// /etc/minor_perm: owner and mode of device nodes, `driver:minor mode owner group`, as add_drv(8) and update_drv(8) write it.
// Source: illumos-gate usr/src/cmd/modload/drvsubr.c (get_perm_entry, check_perm_opts, update_minor_entry, delete_entry).

import { manifestError, type Place } from "./actions.ts";

/** add_drv compares the mode's digits as a decimal number with this. */
const MAX_MODE_DIGITS = 4777;
const FIELDS = 4;

/**
 * The entries of `-m LIST`. A comma ends an entry only after the first blank, so that minor names may hold commas
 * (`*,cu 0600 uucp uucp`); a run of blanks becomes its first character; the fourth field ends an entry, comma or not.
 * @throws ImageError "bad-format" unless every entry is minor, mode, owner, group
 */
export function permEntries(list: string, place: Place): string[] {
  const entries: string[] = [];
  const blank = (at: number): boolean => /\s/.test(list[at] ?? "");
  let at = 0;
  const skipBlanks = (): void => {
    while (blank(at)) at++;
  };
  skipBlanks();
  while (at < list.length) {
    let entry = "";
    let fields = 0;
    while (at < list.length && !(list[at] === "," && fields > 0) && fields < FIELDS) {
      entry += list[at];
      if (blank(at)) {
        skipBlanks();
        fields++;
      } else at++;
    }
    skipBlanks();
    if (list[at] === ",") at++;
    skipBlanks();
    checkEntry(entry, place);
    entries.push(entry);
  }
  return entries;
}

function checkEntry(entry: string, place: Place): void {
  const words = entry.split(/\s+/).filter(Boolean);
  if (words.length !== FIELDS) {
    throw manifestError(place, `permission "${entry}" is not of the form "minor mode owner group"`);
  }
  const digits = Number.parseInt(words[1] ?? "", 10);
  if (!(digits >= 0 && digits <= MAX_MODE_DIGITS)) {
    throw manifestError(place, `permission "${entry}": the mode is not in 0..${MAX_MODE_DIGITS}`);
  }
}

/**
 * `update_drv -a -m ENTRY DRIVER`: the lines of this driver and minor get the new permission and keep their comment;
 * when there is none the entry is appended. `lines` is changed in place.
 */
export function updateMinorPerm(lines: string[], driver: string, entry: string): void {
  const [minor, mode, owner, group] = entry.split(/\s+/).filter(Boolean);
  const next = `${driver}:${minor} ${mode} ${owner} ${group}`;
  let found = false;
  for (const [i, line] of lines.entries()) {
    const hash = line.indexOf("#");
    const [word = ""] = (hash === -1 ? line : line.slice(0, hash)).split(/\s+/).filter(Boolean);
    if (word !== `${driver}:${minor}`) continue;
    // The comment is written with its own line's end and another one.
    lines[i] = hash === -1 ? next : `${next} #${line.slice(hash + 1)}\n`;
    found = true;
  }
  if (!found) lines.push(next);
}

/** `update_drv -d -m MATCH DRIVER`: the lines of the driver that say exactly this, quotes and blanks around it aside. */
export function withoutEntry(lines: readonly string[], driver: string, match: string): string[] {
  return lines.filter((line) => {
    const [word = ""] = line.replace(/#.*$/s, "").split(/\s+/).filter(Boolean);
    if (word.replace(/:.*$/s, "") !== driver) return true;
    const said = line.replace(/^\s*[^ :\t]*[ :\t]?["'\s]*/, "").replace(/["'\s]+$/, "");
    return said !== match.trim();
  });
}
