// The vital figures of each kind of layer, by the standards' own names.

import { toText } from "../bytes/index.ts";
import { type Disk, validGpt } from "../disk/read.ts";
import { type Directory, summarize } from "../tree/index.ts";
import { bootImages } from "./boot-parts.ts";
import type { ArchiveLayer, DiskLayer, FatLayer, Figure, GzipLayer, IsoLayer, UfsLayer } from "./layer.ts";

const bytes = (name: string, value: number): Figure => ({ name, value, unit: "bytes" });
const time = (name: string, value: number): Figure => ({ name, value, unit: "seconds" });
const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, "0")}`;

/** What a tree holds, counted. */
export function treeFigures(tree: Directory): Figure[] {
  const { paths, files, directories, symlinks, others, hardLinks, contentBytes } = summarize(tree);
  return [
    { name: "paths", value: paths },
    { name: "directories", value: directories },
    { name: "files", value: files },
    { name: "symbolic links", value: symlinks },
    { name: "further hard links", value: hardLinks },
    { name: "devices, fifos, sockets", value: others },
    bytes("contents", contentBytes),
  ];
}

const VOLUME_TEXTS = [
  "Volume Identifier",
  "System Identifier",
  "Volume Set Identifier",
  "Publisher Identifier",
  "Data Preparer Identifier",
  "Application Identifier",
] as const;

const PLATFORMS: Readonly<Record<number, string>> = { 0: "80x86 (BIOS)", 1: "PowerPC", 2: "Mac", 239: "EFI" };
const MEDIA = ["no emulation", "1.2 MB diskette", "1.44 MB diskette", "2.88 MB diskette", "hard disk"];

export async function isoFigures(layer: IsoLayer): Promise<Figure[]> {
  const { iso, content, disk } = layer;
  const figures: Figure[] = [bytes("size", content.sizeBytes)];
  for (const name of VOLUME_TEXTS) {
    const value = iso.volume[name];
    if (value !== "") figures.push({ name, value: toText(value) });
  }
  figures.push(bytes("Volume Space Size", iso.volume["Volume Space Size"] * iso.volume["Logical Block Size"]));
  const created = iso.volume["Volume Creation Date and Time"];
  if (created !== undefined) figures.push(time("Volume Creation Date and Time", created));
  figures.push(...treeFigures(await layer.tree()).filter(({ value }) => value !== 0));
  for (const [i, { entry, path }] of (await bootImages(layer)).entries()) {
    const what = [
      PLATFORMS[entry.platformId] ?? `platform ${hex(entry.platformId, 2)}`,
      MEDIA[entry.mediaType] ?? `media type ${entry.mediaType}`,
      ...(entry.bootable ? [] : ["not bootable"]),
      `${entry.loadSectors} sectors at block ${entry.lba}`,
    ];
    figures.push({
      name: `boot entry ${i + 1}`,
      value: what.join(", ") + (path === undefined ? "" : `: ${toText(path)}`),
    });
  }
  if (disk) figures.push(...partitionFigures(disk));
  return figures;
}

export function partitionFigures(disk: Disk): Figure[] {
  return disk.partitions.map(({ number, type, typeName, startBytes, sizeBytes, active, name }) => {
    const label = name === "" ? "" : `, "${toText(name)}"`;
    const value = `${type} ${typeName}, ${sizeBytes} bytes at ${startBytes}${active ? ", active" : ""}${label}`;
    return { name: `partition ${number}`, value };
  });
}

export function ufsFigures({ content, ufs }: UfsLayer): Figure[] {
  const sb = ufs.superblock;
  const inodes = sb.fs_ncg * sb.fs_ipg;
  return [
    bytes("size", content.sizeBytes),
    bytes("fs_size", sb.fs_size * sb.fs_fsize),
    bytes("fs_bsize", sb.fs_bsize),
    bytes("fs_fsize", sb.fs_fsize),
    { name: "cylinder groups", value: sb.fs_ncg },
    { name: "inodes", value: inodes },
    { name: "free inodes", value: sb.fs_cstotal_nifree },
    { name: "directories", value: sb.fs_cstotal_ndir },
    bytes("free space", (sb.fs_cstotal_nbfree * sb.fs_frag + sb.fs_cstotal_nffree) * sb.fs_fsize),
    { name: "fs_minfree", value: sb.fs_minfree },
    { name: "fs_optim", value: sb.fs_optim === 0 ? "time" : sb.fs_optim === 1 ? "space" : String(sb.fs_optim) },
    time("fs_time", sb.fs_time),
    { name: "state", value: ufs.state },
    { name: "log", value: ufs.hasLog },
    ...(sb.fs_fsmnt === "" ? [] : [{ name: "fs_fsmnt", value: toText(sb.fs_fsmnt.replace(/\0[\s\S]*$/, "")) }]),
  ];
}

export function fatFigures({ content, fat }: FatLayer): Figure[] {
  const { files, directories } = summarize(fat.tree);
  return [
    bytes("size", content.sizeBytes),
    bytes("volume", fat.sizeBytes),
    { name: "label", value: toText(fat.label) },
    ...(fat.volumeId === undefined ? [] : [{ name: "BS_VolID", value: hex(fat.volumeId, 8) }]),
    { name: "BS_OEMName", value: toText(fat.oemName) },
    bytes("cluster", fat.clusterBytes),
    { name: "clusters", value: fat.clusters },
    { name: "free clusters", value: fat.freeClusters },
    bytes("free space", fat.freeBytes),
    { name: "directories", value: directories },
    { name: "files", value: files },
  ];
}

export function diskFigures({ content, disk }: DiskLayer): Figure[] {
  const gpt = validGpt(disk.gpt);
  return [
    bytes("size", content.sizeBytes),
    bytes("sector", disk.sectorBytes),
    ...(gpt ? [{ name: "DiskGUID", value: gpt.diskGuid }] : []),
    ...(disk.mbrSignature === 0 ? [] : [{ name: "UniqueMBRDiskSignature", value: hex(disk.mbrSignature, 8) }]),
    ...partitionFigures(disk),
  ];
}

export function gzipFigures({ content, header, plainBytes }: GzipLayer): Figure[] {
  return [
    bytes("size", content.sizeBytes),
    bytes("ISIZE", plainBytes),
    ...(header.name === undefined ? [] : [{ name: "FNAME", value: toText(header.name) }]),
    ...(header.comment === undefined ? [] : [{ name: "FCOMMENT", value: toText(header.comment) }]),
    ...(header.mtimeSeconds === 0 ? [] : [time("MTIME", header.mtimeSeconds)]),
  ];
}

export async function archiveFigures(layer: ArchiveLayer): Promise<Figure[]> {
  const { formats, packages, warnings } = await layer.source();
  return [
    bytes("size", layer.content.sizeBytes),
    { name: "formats", value: formats.join(", ") },
    ...(packages.length === 0 ? [] : [{ name: "packages", value: packages.length }]),
    ...treeFigures(await layer.tree()).filter(({ value }) => value !== 0),
    ...warnings.map(({ message }) => ({ name: "left out", value: message })),
  ];
}
