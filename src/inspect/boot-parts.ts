// What an ISO boots: the boot archives that its configuration names, and the images in its boot catalog.

import { type Content, ImageError, sliceContent } from "../bytes/index.ts";
import { partitionContent } from "../disk/read.ts";
import { CDBOOT_PATH, LOADER_PATH } from "../illumos/loader.ts";
import { loaderFileAt, readLoaderConfiguration } from "../illumos/read-loader.ts";
import { readGrubMenu } from "../illumos/read-menu.ts";
import { SECTOR_BYTES } from "../iso9660-writer-ts/format.ts";
import type { BootCatalogEntry } from "../iso9660-writer-ts/read-eltorito.ts";
import { extentsOf } from "../iso9660-writer-ts/volume.ts";
import { type Directory, findFile, lookup } from "../tree/index.ts";
import type { IsoLayer } from "./layer.ts";

/** Where boot archives are without any configuration, and where builders of media keep them. */
const USUAL_ARCHIVES = ["/platform/i86pc/amd64/boot_archive", "/platform/i86pc/boot_archive"];
const VIRTUAL_SECTOR_BYTES = 512;
const PLATFORM_EFI = 0xef;
/** Holds boot blocks, which are no volume. */
const X86BOOT_TYPE = "0xbe";

/**
 * Paths of the boot archives of a medium: what the loader or GRUB's default entry loads first, then the usual places.
 * @throws ImageError what reading configuration files throws
 */
export async function bootArchivePaths(tree: Directory): Promise<string[]> {
  const named: string[] = [];
  if (lookup(tree, LOADER_PATH) || lookup(tree, CDBOOT_PATH)) {
    const { modules } = await readLoaderConfiguration(tree);
    named.push(...modules.filter(({ type }) => type === "rootfs").map(({ path }) => path));
  }
  const menu = await readGrubMenu(tree);
  for (const entry of [menu?.defaultEntry, ...(menu?.entries ?? [])]) named.push(...(entry?.modules.slice(0, 1) ?? []));
  const found = [...named, ...USUAL_ARCHIVES].map((path) => {
    try {
      return loaderFileAt(tree, path);
    } catch {
      return undefined; // a configuration may name what is no path
    }
  });
  return [...new Set(found)].filter((path) => path !== undefined && findFile(tree, path) !== undefined) as string[];
}

export interface IsoPart {
  readonly role: string;
  readonly path: string | undefined;
  readonly content: Content;
}

/** The parts of an ISO: boot archives, EFI boot images, and partitions that are none of these. */
export async function isoParts(layer: IsoLayer): Promise<IsoPart[]> {
  const parts: IsoPart[] = [];
  const tree = await layer.tree();
  for (const path of await bootArchivePaths(tree)) {
    const content = findFile(tree, path)?.content;
    if (content) parts.push({ role: "boot archive", path, content });
  }
  for (const { path, content } of await efiImages(layer)) parts.push({ role: "EFI boot image", path, content });
  const seen = new Set((await bootEntries(layer)).map(({ lba }) => lba * SECTOR_BYTES));
  for (const partition of layer.disk?.partitions ?? []) {
    const isWhole = partition.startBytes === 0;
    const isBootCode = partition.type === X86BOOT_TYPE;
    if (seen.has(partition.startBytes) || isWhole || isBootCode || partition.sizeBytes === 0) continue;
    const content = partitionContent(layer.content, partition);
    if (content.sizeBytes === 0) continue;
    parts.push({ role: `partition ${partition.number} (${partition.typeName})`, path: undefined, content });
  }
  return parts;
}

/** Entries of the boot catalog; none when there is no catalog, or a damaged one. */
export async function bootEntries({ iso }: IsoLayer): Promise<readonly BootCatalogEntry[]> {
  try {
    return (await iso.bootCatalog())?.entries ?? [];
  } catch (error) {
    if (error instanceof ImageError && error.code === "bad-format") return [];
    throw error;
  }
}

export interface BootImage {
  readonly entry: BootCatalogEntry;
  /** Of the file that the image is, if it is one. */
  readonly path: string | undefined;
  readonly content: Content;
}

/** The EFI system partitions in the boot catalog that lie on the medium. */
async function efiImages(layer: IsoLayer): Promise<BootImage[]> {
  const images = await bootImages(layer);
  return images.filter(({ entry }) => entry.platformId === PLATFORM_EFI);
}

/** What the entries of the boot catalog lead to, as far as it lies on the medium. */
export async function bootImages(layer: IsoLayer): Promise<BootImage[]> {
  const paths = new Map<number, string>();
  for (const { lba, owner } of extentsOf(await layer.volume())) {
    if (owner.what === "file" && owner.path !== undefined) paths.set(lba, owner.path);
  }
  const tree = await layer.tree();
  const images: BootImage[] = [];
  for (const entry of await bootEntries(layer)) {
    const offset = entry.lba * SECTOR_BYTES;
    const path = paths.get(entry.lba);
    const file = path === undefined ? undefined : lookup(tree, path);
    if (file?.type === "file") {
      images.push({ entry, path, content: file.content });
      continue;
    }
    // To UEFI, counts of 0 and 1 mean "to the end of the volume".
    const bytes = entry.loadSectors > 1 ? entry.loadSectors * VIRTUAL_SECTOR_BYTES : Number.POSITIVE_INFINITY;
    const length = Math.min(bytes, layer.content.sizeBytes - offset);
    if (length <= 0) continue;
    images.push({ entry, path: undefined, content: sliceContent(layer.content, offset, length) });
  }
  return images;
}
