// The layout of an image that exists: what lies where, by its own metadata. For a volume planned here it is the plan's.

import { type Content, ImageError, isAllZeros, readBytes, sliceContent, toText } from "../bytes/index.ts";
import { type Extent, type Layout, makeLayout, ownerText } from "../layout/index.ts";
import { SECTOR_BYTES, SYSTEM_AREA_SECTORS } from "./format.ts";
import { throwErrors } from "./problem.ts";
import { extentsOf, readVolume } from "./volume.ts";

/**
 * Reads all metadata of an image, and none of its contents.
 * @throws ImageError "bad-format" when the metadata is damaged or extents overlap; "truncated" when one ends beyond the
 * image; "unsupported"
 */
export async function layoutOf(image: Content): Promise<Layout> {
  const volume = await readVolume(image, throwErrors);
  const found = extentsOf(volume).sort((a, b) => a.lba - b.lba);
  const extents: Extent[] = [];
  const systemArea = await readBytes(image, 0, SYSTEM_AREA_SECTORS * SECTOR_BYTES);
  if (!isAllZeros(systemArea)) extents.push(shown(image, 0, systemArea.length, { what: "system area" }));
  let end = 0;
  for (const { lba, sizeBytes, owner } of found) {
    const offset = lba * SECTOR_BYTES;
    if (offset < end) {
      const { path } = owner;
      const message = `${toText(ownerText(owner))}: overlaps what lies before it at block ${lba}; a check says more`;
      throw new ImageError("bad-format", message, { path });
    }
    extents.push(shown(image, offset, sizeBytes, owner));
    end = offset + sizeBytes;
  }
  return makeLayout(image.sizeBytes, extents);
}

function shown(image: Content, offset: number, length: number, owner: Extent["owner"]): Extent {
  return { offset, length, owner, content: sliceContent(image, offset, length), contentOffset: 0 };
}
