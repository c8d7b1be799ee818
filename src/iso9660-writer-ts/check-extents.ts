// Whether two things claim the same blocks.

import { roundUp } from "../bytes/index.ts";
import { ownerText } from "../layout/index.ts";
import { SECTOR_BYTES } from "./format.ts";
import type { Complain } from "./problem.ts";
import { extentsOf, type SeenExtent, type SeenVolume } from "./volume.ts";

const endOf = ({ lba, sizeBytes }: SeenExtent): number => lba + roundUp(sizeBytes, SECTOR_BYTES) / SECTOR_BYTES;

/** Extents that are the same to the byte are shared, not overlapping: hard links, and files that a writer found equal. */
export function checkExtents(volume: SeenVolume, complain: Complain): void {
  const extents = extentsOf(volume).sort((a, b) => a.lba - b.lba || b.sizeBytes - a.sizeBytes);
  const volumeBlocks = volume.descriptors.primary.values["Volume Space Size"];
  let widest: SeenExtent | undefined;
  for (const next of extents) {
    const { lba, owner } = next;
    if (widest && lba < endOf(widest)) {
      const message = `${owner.what} at block ${lba} overlaps ${ownerText(widest.owner)} at block ${widest.lba}`;
      complain("overlap", "error", message, owner.path);
    }
    if (endOf(next) > volumeBlocks) {
      const message = `${owner.what} at block ${lba} ends behind the volume's ${volumeBlocks} blocks`;
      complain("beyond-volume", "error", message, owner.path);
    }
    if (!widest || endOf(next) > endOf(widest)) widest = next;
  }
}
