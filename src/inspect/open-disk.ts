// Disks with a partition table as layers.

import type { Content } from "../bytes/index.ts";
import { partitionContent, readDisk } from "../disk/read.ts";
import { type Attributes, directory, file } from "../tree/index.ts";
import { checkedTree } from "./checked-tree.ts";
import { diskFigures } from "./figures.ts";
import type { DiskLayer, InspectHost, OpenLayer } from "./layer.ts";

const READ_ONLY: Attributes = { mode: 0o444, uid: 0, gid: 0, mtimeSeconds: 0 };

export async function openDiskLayer(content: Content, host: InspectHost, open: OpenLayer): Promise<DiskLayer> {
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
        open: () => open(bytes, host),
      })),
  };
  return layer;
}
