// Opening a layer: its kind told by its bytes, its tree made when it is asked for. Each kind is loaded only when there is one:
// listing a file system must not cost the time of loading all formats.

import { type Content, formatSize } from "../bytes/index.ts";
import type { Directory } from "../tree/index.ts";
import { checkedTree } from "./checked-tree.ts";
import type { DirectoryLayer, InspectHost, Layer, PlainLayer } from "./layer.ts";
import { recognize } from "./recognize.ts";

/**
 * Opens an image, or anything else, as a layer.
 * @throws ImageError when it is damaged so far that it cannot be opened as what it is; "unsupported"
 */
export async function openImage(content: Content, host: InspectHost): Promise<Layer> {
  switch (await recognize(content)) {
    case "iso":
      return (await import("./open-iso.ts")).openIsoLayer(content, host, openImage);
    case "ufs":
      return (await import("./open-ufs.ts")).openUfsLayer(content, host);
    case "fat":
      return (await import("./open-fat.ts")).openFatLayer(content, host);
    case "disk":
      return (await import("./open-disk.ts")).openDiskLayer(content, host, openImage);
    case "gzip":
      return (await import("./open-gzip.ts")).openGzipLayer(content, host, openImage);
    case "archive":
      return (await import("./open-archive.ts")).openArchiveLayer(content, host);
    case "plain":
      return openPlainLayer(content, host);
  }
}

/** Anything as what it is in any case: bytes. */
export async function openPlainLayer(content: Content, host: InspectHost): Promise<PlainLayer> {
  const { recognizeArchive } = await import("../source/open.ts");
  const compression = content.sizeBytes > 0 ? await recognizeArchive(content) : undefined;
  return {
    kind: "plain",
    title: compression === undefined ? "plain data" : `${compression} data, which is not looked into here`,
    content,
    host,
    figures: async () => [{ name: "size", value: content.sizeBytes, unit: "bytes" }],
    parts: async () => [],
  };
}

/** A directory of this machine, already read, as a layer. */
export function directoryLayer(tree: Directory, host: InspectHost): DirectoryLayer {
  return {
    kind: "directory",
    title: "directory",
    content: undefined,
    host,
    tree: checkedTree(async () => tree),
    figures: async () => (await import("./figures.ts")).treeFigures(tree),
    parts: async () => [],
  };
}

/** What to call a layer in a message: "a UFS of 512.0 MiB". */
export function describeLayer({ title, content }: Layer): string {
  return content === undefined ? title : `${title}, ${formatSize(content.sizeBytes)}`;
}
