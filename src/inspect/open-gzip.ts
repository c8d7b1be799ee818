// gzip files as layers.

import type { Content } from "../bytes/index.ts";
import { gunzipContent, readGzipHeader, readIsize } from "../gzip/read.ts";
import { type GzipLayer, type InspectHost, type OpenLayer, once } from "./layer.ts";
import { recognize } from "./recognize.ts";
import { metadataContent } from "./ufs-metadata.ts";

export async function openGzipLayer(content: Content, host: InspectHost, open: OpenLayer): Promise<GzipLayer> {
  const header = await readGzipHeader(content);
  const plainBytes = await readIsize(content);
  const inner = once(async () => {
    const bytes = await gunzipContent(content);
    const isUfs = (await recognize(bytes)) === "ufs";
    return open(isUfs ? metadataContent(content, bytes, host) : bytes, host);
  });
  const layer: GzipLayer = {
    kind: "gzip",
    title: "gzip",
    content,
    host,
    header,
    plainBytes,
    inner,
    figures: async () => (await import("./figures.ts")).gzipFigures(layer),
    parts: async () => [{ role: "uncompressed", path: undefined, open: inner }],
  };
  return layer;
}
