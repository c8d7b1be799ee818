// What package manifests say of a tree, applied to it: owners, modes, links, accounts, drivers; and told to the user.

import { type Finding, ImageError } from "../bytes/index.ts";
import {
  type Action,
  type AppliedManifests,
  addAccountActions,
  applyDrivers,
  applyManifests,
  type DriverReport,
  interpreterMacros,
  type ManifestReport,
  type ManifestText,
  type PackageRecord,
  placeText,
  readAccountFiles,
  readManifests,
  withAccountFiles,
} from "../illumos/index.ts";
import { type Directory, lookup } from "../tree/index.ts";
import type { Layer } from "./layer.ts";

export interface ManifestChoice {
  /** Of their directory, as the user named it. */
  readonly name?: string | undefined;
  /** Every text below the directory of manifests. */
  readonly files: readonly ManifestText[];
  /** Only these packages, with what they depend on; empty: all. */
  readonly packages: readonly string[];
  readonly variants: Readonly<Record<string, string>>;
  readonly facets: Readonly<Record<string, boolean>>;
  /** What would only be reported is an error. */
  readonly strict: boolean;
}

export interface Packaged {
  readonly tree: Directory;
  readonly manifests?: ManifestReport | undefined;
  readonly drivers?: DriverReport | undefined;
  readonly findings: readonly Finding[];
  /** Of the packages that manifests describe. */
  readonly records: readonly PackageRecord[];
}

/**
 * @param actions driver, user and group actions of layers that are packages themselves
 * @throws ImageError as applyManifests and applyDrivers; "conflict" for driver clashes when `strict`
 */
export async function applyPackages(
  tree: Directory,
  choice: ManifestChoice | undefined,
  actions: readonly Action[],
  timeSeconds: number,
): Promise<Packaged> {
  const applied = choice && (await applyChoice(tree, choice, timeSeconds));
  const records = applied?.records ?? [];
  const withAccounts = await addAccounts(applied?.tree ?? tree, actions, timeSeconds);
  const driverActions = [...(applied?.drivers ?? []), ...actions.filter(({ name }) => name === "driver")];
  if (driverActions.length === 0) {
    return {
      tree: withAccounts,
      manifests: applied?.report,
      findings: applied ? manifestFindings(applied.report) : [],
      records,
    };
  }
  const driven = await applyDrivers(withAccounts, driverActions, timeSeconds);
  const clashes = driven.report.clashes.map((clash): Finding => {
    const message = `${placeText(clash)}: ${clash.message}`;
    return { code: `driver-${clash.kind}-clash`, severity: "warning", message };
  });
  const [first] = clashes;
  if (choice?.strict && first) throw new ImageError("conflict", `--strict: ${first.message}`);
  return {
    tree: driven.tree,
    manifests: applied?.report,
    drivers: driven.report,
    findings: [...(applied ? manifestFindings(applied.report) : []), ...clashes],
    records,
  };
}

/** The packages of layers. What a later layer put at a path is not the package's any more. */
export function layerRecords(layers: readonly Layer[]): PackageRecord[] {
  return layers.flatMap(({ records }, index) => {
    const later = layers.slice(index + 1);
    if (later.length === 0) return records;
    const isKept = (path: string): boolean => later.every(({ tree }) => lookup(tree, path) === undefined);
    return records.map((record) => ({ ...record, paths: record.paths.filter(isKept) }));
  });
}

/** Macros for interpreters' versions have the values that the tree itself shows. */
function applyChoice(tree: Directory, choice: ManifestChoice, timeSeconds: number): Promise<AppliedManifests> {
  const architecture = choice.variants["arch"] ?? choice.variants["variant.arch"];
  const set = readManifests(choice.files, { architecture, macros: interpreterMacros(tree) });
  return applyManifests(tree, set, { ...choice, architecture, withDependencies: true, timeSeconds });
}

async function addAccounts(tree: Directory, actions: readonly Action[], timeSeconds: number): Promise<Directory> {
  const accountActions = actions.filter(({ name }) => name === "user" || name === "group");
  if (accountActions.length === 0) return tree;
  const before = await readAccountFiles(tree);
  return withAccountFiles(tree, before, addAccountActions(before, accountActions).files, timeSeconds);
}

/** How many of a kind are named; the JSON report has all of them. */
const SHOWN = 3;

/** One finding a kind: a gate has a thousand files in no manifest, and a thousand lines would hide the one that matters. */
function manifestFindings(report: ManifestReport): Finding[] {
  const kinds: readonly [code: string, severity: Finding["severity"], what: string, items: readonly string[]][] = [
    ["unpackaged", "note", "in no manifest", report.unpackaged],
    ["manifest-missing", "warning", "in a manifest, not in the proto area", report.missing.map(({ path }) => path)],
    [
      "manifest-conflict",
      "warning",
      "said differently by two manifests",
      report.conflicts.map(({ path, difference }) => `${path} (${difference})`),
    ],
    [
      "manifest-mismatch",
      "warning",
      "of another type than the manifest says",
      report.mismatches.map(({ path, manifest, tree }) => `${path} (${manifest}, is a ${tree})`),
    ],
    [
      "unprovided-dependency",
      "warning",
      "needed and provided by no package",
      report.unprovided.map((dependency) => `${dependency.fmris.join(" or ")} (by ${dependency.package})`),
    ],
    [
      "undefined-macro",
      "warning",
      "macros without a value",
      report.undefinedMacros.map((use) => `$(${use.macro}) (${placeText(use)})`),
    ],
    [
      "unknown-action",
      "warning",
      "actions of an unknown type",
      report.unknownActions.map((action) => `${action.name} (${placeText(action)})`),
    ],
  ];
  return kinds
    .filter(([, , , items]) => items.length > 0)
    .map(([code, severity, what, items]) => {
      const more = items.length > SHOWN ? " …" : "";
      const message = `manifests: ${items.length} ${what}: ${items.slice(0, SHOWN).join(", ")}${more}`;
      return { code, severity, message };
    });
}
