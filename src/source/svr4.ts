// SVR4 packages (directories as pkgtrans(1) unpacks them; datastreams and zaps hold the same) as a tree: objects with the
// owners, modes and times of their pkgmap. Scripts are listed, never run; the drivers that they add are understood.

import { byteString, type Content, didYouMean, ImageError, readAll, toText } from "../bytes/index.ts";
import {
  type AccountFiles,
  type Accounts,
  type Action,
  attributeValues,
  lookupId,
  type PackageRecord,
} from "../illumos/index.ts";
import { type Attributes, device, directory, file, type Node, special, symlink } from "../tree/index.ts";
import { type Files, subdirectory } from "./files.ts";
import { packageAccounts } from "./package-accounts.ts";
import { expandPath, type MapFile, type MapObject, type Pkgmap, parsePkginfo, parsePkgmap } from "./pkgmap.ts";
import { scriptDrivers } from "./postinstall.ts";
import { collectWarnings, type PackageSource, sourceError, type Warnings } from "./source.ts";
import { type TreeBuilder, treeBuilder, treePath } from "./tree-builder.ts";
import { sumOfBytes, systemVSum, verifiedContent } from "./verified.ts";

export interface Svr4Options {
  /** Names of packages; absent or empty: all that are there. What they depend on comes with them. */
  readonly packages?: readonly string[] | undefined;
  /** Account files of the layers below, for packages that bring none. */
  readonly accountFiles?: AccountFiles | undefined;
}

interface Svr4Package {
  readonly name: string;
  readonly files: Files;
  readonly pkginfo: ReadonlyMap<string, string>;
  readonly pkgmap: Pkgmap;
  /** Names of the packages that install/depend says must be there. */
  readonly prerequisites: readonly string[];
}

/** An object with the path in the image that it goes to. */
interface Placed {
  readonly of: Svr4Package;
  readonly object: Exclude<MapObject, { readonly ftype: "i" }>;
  readonly path: string;
  readonly content: Content | undefined;
}

const MAX_TEXT_BYTES = 1 << 26;
const INSTALL_SCRIPT = /^(preinstall|postinstall|request|checkinstall|i\..+)$/;
/** Class actions of the system whose file is not what is installed but a program that makes it. */
const MADE_BY_CLASS: ReadonlySet<string> = new Set(["sed", "awk", "build"]);

/**
 * @param files a package directory, or a directory of such
 * @throws ImageError "bad-format" (with file and line for a pkgmap), "not-found" (a package, with the nearest names; a file
 *   that the pkgmap lists; an unknown user or group), "unsupported" (class archives)
 */
export async function readSvr4Packages(files: Files, options: Svr4Options = {}): Promise<PackageSource> {
  const warnings = collectWarnings();
  const all = await findPackages(files);
  const packages = selectPackages(all, options.packages ?? [], warnings);
  const placed: Placed[] = [];
  const actions: Action[] = [];
  const records: PackageRecord[] = [];
  for (const each of packages) {
    const objects = await placeObjects(each, warnings);
    const scripted = await readScripts(each, warnings);
    placed.push(...objects);
    actions.push(...scripted);
    records.push(recordOf(each, objects, scripted));
  }
  const contents = new Map(placed.flatMap(({ path, content }) => (content ? [[path, content] as const] : [])));
  const accounts = await packageAccounts((path) => contents.get(path), actions, options.accountFiles);
  const builder = treeBuilder(warnings);
  const times = new Map(packages.map((each) => [each, newestSeconds(each)]));
  for (const each of placed) putObject(builder, each, accounts, times.get(each.of) ?? 0);
  return {
    tree: builder.finish(),
    warnings: warnings.list(),
    packages: packages.map(({ name }) => name),
    records,
    actions,
  };
}

/** A pkginfo names no licence. */
function recordOf(of: Svr4Package, objects: readonly Placed[], actions: readonly Action[]): PackageRecord {
  const isDirectory = ({ object }: Placed): boolean => object.ftype === "d" || object.ftype === "x";
  return {
    name: of.name,
    version: of.pkginfo.get("VERSION") ?? "",
    summary: of.pkginfo.get("NAME"),
    licenses: [],
    requires: of.prerequisites,
    drivers: actions.filter(({ name }) => name === "driver").flatMap((action) => attributeValues(action, "name")),
    paths: objects.filter((each) => !isDirectory(each)).map(({ path }) => path),
  };
}

/** Whether there are packages: a pkgmap here, or in a directory here. */
export async function holdsSvr4Packages(files: Files): Promise<boolean> {
  for (const name of ["", ...(await files.list(""))]) {
    if (await subdirectory(files, name).read("pkgmap")) return true;
  }
  return false;
}

async function findPackages(files: Files): Promise<Svr4Package[]> {
  const names = [...(await files.list(""))].sort();
  const found: Svr4Package[] = [];
  for (const name of names.includes("pkgmap") ? [""] : names) {
    const each = await readPackage(subdirectory(files, name), name);
    if (each) found.push(each);
  }
  if (found.length === 0) throw new ImageError("bad-format", "no SVR4 package here: no directory holds a pkgmap");
  return found;
}

async function readPackage(files: Files, directoryName: string): Promise<Svr4Package | undefined> {
  const map = await readText(files, "pkgmap");
  if (map === undefined) return undefined;
  const pkginfo = parsePkginfo((await readText(files, "pkginfo")) ?? "");
  const name = directoryName || (pkginfo.get("PKG") ?? "package");
  const depend = (await readText(files, "install/depend")) ?? "";
  const prerequisites = Array.from(depend.matchAll(/^P[ \t]+(\S+)/gm), (match) => match[1] ?? "");
  return { name, files, pkginfo, pkgmap: parsePkgmap(map, `${name}/pkgmap`), prerequisites };
}

async function readText(files: Files, path: string): Promise<string | undefined> {
  const content = await files.read(path);
  return content && byteString(await readAll(content, MAX_TEXT_BYTES));
}

/** The named packages and what they need of the others, in order of their names. */
function selectPackages(all: readonly Svr4Package[], names: readonly string[], warnings: Warnings): Svr4Package[] {
  const byName = new Map(all.map((each) => [each.name, each]));
  const selected = new Set<Svr4Package>(names.length === 0 ? all : []);
  for (const name of names) {
    const found = byName.get(name);
    if (found === undefined) {
      const hint = didYouMean(name, byName.keys());
      throw new ImageError("not-found", `no package "${toText(name)}" among the ${all.length} there are${hint}`);
    }
    selected.add(found);
  }
  for (const each of selected) {
    for (const name of each.prerequisites) {
      const needed = byName.get(name);
      if (needed)
        selected.add(needed); // the set grows while it is walked: its dependencies come, too
      else warnings.add("missing-dependency", each.name, `needs package ${toText(name)}, which is not here`, name);
    }
  }
  return all.filter((each) => selected.has(each));
}

async function placeObjects(of: Svr4Package, warnings: Warnings): Promise<Placed[]> {
  const placed: Placed[] = [];
  const classes = of.pkginfo.get("CLASSES")?.split(/\s+/).filter(Boolean);
  const base = of.pkginfo.get("BASEDIR") ?? "";
  for (const object of of.pkgmap.objects) {
    if (object.ftype === "i") continue;
    const expanded = expandPath(object.path, of.pkginfo, object);
    const target = treePath(expanded.startsWith("/") ? expanded : `${base}/${expanded}`);
    const { class: objectClass } = object;
    if (classes && objectClass !== "none" && !classes.includes(objectClass)) {
      warnings.add("not-selected", target, `is of class ${toText(objectClass)}, which CLASSES in pkginfo leaves out`);
      continue;
    }
    const isFile = object.ftype === "f" || object.ftype === "e" || object.ftype === "v";
    if (isFile && MADE_BY_CLASS.has(objectClass)) {
      warnings.add("unknown-class", target, `would be made by class action ${objectClass}; left out`, objectClass);
      continue;
    }
    placed.push({ of, object, path: target, content: isFile ? await fileContent(of, object) : undefined });
  }
  return placed;
}

/** The content of a file object, which is checked against the pkgmap's sum when it is read. */
async function fileContent(of: Svr4Package, object: MapFile): Promise<Content> {
  const { local, path, part, size, sum } = object;
  const inPackage = packagePath(local ?? path, part, of.pkgmap.parts);
  const content = await of.files.read(inPackage);
  if (content === undefined) {
    if ((await of.files.list("archive")).length > 0) {
      throw sourceError("unsupported", path, `package ${of.name} keeps it in a class archive: unpack it with pkgtrans`);
    }
    throw sourceError("not-found", path, `package ${of.name} lists it, but holds no ${toText(inPackage)}`);
  }
  if (size !== undefined && size !== content.sizeBytes) {
    throw sourceError("bad-format", path, `is ${content.sizeBytes} bytes; the pkgmap of ${of.name} says ${size}`);
  }
  if (sum === undefined) return content;
  return verifiedContent(content, async (whole) => {
    const actual = systemVSum(await sumOfBytes(whole));
    if (actual === sum) return;
    throw sourceError("bad-format", path, `has the sum ${actual}; the pkgmap of ${of.name} says ${sum}: it is damaged`);
  });
}

/**
 * Where an object's content is in a package: under root/ for absolute paths, under reloc/ for others (by volume when there
 * are several), parameters left as they are written. A "~" before a local path says the same.
 */
function packagePath(path: string, part: number, parts: number): string {
  const written = path.replace(/^~/, "");
  const folder = `${written.startsWith("/") ? "root" : "reloc"}${parts > 1 ? `.${part}` : ""}`;
  return `${folder}${treePath(written)}`;
}

async function readScripts(of: Svr4Package, warnings: Warnings): Promise<Action[]> {
  const actions: Action[] = [];
  for (const { ftype, path } of of.pkgmap.objects) {
    if (ftype !== "i" || !INSTALL_SCRIPT.test(path)) continue;
    const script = await readText(of.files, `install/${path}`);
    if (script === undefined) continue;
    const name = `${of.name}/install/${path}`;
    warnings.add("script-not-run", name, "is a script; scripts are not run", name);
    if (path !== "preinstall" && path !== "postinstall") continue;
    const { actions: drivers, notUnderstood } = scriptDrivers(script, name);
    actions.push(...drivers);
    for (const { line, text } of notUnderstood) {
      const what = `line ${line} names drivers in a way that only running it would tell: ${toText(text.slice(0, 120))}`;
      warnings.add("script-not-understood", name, what, `${name}:${line}`);
    }
  }
  return actions;
}

/** The time of what has none in the pkgmap. */
function newestSeconds({ pkgmap }: Svr4Package): number {
  return pkgmap.objects.reduce((newest, each) => Math.max(newest, ("modtime" in each && each.modtime) || 0), 0);
}

function putObject(builder: TreeBuilder, placed: Placed, accounts: Accounts, packageSeconds: number): void {
  const { object, path, content } = placed;
  const name = path.slice(1);
  if (object.ftype === "s") {
    builder.put(name, symlink({ mode: 0o777, uid: 0, gid: 0, mtimeSeconds: packageSeconds }, object.local));
    return;
  }
  if (object.ftype === "l") {
    // Relative to the link's own directory; an absolute one to the root.
    const parent = path.slice(0, path.lastIndexOf("/"));
    builder.link(name, resolveDots(object.local.startsWith("/") ? object.local : `${parent}/${object.local}`));
    return;
  }
  const before = builder.attributes(name);
  const isDirectory = object.ftype === "d" || object.ftype === "x";
  const attributes: Attributes = {
    mode: object.mode ?? before?.mode ?? (isDirectory ? 0o755 : 0o644),
    uid: object.owner === undefined ? (before?.uid ?? 0) : lookupId(accounts.users, object.owner, "user", object),
    gid: object.group === undefined ? (before?.gid ?? 0) : lookupId(accounts.groups, object.group, "group", object),
    mtimeSeconds: ("modtime" in object ? object.modtime : undefined) ?? packageSeconds,
  };
  builder.put(name, nodeOf(object, attributes, content));
}

function nodeOf(
  object: Exclude<Placed["object"], { ftype: "l" | "s" }>,
  attributes: Attributes,
  content?: Content,
): Node {
  switch (object.ftype) {
    case "d":
    case "x":
      return directory(attributes);
    case "p":
      return special(attributes, "fifo");
    case "b":
      return device(attributes, "block", object.major, object.minor);
    case "c":
      return device(attributes, "character", object.major, object.minor);
    default:
      if (content === undefined) throw new Error(`${object.path}: a file without content`);
      return file(attributes, content);
  }
}

/** "/usr/bin/../lib/x" to "usr/lib/x"; what would leave the root keeps its dots, which the tree builder refuses. */
function resolveDots(path: string): string {
  const steps: string[] = [];
  for (const step of path.split("/")) {
    if (step === "" || step === ".") continue;
    if (step === ".." && steps.length > 0 && steps.at(-1) !== "..") steps.pop();
    else steps.push(step);
  }
  return steps.join("/");
}
