// Names that differ only by case. illumos has some seventy such pairs (usr/ucb/Mail and mail, terminfo directories A and a …);
// file systems that fold case (macOS' and Windows' default) keep one of each and lose the other without a word.

import { compareByteStrings, type Finding, toText } from "../bytes/index.ts";
import type { ManifestReport } from "../illumos/index.ts";
import { type Directory, joinPath, walk } from "../tree/index.ts";

const SHOWN = 3;

/** ASCII letters fold on every such file system; others differ between them. */
function folded(name: string): string {
  if (/^[\0-\x7f]*$/.test(name)) return name.toLowerCase();
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Groups of paths in one directory whose names differ only by case. */
export function caseGroups(tree: Directory): string[][] {
  const groups: string[][] = [];
  const pending: [path: string, directory: Directory][] = [["/", tree]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [path, { entries }] = next;
    const byFolded = new Map<string, string[]>();
    for (const [name, node] of entries) {
      if (node.type === "directory") pending.push([joinPath(path, name), node]);
      const key = folded(name);
      if (key === name) continue; // two names that fold alike: one of them at least is not its folded form
      const same = byFolded.get(key) ?? (entries.has(key) ? [key] : []);
      byFolded.set(key, [...same, name]);
    }
    for (const same of byFolded.values()) {
      if (same.length > 1) groups.push(same.sort(compareByteStrings).map((name) => joinPath(path, name)));
    }
  }
  return groups.sort(([a = ""], [b = ""]) => compareByteStrings(a, b));
}

/**
 * What case does to this tree: a note on groups that a folding file system could not hold, and a warning when manifests
 * name files of which the source has only the other spelling: then it has been on such a file system.
 */
export function caseFindings(tree: Directory, manifests: ManifestReport | undefined): Finding[] {
  const findings: Finding[] = [];
  const groups = caseGroups(tree);
  if (groups.length > 0) {
    const shown = groups.slice(0, SHOWN).map((group) => group.map(toText).join(" and "));
    const message = `${groups.length} groups of paths differ only by case (${shown.join("; ")}): extract them on a file system that keeps case apart`;
    findings.push({ code: "case-groups", severity: "note", message });
  }
  const there = new Set<string>();
  if (manifests && manifests.missing.length > 0) for (const { path } of walk(tree)) there.add(folded(path));
  const lost = (manifests?.missing ?? [])
    .map(({ path }) => (path.startsWith("/") ? path : `/${path}`))
    .filter((path) => there.has(folded(path)));
  if (lost.length > 0) {
    const shown = lost.slice(0, SHOWN).map(toText).join(", ");
    const message = `${lost.length} files of the manifests are there in another case only (${shown}): the source was on a file system that folds case and lost them; build on one that keeps case apart, or pass the proto area as a tar`;
    findings.push({ code: "case-lost", severity: "warning", message });
  }
  return findings;
}
