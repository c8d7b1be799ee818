// Which packages of a set an image takes: all, or those that are named, with what they depend on.
// Source: pkg(1) on package names, pkg(7) and pkg5 src/modules/actions/depend.py on kinds of dependency.

import { compareByteStrings, ImageError, toText } from "../bytes/index.ts";
import { type Action, attribute, attributeValues, type Place } from "./actions.ts";
import { type Package, type PackageSet, parseFmri } from "./manifests.ts";
import { matchesPattern, unknownPackage } from "./names.ts";
import { excludingVariant, type ImageChoice, isChosen } from "./variants.ts";

export interface Selection {
  /** Names as pkg(1) takes them: a stem, its last parts when they are unique, with `*` and `?`; absent or empty: all packages. */
  readonly packages?: readonly string[] | undefined;
  /** Takes what they require, too. A renamed package is always followed to its new name. */
  readonly withDependencies?: boolean | undefined;
}

export interface UnprovidedDependency extends Place {
  readonly package: string;
  /** What it asks for; of several that would do, all. */
  readonly fmris: readonly string[];
}

export interface SelectedPackages {
  /** By name. */
  readonly packages: readonly Package[];
  /** The rest of the set. */
  readonly others: readonly Package[];
  /** Packages that are for another architecture or zone. */
  readonly unsuited: readonly { readonly name: string; readonly file: string; readonly reason: string }[];
  /** Dependencies of the selected packages that no package of the set provides. */
  readonly unprovided: readonly UnprovidedDependency[];
}

/**
 * @throws ImageError "not-found" for a name that no package has (with the nearest names, or why the package was
 *   dropped); "invalid-argument" for one that several have
 */
export function selectPackages(set: PackageSet, choice: ImageChoice, selection: Selection = {}): SelectedPackages {
  const suited: Package[] = [];
  const unsuited: SelectedPackages["unsuited"][number][] = [];
  for (const candidate of set.packages) {
    const because = excludingVariant(candidate.actions, choice);
    if (because === undefined) suited.push(candidate);
    else {
      const reason = `${attribute(because, "name")}=${attributeValues(because, "value").join(",")}`;
      unsuited.push({ name: candidate.name, file: candidate.file, reason });
    }
  }
  const byName = new Map(suited.map((candidate) => [candidate.name, candidate]));
  const wanted = selection.packages ?? [];
  const selected = new Set<Package>(wanted.length === 0 ? suited : []);
  for (const name of wanted) {
    for (const found of findPackages(name, byName, [...set.dropped, ...unsuited])) selected.add(found);
  }
  const unprovided = follow(selected, byName, choice, selection.withDependencies ?? false);
  return {
    packages: suited.filter((candidate) => selected.has(candidate)),
    others: suited.filter((candidate) => !selected.has(candidate)),
    unsuited,
    unprovided,
  };
}

function findPackages(
  asked: string,
  byName: ReadonlyMap<string, Package>,
  dropped: readonly { readonly name: string; readonly reason: string }[],
): Package[] {
  const { name } = parseFmri(asked);
  const exact = byName.get(name);
  if (exact) return [exact];
  if (/[*?]/.test(name)) {
    const found = [...byName.values()].filter(
      (candidate) => matchesPattern(candidate.name, name) || matchesPattern(candidate.name, `*/${name}`),
    );
    if (found.length > 0) return found;
  }
  const ending = [...byName.values()].filter((candidate) => candidate.name.endsWith(`/${name}`));
  if (ending.length === 1) return ending;
  if (ending.length > 1) {
    const names = ending.map((candidate) => toText(candidate.name)).join(", ");
    throw new ImageError("invalid-argument", `package "${toText(asked)}" may be any of ${names}; write the whole name`);
  }
  const reason = dropped.find((other) => other.name === name)?.reason;
  if (reason !== undefined) {
    throw new ImageError("not-found", `package "${toText(asked)}" is not for this image (${toText(reason)})`);
  }
  throw unknownPackage(asked, [...byName.keys()], "manifests");
}

/** Adds to `selected` what its packages depend on; returns what nothing provides. */
function follow(
  selected: Set<Package>,
  byName: ReadonlyMap<string, Package>,
  choice: ImageChoice,
  all: boolean,
): UnprovidedDependency[] {
  const unprovided = new Map<Action, UnprovidedDependency>();
  const depends = (from: Package): Action[] =>
    from.actions.filter((action) => action.name === "depend" && isChosen(action, choice));
  const isSelected = (fmri: string): boolean => {
    const provider = byName.get(parseFmri(fmri).name);
    return provider !== undefined && selected.has(provider);
  };
  // Until nothing new comes: a conditional dependency may come true by a package that was taken after it was seen.
  for (let before = -1; before !== selected.size; ) {
    before = selected.size;
    for (const from of selected) {
      for (const action of depends(from)) {
        if (!isRequired(action, isSelected)) continue;
        const fmris = attributeValues(action, "fmri");
        if (attribute(action, "type") === "require-any" && fmris.some(isSelected)) continue;
        const providers = fmris.flatMap((fmri) => byName.get(parseFmri(fmri).name) ?? []);
        if (providers.length === 0) {
          if (fmris.includes("__TBD")) continue; // what pkgdepend(1) finds out at publication
          unprovided.set(action, { package: from.name, fmris, file: action.file, line: action.line });
        }
        if (!all && !isRenamed(from)) continue;
        // Of several that would do, the first by name: pkg(1) may take any.
        for (const provider of attribute(action, "type") === "require-any" ? firstByName(providers) : providers) {
          selected.add(provider);
        }
      }
    }
  }
  return [...unprovided.values()];
}

function firstByName(packages: readonly Package[]): Package[] {
  return [...packages].sort((a, b) => compareByteStrings(a.name, b.name)).slice(0, 1);
}

/** Kinds that want their target in the image. `optional`, `incorporate`, `exclude`, `parent` and `origin` only limit versions. */
function isRequired(action: Action, isSelected: (fmri: string) => boolean): boolean {
  switch (attribute(action, "type")) {
    case "require":
    case "require-any":
    case "group":
    case "group-any":
      return true;
    case "conditional":
      return attributeValues(action, "predicate").every(isSelected);
    default:
      return false;
  }
}

function isRenamed({ actions }: Package): boolean {
  return actions.some(
    (action) =>
      action.name === "set" && attribute(action, "name") === "pkg.renamed" && attribute(action, "value") === "true",
  );
}
