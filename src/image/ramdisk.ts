// The ramdisk: the staged tree on a UFS file system of the size that was asked for, or of the smallest that will do. The
// parameters are the original script's: `newfs -o space -m 0` on a lofi device.

import type { Layout } from "../layout/index.ts";
import { type Directory, summarize, type TreeSummary } from "../tree/index.ts";
import { type NewfsOptions, planFittedUfs } from "../ufs/index.ts";
import { DEFAULT_FREE_BYTES, type RamdiskSize } from "./options.ts";

export interface Ramdisk {
  readonly layout: Layout;
  readonly figures: RamdiskFigures;
}

export interface RamdiskFigures {
  readonly sizeBytes: number;
  readonly freeBytes: number;
  readonly usedInodes: number;
  readonly freeInodes: number;
  /** Bytes per inode. */
  readonly nbpi: number;
  readonly contents: TreeSummary;
}

/** Inodes that a fitted ramdisk keeps for what a running system makes. */
const FREE_INODES = 1024;
/** newfs -i of the original script, which suits a tree of its day. */
const DEFAULT_NBPI = 16384;

/**
 * @throws ImageError "no-space" when a given size is too small, saying by how much; "limit" for what UFS cannot hold
 */
export function planRamdisk(tree: Directory, size: RamdiskSize, epochSeconds: number): Ramdisk {
  const asked: Partial<NewfsOptions> = {
    opt: "space",
    minfree: 0,
    ...(size.nbpi !== undefined && { nbpi: size.nbpi }),
    ...(size.imageBytes !== "auto" && { imageBytes: size.imageBytes }),
  };
  const isAuto = size.imageBytes === "auto";
  const spare = {
    freeBytes: size.freeBytes ?? (isAuto ? DEFAULT_FREE_BYTES : 0),
    freeInodes: isAuto ? FREE_INODES : 0,
  };
  const { newfs, plan } = planFittedUfs(tree, { newfs: asked, ...spare, timeSeconds: epochSeconds });
  return {
    layout: plan.layout,
    figures: {
      sizeBytes: plan.layout.sizeBytes,
      freeBytes: plan.freeBytes,
      usedInodes: plan.usedInodes,
      freeInodes: plan.freeInodes,
      nbpi: newfs.nbpi ?? DEFAULT_NBPI,
      contents: summarize(tree),
    },
  };
}
