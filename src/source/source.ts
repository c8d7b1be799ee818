// What every source gives and what it may be handed. A source is a tree from outside (an archive, a package, a
// repository); its contents stay where they are and are read when they are asked for.

import { type Content, type Hasher, ImageError, toText } from "../bytes/index.ts";
import type { Action, PackageRecord } from "../illumos/index.ts";
import type { Directory } from "../tree/index.ts";

/** What was left out or changed on the way in. Stable, for programs. */
export type WarningCode =
  | "absolute-name" // a leading "/" was taken off
  | "replaced" // a later member took the place of an earlier one
  | "attributes-dropped" // extended attributes, ACLs, file flags: a tree holds none
  | "member-skipped" // volume labels and the like
  | "unknown-type" // taken as a regular file, as POSIX says
  | "trailing-data" // bytes after the end of the archive
  | "damaged-index" // the index was not used
  | "missing-file" // a specification names a file that is not there
  | "type-differs" // a specification and the tree do not agree
  | "unknown-action" // a manifest holds an action of a type that pkg(7) does not have
  | "unknown-keyword" // a specification says something that has no meaning here
  | "missing-dependency" // a package needs one that the source does not have
  | "conflict" // two packages say different things of a path; the first holds
  | "obsolete" // a package that says itself that it is no more
  | "unknown-class" // a class action script would have made this file
  | "not-selected" // a class, variant or facet that was not asked for
  | "script-not-run" // a script of a package
  | "script-not-understood" // an add_drv call that is more than words
  | "not-verified"; // a hash of a kind that cannot be computed here

/** One kind of warning, with its first occurrence; `count` says how often. */
export interface SourceWarning {
  readonly code: WarningCode;
  /** Path (or name) of the first occurrence, a byte string. */
  readonly path: string;
  readonly message: string;
  readonly count: number;
}

/** Collects warnings. One entry a kind, so that an archive of a million oddities costs no memory. */
export interface Warnings {
  /** `kind` tells apart occurrences of one code that should be reported each for itself. */
  add(code: WarningCode, path: string, what: string, kind?: string): void;
  list(): SourceWarning[];
}

export function collectWarnings(): Warnings {
  const found = new Map<string, { code: WarningCode; path: string; what: string; count: number }>();
  return {
    add(code, path, what, kind = "") {
      const key = `${code} ${kind}`;
      const before = found.get(key);
      if (before) before.count++;
      else found.set(key, { code, path, what, count: 1 });
    },
    list: () =>
      Array.from(found.values(), ({ code, path, what, count }) => {
        const more = count > 1 ? ` (and ${count - 1} more)` : "";
        return { code, path, message: `${toText(path)}: ${what}${more}`, count };
      }),
  };
}

/** A tree from outside. */
export interface Source {
  readonly tree: Directory;
  readonly warnings: readonly SourceWarning[];
}

/** A tree from packages, with what packages say beyond files. */
export interface PackageSource extends Source {
  /** "pkg:/system/kernel@5.11,…" or "SUNWcsr", in the order they were laid. */
  readonly packages: readonly string[];
  /** The same, with what they say of themselves. */
  readonly records: readonly PackageRecord[];
  /** Driver, user, group and other actions that are no files, for src/illumos. */
  readonly actions: readonly Action[];
}

/** The plain bytes of a compressed stream, readable at any place. */
export type Decompressor = (compressed: Content) => Content | Promise<Content>;

/** What packages name their contents by; "sha512-256" is pkg5's sha512t_256. */
export type HashAlgorithm = "sha1" | "sha256" | "sha512-256";
export type Hashing = (algorithm: HashAlgorithm) => Hasher;

/** An error in what was read, naming the path in it. */
export function sourceError(
  code: "bad-format" | "unsupported" | "truncated" | "limit" | "conflict" | "wrong-type" | "not-found",
  path: string,
  what: string,
): ImageError {
  return new ImageError(code, `${toText(path)}: ${what}`, { path });
}
