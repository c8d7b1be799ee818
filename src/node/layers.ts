// The sources of a build, in the order in which they lie over each other: directories, archives, packages and repositories.

import { statSync } from "node:fs";
import { fromText, ImageError, type ReportProgress, toText } from "../bytes/index.ts";
import {
  type AccountFiles,
  PACKAGE_FIELD,
  readAccountFiles,
  type UnusedChoice,
  unusedChoices,
} from "../illumos/index.ts";
import { directoryLayer, type Layer } from "../image/index.ts";
import {
  type Decompressor,
  isPackageDirectory,
  type OpenedSource,
  openPackageDirectory,
  openSource,
  recognizeArchive,
  type SourceOptions,
  treeFiles,
} from "../source/index.ts";
import { directory, ROOT_OWNED } from "../tree/index.ts";
import { type DirectoryOptions, readDirectoryTree } from "./directory-source.ts";
import { type FileContent, openFileContent } from "./file-content.ts";
import { createFileReader } from "./file-reader.ts";
import { createGunzip } from "./gunzip.ts";
import { createHasher } from "./hashing.ts";
import { inputError } from "./host-errors.ts";

/** What is wanted of sources that are packages. */
export interface PackageChoice {
  /** Names as pkg(1) takes them; empty: all. What they need comes with them. */
  readonly packages: readonly string[];
  readonly variants: Readonly<Record<string, string>>;
  readonly facets: Readonly<Record<string, boolean>>;
  /** What would only be reported is an error. */
  readonly strict: boolean;
}

export interface LayerPaths {
  readonly sources: readonly string[];
  /** Populated adjunct proto areas: they lie under the sources. */
  readonly adjuncts?: readonly string[] | undefined;
  /** They lie over the sources. */
  readonly overlays?: readonly string[] | undefined;
  readonly choice?: PackageChoice | undefined;
}

export interface Layers {
  readonly layers: readonly [Layer, ...Layer[]];
  /** Directories and files that are read, in which nothing may be written. */
  readonly folders: readonly string[];
  readonly warnings: readonly string[];
  /** Closes the archives and ends the threads that read files. */
  close(): Promise<void>;
}

interface Reading {
  readonly choice: PackageChoice | undefined;
  readonly options: DirectoryOptions;
  readonly gunzip: Decompressor;
  /** Archives that are open. */
  readonly opened: FileContent[];
  readonly warnings: string[];
  /** Packages asked for: those that a source has, and what the first source that lacks one says. */
  readonly found: Set<string>;
  readonly lacking: Map<string, ImageError>;
  /** What no source of packages so far has a use for; undefined before the first. */
  unused: readonly UnusedChoice[] | undefined;
}

/** @throws ImageError "invalid-argument" without a source; "input-missing", "bad-format" … for one that cannot be read; "interrupted" */
export async function readLayers(
  paths: LayerPaths,
  signal?: AbortSignal,
  onProgress?: ReportProgress,
): Promise<Layers> {
  const { sources, adjuncts = [], overlays = [], choice } = paths;
  if (sources.length === 0) {
    throw new ImageError(
      "invalid-argument",
      "no source: name a proto area (a directory such as proto/root_i386) or an archive of one",
    );
  }
  const reader = createFileReader();
  const opened: FileContent[] = [];
  const close = async (): Promise<void> => {
    await reader.close();
    for (const archive of opened) await archive.close();
  };
  try {
    const options = { reader, signal, onProgress };
    const warnings: string[] = [];
    const noted = { warnings, found: new Set<string>(), lacking: new Map<string, ImageError>(), unused: undefined };
    const reading: Reading = { choice, options, gunzip: createGunzip(), opened, ...noted };
    const layers: Layer[] = [];
    const names = [...adjuncts, ...sources, ...overlays];
    for (const [i, name] of names.entries()) layers.push(await readLayer(name, i > adjuncts.length, layers, reading));
    checkChoice(layers, reading);
    const [first, ...rest] = layers;
    if (first === undefined) throw new Error("no layers"); // sources is not empty, so layers is not
    return { layers: [first, ...rest], folders: names.filter((name) => name !== "-"), warnings, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param isOver whether it lies over a source, and not under one as an adjunct does */
async function readLayer(name: string, isOver: boolean, lower: readonly Layer[], reading: Reading): Promise<Layer> {
  const accountFiles = await accountFilesOf(lower);
  if (!isDirectory(name)) {
    const content = await openFileContent(name);
    reading.opened.push(content);
    if ((await recognizeArchive(content)) === undefined) {
      const known = "a proto area, or an archive (tar, cpio, zip, p5p, datastream)";
      const message = `${name}: is no directory and no archive that is known here; name ${known}`;
      throw new ImageError("input-missing", message, { path: name });
    }
    const open = (options: SourceOptions) => openSource(content, options);
    return sourceLayer(name, await openChosen(name, accountFiles, reading, open), content, reading);
  }
  // As mergeLayers would have it: so the tree need not be made a second time there.
  const { tree, warnings } = await readDirectoryTree(name, { ...reading.options, owner: ROOT_OWNED });
  reading.warnings.push(...warnings);
  const files = treeFiles(tree);
  if (!(await isPackageDirectory(files))) return directoryLayer(tree, name, isOver);
  const open = (options: SourceOptions) => openPackageDirectory(files, options);
  return sourceLayer(name, await openChosen(name, accountFiles, reading, open), tree, reading);
}

/** Those of the highest layer that has any: for packages that bring none. */
async function accountFilesOf(layers: readonly Layer[]): Promise<AccountFiles | undefined> {
  for (const { tree } of [...layers].reverse()) {
    const files = await readAccountFiles(tree);
    if (files.passwd !== "") return files;
  }
  return undefined;
}

/** Opens a source with those of the packages asked for that it has: others may be in another source. Undefined when it has none. */
async function openChosen(
  name: string,
  accountFiles: AccountFiles | undefined,
  { choice, gunzip, found, lacking }: Reading,
  open: (options: SourceOptions) => Promise<OpenedSource>,
): Promise<OpenedSource | undefined> {
  for (let packages = choice?.packages.map(fromText) ?? []; ; ) {
    try {
      const source = await open({
        ...(choice && { ...choice, packages }),
        ...{ name: fromText(name), decompressors: { gzip: gunzip }, hashing: createHasher, accountFiles },
      });
      if (source.packages.length > 0) for (const each of packages) found.add(each);
      return source;
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      const named = withName(error, name);
      if (error.field !== PACKAGE_FIELD || error.path === undefined) throw named;
      const { path } = error;
      if (!lacking.has(path)) lacking.set(path, named);
      packages = packages.filter((each) => each !== path);
      if (packages.length === 0) return undefined;
    }
  }
}

/** An archive's own errors speak of what is inside; with several sources one must know of which. */
function withName(error: ImageError, name: string): ImageError {
  if (error.message.startsWith(name)) return error;
  const { code, path, field } = error;
  return new ImageError(code, `${name}: ${error.message}`, { path, field, cause: error });
}

/** Whether everything that was asked of packages was there. */
function checkChoice(layers: readonly Layer[], { choice, found, lacking, unused, warnings }: Reading): void {
  for (const name of choice?.packages ?? []) {
    const error = lacking.get(fromText(name));
    if (error && !found.has(fromText(name))) throw error;
  }
  const option = layers.some(({ packages }) => packages.length > 0) ? undefined : firstOption(choice);
  if (option) {
    throw new ImageError(
      "invalid-argument",
      `${option}: no source holds packages; give --manifests DIR, a repository or a .p5p`,
    );
  }
  for (const { option: word, reason } of unused ?? []) warnings.push(`${word}: ${reason}`);
}

/** The first option that says something about packages, as the user wrote it. */
function firstOption(choice: PackageChoice | undefined): string | undefined {
  if (choice === undefined) return undefined;
  if (choice.packages.length > 0) return "--package";
  if (Object.keys(choice.variants).length > 0) return "--variant";
  if (Object.keys(choice.facets).length > 0) return "--facet";
  return choice.strict ? "--strict" : undefined;
}

function isDirectory(name: string): boolean {
  if (name === "-") return false;
  try {
    return statSync(name).isDirectory();
  } catch (error) {
    throw inputError(error, name);
  }
}

/** @param source undefined when it has nothing that was asked for */
function sourceLayer(name: string, source: OpenedSource | undefined, origin: Layer["origin"], reading: Reading): Layer {
  const base = { name, ownersKnown: true, origin, keepsDirectories: source === undefined };
  if (source === undefined) {
    reading.warnings.push(`${name}: holds none of the packages that were asked for; nothing of it is in the image`);
    const nothing = directory({ mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0 });
    return { ...base, tree: nothing, actions: [], packages: [], records: [] };
  }
  for (const { message } of source.warnings) reading.warnings.push(`${name}: ${toText(message)}`);
  const { tree, actions, packages, records, report } = source;
  if (packages.length > 0) {
    const { unused: before, choice } = reading;
    const unused = report?.unusedChoices ?? unusedChoices([], choice?.variants, choice?.facets);
    reading.unused = unused.filter(({ option }) => before?.some((other) => other.option === option) ?? true);
  }
  return { ...base, tree, actions, packages, records };
}
