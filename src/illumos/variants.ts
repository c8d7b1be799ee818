// Variants and facets: which actions of a package an image takes. A variant is what an image is (its architecture, the
// global zone): the values must agree. A facet is what an image wants (manual pages, locales): true unless it says not.
// Source: pkg5 src/modules/_varcet.c.

import { didYouMean } from "../bytes/index.ts";
import { type Action, attribute, attributeValues } from "./actions.ts";
import { matchesPattern } from "./names.ts";

export interface ImageChoice {
  /** Full names: "variant.arch" → "i386". */
  readonly variants: ReadonlyMap<string, string>;
  /** Full names, with `*` and `?` as in a shell: "facet.locale.*" → false. The longest pattern that matches decides. */
  readonly facets: ReadonlyMap<string, boolean>;
}

export const DEFAULT_ARCHITECTURE = "i386";

const fullName = (prefix: string, name: string): string => (name.startsWith(prefix) ? name : prefix + name);

/** A choice from what a user says; "arch" and "variant.arch", "doc.man" and "facet.doc.man" are the same. */
export function imageChoice(
  architecture: string = DEFAULT_ARCHITECTURE,
  variants: Readonly<Record<string, string>> = {},
  facets: Readonly<Record<string, boolean>> = {},
): ImageChoice {
  return {
    variants: new Map([
      ["variant.arch", architecture],
      ["variant.opensolaris.zone", "global"],
      ["variant.opensolaris.imagetype", "full"],
      ...Object.entries(variants).map(([name, value]): [string, string] => [fullName("variant.", name), value]),
    ]),
    facets: new Map(
      Object.entries(facets)
        .map(([name, value]): [string, boolean] => [fullName("facet.", name), value])
        .sort(([a], [b]) => b.length - a.length || (a < b ? -1 : 1)),
    ),
  };
}

/**
 * Whether the image takes this action. Every variant of it must have the image's value (among its own, should it have
 * several); one that the image does not know counts as "false". Of its facets all that are marked `all` must be wanted, and of the others, if any, at least one.
 */
export function isChosen(action: Action, choice: ImageChoice): boolean {
  let anyFacet: boolean | undefined;
  for (const [key, values] of action.attributes) {
    if (key.startsWith("variant.")) {
      if (!values.includes(choice.variants.get(key) ?? "false")) return false;
    } else if (key.startsWith("facet.")) {
      const wanted = isFacetWanted(key, choice);
      if (values.length !== 1 || (values[0] === "all" && !wanted)) return false;
      if (values[0] !== "all") anyFacet = anyFacet === true || wanted;
    }
  }
  return anyFacet !== false;
}

function isFacetWanted(facet: string, { facets }: ImageChoice): boolean {
  const exact = facets.get(facet);
  if (exact !== undefined) return exact;
  for (const [pattern, wanted] of facets) if (matchesPattern(facet, pattern)) return wanted;
  return !facet.startsWith("facet.debug.") && !facet.startsWith("facet.optional.");
}

/** A variant or facet that means nothing to packages. */
export interface UnusedChoice {
  /** "--facet doc.mna=false" */
  readonly option: string;
  readonly reason: string;
}

/** What was chosen and means nothing to these packages, with what they know instead. */
export function unusedChoices(
  actions: Iterable<Action>,
  variants: Readonly<Record<string, string>> = {},
  facets: Readonly<Record<string, boolean>> = {},
): UnusedChoice[] {
  if (Object.keys(variants).length + Object.keys(facets).length === 0) return [];
  const known = knownValues(actions);
  const unused: UnusedChoice[] = [];
  for (const [name, value] of Object.entries(variants)) {
    const values = known.get(fullName("variant.", name));
    if (values?.has(value)) continue;
    const reason = values ? `the packages know ${[...values].sort().join(", ")}` : "no package has such a variant";
    unused.push({ option: `--variant ${name}=${value}`, reason });
  }
  const facetNames = [...known.keys()].filter((key) => key.startsWith("facet."));
  for (const [name, value] of Object.entries(facets)) {
    const pattern = fullName("facet.", name);
    if (facetNames.some((facet) => matchesPattern(facet, pattern))) continue;
    const short = (facet: string): string => facet.slice("facet.".length);
    const hint = didYouMean(short(pattern), facetNames.map(short));
    unused.push({ option: `--facet ${name}=${value}`, reason: `no package has such a facet${hint}` });
  }
  return unused;
}

/** Every variant and facet of the actions, with its values. */
function knownValues(actions: Iterable<Action>): Map<string, Set<string>> {
  const known = new Map<string, Set<string>>();
  const note = (key: string, values: readonly string[]): void => {
    const all = known.get(key) ?? new Set();
    for (const value of values) all.add(value);
    known.set(key, all);
  };
  for (const action of actions) {
    const name = action.name === "set" ? (attribute(action, "name") ?? "") : "";
    if (name.startsWith("variant.")) note(name, attributeValues(action, "value"));
    for (const [key, values] of action.attributes) {
      if (key.startsWith("variant.") || key.startsWith("facet.")) note(key, values);
    }
  }
  return known;
}

/** The `set name=variant.…` by which a whole package is not for the image, if there is one. */
export function excludingVariant(actions: readonly Action[], { variants }: ImageChoice): Action | undefined {
  return actions.find((action) => {
    if (action.name !== "set") return false;
    const value = variants.get(attribute(action, "name") ?? "");
    return value !== undefined && !attributeValues(action, "value").includes(value);
  });
}
