// Names as people type them: with wildcards, and with slips.

import { didYouMean, ImageError, toText } from "../bytes/index.ts";

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
  const hint = didYouMean(asked, names);
  return new ImageError("not-found", `no package "${toText(asked)}" among the ${names.length} ${what}${hint}`, {
    path: asked,
    field: PACKAGE_FIELD,
  });
}

export const PACKAGE_FIELD = "package";
