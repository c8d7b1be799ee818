// The map of an image: where every byte lies, layer by layer; and by size: what takes the space.

import { ImageError, toText } from "../bytes/index.ts";
import { type Directory, joinPath, type Node, sortedEntries } from "../tree/index.ts";
import type { Layer, TreeLayer } from "./layer.ts";
import { treeLayer } from "./paths.ts";
import { type Mark, type Region, regionsOf } from "./regions.ts";

export interface MapRegion extends Region {
  /** Index of the layer that lies here, opened. */
  readonly inner?: number | undefined;
}

export interface PlaceMap {
  /** Where the layer is: the image's name, or a path in it. */
  readonly name: string;
  /** "UFS (illumos, little endian)". */
  readonly title: string;
  readonly sizeBytes: number;
  readonly regions: readonly MapRegion[];
  readonly marks: readonly Mark[];
}

const MAX_NESTING = 4;

/**
 * The places of a layer and of those inside of it, the outermost first.
 * @throws ImageError as regionsOf, for the outermost; what is damaged inside is left out
 */
export async function placeMaps(layer: Layer, name: string): Promise<PlaceMap[]> {
  const maps: PlaceMap[] = [];
  await addMaps(layer, name, maps, 0);
  return maps;
}

async function addMaps(layer: Layer, name: string, maps: PlaceMap[], depth: number): Promise<number> {
  const { sizeBytes, regions, marks } = await regionsOf(layer);
  const inside = layer.kind === "gzip" ? await layer.inner() : layer;
  const index = maps.length;
  const own: { -readonly [K in keyof PlaceMap]: PlaceMap[K] } = {
    name,
    title: inside.title,
    sizeBytes,
    regions,
    marks,
  };
  maps.push(own);
  const inner = new Map<string, number>();
  for (const part of depth < MAX_NESTING ? await inside.parts() : []) {
    if (part.path === undefined) continue;
    try {
      inner.set(part.path, await addMaps(await part.open(), toText(part.path), maps, depth + 1));
    } catch (error) {
      if (!(error instanceof ImageError) || error.code === "interrupted") throw error;
    }
  }
  own.regions = regions.map((region) => {
    const at = region.path === undefined ? undefined : inner.get(region.path);
    return at === undefined ? region : { ...region, kind: "image", inner: at };
  });
  return index;
}

/** A directory or file with the bytes that are in it. */
export interface SizeNode {
  readonly name: string;
  readonly sizeBytes: number;
  /** Of directories, the largest first. */
  readonly children: readonly SizeNode[] | undefined;
}

export interface SizeMap {
  readonly name: string;
  readonly title: string;
  readonly root: SizeNode;
}

/**
 * What takes the space in a layer, and in those inside of it. A file with several names counts with the first.
 * @throws ImageError when there are no paths in it, or it cannot be read
 */
export async function sizeMaps(layer: Layer, name: string): Promise<SizeMap[]> {
  const outer = await treeLayer(layer);
  const maps = [await sizeMapOf(outer, name)];
  for (const part of await outer.parts()) {
    if (part.path === undefined) continue;
    try {
      const inner = await treeLayer(await part.open());
      maps.push(await sizeMapOf(inner, toText(part.path)));
    } catch (error) {
      if (!(error instanceof ImageError) || error.code === "interrupted") throw error;
    }
  }
  return maps;
}

async function sizeMapOf(layer: TreeLayer, name: string): Promise<SizeMap> {
  return { name, title: layer.title, root: sizesOf(await layer.tree(), "/", new Set()) };
}

/** Trees of layers are of bounded depth, so this may recurse. */
function sizesOf(directory: Directory, path: string, seen: Set<Node>): SizeNode {
  const children: SizeNode[] = [];
  let sizeBytes = 0;
  for (const [name, node] of sortedEntries(directory)) {
    if (node.type === "directory") children.push({ ...sizesOf(node, joinPath(path, name), seen), name });
    else if (node.type === "file" && !seen.has(node)) {
      seen.add(node);
      if (node.content.sizeBytes > 0) children.push({ name, sizeBytes: node.content.sizeBytes, children: undefined });
    }
  }
  for (const child of children) sizeBytes += child.sizeBytes;
  const kept = children.filter((child) => child.sizeBytes > 0).sort((a, b) => b.sizeBytes - a.sizeBytes);
  return { name: "/", sizeBytes, children: kept };
}
