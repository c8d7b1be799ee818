// Names as people type them: with wildcards, and with slips.

import { compareByteStrings, ImageError, toText } from "../bytes/index.ts";

const MAX_SUGGESTIONS = 3;
/** Longer names are not compared letter by letter. */
const MAX_LENGTH = 256;

/**
 * Up to three of `names` that `wanted` may have meant, nearest first: those that hold it, and those that differ least
 * (Damerau's distance: the usual slips of typing, a swap of neighbours among them, count one).
 */
export function nearestNames(wanted: string, names: Iterable<string>): string[] {
  const most = Math.max(2, Math.floor(wanted.length / 3));
  const ranked: { name: string; distance: number }[] = [];
  for (const name of names) {
    if (wanted.length > MAX_LENGTH || name.length > MAX_LENGTH || wanted === "") continue;
    const holds = name.includes(wanted) || name.endsWith(`/${wanted}`);
    const distance = holds ? 1 : editDistance(wanted, name, most);
    if (distance <= most) ranked.push({ name, distance });
  }
  ranked.sort((a, b) => a.distance - b.distance || compareByteStrings(a.name, b.name));
  return ranked.slice(0, MAX_SUGGESTIONS).map(({ name }) => name);
}

/** Insertions, deletions, substitutions and swaps of neighbours from `a` to `b`; more than `limit` is not counted out. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      current.push(least);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? limit + 1;
}

/** `*` and `?` as in a shell, "/" like any other character. Walks both at once: no pattern can make it slow. */
export function matchesPattern(text: string, pattern: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let next = 0;
  while (at < text.length) {
    if (pattern[next] === "*") {
      star = next++;
      resume = at;
    } else if (pattern[next] === "?" || pattern[next] === text[at]) {
      next++;
      at++;
    } else if (star !== -1) {
      next = star + 1;
      at = ++resume;
    } else return false;
  }
  while (pattern[next] === "*") next++;
  return next === pattern.length;
}

/** A package that is not there. Its `field` is "package" and its `path` the name, so that another source may be asked. */
export function unknownPackage(asked: string, names: readonly string[], what: string): ImageError {
  const near = nearestNames(asked, names).map(toText);
  const hint = near.length > 0 ? ` (nearest: ${near.join(", ")})` : "";
  return new ImageError("not-found", `no package "${toText(asked)}" among the ${names.length} ${what}${hint}`, {
    path: asked,
    field: PACKAGE_FIELD,
  });
}

export const PACKAGE_FIELD = "package";
