// Everything that can be done to an image. Whatever the bytes are, each of it ends soon, in a result or in an ImageError.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Content, ImageError, memoryContent } from "../../src/bytes/index.ts";
import {
  accountNames,
  diffLayers,
  dumpAt,
  inodeNumbers,
  inspectLayer,
  type Layer,
  linkCounts,
  listDirectory,
  locate,
  longLines,
  openImage,
  placeMaps,
  placesHtml,
  placesSvg,
  regionsOf,
  sizeMaps,
  sizesSvg,
  statPlace,
  type TreeLayer,
  verifyImage,
} from "../../src/inspect/index.ts";
import { extractTree } from "../../src/node/extract.ts";
import { inspectHost } from "../../src/node/open-image.ts";
import { formatMtree } from "../../src/source/index.ts";
import { summarize, walk } from "../../src/tree/index.ts";

const host = inspectHost();
/** What is larger than this by its own account is not read whole. */
const MANY_BYTES = 8 << 20;
const MANY_PATHS = 300;

/** What the work gives, or undefined when it ends in an ImageError, whose message must be one. */
async function attempt<Value>(work: () => Promise<Value> | Value): Promise<Value | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    if (/undefined|NaN|\[object/.test(error.message)) throw new Error(`a message for nobody: ${error.message}`);
    return undefined;
  }
}

/** All of it; `original` is what the image was before, to compare with. */
export async function examine(bytes: Uint8Array<ArrayBuffer>, original: Uint8Array<ArrayBuffer>): Promise<void> {
  const content = memoryContent(bytes);
  const verdict = await attempt(() => verifyImage(content, host));
  for (const { found } of verdict?.findings ?? []) {
    if (/undefined|NaN|\[object/.test(found)) throw new Error(`a finding for nobody: ${found}`);
  }
  const layer = await attempt(() => openImage(content, host));
  if (layer === undefined) return;
  await attempt(() => inspectLayer(layer));
  await examineLayer(layer, 0);
  await attempt(async () => {
    for (const map of [await placeMaps(layer, "image")]) {
      placesSvg(map);
      placesHtml(map);
    }
  });
  await attempt(async () => sizesSvg(await sizeMaps(layer, "image")));
  await attempt(async () => diffLayers(await openImage(memoryContent(original), host), layer));
  for (let offset = 0; offset < bytes.length; offset += 1 + Math.floor(bytes.length / 12)) {
    await attempt(() => dumpAt(layer, "image", offset));
  }
}

const MAX_DEPTH = 3;

/** What commands do with a layer, and with those inside. */
async function examineLayer(layer: Layer, depth: number): Promise<void> {
  await attempt(() => regionsOf(layer));
  if (layer.kind === "gzip") {
    const inner = await attempt(() => layer.inner());
    if (inner && depth < MAX_DEPTH) await examineLayer(inner, depth + 1);
    return;
  }
  if (layer.kind === "plain") return;
  await examineTree(layer);
  for (const part of (await attempt(() => layer.parts())) ?? []) {
    const inner = await attempt(() => part.open());
    if (inner && depth < MAX_DEPTH) await examineLayer(inner, depth + 1);
  }
}

async function examineTree(layer: TreeLayer): Promise<void> {
  const tree = await attempt(() => layer.tree());
  if (tree === undefined) return;
  const links = linkCounts(tree);
  const names = await attempt(() => accountNames(tree));
  const inodes = await attempt(() => inodeNumbers(layer));
  let count = 0;
  for (const { path: at, node } of walk(tree)) {
    if (++count > MANY_PATHS) break;
    if (node.type === "directory") longLines(listDirectory(node, at), { links, names, inodes });
    if (count % 7 === 0) await attempt(async () => statPlace(await locate(layer, at, { follow: false })));
    if (node.type === "file") await attempt(() => readSome(node.content));
  }
  const { contentBytes, paths } = summarize(tree);
  if (contentBytes > MANY_BYTES || paths > MANY_PATHS) return;
  await attempt(async () => {
    for await (const line of formatMtree(tree, host.createHasher)) {
      if (!line.endsWith("\n")) throw new Error(`no line: ${line}`);
    }
  });
  const target = mkdtempSync(path.join(tmpdir(), "pureboot-fuzz-"));
  try {
    await attempt(() => extractTree(tree, target, { owners: false }));
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

async function readSome(content: Content): Promise<void> {
  const size = Math.min(content.sizeBytes, 70_000);
  const bytes = new Uint8Array(size);
  await content.read(bytes, 0);
  if (content.sizeBytes > size) await content.read(bytes, content.sizeBytes - size);
}
