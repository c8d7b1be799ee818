// inspect, ls, cat, stat, extract and manifest as a user meets them.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryContent, readAll } from "../../src/bytes/index.ts";
import * as cat from "../../src/cli/cat.ts";
import * as extract from "../../src/cli/extract.ts";
import * as inspect from "../../src/cli/inspect.ts";
import * as ls from "../../src/cli/ls.ts";
import * as manifest from "../../src/cli/manifest.ts";
import * as stat from "../../src/cli/stat.ts";
import { file, treeOf } from "../../src/tree/index.ts";
import { base, fatBytes, numbered, sampleIso, sampleTree, tarBytes } from "../inspect/images.ts";
import { runCommand } from "./in-process.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-look-"));
const iso = path.join(scratch, "sample.iso");
const ARCHIVE = "/platform/i86pc/boot_archive";
beforeAll(async () => {
  const sample = await sampleIso();
  writeFileSync(iso, await readAll(sample.iso));
  writeFileSync(path.join(scratch, "ramdisk"), sample.ramdisk);
  mkdirSync(path.join(scratch, "proto/etc"), { recursive: true });
  writeFileSync(path.join(scratch, "proto/etc/x"), "x");
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("ls", () => {
  test("names; -l as ls shows them", async () => {
    expect((await runCommand(ls, iso)).stdout).toBe(".catalog\nboot\nlink\nplatform\n");
    const { stdout } = await runCommand(ls, "-l", "-a", iso, "/etc", "/usr/bin");
    expect(stdout).toBe(
      [
        `${ARCHIVE}/etc:`,
        "-rw-r----- 1 adm  sys   1 2020-01-01 00:00 adm-owned",
        "-rw-r--r-- 1 root root 29 2020-01-01 00:00 group",
        "-rw-r--r-- 1 root root  8 2020-01-01 00:00 motd",
        "-rw-r--r-- 1 root root 57 2020-01-01 00:00 passwd",
        "",
        `${ARCHIVE}/usr/bin:`,
        "-rwxr-xr-x 2 root root 21 2020-01-01 00:00 one",
        "-rwsr-xr-x 1 root root 12 2020-01-01 00:00 su",
        "-rwxr-xr-x 2 root root 21 2020-01-01 00:00 two",
        "",
      ].join("\n"),
    );
  });

  test("devices, links, directories themselves, numbers", async () => {
    const inside = `${iso}${ARCHIVE}`;
    expect((await runCommand(ls, "-n", `${inside}/dev/null`)).stdout).toBe(
      `crw-rw-rw- 1 0 3 13,   2 2020-01-01 00:00 ${ARCHIVE}/dev/null\n`,
    );
    expect((await runCommand(ls, "-l", inside, "bin")).stdout).toMatch(/^lrwxrwxrwx .* -> usr\/bin\n$/);
    expect((await runCommand(ls, inside, "bin")).stdout).toBe("one\nsu\ntwo\n");
    expect((await runCommand(ls, "-ld", inside, "usr")).stdout).toMatch(/^drwxr-xr-x 4 root root 0 .*\/usr\n$/);
    const inodes = (await runCommand(ls, "-i", `${inside}/usr/bin`)).stdout.split("\n");
    expect(inodes[0]?.split(" ")[0]).toBe(inodes[2]?.split(" ")[0]);
  });

  test("-R lists every directory once, with its path above", async () => {
    const { stdout } = await runCommand(ls, "-aR", iso);
    const titles = stdout.split("\n").filter((line) => line.endsWith(":"));
    const below = ["", "/dev", "/etc", "/lost+found", "/tmp", "/tmp/sub", "/usr", "/usr/bin", "/usr/lib"];
    expect(titles).toEqual(below.map((name) => `${ARCHIVE}${name}:`));
  });

  test("--json has the attributes", async () => {
    const { entries } = JSON.parse((await runCommand(ls, "--json", "-R", iso, "/boot")).stdout);
    expect(entries).toContainEqual(
      expect.objectContaining({ path: "/boot/grub/menu.lst", type: "file", mode: "0644", links: 1, uid: 0 }),
    );
  });

  test("what is missing: status 1 and a hint; a missing file: status 4", async () => {
    const wrong = await runCommand(ls, iso, "/boot/grubb");
    expect([wrong.status, wrong.stderr]).toEqual([1, `${iso}/boot/grubb: no such path; did you mean grub?\n`]);
    expect((await runCommand(ls, path.join(scratch, "none.iso"))).status).toBe(4);
    expect((await runCommand(ls, iso, "../x")).status).toBe(2);
  });

  test("a directory of this machine, and a path in it", async () => {
    expect((await runCommand(ls, path.join(scratch, "proto"))).stdout).toBe("etc\n");
    expect((await runCommand(cat, path.join(scratch, "proto"), "etc/x")).stdout).toBe("x");
  });
});

describe("cat", () => {
  test("several files, through links and layers", async () => {
    expect((await runCommand(cat, iso, `${ARCHIVE}/etc/motd`, "link/boot_archive/tmp/sub/deep")).stdout).toBe(
      "Welcome\ndeep\n",
    );
    expect((await runCommand(cat, `${iso}${ARCHIVE}/etc/motd`)).stdout).toBe("Welcome\n");
    const wrong = await runCommand(cat, iso, "/boot");
    expect([wrong.status, wrong.stderr]).toEqual([1, `${iso}/boot: is a directory, not a file\n`]);
    expect((await runCommand(cat, iso)).status).toBe(2);
  });

  test("what is no text does not go to a terminal, where its bytes could be commands", async () => {
    const { isTTY } = process.stdout;
    process.stdout.isTTY = true;
    try {
      const binary = await runCommand(cat, iso, ARCHIVE);
      expect([binary.status, binary.stdout]).toEqual([1, ""]);
      expect(binary.stderr).toMatch(/boot_archive: is no text, and standard output is a terminal; write it to a file/);
      expect((await runCommand(cat, iso, `${ARCHIVE}/etc/motd`)).stdout).toBe("Welcome\n");
    } finally {
      process.stdout.isTTY = isTTY;
    }
  });
});

describe("stat", () => {
  test("a UFS inode by its fields, with places that hold the file", async () => {
    const told = JSON.parse((await runCommand(stat, "--json", "-a", iso, "/usr/lib/big")).stdout);
    const [found] = told.paths;
    expect(found).toMatchObject({ path: `${ARCHIVE}/usr/lib/big`, layer: "ufs", sizeBytes: 300_000, mode: "0644" });
    expect(found.structures[0]).toMatchObject({
      name: "dinode",
      sizeBytes: 128,
      fields: { ic_smode: 0o100644, ic_nlink: 1, ic_lsize: 300_000, ic_mtime: 1_577_836_800 },
    });
    const ramdisk = readFileSync(path.join(scratch, "ramdisk"));
    const bytes = Buffer.alloc(300_000);
    for (const { offset, length, what, fileOffset } of found.extents) {
      if (what === "data") ramdisk.copy(bytes, fileOffset, offset, offset + length);
    }
    expect(bytes.equals(numbered(300_000))).toBe(true);
    const kinds = new Set(found.extents.map((extent: { what: string }) => extent.what));
    expect(kinds).toEqual(new Set(["data", "indirect block of level 1"]));
  });

  test("an ISO's directory record, with its Rock Ridge entries", async () => {
    const { stdout } = await runCommand(stat, iso, "/boot/grub/menu.lst");
    expect(stdout).toMatch(/^ +\d+ +8 +Data Length +95 +9\.1\.4/m);
    expect(stdout).toMatch(/System Use entry NM/);
    expect(stdout).toMatch(/ name +"menu.lst"/);
    expect(stdout).toMatch(/POSIX File Mode +0100644/);
    const link = await runCommand(stat, iso, "/link");
    expect(link.stdout).toMatch(/^\/link: symlink to platform\/i86pc\n/);
  });

  test("the entries of a FAT directory, and the header of a tar's member, where their bytes say so", async () => {
    const name = "A name of several entries.txt";
    const fat = await fatBytes(treeOf([[`/SUB/${name}`, file(base, memoryContent(numbered(700)))]], base));
    writeFileSync(path.join(scratch, "esp.img"), fat);
    const [entry] = JSON.parse(
      (await runCommand(stat, "--json", path.join(scratch, "esp.img"), `/SUB/${name}`)).stdout,
    ).paths;
    const names = entry.structures.map((one: { title: string }) => one.title);
    expect(names).toEqual(["long name entry", "long name entry", "long name entry", "directory entry"]);
    const own = entry.structures.at(-1);
    expect(own.fields).toMatchObject({ DIR_FileSize: 700, DIR_Name: expect.stringMatching(/^ANAMEO/) });
    expect(new DataView(fat.buffer).getUint32(own.offset + 28, true)).toBe(700);
    expect(Buffer.from(fat.subarray(entry.extents[0].offset)).subarray(0, 700).equals(numbered(700))).toBe(true);

    const tar = await tarBytes(sampleTree());
    writeFileSync(path.join(scratch, "x.tar"), tar);
    const [member] = JSON.parse(
      (await runCommand(stat, "--json", path.join(scratch, "x.tar"), "/etc/motd")).stdout,
    ).paths;
    expect(member.structures[0].fields).toMatchObject({ mode: 0o644, size: 8, mtime: 1_577_836_800 });
    const [{ offset, length }] = member.extents;
    expect(Buffer.from(tar.subarray(offset, offset + length)).toString()).toBe("Welcome\n");
  });
});

describe("inspect", () => {
  test("layers in words and in JSON", async () => {
    const { stdout } = await runCommand(inspect, iso);
    expect(stdout).toMatch(/sample\.iso: ISO 9660 with Rock Ridge\n/);
    expect(stdout).toMatch(/^ {2}boot archive \/platform\/i86pc\/boot_archive: gzip$/m);
    expect(stdout).toMatch(/^ {4}uncompressed: UFS/m);
    expect(stdout).toMatch(/^ {6}fs_size +8\d+ \(8\.0 MiB\)$/m);
    const json = JSON.parse((await runCommand(inspect, "--json", iso)).stdout);
    expect(json).toMatchObject({
      schema: 1,
      kind: "iso",
      parts: [{ kind: "gzip", parts: [{ kind: "ufs" }] }, { kind: "fat" }],
    });
  });
  test("something inside", async () => {
    expect((await runCommand(inspect, `${iso}/boot/efiboot.img`)).stdout).toMatch(/: FAT12\n/);
    expect((await runCommand(inspect, "-a", iso)).stdout).toMatch(/: UFS/);
  });
});

describe("extract and manifest", () => {
  test("a target that cannot be is told, and its directories are made", async () => {
    const inTheWay = await runCommand(extract, "-a", iso, "/etc", "-o", iso);
    expect([inTheWay.status, inTheWay.stderr]).toEqual([
      1,
      `${iso}: cannot write: something else is there; name another place\n`,
    ]);
    expect((await runCommand(extract, "-a", iso, "/etc", "-o", path.join(scratch, "a/b/c"))).status).toBe(0);
  });

  test.runIf(process.platform === "linux")("a place that takes no new names is an error at once", async () => {
    const refused = await runCommand(extract, "-a", iso, "/etc", "-o", "/proc/nope");
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringMatching(/^\/proc\/nope: cannot write/)]);
  });

  test("-o -: one file to standard output, nothing else", async () => {
    expect((await runCommand(extract, "-a", iso, "/etc/motd", "-o", "-")).stdout).toBe("Welcome\n");
    for (const words of [["/etc"], ["/etc/motd", "/etc/motd"], []]) {
      const refused = await runCommand(extract, "-a", iso, ...words, "-o", "-");
      expect([refused.status, refused.stdout]).toEqual([2, ""]);
      expect(refused.stderr).toMatch(/cannot go to standard output, only one file can; name a directory with -o/);
    }
  });

  test("what was extracted has the image's manifest", async () => {
    const out = path.join(scratch, "out");
    const told = await runCommand(extract, "-a", iso, "/usr", "/etc/motd", "-o", out);
    expect(told.stdout).toMatch(/: 4 directories, 5 files \(.*\), 1 further hard links\n$/);
    expect(readFileSync(path.join(out, "etc/motd"), "utf8")).toBe("Welcome\n");
    const lines = (text: string): string[] => text.split("\n").filter((line) => line.startsWith("./"));
    const inside = lines((await runCommand(manifest, `${iso}${ARCHIVE}/usr`)).stdout);
    expect(lines((await runCommand(manifest, path.join(out, "usr"))).stdout)).toEqual(inside);
    expect(inside).toContainEqual(
      expect.stringMatching(/^\.\/bin\/su type=file mode=04755 .*sha256digest=[0-9a-f]{64}$/),
    );
    expect((await runCommand(extract, iso, "-o", out)).status).toBe(0);
    expect((await runCommand(extract, iso, "-o", out)).status).toBe(1);
    expect((await runCommand(extract, iso, "-o", out, "--force")).status).toBe(0);
  });
  test("an inner image, a single file", async () => {
    const out = path.join(scratch, "esp");
    await runCommand(extract, `${iso}/boot/efiboot.img`, "-o", out);
    expect(readFileSync(path.join(out, "EFI/BOOT/BOOTX64.EFI"))).toHaveLength(5000);
    await runCommand(extract, `${iso}/boot/grub/menu.lst`, "-o", out);
    expect(readFileSync(path.join(out, "menu.lst"), "utf8")).toMatch(/^default 0/);
  });
});
