// Everything that is known of one path: its inode or directory record field by field, and where its bytes lie.

import { readBytes } from "../bytes/index.ts";
import { SECTOR_BYTES } from "../iso9660-writer-ts/format.ts";
import { fileExtents } from "../iso9660-writer-ts/read.ts";
import type { Node } from "../tree/index.ts";
import { addressMap } from "../ufs/file-content.ts";
import { dinode } from "../ufs/format.ts";
import { inodeOffset } from "../ufs/superblock.ts";
import { openVolume } from "../ufs/volume.ts";
import { recordStructures, recordsAt } from "./iso-structures.ts";
import type { FatLayer, IsoLayer, UfsLayer } from "./layer.ts";
import { linkCounts } from "./list.ts";
import type { Place } from "./paths.ts";
import { type Structure, structureOf } from "./structure.ts";

/** Bytes of the layer that belong to a path. */
export interface StatExtent {
  readonly offset: number;
  readonly length: number;
  /** "data", "indirect block of level 1" … */
  readonly what: string;
  /** In the file; undefined for what is no data. */
  readonly fileOffset: number | undefined;
}

export interface Stat {
  readonly path: string;
  readonly node: Node;
  /** The kind of layer that the path is in. */
  readonly kind: Place["layer"]["kind"];
  readonly links: number;
  /** The file system's own structures about it; none where a format has none that are declared here. */
  readonly structures: readonly Structure[];
  readonly extents: readonly StatExtent[];
}

/** @throws ImageError when the structures cannot be read */
export async function statPlace(place: Place): Promise<Stat> {
  const { layer, node, shown } = place;
  const links = linkCounts(await layer.tree()).get(node) ?? 1;
  const own = await ownFacts(place);
  return { path: shown, node, kind: layer.kind, links, ...own };
}

type OwnFacts = Pick<Stat, "structures" | "extents">;

async function ownFacts({ layer, path }: Place): Promise<OwnFacts> {
  switch (layer.kind) {
    case "ufs":
      return ufsFacts(layer, path);
    case "iso":
      return isoFacts(layer, path);
    case "fat":
      return { structures: [], extents: fatExtents(layer, path) };
    default:
      return { structures: [], extents: [] };
  }
}

async function ufsFacts({ content, ufs }: UfsLayer, path: string): Promise<OwnFacts> {
  const number = await ufs.inodeOf(path);
  const sb = ufs.superblock;
  const offset = inodeOffset(sb, number);
  const bytes = await readBytes(content, offset, dinode.sizeBytes);
  const structures = [structureOf(dinode, `inode ${number}`, bytes, 0, offset)];
  const inode = await ufs.dinode(number);
  const volume = await openVolume(content);
  const { runs, indirect } = await addressMap(volume, inode, path);
  const isDevice = (inode.ic_smode & 0o170000) === 0o020000 || (inode.ic_smode & 0o170000) === 0o060000;
  if (isDevice) return { structures, extents: [] };
  const extents: StatExtent[] = runs.map(({ lbn, frag, frags }) => ({
    offset: frag * sb.fs_fsize,
    length: frags * sb.fs_fsize,
    what: "data",
    fileOffset: lbn * sb.fs_bsize,
  }));
  for (const { level, frag } of indirect) {
    const what = `indirect block of level ${level}`;
    extents.push({ offset: frag * sb.fs_fsize, length: sb.fs_bsize, what, fileOffset: undefined });
  }
  return { structures, extents };
}

async function isoFacts(layer: IsoLayer, path: string): Promise<OwnFacts> {
  const { records, entry } = await recordsAt(layer, path);
  const structures = records.flatMap(recordStructures);
  const directory = entry?.directory ?? (path === "/" ? records[0]?.directory : undefined);
  if (directory) {
    const { lba, sizeBytes } = directory;
    return {
      structures,
      extents: [{ offset: lba * SECTOR_BYTES, length: sizeBytes, what: "directory", fileOffset: 0 }],
    };
  }
  let fileOffset = 0;
  const extents = entry ? fileExtents(entry) : [];
  return {
    structures,
    extents: extents.map(({ lba, sizeBytes }) => {
      const extent = { offset: lba * SECTOR_BYTES, length: sizeBytes, what: "data", fileOffset };
      fileOffset += sizeBytes;
      return extent;
    }),
  };
}

function fatExtents({ fat }: FatLayer, path: string): StatExtent[] {
  let fileOffset = 0;
  return fat.layout.extents
    .filter(({ owner }) => owner.path === path)
    .map(({ offset, length, owner }) => {
      const extent = { offset, length, what: owner.what, fileOffset };
      fileOffset += length;
      return extent;
    });
}
