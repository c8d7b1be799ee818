// The layout of an image that exists: what lies where, by its own metadata. For an image planned here it is the plan's.

import { type Content, ImageError, isAllZeros, readBytes } from "../bytes/index.ts";
import { type Layout, makeLayout, type Owner, ownerText } from "../layout/index.ts";
import { typeOfMode } from "../tree/index.ts";
import { addressesOf, addressMap } from "./file-content.ts";
import { SBOFF, SBSIZE, UFSROOTINO } from "./format.ts";
import { DATA_OWNERS } from "./plan-extents.ts";
import { type OpenUfsOptions, traverse } from "./read.ts";
import { readDirectory } from "./read-directory.ts";
import { cgimin, cgsblock, cgtod, INODE_BYTES, type Superblock } from "./superblock.ts";
import { type Dinode, openVolume, type Volume } from "./volume.ts";

interface Place {
  readonly offset: number;
  readonly length: number;
  readonly owner: Owner;
}

/**
 * Reads all metadata of an image, and none of its contents.
 * @throws ImageError "bad-format" when the metadata is damaged or two things claim the same bytes; "truncated";
 *   "unsupported"
 */
export async function layoutOf(image: Content, options: OpenUfsOptions = {}): Promise<Layout> {
  const volume = await openVolume(image, options.superblock);
  const places = [...groupPlaces(volume.sb), ...(await inodePlaces(volume)), ...(await dataPlaces(volume))];
  places.sort((a, b) => a.offset - b.offset);
  let end = 0;
  let before: Place | undefined;
  for (const place of places) {
    const { offset, length, owner } = place;
    if (before && offset < end) {
      throw new ImageError(
        "bad-format",
        `${ownerText(owner)} and ${ownerText(before.owner)} both claim byte ${offset}; a check says more`,
        { path: owner.path },
      );
    }
    if (offset + length > image.sizeBytes) {
      throw new ImageError(
        "truncated",
        `${ownerText(owner)}: ends at byte ${offset + length}, the image at ${image.sizeBytes}`,
        { path: owner.path },
      );
    }
    end = offset + length;
    before = place;
  }
  return makeLayout(
    image.sizeBytes,
    places.map((place) => ({ ...place, content: image, contentOffset: place.offset })),
  );
}

function groupPlaces(sb: Superblock): Place[] {
  const places: Place[] = [
    { offset: SBOFF, length: SBSIZE, owner: { what: "superblock" } },
    { offset: sb.fs_csaddr * sb.fs_fsize, length: sb.fs_cssize, owner: { what: "cylinder summary" } },
  ];
  for (let group = 0; group < sb.fs_ncg; group++) {
    const copy = { what: `cg ${group} superblock copy` };
    places.push({ offset: cgsblock(sb, group) * sb.fs_fsize, length: SBSIZE, owner: copy });
    const header = { what: `cg ${group} header` };
    places.push({ offset: cgtod(sb, group) * sb.fs_fsize, length: sb.fs_bsize, owner: header });
  }
  return places;
}

/** Inode blocks that are not all zeros. */
async function inodePlaces({ image, sb }: Volume): Promise<Place[]> {
  const places: Place[] = [];
  for (let group = 0; group < sb.fs_ncg; group++) {
    const start = cgimin(sb, group) * sb.fs_fsize;
    const bytes = await readBytes(image, start, sb.fs_ipg * INODE_BYTES);
    const owner = { what: `cg ${group} inodes` };
    for (let at = 0; at < bytes.length; at += sb.fs_bsize) {
      if (isAllZeros(bytes.subarray(at, at + sb.fs_bsize))) continue;
      places.push({ offset: start + at, length: sb.fs_bsize, owner });
    }
  }
  return places;
}

async function dataPlaces(volume: Volume): Promise<Place[]> {
  const addresses = addressesOf(volume);
  const { sb } = volume;
  const places: Place[] = [];
  const seen = new Set<number>();
  const add = async (inode: Dinode, number: number, what: string, path: string): Promise<void> => {
    const { runs, indirect } = await addressMap(volume, inode, path, seen);
    // mkfs writes the first frag of the root whole.
    const size = number === UFSROOTINO ? Math.max(inode.ic_lsize, sb.fs_fsize) : inode.ic_lsize;
    for (const { lbn, frag, frags } of runs) {
      const length = Math.min(frags * sb.fs_fsize, size - lbn * sb.fs_bsize);
      places.push({ offset: frag * sb.fs_fsize, length, owner: { what, path } });
    }
    for (const { frag } of indirect) {
      places.push({ offset: frag * sb.fs_fsize, length: sb.fs_bsize, owner: { what: "indirect block", path } });
    }
  };
  const shadows = new Set<number>();
  for await (const { path, number, inode, isFirst } of traverse(volume, addresses)) {
    if (!isFirst) continue;
    const type = typeOfMode(inode.ic_smode);
    if (type !== undefined && type !== "character" && type !== "block") {
      await add(inode, number, DATA_OWNERS[type], path);
    }
    if (inode.ic_shadow !== 0 && !shadows.has(inode.ic_shadow)) {
      shadows.add(inode.ic_shadow);
      await add(await volume.dinode(inode.ic_shadow), inode.ic_shadow, "ACL", path);
    }
    if (inode.ic_oeftflag !== 0) {
      const attributes = await volume.dinode(inode.ic_oeftflag);
      await add(attributes, inode.ic_oeftflag, "attribute directory", path);
      for (const entry of await readDirectory(volume, addresses, attributes, path)) {
        await add(await volume.dinode(entry.inode), entry.inode, "attribute", path);
      }
    }
  }
  return places;
}
