// The rules that `verify` holds an image to: what must hold, why it matters, how to mend it. One table; the code that checks
// a rule names it, and says what it found. Findings of the format rooms are mapped to rules in verify-formats.ts.

import type { Severity } from "../bytes/index.ts";

export type RuleGroup = "medium" | "boot" | "archive" | "file system" | "ramdisk";

export interface Rule {
  /** Stable, for programs and for --explain. */
  readonly id: string;
  readonly group: RuleGroup;
  /** The worst that breaking it can be. */
  readonly severity: Severity;
  /** What must hold. */
  readonly title: string;
  readonly why: string;
  readonly mend: string;
}

const rule = (id: string, group: RuleGroup, severity: Severity, title: string, why: string, mend: string): Rule => ({
  id,
  group,
  severity,
  title,
  why,
  mend,
});

const REBUILD = "Make the image again; if it came over a network or off a medium, compare its checksum first.";
const PROTO =
  "Complete the proto area (build the missing component, or lay an --adjunct or --overlay over it) and build again.";
const STATE =
  "Build with --manifests DIR (package manifests with driver lines) or --kernel-state DIR (files of a running system).";

export const RULES: readonly Rule[] = [
  // ---- the medium ----
  rule(
    "iso-structure",
    "medium",
    "error",
    "Descriptors, directories and path tables are as ECMA-119 says, and nothing overlaps",
    "Readers differ in what they forgive: firmware, boot loaders and systems each take another way to a file.",
    REBUILD,
  ),
  rule(
    "rock-ridge",
    "medium",
    "error",
    "Rock Ridge is announced (SP, ER) and every name lies in one piece, before what continues elsewhere",
    "The loader takes Rock Ridge names only when both SP and ER are there, never joins a name from two NM entries, and goes away at a CE; what it cannot name it cannot load.",
    "Write the medium with Rock Ridge (mkisofs -R, not xorriso with names above 100 characters).",
  ),
  rule(
    "el-torito",
    "medium",
    "error",
    "The boot catalog is whole and its entries lead to boot images on the medium",
    "Firmware checks the catalog's checksum and loads what the entries say, blindly.",
    REBUILD,
  ),
  rule(
    "boot-info-table",
    "medium",
    "error",
    "A boot information table in a boot image states the image's place, length and checksum",
    "GRUB's El Torito stage finds the rest of itself by this table and hangs when it is wrong.",
    "Do not change or move boot files after the medium was made; write it with -boot-info-table.",
  ),
  rule(
    "partition-table",
    "medium",
    "error",
    "MBR and GPT are whole, and partitions lie on the disk without overlapping",
    "From a USB stick or disk, firmware goes by the partition table.",
    REBUILD,
  ),
  rule(
    "boot-blocks",
    "medium",
    "error",
    "pmbr, isoboot and the partition they name agree with each other",
    "From a USB stick under BIOS, each stage loads the next from the sector that was written into it.",
    "Write the system area after the medium's layout is final (installboot, or build --hybrid yes).",
  ),
  rule(
    "fat",
    "medium",
    "error",
    "FAT volumes are whole: chains, directories, both copies of the table",
    "UEFI firmware reads the EFI system partition with a driver of its own, often a strict one.",
    "Make the EFI system partition again.",
  ),
  rule(
    "archive-format",
    "medium",
    "error",
    "An archive (tar, cpio, zip, package) can be read from end to end",
    "What cannot be read cannot be installed.",
    REBUILD,
  ),
  rule(
    "truncated",
    "medium",
    "error",
    "The image is as long as its own structures say",
    "A download that broke off has everything in the right place but its end.",
    "Fetch or copy the image again.",
  ),

  // ---- what boots ----
  rule(
    "boot-entry",
    "boot",
    "error",
    "There is a boot catalog with an entry for BIOS or EFI",
    "Without one, firmware does not take the medium for bootable.",
    "Build with a boot loader: illumos' in boot/, or GRUB's by --stage2 FILE.",
  ),
  rule(
    "boot-archive",
    "boot",
    "error",
    "What the boot configuration names as the root file system is on the medium",
    "The kernel starts with its root in memory; without it the loader says that no rootfs module was provided, and stops.",
    "Put the archive where the menu or boot/conf.d says, or correct that.",
  ),
  rule(
    "archive-name",
    "boot",
    "error",
    "The configured name of a gzip'd archive does not end in .gz, and it is a file of its own",
    "The loader inflates what it finds under a name without suffix (or with .gz added), but hands over a name that ends in .gz as it is; a symbolic link it reads as an empty file.",
    "Name it without .gz in the configuration.",
  ),
  rule(
    "kernel-on-medium",
    "boot",
    "error",
    "The kernel that the boot configuration names is on the medium",
    "The boot loader loads the kernel from the medium, not from the ramdisk.",
    "Keep platform/i86pc/kernel on the medium.",
  ),
  rule(
    "kernel-too-small",
    "boot",
    "error",
    "The kernel file has at least 32 KiB",
    "The loader reads that much to find the kernel's header, and gives up on shorter files.",
    "Use the kernel of the build, not a stub.",
  ),
  rule(
    "kernel-header",
    "boot",
    "error",
    "The kernel has the multiboot header that this loader looks for",
    "Loaders know a kernel by its header alone: illumos' loader wants multiboot 2 with address and entry tags, GRUB multiboot 1.",
    "Take kernel and loader of the same age.",
  ),
  rule(
    "kernel-differs",
    "boot",
    "warning",
    "The kernel on the medium is the one in the ramdisk",
    "krtld opens it again inside of the ramdisk and takes symbols from there: with two builds, modules link against the wrong addresses.",
    "Make medium and ramdisk of the same proto area.",
  ),
  rule(
    "grub-menu",
    "boot",
    "error",
    "GRUB's menu has a default entry whose kernel and modules are on the medium",
    "GRUB stops at an entry whose files it cannot find; names are compared with case.",
    "Correct boot/grub/menu.lst.",
  ),
  rule(
    "grub-stage2",
    "boot",
    "error",
    "GRUB's El Torito stage has its boot information table filled in",
    "The stage's first code waits for the table and cannot load the rest of itself without it.",
    "Write the medium with a boot information table for the stage (-boot-info-table).",
  ),
  rule(
    "loader-missing",
    "boot",
    "error",
    "/boot/loader is on the medium",
    "cdboot and isoboot do nothing but load it.",
    PROTO,
  ),
  rule(
    "loader-too-big",
    "boot",
    "error",
    "/boot/loader has at most 522,240 bytes",
    "cdboot counts the loader's 2048-byte sectors in eight bits; at 256 it loads none.",
    "Use a smaller loader, or boot by UEFI only.",
  ),
  rule(
    "loader-defaults-missing",
    "boot",
    "error",
    "/boot/defaults/loader.conf is on the medium",
    "The UEFI loader knows its root file system by this file; without it, it returns to the firmware.",
    PROTO,
  ),
  rule(
    "loader-rc-missing",
    "boot",
    "error",
    "/boot/loader.rc is on the medium",
    "Without it the loader stops at a silent prompt.",
    PROTO,
  ),
  rule(
    "loader-symlink",
    "boot",
    "error",
    "What the loader reads is no symbolic link",
    "Its ISO 9660 reader takes a link for an empty file, silently.",
    "Put the file itself there.",
  ),
  rule(
    "loader-conf-syntax",
    "boot",
    "error",
    'Configuration files hold name="value" lines only, ended by LF',
    "At a syntax error the loader gives up: neither this file nor any after it is applied.",
    "Correct the line; braces around variables, no escaped quotes, no CR.",
  ),
  rule(
    "loader-file-sections",
    "boot",
    "error",
    "What the loader reads lies in one piece on the medium, below 4 GiB",
    "Its ISO 9660 reader takes the first extent of a file for all of it.",
    "Keep boot files below 4 GiB, and do not split them.",
  ),
  rule(
    "case-clash",
    "boot",
    "warning",
    "What the loader opens has no neighbour whose name differs in case only",
    "Asked for a name in lower case, the loader's Rock Ridge reader also takes the same name in upper case; the record that comes first wins.",
    "Rename the other file, or leave it off the medium.",
  ),
  rule(
    "isoboot-order",
    "boot",
    "error",
    'In /boot no record that begins with "loader" comes before loader itself',
    "isoboot compares only as many letters as it looks for: it would load loader64.efi instead, and a USB stick would not boot under BIOS.",
    "Write directory records in order of names, as ECMA-119 demands.",
  ),
  rule(
    "esp-loader",
    "boot",
    "error",
    "The EFI system partition has EFI/BOOT/BOOTX64.EFI, the same as the medium's /boot/loader64.efi",
    "That is the name that firmware starts from removable media; a loader of another build may not fit its scripts.",
    "Make the EFI system partition of the proto area's loader64.efi.",
  ),
  rule(
    "hybrid-esp",
    "boot",
    "error",
    "The EFI system partition of the partition table is the one in the boot catalog",
    "Under UEFI a USB stick starts from the partition, a CD from the catalog.",
    "Write the partition table after the layout of the medium is final.",
  ),

  // ---- the archive ----
  rule(
    "gzip",
    "archive",
    "error",
    "The archive is one gzip member with a true size, and nothing behind it",
    "The loader allocates by the last four bytes of the file, delivers the first member only, and never looks at the checksum; with a wrong size UEFI machines stop with a CPU exception.",
    "Compress again as one member (gzip, or pigz without -i); append nothing.",
  ),
  rule(
    "archive-hash",
    "archive",
    "error",
    "The .hash file holds the SHA-1 of the uncompressed archive, 40 lower-case digits",
    "The kernel's first stage compares it and panics when it differs; a loader's inflating is checked by nothing else.",
    "Write it again: digest -a sha1 of the uncompressed file system.",
  ),
  rule(
    "archive-hash-missing",
    "archive",
    "note",
    "There is a .hash file beside the archive",
    "Without it, nothing notices an archive that was damaged on the way: the loader does not look at the checksum in gzip.",
    "Write the SHA-1 of the uncompressed archive to ARCHIVE.hash.",
  ),
  rule(
    "archive-size",
    "archive",
    "error",
    "The uncompressed archive is smaller than 4 GiB",
    "The boot-time reader computes offsets in 32 bits, and the loader places the archive below 4 GiB.",
    "Leave out what the ramdisk does not need (map --by size shows what takes the space).",
  ),
  rule(
    "memory",
    "archive",
    "note",
    "The machine has twice the uncompressed archive and 256 MiB of memory",
    "The loader holds the archive twice for a moment: where it inflates it, and where it goes.",
    "Give a virtual machine more memory, or make the ramdisk smaller.",
  ),
  rule(
    "archive-content",
    "archive",
    "warning",
    "The archive is an illumos UFS",
    "It is the file system that is looked into here. The kernel also boots from others (hsfs, cpio), whose content is not verified.",
    "Nothing, if it is meant to be like that.",
  ),

  // ---- the file system ----
  rule(
    "ufs",
    "file system",
    "error",
    "The file system passes fsck",
    "The kernel trusts what the structures say, and panics or loses files where they are wrong.",
    "Make the image again, or repair it with fsck on illumos.",
  ),
  rule(
    "ufs-boot",
    "file system",
    "error",
    "The superblock is one that the boot-time reader and mountroot take",
    "krtld knows one magic number, blocks of 4 or 8 KiB and images below 4 GiB, whole to the end.",
    "Make the file system with newfs -b 8192 on a device below 4 GiB.",
  ),
  rule(
    "ufs-clean",
    "file system",
    "warning",
    "The file system is marked clean",
    "A root that is not clean mounts read-only, and cannot be remounted read-write.",
    "Unmount it properly before it is packed.",
  ),
  rule(
    "boot-holes",
    "file system",
    "error",
    "Files and symbolic links that are read before the root is mounted have no holes",
    "The boot-time reader takes a hole for block 0 of the device and delivers the boot area instead of zeros; a link whose target is not in its first block leads nowhere.",
    "Write such files without holes, and targets of links into a block (build does).",
  ),

  // ---- the system in the ramdisk ----
  rule(
    "missing-file",
    "ramdisk",
    "error",
    "Kernel, its modules, init and what they read first are in the ramdisk",
    "The kernel panics, or init has nothing to start.",
    PROTO,
  ),
  rule(
    "missing-major",
    "ramdisk",
    "warning",
    "name_to_major has the drivers that a root on a ramdisk needs",
    "A driver without a number cannot attach.",
    STATE,
  ),
  rule(
    "blank-kernel-state",
    "ramdisk",
    "warning",
    "driver_aliases, driver_classes, minor_perm and name_to_major speak of more than the four drivers of every proto area",
    "With blank files the kernel finds no hardware, and no root to mount.",
    STATE,
  ),
  rule(
    "missing-console",
    "ramdisk",
    "warning",
    "/dev/console is there",
    "On a read-only root the kernel cannot add it: init cannot print, nor read a password.",
    "Store the links of /dev in the image (build does).",
  ),
  rule(
    "console-links",
    "ramdisk",
    "warning",
    "/dev/syscon and /dev/systty are there, and lead to the console",
    "init opens them for its dialogues.",
    "Store the links of /dev in the image (build does).",
  ),
  rule(
    "mount-point",
    "ramdisk",
    "error",
    "Directories and files that the system mounts file systems on are there",
    "The root is read-only: a mount point cannot be made. Without /devices and /dev the kernel panics.",
    "Make them (build does).",
  ),
  rule(
    "inittab-smf",
    "ramdisk",
    "error",
    'inittab has an entry with the id "smf"',
    "init keeps that entry's command alive; without it, it goes to single user and asks for the root password.",
    "Add smf::sysinit:COMMAND, or build with --init shell.",
  ),
  rule(
    "init-command",
    "ramdisk",
    "error",
    'What inittab\'s entry "smf" starts is there and may be executed',
    "init tries it three times and goes to maintenance mode.",
    PROTO,
  ),
  rule(
    "smf-libraries",
    "ramdisk",
    "error",
    "SMF has the libraries that illumos' own build does not make: libxml2, openssl, zlib",
    "svc.startd and svc.configd do not start without them.",
    "Give --adjunct DIR with them, or build with --init shell.",
  ),
  rule(
    "path-to-inst",
    "ramdisk",
    "note",
    "/etc/path_to_inst begins with the bootstrap line",
    "With it the kernel numbers devices anew on each machine; other numbers are those of the machine that the file comes from.",
    "Keep the file of the proto area.",
  ),
  rule(
    "boot-link",
    "ramdisk",
    "error",
    "Symbolic links on the way to boot files have at most 511 bytes",
    "The boot-time reader looks at the first 512 bytes, which must hold a NUL.",
    "Shorten the link.",
  ),
];

const BY_ID: ReadonlyMap<string, Rule> = new Map(RULES.map((one) => [one.id, one]));

/** The rule of this name, or undefined. */
export function ruleOf(id: string): Rule | undefined {
  return BY_ID.get(id);
}
