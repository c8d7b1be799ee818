// Names as people type them, with slips: what they may have meant.

import { compareByteStrings, toText } from "./bytestring.ts";

const MAX_SUGGESTIONS = 3;
/** In so short a name two slips leave nothing of what was meant. */
const SHORT_LENGTH = 3;
/** Longer names are not compared letter by letter. */
const MAX_LENGTH = 256;

/**
 * Up to three of `names` that `wanted` may have meant, nearest first: those that hold it, and those that differ least
 * (Damerau's distance: the usual slips of typing, a swap of neighbours among them, count one).
 */
export function nearestNames(wanted: string, names: Iterable<string>): string[] {
  const most = wanted.length <= SHORT_LENGTH ? 1 : Math.max(2, Math.floor(wanted.length / 3));
  const ranked: { name: string; distance: number }[] = [];
  for (const name of names) {
    if (wanted.length > MAX_LENGTH || name.length > MAX_LENGTH || wanted === "") continue;
    const holds = wanted.length >= SHORT_LENGTH && name.includes(wanted);
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

/** "; did you mean a, b or c?", to follow what was not found, with up to three of `names` (byte strings); "" when none is near. */
export function didYouMean(wanted: string, names: Iterable<string>): string {
  const near = nearestNames(wanted, names).map(toText);
  if (near.length === 0) return "";
  const last = near.pop() ?? "";
  return `; did you mean ${near.length === 0 ? last : `${near.join(", ")} or ${last}`}?`;
}
