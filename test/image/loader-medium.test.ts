// A medium for illumos' loader: what is on it, and each thing that the loader would stumble over, refused with its remedy.

import { describe, expect, test } from "vitest";
import {
  type Content,
  encodedContent,
  memoryContent,
  readBytes,
  readText,
  textContent,
} from "../../src/bytes/index.ts";
import {
  DEFAULT_OPTIONS,
  directoryLayer,
  type ImageOptions,
  planImage,
  type Staged,
  stage,
} from "../../src/image/index.ts";
import { planIso } from "../../src/iso9660-writer-ts/index.ts";
import { draft, file, findFile, pathsOf, symlink, treeOf } from "../../src/tree/index.ts";

const user = { mode: 0o644, uid: 1000, gid: 1000, mtimeSeconds: 500 };
const put = (content: Content) => file(user, content);
const blank = (sizeBytes: number): Content => encodedContent(sizeBytes, () => {});

/** 512 bytes that end as a boot sector, with the version that installboot looks for. */
function pmbr(): Content {
  const bytes = new Uint8Array(512);
  bytes.set([1, 1], 0xfa);
  bytes.set([0x55, 0xaa], 510);
  return memoryContent(bytes);
}

/** Sectors with a multiboot header in the first one. */
function isoboot(sectors = 28): Content {
  const bytes = new Uint8Array(sectors * 512);
  const view = new DataView(bytes.buffer);
  view.setUint32(64, 0x1badb002, true);
  view.setUint32(68, 0x00010000, true);
  view.setUint32(72, -(0x1badb002 + 0x00010000) >>> 0, true);
  return memoryContent(bytes);
}

const proto = treeOf(
  [
    ["/boot/cdboot", put(blank(1249))],
    ["/boot/loader", put(blank(389_120))],
    ["/boot/loader.rc", put(textContent("include\n"))],
    ["/boot/loader64.efi", put(blank(513_536))],
    ["/boot/loader32.efi", put(blank(400_000))],
    ["/boot/pmbr", put(pmbr())],
    ["/boot/isoboot", put(isoboot())],
    ["/boot/defaults/loader.conf", put(textContent('kernel="i86pc/kernel/${ISADIR}"\n'))],
    ["/boot/conf.d/10-site", put(textContent('a="b"\n'))],
    ["/boot/forth/menu.rc", put(textContent("\n"))],
    ["/platform/i86pc/kernel/amd64/unix", put(blank(40_000))],
    ["/platform/i86pc/ucode/x", put(blank(10))],
    ["/etc/inittab", put(textContent("smf::sysinit:startd\n"))],
  ],
  { ...user, mode: 0o755 },
);

function staged(
  change: (edit: ReturnType<typeof draft>) => void = () => {},
  options: Partial<ImageOptions> = {},
): Promise<Staged> {
  const edit = draft(proto);
  change(edit);
  return stage([directoryLayer(edit.tree())], { ...DEFAULT_OPTIONS, ...options });
}

describe("the loader's medium", () => {
  test("holds the boot tree, the kernel and nothing else of platform", async () => {
    const { medium, ramdisk } = await staged();
    expect(medium.loader).toBe("illumos");
    expect(pathsOf(medium.tree).filter((path) => path.startsWith("/platform"))).toEqual([
      "/platform",
      "/platform/i86pc",
      "/platform/i86pc/kernel",
      "/platform/i86pc/kernel/amd64",
      "/platform/i86pc/kernel/amd64/unix",
    ]);
    const fragment = findFile(medium.tree, "/boot/conf.d/livemedia");
    expect(fragment && (await readText(fragment.content))).toContain(
      'boot_archive_name="/platform/i86pc/boot_archive"',
    );
    expect(medium.bootEntries.map(({ path, platform }) => `${platform} ${path}`)).toEqual([
      "bios /boot/cdboot",
      "efi /boot/efiboot.img",
    ]);
    for (const path of ["/boot/efiboot.img", "/boot/cdboot", "/boot/isoboot"])
      expect(pathsOf(ramdisk)).not.toContain(path);
    expect(pathsOf(ramdisk)).toContain("/boot/loader");
  });

  test("says that it replaces a livemedia fragment of the proto area's own", async () => {
    const own = await staged((edit) => edit.put("/boot/conf.d/livemedia", put(blank(10)), user));
    expect(own.findings.filter(({ path }) => path === "/boot/conf.d/livemedia")).toMatchObject([
      { severity: "note", code: "replaced" },
    ]);
    expect((await staged()).findings.map(({ code }) => code)).not.toContain("replaced");
  });

  test("finds its partition table when things have their places: the ESP where El Torito says", async () => {
    const { medium } = await staged();
    const finish = medium.finish;
    if (!finish) throw new Error("not hybrid");
    const edit = draft(medium.tree);
    edit.put(medium.archivePath, put(blank(1)), user);
    const plan = planIso(edit.tree(), {
      timeSeconds: 0,
      lastPath: medium.archivePath,
      bootEntries: medium.bootEntries,
    });
    const { systemArea } = await finish(plan, "0123456789abcdef0123456789abcdef01234567");
    const table = await readBytes(systemArea, 446, 66);
    const view = new DataView(table.buffer);
    expect([table[4], view.getUint32(8, true), view.getUint32(12, true)]).toEqual([0xbe, 3, 60]);
    expect([table[20], view.getUint32(24, true)]).toEqual([0xef, plan.extentOf("/boot/efiboot.img").lba * 4]);
    expect(view.getUint32(28, true) * 512).toBe(plan.extentOf("/boot/efiboot.img").sizeBytes);
    expect([...(await readBytes(systemArea, 0x106, 8))]).toEqual([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x8d, 0xef]);
  });

  test("all of cdboot is loaded, in whole blocks", async () => {
    const sectors = async (sizeBytes: number): Promise<number | undefined> =>
      (await staged((edit) => edit.put("/boot/cdboot", put(blank(sizeBytes))))).medium.bootEntries[0]?.loadSectors;
    expect([await sectors(1249), await sectors(2048), await sectors(2049)]).toEqual([4, 4, 8]);
  });

  test("an EFI system partition that is too small is told with the option", async () => {
    await expect(staged(undefined, { espBytes: 65_536 })).rejects.toThrow(/--esp-size.*\d+ bytes would do/);
  });

  test("is BIOS only without EFI loaders, and a CD only without isoboot", async () => {
    const cdOnly = await staged((edit) => edit.remove("/boot/isoboot"));
    expect(cdOnly.medium.finish).toBeUndefined();
    const biosOnly = await staged((edit) => {
      edit.remove("/boot/loader64.efi");
      edit.remove("/boot/loader32.efi");
    });
    expect(biosOnly.medium.bootEntries).toHaveLength(1);
    await expect(staged((edit) => edit.remove("/boot/pmbr"), { hybrid: "yes" })).rejects.toMatchObject({
      code: "requirement",
      message: expect.stringContaining("/boot/pmbr"),
    });
  });

  const stumbles: readonly (readonly [string, (edit: ReturnType<typeof draft>) => void, RegExp])[] = [
    ["no loader", (edit) => edit.remove("/boot/loader"), /\/boot\/loader: is missing/],
    ["a loader of 256 sectors", (edit) => edit.put("/boot/loader", put(blank(522_241))), /at most 522240/],
    ["no defaults", (edit) => edit.remove("/boot/defaults/loader.conf"), /loader\.conf: is missing/],
    ["no loader.rc", (edit) => edit.remove("/boot/loader.rc"), /loader\.rc: is missing/],
    ["a small kernel", (edit) => edit.put("/platform/i86pc/kernel/amd64/unix", put(blank(32_767))), /below 32768/],
    ["no kernel", (edit) => edit.remove("/platform/i86pc/kernel/amd64/unix"), /nothing to boot/],
    [
      "a fragment with CR LF",
      (edit) => edit.put("/boot/conf.d/x", put(textContent('a="b"\r\n'))),
      /conf\.d\/x: line 1: .*CR LF/,
    ],
    ["a fragment that is a link", (edit) => edit.put("/boot/conf.d/x", symlink(user, "10-site")), /symbolic link/],
    ["an isoboot that is none", (edit) => edit.put("/boot/isoboot", put(blank(1024))), /no multiboot header/],
    ["an isoboot of 60 sectors", (edit) => edit.put("/boot/isoboot", put(isoboot(60))), /60 sectors/],
    ["an empty loader", (edit) => edit.put("/boot/loader", put(blank(0))), /\/boot\/loader: is empty/],
    ["an empty cdboot", (edit) => edit.put("/boot/cdboot", put(blank(0))), /\/boot\/cdboot: the boot image is empty/],
    ["an empty EFI loader", (edit) => edit.put("/boot/loader32.efi", put(blank(0))), /loader32\.efi: is empty/],
    [
      "EFI loaders of 32 MiB",
      (edit) => edit.put("/boot/loader64.efi", put(blank(32 * 2 ** 20))),
      /EFI system partition: \d+ bytes; El Torito counts up to 33553920; leave a loader out/,
    ],
    [
      "a loader.rc that is a link",
      (edit) => edit.put("/boot/loader.rc", symlink(user, "loader")),
      /loader\.rc: is a symbolic link/,
    ],
    [
      "a kernel that is a link to what is not on the medium",
      (edit) => edit.put("/platform/i86pc/kernel/amd64/unix", symlink(user, "../unix")),
      /unix: is a symbolic link/,
    ],
    [
      "a later fragment that names another archive",
      (edit) => edit.put("/boot/conf.d/zz", put(textContent('boot_archive_name="/platform/i86pc/boot_archive.gz"\n'))),
      /conf\.d\/zz: .*boot_archive\.gz as rootfs/,
    ],
    [
      "a later fragment that loads no hash",
      (edit) => edit.put("/boot/conf.d/zz", put(textContent('boot_archive.hash_load="NO"\n'))),
      /conf\.d\/zz: .*nothing as hash/,
    ],
  ];
  for (const [title, change, message] of stumbles) {
    test(`${title}: refused`, async () => {
      await expect(finished(change)).rejects.toThrow(message);
    });
  }

  /** As far as a build goes before it writes: partition table included. */
  async function finished(change: (edit: ReturnType<typeof draft>) => void): Promise<void> {
    const { medium } = await staged(change);
    const edit = draft(medium.tree);
    edit.put(medium.archivePath, put(blank(1)), user);
    const { archivePath: lastPath, bootEntries } = medium;
    await medium.finish?.(planIso(edit.tree(), { timeSeconds: 0, lastPath, bootEntries }), "0".repeat(40));
  }

  test("options of the other loader, and what cannot be said to the loader, are refused", async () => {
    await expect(staged(undefined, { usbGrub: true })).rejects.toMatchObject({ code: "conflict" });
    await expect(staged(undefined, { bootArgs: '-B a="b"' })).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(staged(undefined, { espBytes: 40 * 2 ** 20 })).rejects.toMatchObject({ code: "limit" });
  });
});

test("GRUB is taken when a stage is given, and said why", async () => {
  const bytes = new Uint8Array(4096);
  new DataView(bytes.buffer).setUint32(8, 0xdeadbeef, true);
  const { medium } = await staged(undefined, { stage2: { path: "my/stage", content: memoryContent(bytes) } });
  expect(medium.loader).toBe("grub");
  expect(medium.reason).toContain("my/stage");
});

test("a ramdisk that is planned without being written says what it will be", async () => {
  const { ramdisk } = await planImage([directoryLayer(proto)], { ...DEFAULT_OPTIONS });
  expect(ramdisk.figures.freeBytes).toBeGreaterThanOrEqual(16 * 2 ** 20);
});
