// What is on the ISO outside of the ramdisk, and what is in the ramdisk and not on the ISO.

import type { Content, Finding } from "../bytes/index.ts";
import type { BootEntry, IsoPlan } from "../iso9660-writer-ts/index.ts";
import { type Directory, directory, draft, joinPath, type Node } from "../tree/index.ts";

/** What can only be made once it is known where everything lies; nothing may move by it. */
export type Finish = (
  plan: IsoPlan,
  archiveSha1: string,
) => Promise<{
  /** What lies before the volume descriptors: boot code and a partition table. */
  readonly systemArea: Content;
  /** Files of the medium with other bytes in them, of the same size. */
  readonly replaced: ReadonlyMap<string, Content>;
}>;

/** A medium as one boot loader wants it, but for the archive, whose size is not known yet. */
export interface Medium {
  readonly loader: "grub" | "illumos" | "none";
  /** Why this loader. */
  readonly reason: string;
  /** The ISO's tree without the archive. */
  readonly tree: Directory;
  /** Where the archive goes, on the ISO. */
  readonly archivePath: string;
  /** Where the archive's SHA-1 goes, if the loader uses one. */
  readonly hashPath?: string | undefined;
  readonly bootEntries: readonly BootEntry[];
  readonly findings: readonly Finding[];
  readonly finish?: Finish | undefined;
  /** Whether the loader can read an archive that ends at this size. Undefined: any. */
  readonly archiveEndsWell?: ((sizeBytes: number) => boolean) | undefined;
  /** Empty blocks behind the archive. */
  readonly paddingBlocks?: number | undefined;
}

/** The original script's place for the archive; a menu or a configuration fragment names it. */
export const ARCHIVE_PATH = "/platform/i86pc/boot_archive";

/** Archives of earlier builds: in a ramdisk they would be dead weight, on the ISO they would be confusing. */
const OLD_ARCHIVES = ["boot_archive", "boot_archive.gz", "boot_archive.hash"].flatMap((name) => [
  `/platform/*/${name}`,
  `/platform/*/amd64/${name}`,
]);

/** What a CD boots from, and nothing that a running system installs on disks (stage1, stage2, pmbr, gptzfsboot stay). */
const MEDIUM_ONLY = ["/boot/grub/stage2_eltorito", "/boot/cdboot", "/boot/isoboot", "/boot/efiboot.img"];

/** The tree without the paths that patterns name; "*" stands for any name. Only the directories on the way are looked at. */
function without(tree: Directory, patterns: readonly string[]): Directory {
  const edit = draft(tree);
  const remove = (at: Node | undefined, path: string, [name, ...below]: readonly string[]): void => {
    if (name === undefined) edit.remove(path);
    else if (at?.type === "directory") {
      for (const child of name === "*" ? at.entries.keys() : [name]) {
        remove(at.entries.get(child), joinPath(path, child), below);
      }
    }
  };
  for (const pattern of patterns) remove(tree, "/", pattern.split("/").slice(1));
  return edit.tree();
}

/** The tree as it goes into the ramdisk. */
export function ramdiskTree(tree: Directory): Directory {
  return without(tree, [...OLD_ARCHIVES, ...MEDIUM_ONLY]);
}

/** The part of the tree that goes on the ISO as it is: boot/ and platform/, as the original script leaves them. */
export function mediumTree(tree: Directory): Directory {
  const entries = [...tree.entries].filter(([name]) => name === "boot" || name === "platform");
  return without(directory(tree, new Map(entries)), OLD_ARCHIVES);
}
