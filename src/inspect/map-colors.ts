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
  image: one("images in it", "#016c59"),
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

/** A colour ("#rrggbb") with a share of white in it. Stands on its own, as the functions of map-layout.ts. */
export function tint(color: string, white: number): string {
  const mixed = [1, 3, 5].map((at) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16);
    return Math.round(value + (255 - value) * white);
  });
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** Whether white letters read better on a colour than dark ones. Stands on its own, too. */
export function isDark(color: string): boolean {
  const part = (at: number): number => Number.parseInt(color.slice(at, at + 2), 16);
  return 0.299 * part(1) + 0.587 * part(3) + 0.114 * part(5) < 140;
}
