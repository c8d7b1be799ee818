// What the colours of a map mean. They keep apart for people who confuse red and green, on light and on dark ground.

import type { RegionKind } from "./regions.ts";

export interface KindStyle {
  readonly label: string;
  readonly color: string;
  /** For every other one of its kind, so that neighbours can be told apart. */
  readonly alternate: string;
}

const one = (label: string, color: string, alternate = color): KindStyle => ({ label, color, alternate });

/** In the order of the legend. */
export const KINDS: Readonly<Record<RegionKind, KindStyle>> = {
  boot: one("boot code", "#6a3d9a"),
  volume: one("superblocks, descriptors", "#c1272d"),
  table: one("tables, groups", "#e08214"),
  inodes: one("inodes", "#fdb863"),
  "unused inodes": one("unused inodes", "#fbe3c0"),
  directory: one("directories", "#1b7837"),
  indirect: one("indirect blocks", "#8073ac"),
  link: one("symbolic links", "#66bd9b"),
  file: one("files", "#2166ac", "#4a8fd0"),
  fragment: one("fragments of files", "#92c5de", "#b3d6ea"),
  image: one("images in it", "#014636", "#016c59"),
  free: one("free, unused", "#dfe3e8"),
};

/** Of the directories at the top of a treemap, in turn. */
export const HUES: readonly string[] = [
  "#2166ac",
  "#b35806",
  "#1b7837",
  "#762a83",
  "#a6611a",
  "#01665e",
  "#c51b7d",
  "#4d4d4d",
  "#7f3b08",
  "#35608d",
];
