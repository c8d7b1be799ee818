// What a package says of itself, for lists of what an image consists of: its version, its licences, its files, its drivers.
// Source: pkg(7) on actions; `license` actions name a licence by what the package calls it ("lic_CDDL", a path).

import { type Action, attribute, attributeValues } from "./actions.ts";
import { PATH_ACTIONS, pathOf } from "./claims.ts";
import { type Package, parseFmri } from "./manifests.ts";
import { type ImageChoice, isChosen } from "./variants.ts";

/** All text is byte strings. */
export interface PackageRecord {
  readonly name: string;
  /** As the package writes it; "" when it has none. */
  readonly version: string;
  readonly summary?: string | undefined;
  readonly licenses: readonly string[];
  /** Names of packages that it requires, whatever would do. */
  readonly requires: readonly string[];
  readonly drivers: readonly string[];
  /** Paths of its files and links, without directories, which packages share. */
  readonly paths: readonly string[];
}

/** The record of a package: of its actions those that the image takes. */
export function packageRecord({ name, version, actions }: Package, choice: ImageChoice): PackageRecord {
  const chosen = actions.filter((action) => isChosen(action, choice));
  const values = (type: string, key: string): string[] => [
    ...new Set(chosen.filter((action) => action.name === type).flatMap((action) => attributeValues(action, key))),
  ];
  return {
    name,
    version,
    summary: setValue(chosen, "pkg.summary") ?? setValue(chosen, "description"),
    licenses: values("license", "license"),
    requires: requiredNames(chosen),
    drivers: values("driver", "name"),
    paths: chosen.filter((action) => action.name !== "dir" && PATH_ACTIONS.has(action.name)).map(pathOf),
  };
}

function setValue(actions: readonly Action[], name: string): string | undefined {
  const found = actions.find((action) => action.name === "set" && attribute(action, "name") === name);
  return found && attribute(found, "value");
}

/** What pkgdepend(1) finds out at publication stands as __TBD in a gate. */
function requiredNames(actions: readonly Action[]): string[] {
  const required = actions.filter((action) => action.name === "depend" && attribute(action, "type") === "require");
  const fmris = required.flatMap((action) => attributeValues(action, "fmri"));
  return [...new Set(fmris.filter((fmri) => fmri !== "__TBD").map((fmri) => parseFmri(fmri).name))];
}
