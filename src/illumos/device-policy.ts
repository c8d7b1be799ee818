// /etc/security/device_policy: which privileges opening a device takes, `driver:minor<TAB>read_priv_set=…<TAB>write_priv_set=…`.
// Source: illumos-gate usr/src/cmd/modload/plcysubr.c (check_plcy_entry, fgetline, delete_one_entry, update_device_policy).

import { manifestError, type Place } from "./actions.ts";

const TOKENS: ReadonlySet<string> = new Set(["read_priv_set", "write_priv_set"]);
/** A range of minor numbers: `(1-5)c`, characters or blocks. */
const MINOR_RANGE = /^\(\d+(-\d+)?\)[cCbB]$/;

/**
 * The lines that `-p POLICY` makes: words without `=` name a minor and begin a line, the others belong to it; tokens
 * that no minor precedes are for all minors.
 * @throws ImageError "bad-format"
 */
export function policyLines(policy: string, driver: string, place: Place): string[] {
  const lines: string[] = [];
  let complete = false;
  for (const word of policy.split(/[ \t\n]+/).filter(Boolean)) {
    if (!word.includes("=")) {
      const stars = word.split("*").length - 1;
      if (word.includes(":") || stars > 1 || (word.startsWith("(") && !MINOR_RANGE.test(word))) {
        throw manifestError(place, `policy "${policy}": "${word}" is no minor name`);
      }
      lines.push(`${driver}:${word}`);
      complete = false;
    } else {
      if (!TOKENS.has(word.slice(0, word.indexOf("=")))) {
        throw manifestError(place, `policy "${policy}": "${word}" is neither read_priv_set= nor write_priv_set=`);
      }
      if (lines.length === 0) lines.push(`${driver}:*`);
      lines[lines.length - 1] += `\t${word}`;
      complete = true;
    }
  }
  if (!complete) throw manifestError(place, `policy "${policy}" names no privileges`);
  return lines;
}

/**
 * The lines without one entry, `driver:minor`. The comments and blank lines before an entry belong to it and go with it,
 * as in update_drv; an entry without a minor is the one for all minors.
 */
export function withoutPolicy(lines: readonly string[], entry: string): string[] {
  const kept: string[] = [];
  let pending: string[] = [];
  let name: string | undefined;
  for (const line of lines) {
    pending.push(line);
    if (name === undefined && line !== "" && !line.startsWith("#")) name = /\S+/.exec(line)?.[0] ?? "";
    if (name === undefined || line.endsWith("\\")) continue;
    if (name !== entry && `${name}:*` !== entry) kept.push(...pending);
    pending = [];
    name = undefined;
  }
  return [...kept, ...pending];
}

/** `update_drv -a -p`: what is there for the same minors goes, the new lines come last. */
export function replacePolicy(lines: readonly string[], added: readonly string[]): string[] {
  const kept = added.reduce<readonly string[]>(
    (rest, line) => withoutPolicy(rest, line.slice(0, line.indexOf("\t"))),
    lines,
  );
  return [...kept, ...added];
}
