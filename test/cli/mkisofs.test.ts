// The words of mkisofs: command lines of scripts that are in use, graft points, and what is refused.

import { lutimesSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ImageError, memoryContent, readText } from "../../src/bytes/index.ts";
import * as mkisofs from "../../src/cli/mkisofs.ts";
import { parseMkisofs } from "../../src/cli/mkisofs-options.ts";
import { checkIso, LEVEL_1, LEVEL_2, openIso, RELAXED } from "../../src/iso9660-writer-ts/index.ts";
import { findFile, lookup, pathsOf } from "../../src/tree/index.ts";
import { runCommand } from "./in-process.ts";

const parse = (line: string): ReturnType<typeof parseMkisofs> => parseMkisofs(line.trim().split(/\s+/));

function refusal(line: string): string {
  try {
    parse(line);
  } catch (error) {
    if (error instanceof ImageError && error.code === "invalid-argument") return error.message;
    throw error;
  }
  return "nothing";
}

describe("command lines as they stand in scripts", () => {
  test("pureboot.sh with the loader", () => {
    expect(
      parse(`-o out.iso -b boot/cdboot -c .catalog -no-emul-boot -boot-load-size 4 -boot-info-table -N -l -R -U
        -allow-multidot -no-iso-translate -cache-inodes -d -D -V illumos
        -eltorito-alt-boot -eltorito-platform efi -eltorito-boot boot/efiboot.img -no-emul-boot /proto`),
    ).toMatchObject({
      output: "out.iso",
      paths: [{ source: "/proto", target: undefined }],
      names: RELAXED,
      rockRidge: true,
      rationalize: false,
      keepDeepDirectories: true,
      joliet: false,
      padding: true,
      identifiers: { volumeId: "illumos" },
      bootCatalogPath: ".catalog",
      boot: [
        { path: "boot/cdboot", platform: "bios", emulation: "none", loadSectors: 4, bootInfoTable: true },
        { path: "boot/efiboot.img", platform: "efi", emulation: "none", loadSectors: undefined, bootInfoTable: false },
      ],
    });
  });

  test("pureboot.sh of the GRUB era", () => {
    const { boot } = parse(`-o out.iso -b boot/grub/stage2_eltorito -c .catalog -no-emul-boot -boot-load-size 4
      -boot-info-table -N -l -R -U -allow-multidot -no-iso-translate -cache-inodes -d -D -V illumos proto`);
    expect(boot).toEqual([
      {
        path: "boot/grub/stage2_eltorito",
        platform: "bios",
        emulation: "none",
        loadSectors: 4,
        loadSegment: undefined,
        bootable: true,
        bootInfoTable: true,
      },
    ]);
  });

  test("image-builder and kayak", () => {
    const { boot, names, bootCatalogPath } = parse(`-N -l -R -U -d -D -c .catalog -allow-multidot -no-iso-translate
      -cache-inodes -V OmniOS -eltorito-boot boot/cdboot -no-emul-boot -boot-info-table
      -eltorito-alt-boot -eltorito-platform efi -eltorito-boot boot/bootx64.img -no-emul-boot -o work.iso iso`);
    expect(boot.map(({ path, platform, loadSectors }) => [path, platform, loadSectors])).toEqual([
      ["boot/cdboot", "bios", undefined],
      ["boot/bootx64.img", "efi", undefined],
    ]);
    expect([names, bootCatalogPath]).toEqual([RELAXED, ".catalog"]);
  });

  test("slim_source", () => {
    const request = parse(`-quiet -o a.iso -b boot/cdboot -c .catalog -no-emul-boot -boot-load-size 4 -boot-info-table
      -eltorito-alt-boot -b boot/efiboot.img -no-emul-boot -N -l -R -U -allow-multidot -no-iso-translate -cache-inodes
      -d -D -V OpenIndiana_Text_X86 pkg_image`);
    expect(request).toMatchObject({ quiet: true, identifiers: { volumeId: "OpenIndiana_Text_X86" } });
    expect(request.boot).toHaveLength(2);
  });
});

describe("spelling", () => {
  test("two dashes, equals signs, flags in one word, values behind their letter", () => {
    const request = parse("--rational-rock -JN -Villumos -eltorito-platform=efi -e esp.img --output=x.iso -- -dir");
    expect(request).toMatchObject({ rationalize: true, rockRidge: true, joliet: { maxLength: 64 }, output: "x.iso" });
    expect(request.identifiers.volumeId).toBe("illumos");
    expect(request.names.version).toBe(false);
    expect(request.boot).toMatchObject([{ path: "esp.img", platform: "efi", emulation: "none" }]);
    expect(request.paths).toEqual([{ source: "-dir", target: undefined }]);
  });

  test("a value behind its letter may have dashes", () => {
    expect(parse("-Villumos-2025 -o x d").identifiers.volumeId).toBe("illumos-2025");
    expect(parse("-ox.iso d").output).toBe("x.iso");
  });

  test("a volume id is the bytes of its UTF-8 form", () => {
    expect(parse("-V ä -o x d").identifiers.volumeId).toBe("Ã¤");
  });

  test("graft points, with what a backslash protects", () => {
    expect(parseMkisofs(["-graft-points", "-o", "x", "boot/=b", "a\\=b=c=d", "plain", "e\\\\=f"]).paths).toEqual([
      { source: "b", target: "boot/" },
      { source: "c=d", target: "a=b" },
      { source: "plain", target: undefined },
      { source: "f", target: "e\\" },
    ]);
    expect(parse("-o x a=b").paths).toEqual([{ source: "a=b", target: undefined }]);
  });

  test("what is left out, sizes, modes, numbers in hex", () => {
    expect(parse("-print-size -m *.o -x proto/tmp -exclude core -boot-load-seg 0x7c0 -b i -no-boot d")).toMatchObject({
      printSize: true,
      output: undefined,
      excludes: ["*.o", "proto/tmp", "core"],
      boot: [{ loadSegment: 0x7c0, bootable: false, emulation: "diskette" }],
    });
    expect(parse("-R -uid 1 -gid 2 -file-mode 0444 -dir-mode 555 -no-pad -o x d")).toMatchObject({
      owners: { uid: 1, gid: 2, fileMode: 0o444, dirMode: 0o555 },
      padding: false,
    });
  });
});

describe("names", () => {
  test.each([
    ["", LEVEL_1],
    ["-l", LEVEL_2],
    ["-iso-level 3", LEVEL_2],
    ["-N -d -l", { ...LEVEL_2, version: false, trailingDot: false }],
    ["-max-iso9660-filenames", { ...LEVEL_2, version: false, maxFileLength: 37, maxDirectoryLength: 37 }],
    [
      "-l -allow-lowercase -ldots -allow-multidot",
      { ...LEVEL_2, upperCase: false, leadingDot: true, multipleDots: true },
    ],
    ["-l -relaxed-filenames -no-iso-translate", { ...LEVEL_2, characters: "ascii", extraCharacters: "#~-" }],
    ["-iso-level 4", RELAXED],
  ])("%s", (line, rules) => {
    const { names, enhanced } = parse(`${line} -o x d`);
    expect(names).toEqual(rules);
    expect(enhanced).toBe(line === "-iso-level 4");
  });
});

describe("refusals name the option", () => {
  test.each([
    ["-zzz -o x d", "mkisofs: unknown option -zzz"],
    ["-udf -o x d", "mkisofs: option -udf is not supported: no UDF hierarchy is made"],
    ["-f -o x d", "mkisofs: option -f is not supported: symbolic links are kept as they are; use -R"],
    ["-RQ -o x d", "mkisofs: unknown option -RQ"],
    ["-o x", "mkisofs: nothing to put on the ISO: name a directory"],
    ["d", "mkisofs: no output: -o FILE is needed"],
    ["d -o", "mkisofs: -o: its value is missing"],
    ["-boot-load-size four -b x -o x d", "mkisofs: -boot-load-size four: must be a whole number from 0 to 65535"],
    ["-boot-load-size 65536 -b x -o x d", "mkisofs: -boot-load-size 65536: must be a whole number from 0 to 65535"],
    [
      "-eltorito-platform arm -b x -o x d",
      "mkisofs: -eltorito-platform arm: must be x86, PPC, Mac, efi or one of their numbers",
    ],
    ["-no-emul-boot -o x d", "mkisofs: boot options without a boot image: -b FILE is missing"],
    ["-dir-mode 999 -o x d", "mkisofs: -dir-mode 999: must be an octal mode such as 0555"],
    ["-graft-points -o x a=", "mkisofs: a=: a graft point without a source"],
    ["-path-list x -o x d", "mkisofs: unknown option -path-list"],
    ["-eltorito-id x -o x d", "mkisofs: unknown option -eltorito-id"],
    ["-checksum_algorithm_iso md5 -o x d", "mkisofs: unknown option -checksum_algorithm_iso"],
    ["-part -o x d", "mkisofs: option -part is not supported: no HFS partition table is made"],
    ["-input-charset cp437 -o x d", "mkisofs: -input-charset cp437: names are bytes here, and UTF-8 for Joliet"],
  ])("%s", (line, message) => {
    expect(refusal(line)).toBe(message);
  });
});

describe("the command", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "pureboot-mkisofs-"));
    mkdirSync(join(folder, "medium"));
    mkdirSync(join(folder, "medium/boot"), { mode: 0o750 });
    writeFileSync(join(folder, "medium/boot/cdboot"), "c".repeat(1249));
    writeFileSync(join(folder, "medium/boot/core"), "core");
    symlinkSync("cdboot", join(folder, "medium/boot/link"));
    writeFileSync(join(folder, "extra"), "extra");
    for (const path of ["boot/cdboot", "boot/core", "boot/link", "boot", "", "../extra"]) {
      lutimesSync(join(folder, "medium", path), 0, 1_000_000_000);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const words = (line: string): string[] => line.trim().replaceAll("@", folder).split(/\s+/);
  const open = (): ReturnType<typeof openIso> => openIso(memoryContent(readFileSync(join(folder, "out.iso"))));

  test("writes a bootable ISO with grafts and without what is excluded, and replaces an older one", async () => {
    const line = `-R -U -c .catalog -b boot/cdboot -no-emul-boot -boot-info-table -V test -o @/out.iso
      -graft-points -m core @/medium docs/=@/extra boot/more=@/extra`;
    await runCommand(mkisofs, ...words(line));
    const run = await runCommand(mkisofs, ...words(line));
    expect(run).toMatchObject({
      status: 0,
      stdout: "",
      stderr: expect.stringMatching(/^\d+ extents written \(.*\)\n$/),
    });
    const iso = await open();
    const tree = await iso.tree();
    expect(pathsOf(tree)).toEqual([
      "/",
      "/.catalog",
      "/boot",
      "/boot/cdboot",
      "/boot/link",
      "/boot/more",
      "/docs",
      "/docs/extra",
    ]);
    expect(lookup(tree, "/boot")?.mode).toBe(0o750);
    expect((await iso.bootCatalog())?.entries).toMatchObject([{ loadSectors: 4, platformId: 0 }]);
    expect(await checkIso(iso.image)).toEqual([]);
    const extra = findFile(tree, "/docs/extra");
    expect(extra && (await readText(extra.content))).toBe("extra");
    expect(iso.volume["Volume Creation Date and Time"]).toBe(1_000_000_000);
    expect(readFileSync(join(folder, "medium/boot/cdboot"), "latin1")).toBe("c".repeat(1249));
  });

  test("-r makes all readable and nothing writable", async () => {
    await runCommand(mkisofs, ...words("-r -quiet -o @/out.iso @/medium"));
    const tree = await (await open()).tree();
    expect(lookup(tree, "/boot")).toMatchObject({ mode: 0o555, uid: 0, gid: 0 });
    expect(lookup(tree, "/boot/cdboot")).toMatchObject({ mode: 0o444, uid: 0 });
  });

  test("without Rock Ridge, links are left out and told", async () => {
    const run = await runCommand(mkisofs, ...words("-quiet -o @/out.iso @/medium"));
    expect(run).toMatchObject({
      status: 0,
      stderr: "pureboot: warning: /boot/link: a symlink; left out (-R keeps it)\n",
    });
    expect(pathsOf(await (await open()).tree())).toEqual(["/", "/BOOT", "/BOOT/CDBOOT", "/BOOT/CORE"]);
  });

  test("times are kept as they are, also after 2038; SOURCE_DATE_EPOCH is the latest that is written", async () => {
    const late = 2_524_608_000; // 2050
    const medium = join(folder, "late");
    mkdirSync(medium);
    writeFileSync(join(medium, "file"), "");
    for (const path of [join(medium, "file"), medium]) lutimesSync(path, 0, late);
    const times = async (): Promise<(number | undefined)[]> => {
      expect(await runCommand(mkisofs, ...words("-R -quiet -o @/late.iso @/late"))).toMatchObject({ status: 0 });
      const iso = await openIso(memoryContent(readFileSync(join(folder, "late.iso"))));
      return [iso.volume["Volume Creation Date and Time"], findFile(await iso.tree(), "/file")?.mtimeSeconds];
    };
    expect(await times()).toEqual([late, late]);
    process.env["SOURCE_DATE_EPOCH"] = "1700000000";
    try {
      expect(await times()).toEqual([1_700_000_000, 1_700_000_000]);
    } finally {
      delete process.env["SOURCE_DATE_EPOCH"];
    }
  });

  test("images of diskettes are known by their size, those of hard disks by their one partition", async () => {
    const medium = join(folder, "disks");
    mkdirSync(medium);
    writeFileSync(join(medium, "floppy"), new Uint8Array(1_474_560));
    const disk = new Uint8Array(1024);
    disk.set([0x0e], 446 + 16 + 4); // the second record
    disk.set([0x55, 0xaa], 510);
    writeFileSync(join(medium, "disk"), disk);
    const line = "-R -quiet -o @/disks.iso -b floppy -eltorito-alt-boot -hard-disk-boot -b disk @/disks";
    expect(await runCommand(mkisofs, ...words(line))).toMatchObject({ status: 0, stderr: "" });
    const iso = await openIso(memoryContent(readFileSync(join(folder, "disks.iso"))));
    expect((await iso.bootCatalog())?.entries).toMatchObject([
      { mediaType: 2, systemType: 0, loadSectors: 1 },
      { mediaType: 4, systemType: 0x0e, loadSectors: 1 },
    ]);
  });

  test("-print-size prints the size and writes nothing", async () => {
    rmSync(join(folder, "out.iso"));
    const run = await runCommand(mkisofs, ...words("-R -no-pad -print-size -o @/out.iso @/medium"));
    expect(run).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\n$/) });
    expect(() => readFileSync(join(folder, "out.iso"))).toThrow();
  });

  test.each([
    ["-R -o @/out.iso @/nothing", 4, "nothing: no such file or directory"],
    ["-R -b boot/none -o @/out.iso @/medium", 1, "boot/none: no such boot image"],
    ["-R -b boot/cdboot -o @/out.iso @/medium", 1, "boot/cdboot: 1249 bytes is no size of a diskette"],
    ["-R -hard-disk-boot -b boot/cdboot -o @/out.iso @/medium", 1, "a hard disk image must have one partition"],
    ["-R -V 123456789012345678901234567890123 -o @/out.iso @/medium", 1, "ISO 9660 allows 32"],
    ["-R -o @/medium/out.iso @/medium", 1, "is being read"],
    ["-Q -o @/out.iso @/medium", 2, "unknown option -Q"],
  ])("%s", async (line, status, message) => {
    const run = await runCommand(mkisofs, ...words(line));
    expect(run).toMatchObject({ status, stderr: expect.stringContaining(message) });
  });
});
