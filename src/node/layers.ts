// The sources of a build, in the order in which they lie over each other.

import { ImageError } from "../bytes/index.ts";
import { directoryLayer, type Layer } from "../image/index.ts";
import { readDirectoryTree } from "./directory-source.ts";

export interface LayerPaths {
  readonly sources: readonly string[];
  /** Populated adjunct proto areas: they lie under the sources. */
  readonly adjuncts?: readonly string[] | undefined;
  /** They lie over the sources. */
  readonly overlays?: readonly string[] | undefined;
}

export interface Layers {
  readonly layers: readonly [Layer, ...Layer[]];
  /** Folders that are read, in which nothing may be written. */
  readonly folders: readonly string[];
  readonly warnings: readonly string[];
}

/** @throws ImageError "invalid-argument" without a source; "input-missing" for one that cannot be read; "interrupted" */
export async function readLayers(paths: LayerPaths, signal?: AbortSignal): Promise<Layers> {
  if (paths.sources.length === 0) {
    throw new ImageError("invalid-argument", "no source: name a proto area (a directory such as proto/root_i386)");
  }
  const folders = [...(paths.adjuncts ?? []), ...paths.sources, ...(paths.overlays ?? [])];
  const layers: Layer[] = [];
  const warnings: string[] = [];
  for (const folder of folders) {
    const read = await readDirectoryTree(folder, { signal });
    layers.push(directoryLayer(read.tree, folder));
    warnings.push(...read.warnings);
  }
  const [first, ...rest] = layers;
  if (first === undefined) throw new Error("no layers"); // sources is not empty, so layers is not
  return { layers: [first, ...rest], folders, warnings };
}
