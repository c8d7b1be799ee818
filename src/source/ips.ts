// IPS packages as a tree: what a file repository or a package archive publishes, laid out as pkg(1) would install it.
// Manifests are read for the packages that are wanted and those that they need; payloads are unpacked, and checked
// against their hash, when they are read. All that manifests say of paths is done by src/illumos (apply-manifests.ts), which
// looks for a payload under the name that the action gives: the tree it is given holds every payload under its hash.

import { bytesOf, ImageError, memoryContent, toText } from "../bytes/index.ts";
import { readIsize } from "../gzip/index.ts";
import {
  ACCOUNT_PATHS,
  type AccountFiles,
  type Action,
  applyManifests,
  attribute,
  attributeValues,
  type ImageChoice,
  imageChoice,
  isChosen,
  type ManifestReport,
  manifestError,
  type Package,
  type PackageSet,
  parseActions,
  placeText,
  selectPackages,
} from "../illumos/index.ts";
import { type Directory, directory, type File, file, joinPath, type Node } from "../tree/index.ts";
import type { Files } from "./files.ts";
import { type IpsRepository, openIpsRepository, type RepositoryPackage } from "./ips-repository.ts";
import {
  collectWarnings,
  type Decompressor,
  type HashAlgorithm,
  type Hashing,
  type PackageSource,
  type Warnings,
} from "./source.ts";
import { MAX_NAME_BYTES } from "./tree-builder.ts";
import { unpackCache, unpackedContent } from "./unpacked.ts";
import { hashContent, type Verify } from "./verified.ts";

export interface IpsOptions {
  readonly gunzip: Decompressor;
  readonly hashing: Hashing;
  /** Default: all, the repository's default publisher before others. */
  readonly publisher?: string | undefined;
  /** Names as pkg(1) takes them; absent or empty: all packages. What they require comes with them. */
  readonly packages?: readonly string[] | undefined;
  readonly architecture?: string | undefined;
  readonly variants?: Readonly<Record<string, string>> | undefined;
  readonly facets?: Readonly<Record<string, boolean>> | undefined;
  /** Account files of the layers below, for packages that bring none. */
  readonly accountFiles?: AccountFiles | undefined;
  /** What would only be reported is an error. */
  readonly strict?: boolean | undefined;
}

export interface IpsSource extends PackageSource {
  readonly report: ManifestReport;
}

/** Every package, for selectPackages. */
const ALL_PACKAGES: readonly string[] = ["*"];
const RETURNED_ACTIONS: ReadonlySet<string> = new Set(["driver", "group", "user"]);

/**
 * @param files the repository's directory, or what openP5p gives
 * @throws ImageError "not-found" (a package, with the nearest names; a publisher; a payload, with package and path; an
 *   owner or group), "bad-format" (a manifest, with file and line; no repository), "unsupported", "conflict" when `strict`.
 *   Reading a file throws "bad-format" when its payload is damaged or does not have its hash.
 */
export async function readIpsPackages(files: Files, options: IpsOptions): Promise<IpsSource> {
  const warnings = collectWarnings();
  const repository = await openIpsRepository(files, options.publisher);
  if (repository.packages.length === 0) throw new ImageError("bad-format", "the package repository holds no package");
  const choice = imageChoice(options.architecture, options.variants, options.facets);
  const names = options.packages?.length ? options.packages : ALL_PACKAGES;
  const { set, selected } = await loadPackages(repository, names, choice);
  const timeSeconds = selected.reduce((newest, each) => Math.max(newest, publishedSeconds(each.version)), 0);
  const chosen = selected.flatMap((from) =>
    from.actions.filter((action) => isChosen(action, choice)).map((action) => ({ action, from })),
  );
  for (const { action } of chosen) refuseEndlessPath(action);
  const payloads = await payloadFiles(repository, chosen, options, warnings);
  const { architecture, variants, facets, strict } = options;
  const { tree, report, records } = await applyManifests(
    payloadTree(payloads, chosen, options.accountFiles, timeSeconds),
    set,
    {
      ...{ packages: names, withDependencies: true, architecture, variants, facets, strict, timeSeconds },
    },
  );
  const claimed = new Set(chosen.map(({ action }) => `/${attribute(action, "path")}`));
  addReport(report, warnings);
  for (const { name, actions } of selected) {
    if (isObsolete(actions)) warnings.add("obsolete", name, "is an obsolete package: it holds nothing", name);
  }
  return {
    tree: withoutBorrowed(tree, claimed),
    warnings: warnings.list(),
    packages: selected.map(({ name, version }) => `pkg:/${name}@${version}`),
    records,
    actions: chosen.map(({ action }) => action).filter(({ name }) => RETURNED_ACTIONS.has(name)),
    report: { ...report, removed: report.removed.filter((path) => claimed.has(path)) },
  };
}

/** @throws ImageError "limit": such a path is an attack on the depth of the tree */
function refuseEndlessPath(action: Action): void {
  const length = attribute(action, "path")?.length ?? 0;
  if (length <= MAX_NAME_BYTES) return;
  const what = `a path of ${length} bytes; at most ${MAX_NAME_BYTES} are read`;
  throw new ImageError("limit", `${placeText(action)}: ${what}`, { path: action.file });
}

type Chosen = readonly { readonly action: Action; readonly from: LoadedPackage }[];

interface LoadedPackage extends Package {
  readonly publisher: string;
}

/**
 * Reads the manifests of the named packages and of all that they need. The others stand in the set by name alone: nobody
 * wants to read ten thousand manifests for one package.
 */
async function loadPackages(
  repository: IpsRepository,
  names: readonly string[],
  choice: ImageChoice,
): Promise<{ set: PackageSet; selected: readonly LoadedPackage[] }> {
  const loaded = new Map<string, LoadedPackage>();
  const published = new Map(repository.packages.map((each) => [each.name, each]));
  for (;;) {
    const set: PackageSet = {
      packages: repository.packages.map((each) => loaded.get(each.name) ?? withoutActions(each)),
      dropped: [],
      undefinedMacros: [],
    };
    // Each round sees the dependencies of what the round before has read.
    const { packages } = selectPackages(set, choice, { packages: names, withDependencies: true });
    const missing = packages.flatMap(({ name }) => (loaded.has(name) ? [] : (published.get(name) ?? [])));
    if (missing.length === 0) return { set, selected: packages.flatMap(({ name }) => loaded.get(name) ?? []) };
    for (const each of missing) {
      const actions = parseActions(await repository.manifest(each), each.path);
      loaded.set(each.name, { ...withoutActions(each), actions });
    }
  }
}

function withoutActions({ name, version, publisher, path }: RepositoryPackage): LoadedPackage {
  return { name, version, publisher, file: path, actions: [] };
}

/** Every payload that a chosen action names, by its hash. */
async function payloadFiles(
  repository: IpsRepository,
  chosen: Chosen,
  { gunzip, hashing }: IpsOptions,
  warnings: Warnings,
): Promise<Map<string, File>> {
  const payloads = new Map<string, File>();
  const cache = unpackCache();
  for (const { action, from } of chosen) {
    if (action.name !== "file") continue;
    const { hash } = action;
    if (hash === undefined || !/^[0-9a-f]{40,128}$/.test(hash)) {
      throw manifestError(action, "file without the hash of its payload: not a published manifest");
    }
    if (payloads.has(hash)) continue;
    const path = attribute(action, "path") ?? "";
    const member = { path: `/${path}`, text: `package ${toText(from.name)}: /${toText(path)}` };
    if (!(await repository.hasPayload(from.publisher, hash))) {
      throw new ImageError("not-found", `${member.text}: its payload ${hash} is not in the repository`, member);
    }
    const packed = () => repository.payload(from.publisher, hash);
    const sizeBytes = naturalNumber(action, "pkg.size") ?? (await readIsize(await packed()));
    const verify = verifier(action, hash, hashing, warnings);
    const content = unpackedContent(cache, member, sizeBytes, async () => gunzip(await packed()), verify);
    const mtimeSeconds = publishedSeconds(from.version);
    payloads.set(hash, file({ mode: 0o644, uid: 0, gid: 0, mtimeSeconds }, content));
  }
  return payloads;
}

function naturalNumber(action: Action, key: string): number | undefined {
  const text = attribute(action, key);
  if (text === undefined) return undefined;
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw manifestError(action, `${key}=${text} is no number of bytes`);
  return value;
}

/** pkg5's names of algorithms, the strongest first. */
const ALGORITHMS: readonly (readonly [string, HashAlgorithm])[] = [
  ["file:sha512t_256:", "sha512-256"],
  ["file:sha256:", "sha256"],
];

/** The strongest hash of the plain bytes that the action has; the positional one is SHA-1. */
function verifier(action: Action, hash: string, hashing: Hashing, warnings: Warnings): Verify {
  const [algorithm, expected] = expectedHash(action, hash);
  if (algorithm === undefined) {
    warnings.add("not-verified", attribute(action, "path") ?? "", "has no hash of a kind that is computed here");
    return async () => {};
  }
  return async (content) => {
    const actual = await hashContent(content, hashing(algorithm));
    if (actual === expected) return;
    const what = `its payload ${hash} has the ${algorithm} ${actual}, not ${expected} as the manifest says: it is damaged`;
    throw new ImageError("bad-format", what);
  };
}

function expectedHash(action: Action, hash: string): [algorithm: HashAlgorithm | undefined, expected: string] {
  const values = attributeValues(action, "pkg.content-hash");
  for (const [prefix, algorithm] of ALGORITHMS) {
    const value = values.find((each) => each.startsWith(prefix));
    if (value !== undefined) return [algorithm, value.slice(prefix.length)];
  }
  return hash.length === 40 ? ["sha1", hash] : [undefined, hash];
}

/** Seconds since 1970 of a version's timestamp (":20210331T120000Z"), 0 without one. */
function publishedSeconds(version: string): number {
  const [, year, month, day, hour, minute, second] =
    /:(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(version)?.map(Number) ?? [];
  if (year === undefined || month === undefined) return 0;
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

/** The tree that the manifests are applied to: payloads under their hash, and account files where they will be. */
function payloadTree(
  payloads: ReadonlyMap<string, File>,
  chosen: Chosen,
  accountFiles: AccountFiles | undefined,
  mtimeSeconds: number,
): Directory {
  const attributes = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds };
  const accounts = new Map<string, Node>();
  for (const [key, path] of Object.entries(ACCOUNT_PATHS) as [keyof AccountFiles, string][]) {
    const own = chosen.find(({ action }) => action.name === "file" && `/${attribute(action, "path")}` === path);
    const node = own ? payloads.get(own.action.hash ?? "") : borrowed(accountFiles?.[key], attributes);
    if (node) accounts.set(path.slice(path.lastIndexOf("/") + 1), node);
  }
  return directory(attributes, new Map<string, Node>([...payloads, ["etc", directory(attributes, accounts)]]));
}

function borrowed(text: string | undefined, attributes: Parameters<typeof file>[0]): File | undefined {
  return text ? file(attributes, memoryContent(bytesOf(text))) : undefined;
}

/** Takes out again the account files of the layers below, to which user actions may have added. */
function withoutBorrowed(tree: Directory, claimed: ReadonlySet<string>): Directory {
  const etc = tree.entries.get("etc");
  if (etc?.type !== "directory") return tree;
  const lent = new Set(Object.values(ACCOUNT_PATHS).filter((path) => !claimed.has(path)));
  const kept = new Map([...etc.entries].filter(([name]) => !lent.has(joinPath("/etc", name))));
  const entries = new Map(tree.entries);
  if (kept.size > 0 || claimed.has("/etc")) entries.set("etc", directory(etc, kept));
  else entries.delete("etc");
  return directory(tree, entries);
}

function isObsolete(actions: readonly Action[]): boolean {
  return actions.some(
    (action) =>
      action.name === "set" && attribute(action, "name") === "pkg.obsolete" && attribute(action, "value") === "true",
  );
}

function addReport(report: ManifestReport, warnings: Warnings): void {
  for (const { path, package: name } of report.missing) {
    warnings.add("missing-file", path, `package ${toText(name)} says it is there, and nothing delivers it`);
  }
  for (const { path, kept, other, difference } of report.conflicts) {
    const what = `packages ${toText(kept.package)} and ${toText(other.package)} differ (${toText(difference)}); the first holds`;
    warnings.add("conflict", path, what);
  }
  for (const { package: name, fmris } of report.unprovided) {
    const what = `needs ${fmris.map(toText).join(" or ")}, which is not in the repository`;
    warnings.add("missing-dependency", name, what, fmris.join(" "));
  }
  for (const { name, file: manifest, line } of report.unknownActions) {
    warnings.add("unknown-action", manifest, `line ${line}: action "${toText(name)}" is not known, ignored`, name);
  }
}
