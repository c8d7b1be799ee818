// The sources of a build, in the order in which they lie over each other.

import { ImageError } from "../bytes/index.ts";
import { readDirectoryTree } from "../node/index.ts";
import type { Directory } from "../tree/index.ts";
import type { ImageWords } from "./image-options.ts";

export interface Layers {
  readonly layers: readonly [Directory, ...Directory[]];
  /** Folders that are read, in which nothing may be written. */
  readonly folders: readonly string[];
  readonly warnings: readonly string[];
}

/** Adjuncts lie under the sources, overlays over them. */
export async function readLayers(
  sources: readonly string[],
  words: Pick<ImageWords, "adjunct" | "overlay">,
  signal: AbortSignal,
): Promise<Layers> {
  if (sources.length === 0) {
    throw new ImageError("invalid-argument", "no source: name a proto area (a directory such as proto/root_i386)");
  }
  const folders = [...words.adjunct, ...sources, ...words.overlay];
  const layers: Directory[] = [];
  const warnings: string[] = [];
  for (const folder of folders) {
    const read = await readDirectoryTree(folder, { signal });
    layers.push(read.tree);
    warnings.push(...read.warnings);
  }
  const [first, ...rest] = layers;
  if (first === undefined) throw new Error("no layers"); // sources is not empty, so layers is not
  return { layers: [first, ...rest], folders, warnings };
}
