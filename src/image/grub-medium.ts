// A medium of the GRUB era: boot/ and platform/ with a menu, and one El Torito entry on stage2_eltorito.

import { bytesOf, type Finding, fromText, ImageError, memoryContent, readAll } from "../bytes/index.ts";
import { checkUsbGrubFiles, planUsbGrub } from "../disk/index.ts";
import {
  CDBOOT_PATH,
  DISK_PADDING_BLOCKS,
  endsReadablyOnDisk,
  inspectStage2,
  KERNEL_PATH,
  KERNEL_PATH_32,
  MENU_PATH,
  menuLst,
  STAGE2_PATH,
} from "../illumos/index.ts";
import { type Attributes, baseName, type Directory, type Draft, draft, file, findFile } from "../tree/index.ts";
import { ARCHIVE_PATH, type Finish, type Medium } from "./medium.ts";
import type { StageOptions } from "./options.ts";

/** The BIOS loads 4 virtual sectors of 512 bytes; the stage reads the rest of itself. */
const STAGE2_LOAD_SECTORS = 4;

const DEFAULT_TIMEOUT_SECONDS = 10;

const WHERE_TO_GET_A_STAGE =
  "give one with --stage2 FILE (Debian: apt install grub-legacy, /usr/lib/grub/x86_64-pc/stage2_eltorito), or --loader none";

/** @throws ImageError "requirement" when there is no usable stage */
export async function grubMedium(tree: Directory, options: StageOptions, fresh: Attributes): Promise<Medium> {
  if (options.hybrid === "yes") {
    throw new ImageError("conflict", "--hybrid yes is for illumos' loader; with GRUB use --usb-grub");
  }
  if (options.espBytes !== undefined) {
    throw new ImageError("conflict", "--esp-size is for illumos' loader; GRUB media have no EFI system partition");
  }
  const edit = draft(tree);
  const findings: Finding[] = [];
  const put = (path: string, node: ReturnType<typeof file>): void => edit.put(path, node, { ...fresh, mode: 0o755 });
  const stage2 = options.stage2?.content ?? findFile(tree, STAGE2_PATH)?.content;
  const from = options.stage2?.path ?? STAGE2_PATH;
  if (stage2 === undefined && options.loader !== "none") {
    const looked = options.loader === "auto" ? `neither ${CDBOOT_PATH} nor ${STAGE2_PATH}` : `no ${STAGE2_PATH}`;
    throw new ImageError("requirement", `no boot stage: the proto area has ${looked}; ${WHERE_TO_GET_A_STAGE}`);
  }
  const bootable = stage2 !== undefined && options.loader !== "none";
  if (options.usbGrub && !bootable)
    throw new ImageError("conflict", "--usb-grub needs GRUB; without a loader nothing starts");
  const dialect = bootable ? await inspectStage2(stage2, from) : "plain";
  if (bootable && options.stage2) put(STAGE2_PATH, file({ ...fresh, mode: 0o444 }, stage2));

  const kernelPath = [KERNEL_PATH, KERNEL_PATH_32].find((path) => findFile(tree, path));
  if (kernelPath === undefined) {
    findings.push({
      code: "kernel-on-medium",
      severity: "error",
      path: KERNEL_PATH,
      message: `${KERNEL_PATH} is missing: the medium has nothing to boot`,
    });
  }
  const menu = menuLst({
    dialect,
    kernelPath: kernelPath ?? KERNEL_PATH,
    archivePath: ARCHIVE_PATH,
    console: options.console,
    bootArgs: options.bootArgs,
    timeoutSeconds: options.menuTimeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
    title: "illumos",
  });
  put(MENU_PATH, file(fresh, memoryContent(bytesOf(fromText(menu)))));
  const finish = options.usbGrub ? await usbFinish(edit, options, fresh) : undefined;
  return {
    loader: bootable ? "grub" : "none",
    reason: bootable
      ? `${from} (${dialect === "illumos" ? "kernel$/module$" : "kernel/module"} menu)`
      : "the ISO will not start by itself",
    tree: edit.tree(),
    archivePath: ARCHIVE_PATH,
    bootEntries: bootable
      ? [{ path: STAGE2_PATH, platform: "bios", loadSectors: STAGE2_LOAD_SECTORS, bootInfoTable: true }]
      : [],
    findings,
    ...(finish && { finish, archiveEndsWell: endsReadablyOnDisk, paddingBlocks: DISK_PADDING_BLOCKS }),
  };
}

const STAGE1_DISK_PATH = "/boot/grub/stage1";
const STAGE2_DISK_PATH = "/boot/grub/stage2";
const MAX_STAGE_BYTES = 2 ** 20;
const SECTORS_PER_BLOCK = 4;

/** Makes the ISO start from a disk: stage1 in its first sector loads stage2 from where it lies in the ISO. */
async function usbFinish(edit: Draft, options: StageOptions, fresh: Attributes): Promise<Finish> {
  const { disk } = options.stage2 ?? {};
  if (disk) {
    edit.put(STAGE1_DISK_PATH, file({ ...fresh, mode: 0o444 }, disk.stage1));
    edit.put(STAGE2_DISK_PATH, file({ ...fresh, mode: 0o444 }, disk.stage2));
  }
  const [stage1, stage2] = await Promise.all(
    [STAGE1_DISK_PATH, STAGE2_DISK_PATH].map(async (path) => {
      const found = findFile(edit.tree(), path);
      if (found) return readAll(found.content, MAX_STAGE_BYTES);
      const remedy = `the proto area has none, nor has the folder of --stage2 a file ${baseName(path)}`;
      throw new ImageError("requirement", `--usb-grub: needs ${path}; ${remedy}`, { path });
    }),
  );
  if (!stage1 || !stage2) throw new Error("two paths give two stages");
  checkUsbGrubFiles({ stage1, stage2 });
  return async (plan) => {
    const { systemArea, patchStage2 } = planUsbGrub({
      stage1,
      stage2Lba512: plan.extentOf(STAGE2_DISK_PATH).lba * SECTORS_PER_BLOCK,
      stage2SizeBytes: stage2.length,
    });
    return {
      systemArea: memoryContent(systemArea),
      replaced: new Map([[STAGE2_DISK_PATH, memoryContent(patchStage2(stage2))]]),
    };
  };
}
