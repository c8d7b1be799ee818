// What illumos' own newfs and mkfs made (fixtures/ufs/newfs.json): options, messages, superblock, groups, SHA-256 of the image.

import { readFileSync } from "node:fs";
import path from "node:path";
import type { GeometryOption } from "../../src/ufs/plan.ts";

export interface Golden {
  readonly name: string;
  readonly imageBytes: number;
  readonly device: "lofi" | "efi" | "chs";
  readonly newfs?: object;
  /** The command line that newfs -v showed. */
  readonly mkfsCommand?: string;
  readonly mkfs?: { readonly size: number };
  readonly stderr: readonly string[];
  /** The last line of fsck -n. */
  readonly fsckSummary: string;
  readonly sha256: { readonly zeroed: string; readonly time0: string; readonly time1000000000: string };
  readonly superblock: Readonly<Record<string, number>>;
  readonly csum: readonly (readonly number[])[];
  readonly groups: Readonly<
    Record<
      string,
      { readonly frsum: readonly number[]; readonly freeRuns: readonly number[][]; readonly sha256: string }
    >
  >;
}

export const goldens: readonly Golden[] = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../../fixtures/ufs/newfs.json"), "utf8"),
);

export function geometryOf(golden: Golden): GeometryOption {
  if (golden.mkfs) return { mkfs: golden.mkfs, imageBytes: golden.imageBytes };
  const device = golden.device === "efi" ? "efi" : "lofi";
  return { newfs: { imageBytes: golden.imageBytes, device, ...golden.newfs } };
}
