// Who owns which bytes of a layer, from its first byte to its last: what its metadata say, and what lies between.

import { ImageError, roundUp } from "../bytes/index.ts";
import { SECTOR_BYTES as DISK_SECTOR_BYTES } from "../disk/index.ts";
import { SECTOR_BYTES, SYSTEM_AREA_SECTORS } from "../iso9660-writer-ts/format.ts";
import { extentsOf } from "../iso9660-writer-ts/volume.ts";
import { SBOFF } from "../ufs/format.ts";
import { layoutOf as ufsLayoutOf } from "../ufs/index.ts";
import { cgbase, cgdmin, cgimin, type Superblock } from "../ufs/superblock.ts";
import type { DiskLayer, FatLayer, IsoLayer, Layer, UfsLayer } from "./layer.ts";

/** What bytes are, roughly: one colour of the map each. */
export type RegionKind =
  | "boot" // boot code, system areas, partition tables
  | "volume" // volume descriptors, superblocks and their copies, boot sectors
  | "table" // path tables, boot catalogs, FATs, cylinder group headers, summaries
  | "inodes"
  | "unused inodes"
  | "directory"
  | "link" // symbolic links, ACLs, attributes
  | "indirect"
  | "file"
  | "fragment" // of a file, less than a block
  | "image" // a file or partition that is an image itself
  | "free";

export interface Region {
  readonly offset: number;
  readonly length: number;
  readonly kind: RegionKind;
  /** In the words of the layout: "cg 3 header", "data". */
  readonly what: string;
  readonly path?: string | undefined;
}

/** A place to mark: where a cylinder group begins. */
export interface Mark {
  readonly offset: number;
  readonly name: string;
}

export interface Regions {
  readonly sizeBytes: number;
  /** Sorted; together they are all bytes. */
  readonly regions: readonly Region[];
  readonly marks: readonly Mark[];
}

/**
 * The regions of a layer.
 * @throws ImageError "unsupported" for layers without places (directories, archives, plain data); "bad-format" when damage
 *   makes two things claim the same bytes
 */
export async function regionsOf(layer: Layer): Promise<Regions> {
  switch (layer.kind) {
    case "iso":
      return isoRegions(layer);
    case "ufs":
      return ufsRegions(layer);
    case "fat":
      return fatRegions(layer);
    case "disk":
      return diskRegions(layer);
    case "gzip":
      return regionsOf(await layer.inner());
    default:
      throw new ImageError("unsupported", `${layer.title}: has no places of its own; ISO, UFS, FAT and disks have`);
  }
}

type Fill = (from: number, to: number) => Region[];

/** Puts regions in order, and others between them. Where two overlap, the one that begins first counts. */
function filled(sizeBytes: number, owned: readonly Region[], fill: Fill): Region[] {
  const sorted = owned.filter(({ length }) => length > 0).sort((a, b) => a.offset - b.offset || b.length - a.length);
  const regions: Region[] = [];
  let end = 0;
  for (const region of sorted) {
    const from = Math.max(region.offset, end);
    const to = Math.min(region.offset + region.length, sizeBytes);
    if (to <= from) continue;
    if (from > end) regions.push(...fill(end, from));
    regions.push({ ...region, offset: from, length: to - from });
    end = to;
  }
  if (end < sizeBytes) regions.push(...fill(end, sizeBytes));
  return regions;
}

const free: Fill = (from, to) => [{ offset: from, length: to - from, kind: "free", what: "unused" }];

const ISO_KINDS: readonly (readonly [RegExp, RegionKind])[] = [
  [/^volume descriptors$/, "volume"],
  [/path table|^boot catalog$/, "table"],
  [/directory$|^continuation area$/, "directory"],
  [/^boot image$/, "boot"],
];

async function isoRegions(layer: IsoLayer): Promise<Regions> {
  const systemArea = {
    offset: 0,
    length: SYSTEM_AREA_SECTORS * SECTOR_BYTES,
    kind: "boot",
    what: "system area",
  } as const;
  const owned: Region[] = [systemArea];
  for (const { lba, sizeBytes, owner } of extentsOf(await layer.volume())) {
    const kind = ISO_KINDS.find(([pattern]) => pattern.test(owner.what))?.[1] ?? "file";
    owned.push({ offset: lba * SECTOR_BYTES, length: roundUp(sizeBytes, SECTOR_BYTES), kind, ...owner });
  }
  const { sizeBytes } = layer.content;
  return { sizeBytes, regions: filled(sizeBytes, owned, free), marks: [] };
}

const UFS_KINDS: readonly (readonly [RegExp, RegionKind])[] = [
  [/superblock/, "volume"],
  [/ header$|summary$/, "table"],
  [/ inodes$/, "inodes"],
  [/directory$/, "directory"],
  [/^indirect/, "indirect"],
  [/^(symlink|ACL|attribute)/, "link"],
];

async function ufsRegions({ content, ufs }: UfsLayer): Promise<Regions> {
  const sb = ufs.superblock;
  const { extents } = await ufsLayoutOf(content);
  const owned: Region[] = [{ offset: 0, length: SBOFF, kind: "boot", what: "boot block" }];
  // Files with indirect blocks have whole blocks only, up to the last.
  const large = new Set(extents.filter(({ owner }) => owner.what === "indirect block").map(({ owner }) => owner.path));
  for (const { offset, length, owner } of extents) {
    const isLarge = owner.path !== undefined && large.has(owner.path);
    const whole = roundUp(length, isLarge ? sb.fs_bsize : sb.fs_fsize);
    const kind = UFS_KINDS.find(([pattern]) => pattern.test(owner.what))?.[1];
    owned.push({ offset, length: whole, kind: kind ?? (whole < sb.fs_bsize ? "fragment" : "file"), ...owner });
  }
  const { sizeBytes } = content;
  const marks = Array.from({ length: sb.fs_ncg }, (_, group) => ({
    offset: cgbase(sb, group) * sb.fs_fsize,
    name: `cylinder group ${group}`,
  }));
  return { sizeBytes, regions: filled(sizeBytes, owned, (from, to) => unusedUfs(sb, from, to)), marks };
}

/** What no inode has: free frags, inodes that are all zeros, and what is behind the file system. */
function unusedUfs(sb: Superblock, from: number, to: number): Region[] {
  const regions: Region[] = [];
  const end = sb.fs_size * sb.fs_fsize;
  for (let at = from; at < to; ) {
    const group = Math.min(Math.floor(at / (sb.fs_fpg * sb.fs_fsize)), sb.fs_ncg - 1);
    const [inodes, data] = [cgimin(sb, group) * sb.fs_fsize, cgdmin(sb, group) * sb.fs_fsize];
    const groupEnd = group === sb.fs_ncg - 1 ? end : cgbase(sb, group + 1) * sb.fs_fsize;
    const isInodes = at >= inodes && at < data;
    const next = [inodes, data, groupEnd, end].filter((edge) => edge > at);
    const until = Math.min(to, ...next);
    const what = at >= end ? "behind the file system" : isInodes ? `cg ${group} unused inodes` : "free";
    regions.push({ offset: at, length: until - at, kind: isInodes ? "unused inodes" : "free", what });
    at = until;
  }
  return regions;
}

const FAT_KINDS: readonly (readonly [RegExp, RegionKind])[] = [
  [/boot sector|FSInfo/, "volume"],
  [/^FAT/, "table"],
  [/directory$/, "directory"],
];

async function fatRegions({ content, fat }: FatLayer): Promise<Regions> {
  const owned = fat.layout.extents.map(({ offset, length, owner }): Region => {
    const kind = FAT_KINDS.find(([pattern]) => pattern.test(owner.what))?.[1];
    // Files begin with clusters; a cluster's rest is nobody else's.
    return { offset, length: kind ? length : roundUp(length, fat.clusterBytes), kind: kind ?? "file", ...owner };
  });
  const { sizeBytes } = content;
  return { sizeBytes, regions: filled(sizeBytes, owned, free), marks: [] };
}

async function diskRegions({ content, disk }: DiskLayer): Promise<Regions> {
  const owned: Region[] = [{ offset: 0, length: DISK_SECTOR_BYTES, kind: "boot", what: "MBR" }];
  for (const [copy, name] of [
    [disk.gpt?.primary, "GPT"],
    [disk.gpt?.backup, "backup GPT"],
  ] as const) {
    if (copy === undefined) continue;
    const { PartitionEntryLBA, NumberOfPartitionEntries, SizeOfPartitionEntry } = copy.header;
    owned.push({
      offset: copy.lba * disk.sectorBytes,
      length: disk.sectorBytes,
      kind: "table",
      what: `${name} header`,
    });
    const length = NumberOfPartitionEntries * SizeOfPartitionEntry;
    owned.push({ offset: PartitionEntryLBA * disk.sectorBytes, length, kind: "table", what: `${name} entries` });
  }
  for (const { number, typeName, startBytes, sizeBytes } of disk.partitions) {
    const what = `partition ${number} (${typeName})`;
    owned.push({ offset: startBytes, length: sizeBytes, kind: "image", what, path: `/${number}` });
  }
  const { sizeBytes } = content;
  return { sizeBytes, regions: filled(sizeBytes, owned, free), marks: [] };
}
