// FAT volumes as layers.

import type { Content } from "../bytes/index.ts";
import { readFat } from "../fat/read.ts";
import { checkedTree } from "./checked-tree.ts";
import { fatFigures } from "./figures.ts";
import type { FatLayer, InspectHost } from "./layer.ts";

export async function openFatLayer(content: Content, host: InspectHost): Promise<FatLayer> {
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
