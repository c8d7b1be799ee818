// tar, cpio, zip, packages as layers.

import type { Content } from "../bytes/index.ts";
import { gunzipContent } from "../gzip/read.ts";
import { openSource, recognizeArchive } from "../source/open.ts";
import { checkedTree } from "./checked-tree.ts";
import { archiveFigures } from "./figures.ts";
import { type ArchiveLayer, type InspectHost, once } from "./layer.ts";

export async function openArchiveLayer(content: Content, host: InspectHost): Promise<ArchiveLayer> {
  const format = await recognizeArchive(content);
  const source = once(() =>
    openSource(content, { decompressors: { gzip: host.gunzip ?? gunzipContent }, hashing: host.createHasher }),
  );
  const layer: ArchiveLayer = {
    kind: "archive",
    title: format === "datastream" ? "package datastream" : `${format} archive`,
    content,
    host,
    source,
    tree: checkedTree(async () => (await source()).tree),
    figures: () => archiveFigures(layer),
    parts: async () => [],
  };
  return layer;
}
