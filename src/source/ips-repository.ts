// A file repository of IPS packages as a directory: publisher/PUB/pkg/STEM/VERSION is a manifest, publisher/PUB/file/…/HASH
// the gzip'd payload of that name (version 4); older repositories (version 3) have pkg/ and file/ at the top.
// Source: pkg5 src/modules/server/repository.py and file_layout/layout.py.

import { byteString, type Content, compareByteStrings, ImageError, readAll, toText } from "../bytes/index.ts";
import { compareVersions } from "../illumos/index.ts";
import type { Files } from "./files.ts";

export interface RepositoryPackage {
  /** The stem: "system/kernel". */
  readonly name: string;
  /** "0.5.11,5.11-2021.0.0:20210331T000000Z" */
  readonly version: string;
  readonly publisher: string;
  /** Where its manifest is. */
  readonly path: string;
}

export interface IpsRepository {
  /** The newest version of each, by name; of several publishers' the first publisher's (the default one comes first). */
  readonly packages: readonly RepositoryPackage[];
  /** The text of a manifest, a byte string. */
  manifest(of: RepositoryPackage): Promise<string>;
  /** Whether the payload is there; it is not read. */
  hasPayload(publisher: string, hash: string): Promise<boolean>;
  /** The gzip stream of a payload. @throws ImageError "not-found" */
  payload(publisher: string, hash: string): Promise<Content>;
}

const CONFIGURATION = "pkg5.repository";
const MAX_TEXT_BYTES = 1 << 26;
const SUPPORTED_VERSIONS: ReadonlySet<string> = new Set(["3", "4"]);

/** Whether a directory is a repository. */
export async function isIpsRepository(files: Files): Promise<boolean> {
  return (await files.read(CONFIGURATION)) !== undefined;
}

/**
 * @throws ImageError "bad-format" when the directory is no repository, "unsupported" for one of another version, "not-found"
 *   for a publisher that it does not have
 */
export async function openIpsRepository(files: Files, onlyPublisher?: string): Promise<IpsRepository> {
  const configuration = await readConfiguration(files);
  const roots = await publisherRoots(files, configuration.publisher);
  if (onlyPublisher !== undefined && !roots.has(onlyPublisher)) {
    const there = [...roots.keys()].map(toText).join(", ");
    throw new ImageError("not-found", `no publisher "${toText(onlyPublisher)}" in the repository; it has ${there}`);
  }
  const packages = new Map<string, RepositoryPackage>();
  for (const [publisher, root] of roots) {
    if (onlyPublisher !== undefined && publisher !== onlyPublisher) continue;
    for (const each of await newestPackages(files, publisher, root)) {
      if (!packages.has(each.name)) packages.set(each.name, each);
    }
  }
  const payloadPath = payloadFinder(files);
  return {
    packages: [...packages.values()].sort((a, b) => compareByteStrings(a.name, b.name)),
    async manifest({ path, name }) {
      const content = await files.read(path);
      if (content === undefined) throw new ImageError("not-found", `package ${toText(name)}: its manifest is gone`);
      return byteString(await readAll(content, MAX_TEXT_BYTES));
    },
    async hasPayload(publisher, hash) {
      return (await payloadPath(roots.get(publisher) ?? "", hash)) !== undefined;
    },
    async payload(publisher, hash) {
      const path = await payloadPath(roots.get(publisher) ?? "", hash);
      const content = path === undefined ? undefined : await files.read(path);
      if (content === undefined) throw new ImageError("not-found", `payload ${hash} is not in the repository`);
      return content;
    },
  };
}

/** The ini file pkg5.repository. */
async function readConfiguration(files: Files): Promise<{ publisher: string | undefined }> {
  const content = await files.read(CONFIGURATION);
  if (content === undefined) {
    throw new ImageError("bad-format", `no IPS repository: it holds no ${CONFIGURATION}`);
  }
  let section = "";
  const values = new Map<string, string>();
  for (const line of byteString(await readAll(content, MAX_TEXT_BYTES)).split("\n")) {
    const [, opened, key, value] = /^\s*(?:\[([^\]]*)\]|([^=#]+?)\s*=\s*(.*?))\s*$/.exec(line) ?? [];
    if (opened !== undefined) section = opened.trim();
    else if (key !== undefined) values.set(`${section}.${key}`, value ?? "");
  }
  const version = values.get("repository.version") ?? values.get("CONFIGURATION.version");
  if (version !== undefined && !SUPPORTED_VERSIONS.has(version)) {
    throw new ImageError("unsupported", `an IPS repository of version ${toText(version)}; 3 and 4 are read`);
  }
  return { publisher: values.get("publisher.prefix") || undefined };
}

/** Publisher to the directory that holds its pkg/ and file/, the default publisher first. */
async function publisherRoots(files: Files, preferred: string | undefined): Promise<Map<string, string>> {
  const names = [...(await files.list("publisher"))].sort(compareByteStrings);
  const ranked = names.sort((a, b) => Number(b === preferred) - Number(a === preferred)); // a stable sort
  const roots = new Map(ranked.map((name) => [name, `publisher/${name}/`]));
  if ((await files.list("pkg")).length > 0) roots.set(preferred ?? "", "");
  return roots;
}

async function newestPackages(files: Files, publisher: string, root: string): Promise<RepositoryPackage[]> {
  const packages: RepositoryPackage[] = [];
  for (const stem of await files.list(`${root}pkg`)) {
    let newest: RepositoryPackage | undefined;
    for (const quoted of await files.list(`${root}pkg/${stem}`)) {
      const version = unquote(quoted);
      if (newest && compareVersions(version, newest.version) <= 0) continue;
      newest = { name: unquote(stem), version, publisher, path: `${root}pkg/${stem}/${quoted}` };
    }
    if (newest) packages.push(newest);
  }
  return packages;
}

/** %2F to "/", as urllib.parse.unquote does. */
function unquote(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Payloads lie in file/AA/HASH, in the oldest layout in file/AA/BBBBBB/HASH. Directories are listed once. */
function payloadFinder(files: Files): (root: string, hash: string) => Promise<string | undefined> {
  const listings = new Map<string, Promise<ReadonlySet<string>>>();
  const list = (path: string): Promise<ReadonlySet<string>> => {
    const listing = listings.get(path) ?? files.list(path).then((names) => new Set(names));
    listings.set(path, listing);
    return listing;
  };
  return async (root, hash) => {
    const first = `${root}file/${hash.slice(0, 2)}`;
    const names = await list(first);
    if (names.has(hash)) return `${first}/${hash}`;
    const second = `${first}/${hash.slice(2, 8)}`;
    return names.has(hash.slice(2, 8)) && (await list(second)).has(hash) ? `${second}/${hash}` : undefined;
  };
}
