// Package manifests applied to a proto area: owners, groups, modes (set-id too), hard links, missing directories and
// links; and a report of what the two say differently. The manifests win in all but content.
// What they do not say: links are 0777 root:root; what no manifest names keeps its mode and is root:root; the root
// directory is 0755 root:root unless a manifest names it.

import { compareByteStrings, ImageError, toText } from "../bytes/index.ts";
import { type Directory, pickAttributes } from "../tree/index.ts";
import { ACCOUNT_PATHS, type AccountFiles, addAccountActions, readAccountFiles } from "./accounts.ts";
import { type Action, KNOWN_ACTIONS, type Place } from "./actions.ts";
import {
  type Claim,
  type ManifestConflict,
  type ManifestPath,
  type Mediated,
  PATH_ACTIONS,
  pathOf,
  settleClaims,
  whereText,
} from "./claims.ts";
import type { DroppedPackage, Package, PackageSet, UndefinedMacro } from "./manifests.ts";
import { type PackageRecord, packageRecord } from "./package-records.ts";
import { type Selection, selectPackages, type UnprovidedDependency } from "./packages.ts";
import { type Mismatch, placeClaims } from "./place-claims.ts";
import { replaceTextFiles } from "./text-files.ts";
import { imageChoice, isChosen } from "./variants.ts";

export interface ManifestOptions extends Selection {
  /** Default "i386". */
  readonly architecture?: string | undefined;
  /** "opensolaris.zone" → "global"; the prefix "variant." may be left out. Unknown variants count as "false". */
  readonly variants?: Readonly<Record<string, string>> | undefined;
  /** "doc.man" → false, "locale.*" → false; the prefix "facet." may be left out. */
  readonly facets?: Readonly<Record<string, boolean>> | undefined;
  /** What would only be reported is an error. */
  readonly strict?: boolean | undefined;
  /** Modification time of what is made, seconds since 1970. */
  readonly timeSeconds: number;
}

export interface ManifestReport {
  /** Packages that the image takes. */
  readonly packages: number;
  /** Packages that are for another architecture or zone, or not to be published. */
  readonly droppedPackages: readonly DroppedPackage[];
  /** Actions of these packages that the image takes, by type. */
  readonly actions: Readonly<Record<string, number>>;
  /** Action types that pkg(7) does not know, ignored. */
  readonly unknownActions: readonly (Place & { readonly name: string })[];
  readonly undefinedMacros: readonly UndefinedMacro[];
  /** Paths of the tree that are in no manifest, bytewise. */
  readonly unpackaged: readonly string[];
  /** Files (and targets of hard links) that manifests name and the tree does not hold. */
  readonly missing: readonly ManifestPath[];
  /** Directories and links that were made. */
  readonly made: readonly string[];
  /** Paths that went because no selected package, variant or facet wants them. */
  readonly removed: readonly string[];
  /** Claims to one path that disagree. */
  readonly conflicts: readonly ManifestConflict[];
  /** Where the tree holds another type of file than the manifest names; the tree's stays. */
  readonly mismatches: readonly Mismatch[];
  readonly mediated: readonly Mediated[];
  readonly unprovided: readonly UnprovidedDependency[];
  /** Users and groups that actions added to /etc/passwd and /etc/group. */
  readonly accountsAdded: readonly string[];
}

export interface AppliedManifests {
  readonly tree: Directory;
  readonly report: ManifestReport;
  /** For driverFiles (drivers.ts). */
  readonly drivers: readonly Action[];
  /** The packages that the image takes, by name. */
  readonly records: readonly PackageRecord[];
}

/**
 * @throws ImageError "not-found" for an unknown package, user or group; "bad-format" for a bad mode or path, each with
 *   file and line; "conflict" when `strict` and tree and manifests disagree
 */
export async function applyManifests(
  tree: Directory,
  set: PackageSet,
  options: ManifestOptions,
): Promise<AppliedManifests> {
  const choice = imageChoice(options.architecture, options.variants, options.facets);
  const selected = selectPackages(set, choice, options);
  const chosen: Action[] = [];
  const claims: Claim[] = [];
  const refused = new Set<string>();
  for (const from of selected.packages) {
    for (const action of from.actions) {
      const path = PATH_ACTIONS.has(action.name) ? pathOf(action) : undefined;
      if (!isChosen(action, choice)) {
        if (path !== undefined) refused.add(path);
        continue;
      }
      chosen.push(action);
      if (path !== undefined) claims.push({ action, package: from.name, path });
    }
  }
  const settled = settleClaims(claims);
  const files = await readAccountFiles(tree);
  const { accounts, files: newFiles, added } = addAccountActions(files, chosen);
  const others = claimsOf(selected.others);
  for (const path of others.keys()) refused.add(path);
  const placed = placeClaims(tree, settled.byPath, {
    accounts,
    refused,
    onlyClaimed: (options.packages ?? []).length > 0,
    parents: others,
    timeSeconds: options.timeSeconds,
  });
  const report: ManifestReport = {
    packages: selected.packages.length,
    droppedPackages: [...set.dropped, ...selected.unsuited],
    actions: countActions(chosen),
    unknownActions: chosen
      .filter(({ name }) => !Object.hasOwn(KNOWN_ACTIONS, name))
      .map(({ name, file, line }) => ({ name, file, line })),
    undefinedMacros: set.undefinedMacros,
    unpackaged: placed.unpackaged.sort(compareByteStrings),
    missing: placed.missing,
    made: placed.made.sort(compareByteStrings),
    removed: placed.removed.sort(compareByteStrings),
    conflicts: settled.conflicts,
    mismatches: placed.mismatches,
    mediated: settled.mediated,
    unprovided: selected.unprovided,
    accountsAdded: added,
  };
  if (options.strict === true) refuseDisagreement(report);
  return {
    tree: withAccountFiles(placed.tree, files, newFiles, options.timeSeconds),
    report,
    drivers: chosen.filter(({ name }) => name === "driver"),
    records: selected.packages.map((from) => packageRecord(from, choice)),
  };
}

/** What unselected packages say of directories: the way to a selected file may lead through theirs. */
function claimsOf(packages: readonly Package[]): Map<string, Claim> {
  const claims = new Map<string, Claim>();
  for (const from of packages) {
    for (const action of from.actions) {
      if (!PATH_ACTIONS.has(action.name)) continue;
      const path = pathOf(action);
      if (!claims.has(path)) claims.set(path, { action, package: from.name, path });
    }
  }
  return claims;
}

function countActions(actions: readonly Action[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name } of actions) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

export function withAccountFiles(
  tree: Directory,
  before: AccountFiles,
  after: AccountFiles,
  timeSeconds: number,
): Directory {
  const changed = (["passwd", "group", "shadow"] as const).filter((name) => before[name] !== after[name]);
  // An image without account files gets none: a passwd that holds nothing but a driver's user would lock root out.
  const present = changed.filter((name) => before[name] !== "");
  const attributes = { ...pickAttributes(tree), mode: 0o644, mtimeSeconds: timeSeconds };
  return replaceTextFiles(
    tree,
    present.map((name) => [ACCOUNT_PATHS[name], after[name]]),
    attributes,
  );
}

/** @throws ImageError "conflict" that names the first few of each kind */
function refuseDisagreement(report: ManifestReport): void {
  const complaints: [what: string, where: readonly string[]][] = [
    ["in no manifest", report.unpackaged.map(toText)],
    ["in a manifest, but not in the tree", report.missing.map(whereText)],
    [
      "claimed differently by two manifests",
      report.conflicts.map(({ kept, other, difference }) => `${whereText(kept)}, ${whereText(other)}: ${difference}`),
    ],
    [
      "of another type than the manifest says",
      report.mismatches.map((mismatch) => `${whereText(mismatch)}: ${mismatch.manifest}, ${mismatch.tree}`),
    ],
    ["action types unknown", report.unknownActions.map(({ name, file, line }) => `${name} (${file}:${line})`)],
    ["macros without a value", report.undefinedMacros.map(({ macro, file, line }) => `${macro} (${file}:${line})`)],
    [
      "dependencies that nothing provides",
      report.unprovided.map(({ fmris, file, line }) => `${fmris.join(" or ")} (${file}:${line})`),
    ],
  ];
  const lines = complaints
    .filter(([, where]) => where.length > 0)
    .map(([what, where]) => `${where.length} ${what}: ${where.slice(0, 3).join("; ")}${where.length > 3 ? "; …" : ""}`);
  if (lines.length > 0) throw new ImageError("conflict", `manifests and tree disagree: ${lines.join(". ")}`);
}
