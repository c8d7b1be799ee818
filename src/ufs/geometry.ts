// How an image is divided: by newfs' options or mkfs' operands.

import { ImageError } from "../bytes/index.ts";
import { mkfs } from "./mkfs.ts";
import type { Device, MkfsOperands } from "./mkfs-operands.ts";
import { type NewfsOptions, newfs } from "./newfs.ts";
import type { Superblock } from "./superblock.ts";

/** How large, and how divided: by newfs' options, or by mkfs' operands (`imageBytes` defaults to size * 512). */
export type GeometryOption =
  | { readonly newfs: NewfsOptions }
  | {
      readonly mkfs: MkfsOperands;
      readonly device?: Device | undefined;
      readonly imageBytes?: number | undefined;
    };

export interface PlannedGeometry {
  readonly superblock: Superblock;
  readonly imageBytes: number;
  readonly warnings: readonly string[];
}

/** @throws ImageError "invalid-argument", "unsupported" where newfs or mkfs refuse */
export function planGeometry(geometry: GeometryOption): PlannedGeometry {
  if ("newfs" in geometry) {
    const { operands, device, warnings } = newfs(geometry.newfs);
    const made = mkfs(operands, device);
    return {
      superblock: made.superblock,
      imageBytes: geometry.newfs.imageBytes,
      warnings: [...warnings, ...made.warnings],
    };
  }
  const { superblock, warnings } = mkfs(geometry.mkfs, geometry.device);
  const imageBytes = geometry.imageBytes ?? Math.max(geometry.mkfs.size, superblock.fs_size * superblock.fs_nspf) * 512;
  if (imageBytes < superblock.fs_size * superblock.fs_fsize) {
    throw new ImageError(
      "invalid-argument",
      `an image of ${imageBytes} bytes cannot hold a file system of ${superblock.fs_size * superblock.fs_fsize}`,
    );
  }
  return { superblock, imageBytes, warnings };
}
