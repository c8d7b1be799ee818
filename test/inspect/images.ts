// Small images of every kind for the tests of src/inspect: made by this project's writers, compressed by node:zlib.

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Content, memoryContent, readAll, textContent } from "../../src/bytes/index.ts";
import { writePartitionTable } from "../../src/disk/index.ts";
import { planFat } from "../../src/fat/index.ts";
import type { InspectHost } from "../../src/inspect/index.ts";
import { planIso } from "../../src/iso9660-writer-ts/index.ts";
import { layoutBytes } from "../../src/layout/index.ts";
import { planTar } from "../../src/source/index.ts";
import {
  type Attributes,
  type Directory,
  device,
  file,
  type Node,
  special,
  symlink,
  treeOf,
} from "../../src/tree/index.ts";
import { planUfs } from "../../src/ufs/index.ts";

/** Midnight of 2020-01-01. */
export const TIME = 1_577_836_800;
export const base: Attributes = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: TIME };
const folder: Attributes = { ...base, mode: 0o755 };

export const host: InspectHost = {
  createHasher(algorithm) {
    const hash = createHash(algorithm);
    return { update: (bytes) => void hash.update(bytes), digestHex: () => hash.digest("hex") };
  },
};

export const text = (content: string, attributes: Partial<Attributes> = {}): Node =>
  file({ ...base, ...attributes }, textContent(content));

/** Bytes that do not compress away, and tell their place. */
export function numbered(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) bytes[i] = (i * 7 + (i >> 8) * 13 + (i >> 16) * 29) & 0xff;
  return bytes;
}

const shared = text("one inode, two names\n", { mode: 0o755 });

/** One of everything. */
export function sampleNodes(): [string, Node][] {
  return [
    ["/etc/motd", text("Welcome\n")],
    ["/etc/passwd", text("root:x:0:0:Super-User:/root:/bin/sh\nadm:x:4:4::/var/adm:\n")],
    ["/etc/group", text("root::0:\nsys::3:root\nadm::4:\n")],
    ["/etc/adm-owned", text("x", { uid: 4, gid: 3, mode: 0o640 })],
    ["/usr/bin/su", text("set-user-id\n", { mode: 0o4755 })],
    ["/usr/bin/one", shared],
    ["/usr/bin/two", shared],
    ["/usr/lib/big", file(base, memoryContent(numbered(300_000)))],
    ["/usr/lib/empty", text("")],
    ["/bin", symlink({ ...base, mode: 0o777 }, "usr/bin")],
    ["/dangling", symlink({ ...base, mode: 0o777 }, "no/where")],
    ["/dev/null", device({ ...base, mode: 0o666, gid: 3 }, "character", 13, 2)],
    ["/dev/fifo", special({ ...base, mode: 0o600 }, "fifo")],
    ["/tmp/sub/deep", text("deep\n")],
  ];
}

export const sampleTree = (): Directory => treeOf(sampleNodes(), folder);

export async function ufsBytes(
  tree: Directory,
  timeSeconds = TIME,
  imageBytes = 8 << 20,
): Promise<Uint8Array<ArrayBuffer>> {
  const plan = planUfs(tree, { geometry: { newfs: { imageBytes, opt: "space", minfree: 0 } }, timeSeconds });
  return layoutBytes(plan.layout);
}

export const gzip = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(gzipSync(bytes));

export const sha1 = (bytes: Uint8Array): string => createHash("sha1").update(bytes).digest("hex");

export interface SampleIso {
  readonly iso: Content;
  readonly ramdisk: Uint8Array<ArrayBuffer>;
}

/** An ISO with a gzip'd UFS as its boot archive, a menu that names it, and an EFI image. */
export async function sampleIso(ramdiskTree: Directory = sampleTree(), timeSeconds = TIME): Promise<SampleIso> {
  const ramdisk = await ufsBytes(ramdiskTree, timeSeconds);
  const stamped = { ...base, mtimeSeconds: timeSeconds };
  const esp = await fatBytes(
    treeOf([["/EFI/BOOT/BOOTX64.EFI", file(stamped, memoryContent(numbered(5000)))]], stamped),
  );
  const menu = "default 0\ntitle x\nkernel /platform/i86pc/kernel/amd64/unix\nmodule /platform/i86pc/boot_archive\n";
  const tree = treeOf(
    [
      ["/boot/grub/menu.lst", file(stamped, textContent(menu))],
      ["/boot/grub/stage2_eltorito", file(stamped, memoryContent(numbered(6000)))],
      ["/boot/efiboot.img", file(stamped, memoryContent(esp))],
      ["/platform/i86pc/kernel/amd64/unix", file(stamped, memoryContent(numbered(40_000)))],
      ["/platform/i86pc/boot_archive", file(stamped, memoryContent(gzip(ramdisk)))],
      ["/platform/i86pc/boot_archive.hash", file(stamped, textContent(`${sha1(ramdisk)}\n`))],
      ["/link", symlink({ ...stamped, mode: 0o777 }, "platform/i86pc")],
    ],
    { ...stamped, mode: 0o755 },
  );
  const plan = planIso(tree, {
    timeSeconds,
    volumeId: "sample",
    bootCatalogPath: "/.catalog",
    bootEntries: [
      { path: "/boot/grub/stage2_eltorito", platform: "bios", loadSectors: 4, bootInfoTable: true },
      { path: "/boot/efiboot.img", platform: "efi" },
    ],
  });
  return { iso: memoryContent(await layoutBytes(plan.layout)), ramdisk };
}

export async function fatBytes(tree: Directory): Promise<Uint8Array<ArrayBuffer>> {
  return layoutBytes(planFat(tree, { label: "SAMPLE" }).layout);
}

export async function tarBytes(tree: Directory): Promise<Uint8Array<ArrayBuffer>> {
  return layoutBytes(planTar(tree));
}

/** A disk with one MBR partition at 1 MiB. */
export function mbrDisk(partition: Uint8Array, type = 0x0c): Uint8Array<ArrayBuffer> {
  const start = 1 << 20;
  const disk = new Uint8Array(start + Math.ceil(partition.length / 512) * 512);
  disk.set(partition, start);
  const sectors = (disk.length - start) / 512;
  writePartitionTable([{ type, startLba: start / 512, sectors, active: false }], disk.subarray(0, 512));
  return disk;
}

export const latin1 = async (content: Content): Promise<string> =>
  Buffer.from(await readAll(content)).toString("latin1");
