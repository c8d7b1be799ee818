// A medium of each era on which no rule is broken, from nodes that a test may take away or replace.

import { type Content, memoryContent, textContent } from "../../src/bytes/index.ts";
import { writePartitionTable } from "../../src/disk/index.ts";
import { RAMDISK_ROOT_DRIVERS } from "../../src/illumos/index.ts";
import { type BootEntry, type IsoOptions, planIso } from "../../src/iso9660-writer-ts/index.ts";
import { layoutBytes } from "../../src/layout/index.ts";
import { type Directory, directory, file, type Node, symlink, treeOf } from "../../src/tree/index.ts";
import { base, fatBytes, gzip, numbered, sha1, TIME, text, ufsBytes } from "./images.ts";

export type Nodes = Map<string, Node>;

const folder = { ...base, mode: 0o755 };
export const UNIX = "/platform/i86pc/kernel/amd64/unix";
export const ARCHIVE = "/platform/i86pc/boot_archive";

/** A file with both multiboot headers, of 40 KiB. */
export function kernelBytes(): Uint8Array<ArrayBuffer> {
  const bytes = numbered(40_960);
  const view = new DataView(bytes.buffer);
  const words = (at: number, values: number[]): void => {
    values.forEach((value, i) => {
      view.setUint32(at + 4 * i, value, true);
    });
  };
  words(512, [0x1badb002, 0x10003, (-0x1badb002 - 0x10003) >>> 0]);
  const length = 16 + 24 + 16 + 8;
  words(1024, [0xe85250d6, 0, length, (-0xe85250d6 - length) >>> 0]);
  words(1040, [2, 24, 0x400000, 0x400000, 0, 0]); // address tag
  words(1064, [3, 12, 0x400100, 0]); // entry address tag
  words(1080, [0, 8]);
  return bytes;
}

export const binary = (content: Uint8Array): Node => file({ ...base, mode: 0o755 }, memoryContent(content));

export function ramdiskNodes(): Nodes {
  const nodes: Nodes = new Map([
    [UNIX, binary(kernelBytes())],
    ["/kernel/amd64/genunix", text("genunix")],
    ["/etc/name_to_major", text(RAMDISK_ROOT_DRIVERS.map((name, i) => `${name} ${i + 1}\n`).join(""))],
    ["/etc/name_to_sysnum", text("nosys 0\n")],
    ["/etc/driver_aliases", text('ahci "pci8086,2922"\n')],
    ["/etc/driver_classes", text("ahci\tsata\n")],
    ["/etc/minor_perm", text("mm:null 0666 root sys\n")],
    ["/etc/path_to_inst", text("#path_to_inst_bootstrap_1\n")],
    ["/etc/inittab", text("ap::sysinit:/sbin/autopush -f /etc/iu.ap\nsmf::sysinit:/etc/start >/dev/msglog\n")],
    ["/etc/start", text("#!/sbin/sh\n", { mode: 0o755 })],
    ["/etc/mnttab", text("")],
    ["/etc/dfs/sharetab", text("")],
    ["/sbin/init", text("init", { mode: 0o555 })],
    ["/sbin/sh", text("sh", { mode: 0o555 })],
    ["/dev/console", symlink(base, "../devices/pseudo/cn@0:console")],
    ["/dev/syscon", symlink(base, "../devices/pseudo/cn@0:syscon")],
    ["/dev/systty", symlink(base, "../devices/pseudo/cn@0:systty")],
  ]);
  for (const name of [
    "drv/amd64/ramdisk",
    "exec/amd64/elfexec",
    "exec/amd64/intpexec",
    ..."ufs specfs devfs dev tmpfs procfs mntfs ctfs objfs".split(" ").map((fs) => `fs/amd64/${fs}`),
  ]) {
    nodes.set(`/kernel/${name}`, text(name));
  }
  const points =
    "/devices /dev/fd /etc/svc/volatile /mnt /proc /system/boot /system/contract /system/object /tmp /var/run";
  for (const path of points.split(" ")) nodes.set(path, directory(folder));
  return nodes;
}

/** What a medium is made of, beside its tree. */
export interface MediumParts {
  readonly nodes: Nodes;
  readonly ramdisk: Nodes;
  bootEntries: BootEntry[];
  options: Partial<IsoOptions>;
  /** Size of the ramdisk; default: 2 MiB. */
  ramdiskBytes?: number;
  /** The archive, from the ramdisk's bytes. */
  pack: (ramdisk: Uint8Array<ArrayBuffer>) => Uint8Array;
  /** Changes to the ramdisk's bytes before they are hashed and packed. */
  damage: (ramdisk: Uint8Array<ArrayBuffer>) => void;
  /** Changes to the ISO's bytes. */
  after: (iso: Uint8Array<ArrayBuffer>, lbaOf: (path: string) => number) => void;
}

const parts = (nodes: Nodes, bootEntries: BootEntry[]): MediumParts => ({
  nodes,
  ramdisk: ramdiskNodes(),
  bootEntries,
  options: {},
  pack: gzip,
  damage: () => {},
  after: () => {},
});

export function grubParts(): MediumParts {
  const stage = numbered(6000);
  new DataView(stage.buffer).setUint32(8, 0xdeadbeef, true);
  return parts(
    new Map([
      [UNIX, binary(kernelBytes())],
      ["/boot/grub/stage2_eltorito", binary(stage)],
      ["/boot/grub/menu.lst", text(`default 0\ntitle illumos\nkernel ${UNIX} -v\nmodule ${ARCHIVE}\n`)],
    ]),
    [{ path: "/boot/grub/stage2_eltorito", platform: "bios", loadSectors: 4, bootInfoTable: true }],
  );
}

export async function loaderParts(): Promise<MediumParts> {
  const efi = binary(numbered(9000));
  const esp = await fatBytes(treeOf([["/EFI/BOOT/BOOTX64.EFI", efi]], folder));
  const conf = [
    'boot_archive_load="YES"',
    'boot_archive_type="rootfs"',
    `boot_archive_name="${ARCHIVE}"`,
    'boot_archive.hash_load="YES"',
    'boot_archive.hash_type="hash"',
    `boot_archive.hash_name="${ARCHIVE}.hash"`,
    "",
  ].join("\n");
  const made = parts(
    new Map([
      [UNIX, binary(kernelBytes())],
      ["/boot/cdboot", binary(numbered(1249))],
      ["/boot/loader", binary(numbered(60_000))],
      ["/boot/loader64.efi", efi],
      ["/boot/loader.rc", text("include /boot/forth/loader.4th\nstart\n")],
      ["/boot/defaults/loader.conf", text('kernel="i86pc/kernel/${ISADIR}" # the directory\nbootfile="unix"\n')],
      ["/boot/conf.d/livemedia", text(conf)],
      ["/boot/efiboot.img", binary(esp)],
    ]),
    [
      { path: "/boot/cdboot", platform: "bios", loadSectors: 4 },
      { path: "/boot/efiboot.img", platform: "efi" },
    ],
  );
  // A disk too: one partition, the EFI system partition.
  made.after = (iso, lbaOf) => {
    const sector = iso.subarray(0, 512);
    writePartitionTable(
      [{ type: 0xef, startLba: lbaOf("/boot/efiboot.img") * 4, sectors: esp.length / 512, active: false }],
      sector,
    );
  };
  return made;
}

const treeOfNodes = (nodes: Nodes): Directory => treeOf([...nodes], folder);

export async function mediumOf({
  nodes,
  ramdisk,
  bootEntries,
  options,
  ramdiskBytes = 2 << 20,
  pack,
  damage,
  after,
}: MediumParts): Promise<Content> {
  const all = new Map(nodes);
  const bytes = await ufsBytes(treeOfNodes(ramdisk), TIME, ramdiskBytes);
  damage(bytes);
  if (!all.has(ARCHIVE)) all.set(ARCHIVE, file(base, memoryContent(pack(bytes))));
  if (!all.has(`${ARCHIVE}.hash`)) all.set(`${ARCHIVE}.hash`, file(base, textContent(`${sha1(bytes)}\n`)));
  const plan = planIso(treeOfNodes(all), {
    timeSeconds: TIME,
    bootEntries,
    ...(bootEntries.length > 0 && { bootCatalogPath: "/.catalog" }),
    ...options,
  });
  const iso = await layoutBytes(plan.layout);
  after(iso, (path) => plan.extentOf(path).lba);
  return memoryContent(iso);
}
