// Globs over tree paths. `*` and `?` stay within a name, `**` crosses directories, `{a,b}` and `[a-z]` as in shells; names
// that begin with a dot are matched like any other (a file system has no hidden files).

import picomatch from "picomatch";
import { fromText, ImageError } from "../bytes/index.ts";

/**
 * Whether a path matches. A pattern without a slash matches a name at any depth ("*.pyc"); with one it is anchored at the
 * root ("usr/share/man/**", with or without the leading slash). The pattern is text, as typed; paths are byte strings.
 * @throws ImageError "invalid-argument"
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  if (pattern === "" || pattern === "/") {
    throw new ImageError("invalid-argument", `pattern "${pattern}" would match the root; name what is below it`);
  }
  const anchored = pattern.replace(/^\/+|\/+$/g, "");
  const glob = anchored.includes("/") || pattern.startsWith("/") ? anchored : `**/${anchored}`;
  const matches = picomatch(fromText(glob), { dot: true, nonegate: true, noextglob: true });
  return (path) => matches(path.slice(1));
}
