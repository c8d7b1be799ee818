// Everything that is known of one path: its inode or directory record field by field, and where its bytes lie.

import { readBytes } from "../bytes/index.ts";
import { SECTOR_BYTES } from "../iso9660-writer-ts/format.ts";
import { fileExtents } from "../iso9660-writer-ts/read.ts";
import { type Node, typeOfMode } from "../tree/index.ts";
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

async function ufsFacts(layer: UfsLayer, path: string): Promise<OwnFacts> {
  const { content, ufs } = layer;
  const number = await ufs.inodeOf(path);
  const offset = inodeOffset(ufs.superblock, number);
  const bytes = await readBytes(content, offset, dinode.sizeBytes);
  const structures = [structureOf(dinode, `inode ${number}`, bytes, 0, offset)];
  return { structures, extents: (await ufsExtents(layer, path)).extents };
}

/** Where the data and indirect blocks of a path lie. @throws ImageError "not-found"; "bad-format" */
export async function ufsExtents({ content, ufs }: UfsLayer, path: string): Promise<Pick<Stat, "extents">> {
  const sb = ufs.superblock;
  const inode = await ufs.dinode(await ufs.inodeOf(path));
  const type = typeOfMode(inode.ic_smode);
  if (type === "character" || type === "block") return { extents: [] }; // there the addresses are the device's number
  const { runs, indirect } = await addressMap(await openVolume(content), inode, path);
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
  return { extents };
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
