// Every rule: kept by a good medium of each era, and broken by just the damage that it is about.

import { describe, expect, test } from "vitest";
import { memoryContent, textContent } from "../../src/bytes/index.ts";
import { writePartitionTable } from "../../src/disk/index.ts";
import { RULES, ruleOf, type Verdict, verifyImage } from "../../src/inspect/index.ts";
import { LEVEL_2, planIso } from "../../src/iso9660-writer-ts/index.ts";
import { layoutContent } from "../../src/layout/index.ts";
import { directory, file, symlink, treeOf } from "../../src/tree/index.ts";
import { base, fatBytes, gzip, host, mbrDisk, numbered, sampleTree, tarBytes, text, ufsBytes } from "./images.ts";
import { ARCHIVE, binary, grubParts, kernelBytes, loaderParts, type MediumParts, mediumOf, UNIX } from "./media.ts";

const broken = ({ findings }: Verdict): string[] => [
  ...new Set(findings.filter(({ severity }) => severity !== "note").map(({ rule, severity }) => `${severity} ${rule}`)),
];

const verified = async (made: MediumParts): Promise<Verdict> => verifyImage(await mediumOf(made), host);

describe("a good medium", () => {
  test("of the GRUB era", async () => {
    const verdict = await verified(grubParts());
    expect(broken(verdict)).toEqual([]);
    expect(verdict).toMatchObject({ kind: "iso", boots: true, errors: 0, warnings: 0 });
    expect(verdict.checked.join("\n")).toMatch(/UFS, \d+ files, fsck.*\n.*the system in it/);
  });
  test("of the loader's era", async () => {
    const verdict = await verified(await loaderParts());
    expect(broken(verdict)).toEqual([]);
    expect(verdict.boots).toBe(true);
    expect(verdict.checked.join("\n")).toMatch(/SHA-1 as in its \.hash/);
  });
});

type Damage = (made: MediumParts) => void;
type Case = [rule: string, title: string, damage: Damage];

const set =
  (changes: Partial<MediumParts>): Damage =>
  (made) =>
    void Object.assign(made, changes);
/** After whatever else is done to the ISO's bytes. */
const afterwards =
  (change: MediumParts["after"]): Damage =>
  (made) => {
    const { after } = made;
    made.after = (iso, lbaOf) => {
      after(iso, lbaOf);
      change(iso, lbaOf);
    };
  };
const flip = (bytes: Uint8Array, at: number): void => {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
};

const remove =
  (path: string): Damage =>
  ({ nodes }) =>
    void nodes.delete(path);
const put =
  (path: string, content: string): Damage =>
  ({ nodes }) =>
    void nodes.set(path, text(content));
const inRamdisk =
  (path: string, content: string | undefined, mode = 0o644): Damage =>
  ({ ramdisk }) => {
    if (content === undefined) ramdisk.delete(path);
    else ramdisk.set(path, text(content, { mode }));
  };
const conf = (line: string): string => `boot_archive_load="YES"\nboot_archive_type="rootfs"\n${line}\n`;

const BOTH: Case[] = [
  ["error boot-entry", "no boot catalog", set({ bootEntries: [] })],
  ["error kernel-on-medium", "no kernel on the medium", remove(UNIX)],
  ["error kernel-header", "a kernel without header", ({ nodes }) => void nodes.set(UNIX, binary(numbered(50_000)))],
  [
    "warning kernel-differs",
    "another kernel on the medium",
    ({ nodes }) => {
      const other = kernelBytes();
      other[39_000] = (other[39_000] ?? 0) ^ 1;
      nodes.set(UNIX, binary(other));
    },
  ],
  ["error archive-hash", "a hash of something else", put(`${ARCHIVE}.hash`, `${"0".repeat(40)}\n`)],
  ["error archive-hash", "a hash that is none", put(`${ARCHIVE}.hash`, "SHA1 (x) = …\n")],
  ["error gzip", "two members", set({ pack: (bytes) => Buffer.concat([gzip(bytes), gzip(bytes)]) })],
  ["error gzip", "trailing zeros", set({ pack: (bytes) => Buffer.concat([gzip(bytes), Buffer.alloc(4)]) })],
  [
    "error gzip",
    "a wrong checksum",
    set({
      pack: (bytes) => {
        const packed = gzip(bytes);
        flip(packed, packed.length - 8);
        return packed;
      },
    }),
  ],
  [
    "error gzip",
    "an archive that broke off",
    set({ pack: (bytes) => gzip(bytes).subarray(0, gzip(bytes).length / 2) }),
  ],
  ["warning archive-content", "no file system in it", set({ pack: () => gzip(numbered(100_000)) })],
  ["error ufs", "a directory entry that leads nowhere", set({ damage: breakRootEntry })],
  [
    "warning ufs-clean",
    "not unmounted",
    set({ damage: (bytes) => void bytes.fill(0, 8192 + 209, 8192 + 210) }), // fs_clean
  ],
  ["error boot-holes", "a hole in a kernel module", (made) => makeHole(made)],
  ["error missing-file", "no genunix", inRamdisk("/kernel/amd64/genunix", undefined)],
  ["error missing-file", "no kernel in the ramdisk", inRamdisk(UNIX, undefined)],
  ["warning missing-file", "nothing to start programs with", inRamdisk("/kernel/exec/amd64/elfexec", undefined)],
  ["warning missing-file", "no ufs module", inRamdisk("/kernel/fs/amd64/ufs", undefined)],
  ["warning missing-major", "no number for ramdisk", inRamdisk("/etc/name_to_major", "rootnex 1\npseudo 2\n")],
  ["warning blank-kernel-state", "aliases as in a proto area", inRamdisk("/etc/driver_aliases", "")],
  ["warning missing-console", "no console", inRamdisk("/dev/console", undefined)],
  ["warning console-links", "no syscon", inRamdisk("/dev/syscon", undefined)],
  [
    "warning console-links",
    "a console that leads elsewhere",
    ({ ramdisk }) => void ramdisk.set("/dev/console", symlink(base, "../devices/pci@0,0:a")),
  ],
  ["error mount-point", "no /devices", inRamdisk("/devices", undefined)],
  ["warning mount-point", "no /proc", inRamdisk("/proc", undefined)],
  ["warning mount-point", "no mnttab", inRamdisk("/etc/mnttab", undefined)],
  ["error inittab-smf", "no smf entry", inRamdisk("/etc/inittab", "ap::sysinit:/sbin/autopush\n")],
  ["error init-command", "a command that is not there", inRamdisk("/etc/inittab", "smf::sysinit:/lib/svc/bin/none\n")],
  ["error init-command", "a command that may not run", inRamdisk("/etc/start", "#!", 0o644)],
  [
    "error smf-libraries",
    "svc.startd without its libraries",
    ({ ramdisk }) => {
      ramdisk.set("/etc/inittab", text("smf::sysinit:/lib/svc/bin/svc.startd >/dev/msglog\n"));
      ramdisk.set("/lib/svc/bin/svc.startd", text("startd", { mode: 0o555 }));
    },
  ],
  [
    "error boot-link",
    "a long link on the way",
    ({ ramdisk }) => void ramdisk.set("/kernel/x", symlink(base, "y".repeat(600))),
  ],
  ["error truncated", "an image that broke off", () => {}],
  [
    "error el-torito",
    "a catalog whose checksum is wrong",
    afterwards((iso, lbaOf) => flip(iso, lbaOf("/.catalog") * 2048 + 28)),
  ],
  [
    "error iso-structure",
    "a path table that says something else",
    afterwards((iso) => flip(iso, new DataView(iso.buffer).getUint32(16 * 2048 + 140, true) * 2048 + 2)),
  ],
];

/** A file of the kernel whose only frag is taken away. */
function makeHole(made: MediumParts): void {
  const sizeBytes = 777;
  made.ramdisk.set("/kernel/misc/x", text("x".repeat(sizeBytes)));
  made.damage = (bytes) => {
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += 128) {
      if (view.getUint16(at, true) !== 0o100644 || view.getUint32(at + 8, true) !== sizeBytes) continue;
      view.setInt32(at + 40, 0, true);
      view.setInt32(at + 104, 0, true);
    }
  };
}

/** The first entry of the root directory behind ".." gets an inode that is free. */
function breakRootEntry(bytes: Uint8Array<ArrayBuffer>): void {
  const view = new DataView(bytes.buffer);
  const fragBytes = view.getInt32(8192 + 52, true);
  const inodes = view.getInt32(8192 + 16, true) * fragBytes;
  const root = view.getInt32(inodes + 2 * 128 + 40, true) * fragBytes;
  view.setUint32(root + 24, view.getInt32(8192 + 184, true) - 1, true);
}

const GRUB: Case[] = [
  ["error grub-menu", "no menu", remove("/boot/grub/menu.lst")],
  [
    "error grub-menu",
    "a default that is not there",
    put("/boot/grub/menu.lst", `default 3\ntitle x\nkernel ${UNIX}\n`),
  ],
  [
    "error grub-menu",
    "a module that is not there",
    put("/boot/grub/menu.lst", `title x\nkernel ${UNIX}\nmodule /none\n`),
  ],
  ["error boot-archive", "no module", put("/boot/grub/menu.lst", `title x\nkernel ${UNIX}\n`)],
  [
    "error kernel-on-medium",
    "a kernel that is not there",
    put("/boot/grub/menu.lst", `title x\nkernel /none\nmodule ${ARCHIVE}\n`),
  ],
  [
    "error grub-stage2",
    "no boot information table",
    set({ bootEntries: [{ path: "/boot/grub/stage2_eltorito", platform: "bios", loadSectors: 4 }] }),
  ],
  [
    "error boot-info-table",
    "a stage that was changed afterwards",
    afterwards((iso, lbaOf) => flip(iso, lbaOf("/boot/grub/stage2_eltorito") * 2048 + 3000)),
  ],
  ["warning rock-ridge", "no ER", afterwards((iso) => wipe(iso, "ER"))],
];

/** Makes the first System Use entry of a kind one that nobody knows. */
function wipe(iso: Uint8Array, signature: string): void {
  const at = Buffer.from(iso.buffer).indexOf(`${signature}\xed\x01`, 0, "latin1");
  expect(at).toBeGreaterThan(0);
  iso.set([0x5a, 0x5a], at);
}

/** With a CE, and the name before it. */
const LONG_NAME = "a".repeat(145);

const LOADER: Case[] = [
  ["error loader-missing", "no loader", remove("/boot/loader")],
  [
    "error loader-too-big",
    "a loader of 256 sectors",
    ({ nodes }) => void nodes.set("/boot/loader", binary(numbered(524_288))),
  ],
  ["error loader-defaults-missing", "no defaults", remove("/boot/defaults/loader.conf")],
  ["error loader-rc-missing", "no loader.rc", remove("/boot/loader.rc")],
  ["error loader-conf-syntax", "CR LF", put("/boot/conf.d/aaa", 'x="y"\r\n')],
  [
    "error loader-symlink",
    "a link as fragment",
    ({ nodes }) => void nodes.set("/boot/conf.d/l", symlink(base, "livemedia")),
  ],
  [
    "error kernel-too-small",
    "a kernel of 20 KiB",
    ({ nodes }) => void nodes.set(UNIX, binary(kernelBytes().subarray(0, 20_000))),
  ],
  ["error boot-archive", "nothing to load", put("/boot/conf.d/livemedia", 'console="text"\n')],
  [
    "error boot-archive",
    "an archive that is not there",
    put("/boot/conf.d/livemedia", conf('boot_archive_name="/none"')),
  ],
  [
    "error archive-name",
    "a name that ends in .gz",
    ({ nodes }) => {
      nodes.set("/boot/conf.d/livemedia", text(conf('boot_archive_name="/x.gz"')));
      nodes.set("/x.gz", binary(gzip(numbered(100))));
    },
  ],
  [
    "error archive-name",
    "a link as archive",
    ({ nodes }) => {
      nodes.set("/boot/conf.d/livemedia", text(conf('boot_archive_name="/x"')));
      nodes.set("/x", symlink(base, ARCHIVE.slice(1)));
    },
  ],
  [
    "error esp-loader",
    "an EFI image that is no FAT",
    ({ nodes }) => void nodes.set("/boot/efiboot.img", binary(numbered(100_000))),
  ],
  [
    "warning esp-loader",
    "another EFI loader in it",
    ({ nodes }) => void nodes.set("/boot/loader64.efi", binary(numbered(9001))),
  ],
  [
    "error fat",
    "a damaged EFI image",
    afterwards((iso, lbaOf) => {
      const fat = lbaOf("/boot/efiboot.img") * 2048 + 512;
      iso.fill(0x11, fat + 3, fat + 40);
    }),
  ],
  ["error hybrid-esp", "a partition somewhere else", afterwards((iso) => flip(iso, 446 + 9))],
  [
    "error partition-table",
    "a partition beyond the end",
    afterwards((iso) => new DataView(iso.buffer).setUint32(446 + 12, 0x7fffffff, true)),
  ],
  [
    "error boot-blocks",
    "a boot partition without boot blocks",
    afterwards((iso) =>
      writePartitionTable([{ type: 0xbe, startLba: 3, sectors: 60, active: false }], iso.subarray(0, 512)),
    ),
  ],
  [
    "error isoboot-order",
    "a record before the loader's",
    afterwards((iso) => {
      // "defaults" comes before "loader"; named "loaderxx" it stands where an unsorted loader64.efi would
      const names = Buffer.from(iso.buffer);
      for (let at = names.indexOf("defaults"); at !== -1; at = names.indexOf("defaults", at + 1)) {
        iso.set(Buffer.from("loaderxx"), at);
      }
    }),
  ],
  [
    "error rock-ridge",
    "plain names of another case, and no ER",
    (made) => {
      made.options = { names: LEVEL_2 };
      afterwards((iso) => wipe(iso, "ER"))(made);
    },
  ],
  [
    "error rock-ridge",
    "a name behind a CE",
    (made) => {
      made.nodes.set(`/boot/conf.d/${LONG_NAME}`, text('x="y"\n'));
      afterwards((iso) => swapNameAndContinuation(iso))(made);
    },
  ],
  ["warning case-clash", "LOADER.RC beside loader.rc", put("/boot/LOADER.RC", "another\n")],
  ["error loader-file-sections", "a kernel in two pieces", afterwards((iso) => splitRecord(iso, "\x04unix"))],
];

/** Puts the CE of the record of LONG_NAME before its NM. */
function swapNameAndContinuation(iso: Uint8Array<ArrayBuffer>): void {
  const bytes = Buffer.from(iso.buffer);
  const name = bytes.indexOf(`NM${String.fromCharCode(LONG_NAME.length + 5)}\x01\0${LONG_NAME}`, 0, "latin1");
  const nameBytes = LONG_NAME.length + 5;
  const continuation = bytes.indexOf("CE\x1c\x01", name, "latin1");
  expect(name).toBeGreaterThan(0);
  const between = iso.slice(name, continuation + 28);
  iso.set(between.subarray(-28), name);
  iso.set(between.subarray(0, -28), name + 28);
  expect(continuation).toBeLessThan(name + nameBytes + 100);
}

/** Makes a file of 20 blocks two sections of 8 blocks, with a gap between them. */
function splitRecord(iso: Uint8Array<ArrayBuffer>, identifier: string): void {
  const at = Buffer.from(iso.buffer).indexOf(identifier, 0, "latin1") - 32;
  const length = iso[at] ?? 0;
  const view = new DataView(iso.buffer);
  const put = (record: number, lba: number): void => {
    for (const [field, value] of [
      [2, lba],
      [10, 8 * 2048],
    ] as const) {
      view.setUint32(record + field, value, true);
      view.setUint32(record + field + 4, value, false);
    }
  };
  const lba = view.getUint32(at + 2, true);
  iso.copyWithin(at + length, at, at + length);
  put(at, lba);
  put(at + length, lba + 10);
  iso[at + 25] = 0x80;
}

describe.each([
  ["GRUB", async () => grubParts(), [...BOTH, ...GRUB]],
  ["loader", loaderParts, LOADER],
] as const)("%s: what breaks a rule", (_, parts, cases) => {
  test.each(cases)("%s: %s", async (expected, _title, damage) => {
    const made = await parts();
    damage(made);
    let content = await mediumOf(made);
    if (expected === "error truncated") content = { ...content, sizeBytes: content.sizeBytes - 40_960 };
    const verdict = await verifyImage(content, host);
    expect(broken(verdict)).toContain(expected);
    if (expected.startsWith("error")) expect(verdict.boots).not.toBe(true);
    for (const { rule, why, mend, found } of verdict.findings) {
      expect(ruleOf(rule)).toBeDefined();
      expect([why, mend, found].every((words) => words.length > 0)).toBe(true);
    }
  });
});

test("every rule has been broken here, or in the tests of what has no tree", () => {
  const elsewhere = ["archive-size", "ufs-boot", "archive-format"];
  const notes = ["archive-hash-missing", "memory", "path-to-inst"];
  const seen = new Set([...BOTH, ...GRUB, ...LOADER].map(([rule]) => rule.split(" ")[1]));
  const missing = RULES.map(({ id }) => id).filter((id) => !seen.has(id));
  expect(missing.sort()).toEqual([...elsewhere, ...notes].sort());
});

describe("other images", () => {
  test("a file system alone, a FAT, a disk, a tar", async () => {
    const ufs = await ufsBytes(sampleTree());
    expect(await verifyImage(memoryContent(ufs), host)).toMatchObject({ kind: "ufs", errors: 0, boots: undefined });
    const fat = await fatBytes(directory(base));
    expect(await verifyImage(memoryContent(fat), host)).toMatchObject({ kind: "fat", errors: 0, boots: undefined });
    const disk = memoryContent(mbrDisk(ufs, 0xbf));
    const onDisk = await verifyImage(disk, host);
    expect(onDisk).toMatchObject({ kind: "disk", errors: 0 });
    expect(onDisk.checked).toContainEqual(expect.stringMatching(/^partition 1: UFS/));
    const tar = await tarBytes(sampleTree());
    expect(await verifyImage(memoryContent(tar), host)).toMatchObject({ kind: "archive", errors: 0 });
    tar.fill(0xff, 1024, 1500);
    expect(broken(await verifyImage(memoryContent(tar), host))).toEqual(["error archive-format"]);
    await expect(verifyImage(textContent("words"), host)).rejects.toMatchObject({ code: "wrong-type" });
  });

  test("a file system that ends before its end", async () => {
    const ufs = await ufsBytes(sampleTree());
    const cut = memoryContent(ufs.subarray(0, ufs.length - 1_000_000));
    expect(broken(await verifyImage(cut, host))).toContain("error ufs-boot");
  });

  test("a ramdisk of 4 GiB", async () => {
    const huge = { sizeBytes: 2 ** 32, read: async (target: Uint8Array) => void target.fill(0) };
    const { nodes, bootEntries } = grubParts();
    nodes.set(ARCHIVE, file(base, huge));
    const { layout } = planIso(treeOf([...nodes], { ...base, mode: 0o755 }), { timeSeconds: 0, bootEntries });
    expect(broken(await verifyImage(layoutContent(layout), host))).toContain("error archive-size");
  });

  test("an archive with the hash beside it", async () => {
    const ufs = await ufsBytes(sampleTree());
    const good = { hash: textContent("x".repeat(40)) };
    expect(broken(await verifyImage(memoryContent(gzip(ufs)), host, good))).toContain("error archive-hash");
    expect(broken(await verifyImage(memoryContent(ufs), host, good))).toContain("error archive-hash");
  });
});

test("a path_to_inst of some machine, and a missing hash, are worth a note", async () => {
  const made = grubParts();
  made.ramdisk.set("/etc/path_to_inst", text('"/pci@0,0" 0 "npe"\n'));
  const verdict = await verified(made);
  const notes = verdict.findings.filter(({ severity }) => severity === "note").map(({ rule }) => rule);
  expect(notes).toEqual(expect.arrayContaining(["path-to-inst", "memory"]));
});
