// Opening a layer: its kind told by its bytes, its tree made when it is asked for.

import { type Content, formatSize, ImageError } from "../bytes/index.ts";
import { type Disk, partitionContent, readDisk } from "../disk/read.ts";
import { readFat } from "../fat/read.ts";
import { gunzipContent, readGzipHeader, readIsize } from "../gzip/read.ts";
import { openIso } from "../iso9660-writer-ts/read.ts";
import { readVolume } from "../iso9660-writer-ts/volume.ts";
import { type Attributes, type Directory, directory, file } from "../tree/index.ts";
import { openUfs } from "../ufs/read.ts";
import { isoParts } from "./boot-parts.ts";
import {
  archiveFigures,
  diskFigures,
  fatFigures,
  gzipFigures,
  isoFigures,
  treeFigures,
  ufsFigures,
} from "./figures.ts";
import {
  type ArchiveLayer,
  type DirectoryLayer,
  type DiskLayer,
  type FatLayer,
  type GzipLayer,
  type InspectHost,
  type IsoLayer,
  type Layer,
  once,
  type PlainLayer,
  type UfsLayer,
} from "./layer.ts";
import { recognize } from "./recognize.ts";
import { metadataContent } from "./ufs-metadata.ts";

/**
 * Opens an image, or anything else, as a layer.
 * @throws ImageError when it is damaged so far that it cannot be opened as what it is; "unsupported"
 */
export async function openImage(content: Content, host: InspectHost): Promise<Layer> {
  switch (await recognize(content)) {
    case "iso":
      return openIsoLayer(content, host);
    case "ufs":
      return openUfsLayer(content, host);
    case "fat":
      return openFatLayer(content, host);
    case "disk":
      return openDiskLayer(content, host);
    case "gzip":
      return openGzipLayer(content, host);
    case "archive":
      return openArchiveLayer(content, host);
    case "plain":
      return openPlainLayer(content, host);
  }
}

/** Deeper than any path that a system can name, and shallow enough for whatever walks a tree by recursion. */
const MAX_DEPTH = 1024;

/** Trees of hostile images may be deeper than call stacks. */
function checkedTree(make: () => Promise<Directory>): () => Promise<Directory> {
  return once(async () => {
    const tree = await make();
    let level: readonly Directory[] = [tree];
    for (let depth = 0; level.length > 0; depth++) {
      if (depth > MAX_DEPTH) {
        throw new ImageError("limit", `directories are nested more than ${MAX_DEPTH} deep; such trees are not read`);
      }
      level = level.flatMap(({ entries }) => [...entries.values()].filter((node) => node.type === "directory"));
    }
    return tree;
  });
}

async function openIsoLayer(content: Content, host: InspectHost): Promise<IsoLayer> {
  const iso = await openIso(content);
  const disk = await diskOf(content);
  const names = { "rock-ridge": "Rock Ridge", joliet: "Joliet", enhanced: "ISO 9660:1999", plain: "" } as const;
  const extensions = iso.nameSources.map((source) => names[source]).filter((name) => name !== "");
  const hybrid = disk ? ", hybrid: boots as a disk too" : "";
  const layer: IsoLayer = {
    kind: "iso",
    title: `ISO 9660${extensions.length > 0 ? ` with ${extensions.join(" and ")}` : ""}${hybrid}`,
    content,
    host,
    iso,
    volume: once(() => readVolume(content, () => {})),
    disk,
    tree: checkedTree(() => iso.tree()),
    figures: () => isoFigures(layer),
    parts: async () => (await isoParts(layer)).map((part) => ({ ...part, open: () => openImage(part.content, host) })),
  };
  return layer;
}

/** The partition table of what is an ISO as well; undefined when there is none. */
async function diskOf(content: Content): Promise<Disk | undefined> {
  try {
    return await readDisk(content);
  } catch (error) {
    if (error instanceof ImageError && (error.code === "bad-format" || error.code === "truncated")) return undefined;
    throw error;
  }
}

async function openUfsLayer(content: Content, host: InspectHost): Promise<UfsLayer> {
  const ufs = await openUfs(content);
  const layer: UfsLayer = {
    kind: "ufs",
    title: "UFS (illumos, little endian)",
    content,
    host,
    ufs,
    tree: checkedTree(() => ufs.tree()),
    figures: async () => ufsFigures(layer),
    parts: async () => [],
  };
  return layer;
}

async function openFatLayer(content: Content, host: InspectHost): Promise<FatLayer> {
  const fat = await readFat(content);
  const layer: FatLayer = {
    kind: "fat",
    title: `FAT${fat.fatType}`,
    content,
    host,
    fat,
    tree: checkedTree(async () => fat.tree),
    figures: async () => fatFigures(layer),
    parts: async () => [],
  };
  return layer;
}

const READ_ONLY: Attributes = { mode: 0o444, uid: 0, gid: 0, mtimeSeconds: 0 };

async function openDiskLayer(content: Content, host: InspectHost): Promise<DiskLayer> {
  const disk = await readDisk(content);
  const scheme = disk.gpt ? "GPT" : "MBR";
  const partitions = disk.partitions.map((partition) => ({ partition, bytes: partitionContent(content, partition) }));
  const layer: DiskLayer = {
    kind: "disk",
    title: `disk with ${scheme} partition table`,
    content,
    host,
    disk,
    tree: checkedTree(async () => {
      const entries = partitions.map(
        ({ partition, bytes }) => [`${partition.number}`, file(READ_ONLY, bytes)] as const,
      );
      return directory({ ...READ_ONLY, mode: 0o555 }, new Map(entries));
    }),
    figures: async () => diskFigures(layer),
    parts: async () =>
      partitions.map(({ partition: { number, typeName }, bytes }) => ({
        role: `partition ${number} (${typeName})`,
        path: `/${number}`,
        open: () => openImage(bytes, host),
      })),
  };
  return layer;
}

async function openGzipLayer(content: Content, host: InspectHost): Promise<GzipLayer> {
  const header = await readGzipHeader(content);
  const plainBytes = await readIsize(content);
  const inner = once(async () => {
    const bytes = await gunzipContent(content);
    const isUfs = (await recognize(bytes)) === "ufs";
    return openImage(isUfs ? metadataContent(content, bytes, host) : bytes, host);
  });
  const layer: GzipLayer = {
    kind: "gzip",
    title: "gzip",
    content,
    host,
    header,
    plainBytes,
    inner,
    figures: async () => gzipFigures(layer),
    parts: async () => [{ role: "uncompressed", path: undefined, open: inner }],
  };
  return layer;
}

async function openArchiveLayer(content: Content, host: InspectHost): Promise<ArchiveLayer> {
  const { openSource, recognizeArchive } = await import("../source/open.ts");
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
    figures: async () => treeFigures(tree),
    parts: async () => [],
  };
}

/** What to call a layer in a message: "a UFS of 512.0 MiB". */
export function describeLayer({ title, content }: Layer): string {
  return content === undefined ? title : `${title}, ${formatSize(content.sizeBytes)}`;
}
