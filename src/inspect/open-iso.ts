// ISOs as layers.

import { type Content, ImageError } from "../bytes/index.ts";
import { type Disk, readDisk } from "../disk/read.ts";
import { openIso } from "../iso9660-writer-ts/read.ts";
import { readVolume } from "../iso9660-writer-ts/volume.ts";
import { isoParts } from "./boot-parts.ts";
import { checkedTree } from "./checked-tree.ts";
import { isoFigures } from "./figures.ts";
import { type InspectHost, type IsoLayer, type OpenLayer, once } from "./layer.ts";

export async function openIsoLayer(content: Content, host: InspectHost, open: OpenLayer): Promise<IsoLayer> {
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
    parts: async () => (await isoParts(layer)).map((part) => ({ ...part, open: () => open(part.content, host) })),
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
