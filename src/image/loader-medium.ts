// A medium with illumos' own loader: BIOS by cdboot, UEFI by an EFI system partition, USB sticks by a hybrid partition
// table. On it are the boot tree, the kernel and the archive with its hash, and nothing else.

import {
  bytesOf,
  type Content,
  divideUp,
  type Finding,
  fromText,
  ImageError,
  memoryContent,
  readAll,
} from "../bytes/index.ts";
import { checkHybridFiles, planHybrid } from "../disk/index.ts";
import { planFat } from "../fat/index.ts";
import {
  CDBOOT_PATH,
  CONF_DIRECTORY,
  EFI_LOADERS,
  ESP_PATH,
  FRAGMENT_PATH,
  ISOBOOT_PATH,
  isLoaderValue,
  KERNEL_PATH,
  loaderFindings,
  loaderFragment,
  PMBR_PATH,
  readLoaderConfiguration,
} from "../illumos/index.ts";
import type { BootEntry, IsoPlan } from "../iso9660-writer-ts/index.ts";
import { type Layout, layoutContent } from "../layout/index.ts";
import { type Attributes, type Directory, draft, file, findFile, type Node, prune, treeOf } from "../tree/index.ts";
import { ARCHIVE_PATH, type Finish, type Medium } from "./medium.ts";
import type { StageOptions } from "./options.ts";
import { contentUuid } from "./uuid.ts";

/** El Torito counts 512-byte sectors in 16 bits. */
const ESP_LIMIT_BYTES = 32 * 2 ** 20;
const HASH_PATH = `${ARCHIVE_PATH}.hash`;
const SECTOR_BYTES = 512;
const SECTORS_PER_BLOCK = 4;

/**
 * @param tree the boot and platform directories of the proto area
 * @throws ImageError "requirement" when the loader could not boot it; "limit", "invalid-argument", "conflict"
 */
export async function loaderMedium(tree: Directory, options: StageOptions, fresh: Attributes): Promise<Medium> {
  if (options.usbGrub) {
    throw new ImageError(
      "conflict",
      "--usb-grub is for GRUB; with illumos' loader a hybrid image boots from USB (--hybrid)",
    );
  }
  if (!isLoaderValue(options.bootArgs)) {
    throw new ImageError(
      "invalid-argument",
      `--boot-args "${options.bootArgs}": quotes and backslashes cannot stand in a loader variable`,
    );
  }
  const cdboot = findFile(tree, CDBOOT_PATH);
  if (cdboot === undefined) {
    throw new ImageError(
      "requirement",
      `no boot stage: the proto area has no ${CDBOOT_PATH}; use --loader grub with --stage2 FILE`,
    );
  }
  const kept = prune(tree, (path, node) => node.type !== "directory" && !isOnMedium(path));
  const edit = draft(prune(kept, (path, node) => path.startsWith("/platform") && isEmptyDirectory(node)));
  const put = (path: string, content: Content): void => {
    edit.put(path, file({ ...fresh, mode: 0o444 }, content), { ...fresh, mode: 0o755 });
  };
  const fragment = loaderFragment({
    archivePath: ARCHIVE_PATH,
    hashPath: HASH_PATH,
    console: options.console,
    bootArgs: options.bootArgs,
    menuTimeoutSeconds: options.menuTimeoutSeconds,
  });
  const replaced = edit.get(FRAGMENT_PATH) !== undefined;
  put(FRAGMENT_PATH, memoryContent(bytesOf(fromText(fragment))));
  const esp = planEsp(edit.tree(), options.espBytes, fresh);
  if (esp) put(ESP_PATH, esp);

  const medium = edit.tree();
  const findings = await loaderFindings(medium);
  const worst = findings.find(({ severity }) => severity === "error") ?? (await overriddenFinding(medium));
  if (worst) throw new ImageError("requirement", worst.message, { path: worst.path });
  if (replaced) {
    const message = `${FRAGMENT_PATH}: the proto area's own is replaced: this file leads the loader to the archive; put other settings in another file of ${CONF_DIRECTORY}`;
    findings.push({ code: "replaced", severity: "note", path: FRAGMENT_PATH, message });
  }
  const hybrid = await hybridFinish(medium, options.hybrid, esp, findings);
  return {
    loader: "illumos",
    reason: [CDBOOT_PATH, esp ? "UEFI too" : "BIOS only", hybrid ? "boots from USB as well" : "CD only"].join(", "),
    tree: medium,
    archivePath: ARCHIVE_PATH,
    hashPath: HASH_PATH,
    bootEntries: bootEntries(cdboot.content.sizeBytes, esp !== undefined),
    findings,
    ...(hybrid && { finish: hybrid }),
  };
}

function isOnMedium(path: string): boolean {
  return path.startsWith("/boot/") || path === KERNEL_PATH;
}

/** Whether nothing but directories is below. */
function isEmptyDirectory(node: Node): boolean {
  return node.type === "directory" && [...node.entries.values()].every(isEmptyDirectory);
}

/** The firmware loads all of cdboot, whole blocks of it: of today's 1,249 bytes, four sectors. */
function bootEntries(cdbootBytes: number, hasEsp: boolean): BootEntry[] {
  const loadSectors = divideUp(cdbootBytes, SECTOR_BYTES * SECTORS_PER_BLOCK) * SECTORS_PER_BLOCK;
  const bios: BootEntry = { path: CDBOOT_PATH, platform: "bios", loadSectors, bootInfoTable: true };
  return hasEsp ? [bios, { path: ESP_PATH, platform: "efi" }] : [bios];
}

/** Fragments of the proto area that come after ours may lead the loader to another archive. */
async function overriddenFinding(tree: Directory): Promise<Finding | undefined> {
  const { files, modules } = await readLoaderConfiguration(tree);
  const wanted = { rootfs: ARCHIVE_PATH, hash: HASH_PATH };
  for (const [type, path] of Object.entries(wanted)) {
    const loaded = modules.filter((module) => module.type === type).map((module) => module.path);
    if (loaded.length === 1 && loaded[0] === path) continue;
    const later = files.slice(files.indexOf(FRAGMENT_PATH) + 1);
    const found = loaded.length === 0 ? "nothing" : loaded.join(" and ");
    const where = later.length > 0 ? later.join(", ") : CONF_DIRECTORY;
    const message = `${where}: with it the loader loads ${found} as ${type}, and not ${path}; leave those variables to ${FRAGMENT_PATH}`;
    return { code: "boot-archive", severity: "error", path: later[0] ?? FRAGMENT_PATH, message };
  }
  return undefined;
}

/** The EFI system partition with the loaders that the proto area has, or undefined when it has none. */
function planEsp(tree: Directory, sizeBytes: number | undefined, fresh: Attributes): Content | undefined {
  const loaders = Object.entries(EFI_LOADERS).flatMap(([path, name]) => {
    const loader = findFile(tree, path);
    if (loader?.content.sizeBytes === 0) {
      throw new ImageError("requirement", `${path}: is empty: UEFI firmware has nothing to start`, { path });
    }
    return loader ? [[name, loader] as const] : [];
  });
  if (loaders.length === 0) return undefined;
  const layout = fatLayout(treeOf(loaders, { ...fresh, mode: 0o755 }), sizeBytes, fresh.mtimeSeconds);
  if (layout.sizeBytes < ESP_LIMIT_BYTES) return layoutContent(layout);
  const remedy =
    sizeBytes === undefined
      ? `leave a loader out (--remove ${Object.keys(EFI_LOADERS).join(" or ")}), or take smaller ones`
      : "give a smaller --esp-size";
  const limit = `El Torito counts up to ${ESP_LIMIT_BYTES - SECTOR_BYTES}`;
  throw new ImageError("limit", `EFI system partition: ${layout.sizeBytes} bytes; ${limit}; ${remedy}`);
}

function fatLayout(tree: Directory, sizeBytes: number | undefined, timeSeconds: number): Layout {
  try {
    return planFat(tree, { sizeBytes, timeSeconds }).layout;
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new ImageError(error.code, `EFI system partition (--esp-size): ${error.message}`, { cause: error });
  }
}

/** The partition table that makes the ISO a disk as well, once it is known where things lie. */
async function hybridFinish(
  tree: Directory,
  choice: StageOptions["hybrid"],
  esp: Content | undefined,
  findings: Finding[],
): Promise<Finish | undefined> {
  const pmbr = findFile(tree, PMBR_PATH);
  const isoboot = findFile(tree, ISOBOOT_PATH);
  if (choice === "no") return undefined;
  if (!pmbr || !isoboot || !esp) {
    if (choice === "auto") return undefined;
    const missing = [!pmbr && PMBR_PATH, !isoboot && ISOBOOT_PATH, !esp && Object.keys(EFI_LOADERS).join(" or ")];
    throw new ImageError("requirement", `--hybrid yes: the proto area has no ${missing.filter(Boolean).join(", no ")}`);
  }
  const stages = { pmbr: await readAll(pmbr.content, 2 ** 20), isoboot: await readAll(isoboot.content, 2 ** 20) };
  findings.push(...checkHybridFiles(stages));
  return async (plan: IsoPlan, archiveSha1: string) => {
    const { systemArea } = planHybrid({
      ...stages,
      espLba512: plan.extentOf(ESP_PATH).lba * SECTORS_PER_BLOCK,
      espSectors512: esp.sizeBytes / SECTOR_BYTES,
      bootUuid: contentUuid(archiveSha1),
    });
    return { systemArea: memoryContent(systemArea), replaced: new Map() };
  };
}
