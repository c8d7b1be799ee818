// UFS file systems as layers.

import type { Content } from "../bytes/index.ts";
import { openUfs } from "../ufs/read.ts";
import { checkedTree } from "./checked-tree.ts";
import type { InspectHost, UfsLayer } from "./layer.ts";

export async function openUfsLayer(content: Content, host: InspectHost): Promise<UfsLayer> {
  const ufs = await openUfs(content);
  const layer: UfsLayer = {
    kind: "ufs",
    title: "UFS (illumos, little endian)",
    content,
    host,
    ufs,
    tree: checkedTree(() => ufs.tree()),
    figures: async () => (await import("./figures.ts")).ufsFigures(layer),
    parts: async () => [],
  };
  return layer;
}
