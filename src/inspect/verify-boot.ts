// Whether a medium will boot, with GRUB or with illumos' loader: what firmware starts, what that reads, and what it loads.

import { type Content, ImageError, readBytes, toText } from "../bytes/index.ts";
import { checkFat, looksLikeFat, readFat } from "../fat/index.ts";
import { isGzip } from "../gzip/index.ts";
import {
  CDBOOT_PATH,
  EFI_LOADERS,
  KERNEL_PATH,
  LOADER_PATH,
  type LoaderConfiguration,
  loaderFileAt,
  loaderFindings,
  MENU_PATH,
  multiboot2Complaint,
  multibootComplaint,
  readGrubMenu,
  readLoaderConfiguration,
  STAGE2_PATH,
} from "../illumos/index.ts";
import { SECTOR_BYTES } from "../iso9660-writer-ts/format.ts";
import { BOOT_INFO_TABLE_OFFSET, bootInfoTable } from "../iso9660-writer-ts/format-eltorito.ts";
import { ROCK_RIDGE_IDENTIFIERS } from "../iso9660-writer-ts/format-rockridge.ts";
import { fileExtents } from "../iso9660-writer-ts/read.ts";
import type { SeenRecord } from "../iso9660-writer-ts/read-hierarchy.ts";
import { type Directory, findFile, lookup, type Node, resolve, splitPath } from "../tree/index.ts";
import { type BootImage, bootImages } from "./boot-parts.ts";
import { recordsAt, shownHierarchy } from "./iso-structures.ts";
import type { IsoLayer } from "./layer.ts";
import { sameContent } from "./same-content.ts";
import { guarded, type Verification } from "./verdict.ts";

const PLATFORM_BIOS = 0;
const PLATFORM_EFI = 0xef;

export interface BootVerdict {
  /** Paths on the medium of what is loaded as root file system. */
  readonly archives: readonly string[];
  /** Path on the medium of the kernel, if it is there. */
  readonly kernel: string | undefined;
}

/** Whether a medium has anything of illumos to boot. */
export function isIllumosMedium(tree: Directory): boolean {
  const marks = ["/platform/i86pc", LOADER_PATH, CDBOOT_PATH, STAGE2_PATH];
  return marks.some((path) => lookup(tree, path) !== undefined);
}

/** Verifies what is before the archive: catalog, boot stages, configuration, kernel. */
export async function verifyBoot(layer: IsoLayer, verification: Verification): Promise<BootVerdict> {
  const tree = await layer.tree();
  const images = await bootImages(layer);
  verifyEntries(images, verification);
  const bios = images.find(({ entry }) => entry.platformId === PLATFORM_BIOS);
  const efi = images.filter(({ entry }) => entry.platformId === PLATFORM_EFI);
  for (const image of efi) await verifyEfiImage(layer, tree, image, verification);
  const usesGrub =
    bios?.path === STAGE2_PATH || (lookup(tree, LOADER_PATH) === undefined && lookup(tree, CDBOOT_PATH) === undefined);
  if (usesGrub) {
    if (bios?.path === STAGE2_PATH) await verifyStage2(bios, verification);
    verification.looked("GRUB: menu, kernel, stage");
    return verifyGrub(tree, verification);
  }
  verification.looked("illumos' loader: stages, configuration, kernel");
  return verifyLoader(layer, tree, verification);
}

function verifyEntries(images: readonly BootImage[], { add }: Verification): void {
  if (images.some(({ entry }) => entry.bootable)) return;
  const found =
    images.length === 0 ? "there is no boot catalog, or nothing in it lies on the medium" : "no entry is bootable";
  add("boot-entry", "error", found);
}

// ---- UEFI ----

async function verifyEfiImage(
  layer: IsoLayer,
  tree: Directory,
  { entry, path, content }: BootImage,
  verification: Verification,
): Promise<void> {
  const at = path ?? "";
  const shown = path === undefined ? `the EFI image at block ${entry.lba}` : toText(path);
  if (!looksLikeFat(await readBytes(content, 0, Math.min(512, content.sizeBytes)))) {
    verification.add("esp-loader", "error", `${shown}: is no FAT volume`, path);
    return;
  }
  verification.addAll(await checkFat(content), () => "fat", at);
  verification.looked(`${shown}: FAT`);
  await guarded(verification, "fat", at, async () => {
    const esp = (await readFat(content)).tree;
    const loaders = Object.entries(EFI_LOADERS).map(([from, to]) => ({ from, to, found: findNoCase(esp, to) }));
    if (loaders.every(({ found }) => found === undefined)) {
      const names = loaders.map(({ to }) => to.slice(1)).join(" or ");
      verification.add("esp-loader", "error", `${shown}: has no ${names}`, path);
    }
    for (const { from, to, found } of loaders) {
      const onMedium = findFile(tree, from)?.content;
      if (found === undefined || onMedium === undefined || (await sameContent(found, onMedium))) continue;
      const differs = `${shown}: its ${to.slice(1)} is another than the medium's ${from}`;
      verification.add("esp-loader", "warning", differs, path);
    }
  });
  const partition = layer.disk?.partitions.find(({ typeName }) => typeName === "EFI system");
  if (partition && partition.startBytes !== entry.lba * SECTOR_BYTES) {
    const found = `partition ${partition.number} begins at byte ${partition.startBytes}, the catalog's EFI image at ${entry.lba * SECTOR_BYTES}`;
    verification.add("hybrid-esp", "error", found);
  }
}

/** FAT names are without case. */
function findNoCase(tree: Directory, path: string): Content | undefined {
  let node: Directory | undefined = tree;
  const names = path.slice(1).split("/");
  for (const [i, wanted] of names.entries()) {
    const entries: readonly [string, Node][] = [...(node?.entries ?? [])];
    const found = entries.find(([name]) => name.toUpperCase() === wanted.toUpperCase())?.[1];
    if (i === names.length - 1) return found?.type === "file" ? found.content : undefined;
    node = found?.type === "directory" ? found : undefined;
  }
  return undefined;
}

// ---- GRUB legacy ----

/** What the stage has where the table goes, until something fills it in. */
const PLACEHOLDER = 0xdeadbeef;

async function verifyStage2({ entry, content }: BootImage, { add }: Verification): Promise<void> {
  const bytes = await readBytes(
    content,
    0,
    Math.min(content.sizeBytes, BOOT_INFO_TABLE_OFFSET + bootInfoTable.sizeBytes),
  );
  if (bytes.length < BOOT_INFO_TABLE_OFFSET + bootInfoTable.sizeBytes) {
    add("grub-stage2", "error", `${STAGE2_PATH}: has ${content.sizeBytes} bytes only`, STAGE2_PATH);
    return;
  }
  const { bi_file, bi_pvd } = bootInfoTable.decode(bytes, BOOT_INFO_TABLE_OFFSET);
  if (bi_file === entry.lba) return;
  const isBlank = bi_pvd === PLACEHOLDER || bi_file === PLACEHOLDER;
  const found = isBlank
    ? "its boot information table is not filled in"
    : `its table names block ${bi_file}, it lies at ${entry.lba}`;
  add("grub-stage2", "error", `${STAGE2_PATH}: ${found}`, STAGE2_PATH);
}

async function verifyGrub(tree: Directory, verification: Verification): Promise<BootVerdict> {
  const menu = await readGrubMenu(tree);
  const wrong = (found: string, path = MENU_PATH): void => verification.add("grub-menu", "error", found, path);
  if (menu === undefined) {
    wrong(`${MENU_PATH} is missing: GRUB will stop at its prompt`);
    return { archives: [], kernel: undefined };
  }
  const entry = menu.defaultEntry;
  if (entry === undefined) {
    wrong(`${MENU_PATH}: its default entry is not there: it has ${menu.entries.length} entries`);
    return { archives: [], kernel: undefined };
  }
  const title = `${MENU_PATH}: the default entry "${toText(entry.title)}"`;
  if (entry.kernelPath === undefined) wrong(`${title} boots no kernel`);
  const isThere = (path: string): boolean => onMedium(tree, path) !== undefined;
  const kernel = entry.kernelPath !== undefined && isThere(entry.kernelPath) ? entry.kernelPath : undefined;
  if (entry.kernelPath !== undefined && kernel === undefined) {
    const found = `${title} loads ${toText(entry.kernelPath)}, which is not on the medium`;
    verification.add("kernel-on-medium", "error", found, entry.kernelPath);
  }
  for (const path of entry.modules)
    if (!isThere(path)) wrong(`${title} loads ${toText(path)}, which is not on the medium`, path);
  const archives = entry.modules.slice(0, 1).filter(isThere);
  if (entry.kernelPath !== undefined && entry.modules.length === 0) {
    verification.add(
      "boot-archive",
      "error",
      `${title} loads no module: the kernel has no root file system`,
      MENU_PATH,
    );
  }
  if (kernel !== undefined) await verifyKernel(tree, kernel, multibootComplaint, verification);
  return { archives, kernel };
}

/** A file at a path that a configuration names, whatever it is. GRUB follows no symbolic links. */
function onMedium(tree: Directory, path: string): Content | undefined {
  try {
    const node = lookup(tree, path);
    return node?.type === "file" ? node.content : undefined;
  } catch (error) {
    if (error instanceof ImageError && error.code === "invalid-argument") return undefined;
    throw error;
  }
}

async function verifyKernel(
  tree: Directory,
  path: string,
  complaintOf: (kernel: Content) => Promise<string | undefined>,
  verification: Verification,
): Promise<void> {
  const content = onMedium(tree, path);
  if (content === undefined) return;
  await guarded(verification, "kernel-header", path, async () => {
    const complaint = await complaintOf(content);
    if (complaint) verification.add("kernel-header", "error", `${toText(path)}: ${complaint}`, path);
  });
}

// ---- illumos' loader ----

async function verifyLoader(layer: IsoLayer, tree: Directory, verification: Verification): Promise<BootVerdict> {
  const configuration = await readLoaderConfiguration(tree);
  const { kernelPath } = configuration;
  const findings = await loaderFindings(tree);
  // These two look at the usual place; the configuration may name another.
  const aboutKernel = new Set(["kernel-on-medium", "kernel-too-small"]);
  const usual = kernelPath === KERNEL_PATH ? findings : findings.filter(({ code }) => !aboutKernel.has(code));
  verification.addAll(usual, (code) => code, "");
  const kernel = safeFileAt(tree, kernelPath);
  if (kernel === undefined && kernelPath !== KERNEL_PATH) {
    verification.add(
      "kernel-on-medium",
      "error",
      `${toText(kernelPath)}: the configured kernel is not on the medium`,
      kernelPath,
    );
  }
  if (kernel !== undefined) await verifyKernel(tree, kernel, multiboot2Complaint, verification);
  const archives = await verifyRootModules(tree, configuration, verification);
  await verifyNames(
    layer,
    [...configuration.files, ...LOADER_FILES, ...(kernel ? [kernel] : []), ...archives],
    verification,
  );
  await verifySections(layer, [LOADER_PATH, ...(kernel ? [kernel] : []), ...archives], verification);
  if (layer.disk) await verifyOrder(layer, verification);
  return { archives, kernel };
}

function safeFileAt(tree: Directory, path: string): string | undefined {
  try {
    return loaderFileAt(tree, path);
  } catch (error) {
    if (error instanceof ImageError && error.code === "invalid-argument") return undefined;
    throw error;
  }
}

/** Paths of what is configured as root file system and can be loaded. */
async function verifyRootModules(
  tree: Directory,
  { modules, variables }: LoaderConfiguration,
  { add }: Verification,
): Promise<string[]> {
  const roots = modules.filter(({ type }) => type === "rootfs");
  if (roots.length === 0) {
    const name = variables.get("boot_archive_name");
    const hint = name === undefined ? "" : ` (boot_archive_name is ${toText(name)})`;
    add("boot-archive", "error", `no module of the type rootfs is configured to be loaded${hint}`);
  }
  const archives: string[] = [];
  for (const { path, variable } of roots) {
    const at = safeFileAt(tree, path);
    const node = at === undefined ? undefined : lookup(tree, at);
    if (at === undefined || node === undefined) {
      add(
        "boot-archive",
        "error",
        `${toText(path)}: is configured (${toText(variable)}_name), and not on the medium`,
        path,
      );
      continue;
    }
    if (node.type !== "file") {
      add("archive-name", "error", `${toText(at)}: is a ${node.type}: the loader reads nothing from it`, at);
      continue;
    }
    const head = await readBytes(node.content, 0, Math.min(3, node.content.sizeBytes));
    if (path.endsWith(".gz") && isGzip(head)) {
      add(
        "archive-name",
        "error",
        `${toText(path)}: the configured name ends in .gz: the loader does not inflate it`,
        path,
      );
    }
    archives.push(at);
  }
  return archives;
}

/** The loader's reader takes the first extent for the whole file. */
async function verifySections(layer: IsoLayer, paths: readonly string[], { add }: Verification): Promise<void> {
  const tree = await layer.tree();
  for (const path of new Set(paths)) {
    const real = resolve(tree, path)?.path;
    const { entry } = real === undefined ? { entry: undefined } : await recordsAt(layer, real);
    const count = entry === undefined ? 0 : fileExtents(entry).length;
    if (count > 1) add("loader-file-sections", "error", `${toText(path)}: lies in ${count} pieces`, path);
  }
}

/** What the loader opens whatever its configuration says. */
const LOADER_FILES = ["/boot/loader.rc", "/boot/defaults/loader.conf"];

/**
 * The names under which the loader sees files: those of Rock Ridge only where SP and ER announce it, and only from a single
 * NM; else the plain ones, to the letter.
 */
async function verifyNames(layer: IsoLayer, paths: readonly string[], { add }: Verification): Promise<void> {
  const hierarchy = await shownHierarchy(layer);
  const extensions = hierarchy?.root.self?.rockRidge.extensions ?? [];
  const isAnnounced = extensions.some((identifier) => ROCK_RIDGE_IDENTIFIERS.includes(identifier));
  for (const path of new Set(paths)) {
    let directory = hierarchy?.root;
    for (const name of splitPath(path)) {
      const entry = directory?.entries.find((one) => one.name === name);
      if (entry === undefined) break;
      const clash = directory?.entries.find((one) => one.name !== name && one.name.toLowerCase() === name);
      if (clash) {
        const found = `${toText(path)}: the loader may take ${toText(clash.name)} for ${toText(name)}: they differ in case only`;
        add("case-clash", "warning", found, path);
      }
      const { identifier, entries } = entry.first;
      const pieces = entries.filter(({ signature }) => signature === "NM").length;
      const isHidden = isNameBehindContinuation(entry.first);
      if (!(isAnnounced && pieces === 1 && !isHidden) && identifier !== name) {
        const inPieces = isHidden ? "its NM comes after a CE" : `its Rock Ridge name is in ${pieces} pieces`;
        const why = isAnnounced ? inPieces : "no ER announces Rock Ridge";
        add(
          "rock-ridge",
          "error",
          `${toText(path)}: the loader sees "${toText(identifier)}" for ${toText(name)}: ${why}`,
          path,
        );
        break;
      }
      directory = entry.directory;
    }
  }
}

/** The loader goes to the continuation as soon as it meets a CE, and never comes back to what follows it in the record. */
function isNameBehindContinuation({ bytes, entries }: SeenRecord): boolean {
  const isOwn = ({ bytes: one }: (typeof entries)[number]): boolean =>
    one.buffer === bytes.buffer &&
    one.byteOffset >= bytes.byteOffset &&
    one.byteOffset < bytes.byteOffset + bytes.length;
  const own = entries.filter(isOwn).map(({ signature }) => signature);
  return own.includes("CE") && own.indexOf("NM") > own.indexOf("CE");
}

/** isoboot takes the first record whose name begins with what it looks for, unless "." or ";" follows. */
async function verifyOrder(layer: IsoLayer, { add }: Verification): Promise<void> {
  const hierarchy = await shownHierarchy(layer);
  const boot = hierarchy?.root.entries.find(({ name }) => name === "boot")?.directory;
  for (const [directory, wanted] of [
    [hierarchy?.root, "boot"],
    [boot, "loader"],
  ] as const) {
    const names = directory?.entries.map(({ name }) => name) ?? [];
    const first = names.find((name) => name.startsWith(wanted) && !/^[.;]/.test(name.slice(wanted.length)));
    if (first === undefined || first === wanted) continue;
    const found = `in ${toText(directory?.path ?? "/")} the record ${toText(first)} comes before ${wanted}`;
    add("isoboot-order", "error", found, directory?.path);
  }
}
