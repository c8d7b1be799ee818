// The sources of a build, in the order in which they lie over each other: directories, archives, packages and repositories.

import { statSync } from "node:fs";
import { type Content, fromText, ImageError, type ReportProgress, toText } from "../bytes/index.ts";
import { type AccountFiles, readAccountFiles } from "../illumos/index.ts";
import { directoryLayer, type Layer } from "../image/index.ts";
import {
  type OpenedSource,
  openPackageDirectory,
  openSource,
  recognizeArchive,
  type SourceOptions,
  treeFiles,
} from "../source/index.ts";
import { type DirectoryOptions, readDirectoryTree } from "./directory-source.ts";
import { type FileContent, openFileContent } from "./file-content.ts";
import { createFileReader } from "./file-reader.ts";
import { gunzip } from "./gunzip.ts";
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

/** @throws ImageError "invalid-argument" without a source; "input-missing", "bad-format" … for one that cannot be read; "interrupted" */
export async function readLayers(
  paths: LayerPaths,
  signal?: AbortSignal,
  onProgress?: ReportProgress,
): Promise<Layers> {
  if (paths.sources.length === 0) {
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
    const layers: Layer[] = [];
    const folders: string[] = [];
    const warnings: string[] = [];
    for (const name of [...(paths.adjuncts ?? []), ...paths.sources, ...(paths.overlays ?? [])]) {
      const below = layers.at(-1);
      const accountFiles = below && (await readAccountFiles(below.tree));
      if (isDirectory(name)) {
        folders.push(name);
        layers.push(await directory(name, paths.choice, accountFiles, { reader, signal, onProgress }, warnings));
      } else {
        if (name !== "-") folders.push(name);
        const content = await openFileContent(name);
        opened.push(content);
        if ((await recognizeArchive(content)) === undefined) {
          const known = "a proto area, or an archive (tar, cpio, zip, p5p, datastream)";
          throw new ImageError(
            "input-missing",
            `${name}: is no directory and no archive that is known here; name ${known}`,
            { path: name },
          );
        }
        const source = await openNamed(name, content, sourceOptions(name, paths.choice, accountFiles));
        layers.push({ ...sourceLayer(name, source, warnings), origin: content });
      }
    }
    const unused = layers.some(({ packages }) => packages.length > 0) ? undefined : firstOption(paths.choice);
    if (unused) {
      throw new ImageError(
        "invalid-argument",
        `${unused}: no source holds packages; give --manifests DIR, a repository or a .p5p`,
      );
    }
    const [first, ...rest] = layers;
    if (first === undefined) throw new Error("no layers"); // sources is not empty, so layers is not
    return { layers: [first, ...rest], folders, warnings, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The first option that says something about packages, as the user wrote it. */
function firstOption(choice: PackageChoice | undefined): string | undefined {
  if (choice === undefined) return undefined;
  if (choice.packages.length > 0) return "--package";
  if (Object.keys(choice.variants).length > 0) return "--variant";
  if (Object.keys(choice.facets).length > 0) return "--facet";
  return choice.strict ? "--strict" : undefined;
}

/** An archive's own errors speak of what is inside; with several sources one must know of which. */
async function openNamed(name: string, content: Content, options: SourceOptions): Promise<OpenedSource> {
  try {
    return await openSource(content, options);
  } catch (error) {
    if (!(error instanceof ImageError) || error.message.startsWith(name)) throw error;
    throw new ImageError(error.code, `${name}: ${error.message}`, {
      path: error.path,
      field: error.field,
      cause: error,
    });
  }
}

function isDirectory(name: string): boolean {
  if (name === "-") return false;
  try {
    return statSync(name).isDirectory();
  } catch (error) {
    throw inputError(error, name);
  }
}

/** A proto area, or a directory of packages. */
async function directory(
  name: string,
  choice: PackageChoice | undefined,
  accountFiles: AccountFiles | undefined,
  options: DirectoryOptions,
  warnings: string[],
): Promise<Layer> {
  const read = await readDirectoryTree(name, options);
  warnings.push(...read.warnings);
  const packages = await openPackageDirectory(treeFiles(read.tree), sourceOptions(name, choice, accountFiles));
  if (packages === undefined) return directoryLayer(read.tree, name);
  return { ...sourceLayer(name, packages, warnings), origin: read.tree };
}

function sourceLayer(name: string, source: OpenedSource, warnings: string[]): Layer {
  for (const { message } of source.warnings) warnings.push(`${name}: ${toText(message)}`);
  const { tree, actions, packages, records } = source;
  return { name, tree, ownersKnown: true, actions, packages, records };
}

function sourceOptions(
  name: string,
  choice: PackageChoice | undefined,
  accountFiles: AccountFiles | undefined,
): SourceOptions {
  return {
    ...(choice && { ...choice, packages: choice.packages.map(fromText) }),
    name: fromText(name),
    decompressors: { gzip: gunzip },
    hashing: createHasher,
    accountFiles,
  };
}
