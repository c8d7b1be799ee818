// What illumos' loader will do with the configuration on a medium: which files it reads, in which order, which of them it
// gives up at, and what it then loads. Order and habits were seen in runs of the loader (usr/src/boot, forth/support.4th).

import { ImageError } from "../bytes/index.ts";
import { type Directory, lookup, resolve, sortedEntries } from "../tree/index.ts";
import { CONF_DIRECTORY, DEFAULTS_PATH, loaderConfComplaint } from "./loader.ts";
import { readTextFile } from "./text-files.ts";

export const BOOTENV_PATH = "/boot/solaris/bootenv.rc";
export const TRANSIENT_PATH = "/boot/transient.conf";
const DEFAULT_CONF_FILES = "/boot/loader.conf /boot/loader.conf.local";

/** Something that the loader loads beside the kernel. */
export interface LoaderModule {
  /** The X of X_load. */
  readonly variable: string;
  /** "rootfs", "hash", "file" … */
  readonly type: string;
  /** The configured path; the loader also tries it with ".gz". */
  readonly path: string;
}

export interface LoaderConfiguration {
  /** Files that were applied, in order. */
  readonly files: readonly string[];
  /** The file at which the loader gives up, and why: neither it nor those that follow are applied. */
  readonly broken: { readonly path: string; readonly complaint: string } | undefined;
  /** Variables expanded. */
  readonly variables: ReadonlyMap<string, string>;
  readonly kernelPath: string;
  readonly modules: readonly LoaderModule[];
}

/** Reads the configuration of a medium. @throws ImageError what reading its files throws */
export async function readLoaderConfiguration(tree: Directory): Promise<LoaderConfiguration> {
  const variables = new Map([["ISADIR", "amd64"]]);
  const files: string[] = [];
  let broken: LoaderConfiguration["broken"];
  const apply = async (path: string): Promise<void> => {
    const text = broken === undefined ? await fileText(tree, path) : undefined;
    if (text === undefined) return;
    const complaint = loaderConfComplaint(text);
    if (complaint !== undefined) {
      broken = { path, complaint };
      return;
    }
    files.push(path);
    for (const line of text.split("\n")) assign(line, variables);
  };

  for (const line of ((await fileText(tree, BOOTENV_PATH)) ?? "").split("\n")) {
    const [, name, value] = /^\s*setprop\s+(\S+)\s+(?:'([^']*)'|\S+)/.exec(line) ?? [];
    if (name !== undefined) variables.set(name, value ?? line.trim().split(/\s+/)[2] ?? "");
  }
  await apply(DEFAULTS_PATH);
  const confFiles = variables.get("loader_conf_files") ?? DEFAULT_CONF_FILES;
  for (const path of confFiles.split(/\s+/).filter((word) => word.startsWith("/"))) await apply(path);
  const fragments = resolve(tree, CONF_DIRECTORY)?.node;
  if (fragments?.type === "directory") {
    for (const [name] of sortedEntries(fragments)) await apply(`${CONF_DIRECTORY}/${name}`);
  }
  await apply(TRANSIENT_PATH);
  return { files, broken, variables, kernelPath: kernelPathOf(variables), modules: modulesOf(variables) };
}

/** A regular file's text: the loader takes a symbolic link on an ISO for an empty file. */
async function fileText(tree: Directory, path: string): Promise<string | undefined> {
  try {
    return lookup(tree, path)?.type === "file" ? await readTextFile(tree, path) : undefined;
  } catch (error) {
    if (error instanceof ImageError && (error.code === "limit" || error.code === "invalid-argument")) return undefined;
    throw error;
  }
}

function assign(line: string, variables: Map<string, string>): void {
  const [, name, quoted, word] = /^\s*([A-Za-z0-9_.\-:]+)\s*=\s*(?:"([^"]*)"|([^\s#]*))/.exec(line) ?? [];
  if (name === undefined) return;
  variables.set(name, expanded(quoted ?? word ?? "", variables));
}

/** "${NAME}", and "$NAME" before a blank or the end; an unknown variable is nothing. */
function expanded(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*)(?=\s|$))/g, (_, braced?: string, bare?: string) => {
    return variables.get(braced ?? bare ?? "") ?? "";
  });
}

function kernelPathOf(variables: ReadonlyMap<string, string>): string {
  const kernel = variables.get("kernel") ?? "i86pc/kernel/amd64";
  const bootfile = (variables.get("bootfile") ?? "unix").split(/[\s;,]+/)[0] ?? "unix";
  return `/platform/${kernel}/${bootfile}`.replace(/\/+/g, "/");
}

function modulesOf(variables: ReadonlyMap<string, string>): LoaderModule[] {
  const modules: LoaderModule[] = [];
  for (const [name, value] of variables) {
    if (!name.endsWith("_load") || value.toUpperCase() !== "YES") continue;
    const variable = name.slice(0, -"_load".length);
    const path = variables.get(`${variable}_name`) ?? variable;
    modules.push({ variable, type: variables.get(`${variable}_type`) ?? "", path: path.replace(/\/+/g, "/") });
  }
  return modules;
}

const NOT_WRAPPED = [".gz", ".bz2", ".split"];

/** Where the loader finds a file that it is told to load: as named, else with ".gz" (its gzip pseudo file system). */
export function loaderFileAt(tree: Directory, path: string): string | undefined {
  const isThere = (at: string): boolean => lookup(tree, at) !== undefined;
  if (isThere(path)) return path;
  return !NOT_WRAPPED.some((suffix) => path.endsWith(suffix)) && isThere(`${path}.gz`) ? `${path}.gz` : undefined;
}
