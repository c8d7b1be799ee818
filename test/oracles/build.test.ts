// The main job, judged by programs that nobody here wrote: GRUB legacy boots the ISO, the boot probe and Linux read the
// ramdisk, xorriso, isoinfo, bsdtar and Linux read the ISO. And the same input gives the same bytes.

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeExampleProto } from "../../fixtures/example.ts";
import { generateProto } from "../../fixtures/generate.ts";
import { DEFAULT_OPTIONS, directoryLayer, planImage } from "../../src/image/index.ts";
import { readDirectoryTree } from "../../src/node/index.ts";
import { mountInLinux } from "./harness/linux.ts";
import { compareListings, type Listing, listDirectory, listTree } from "./harness/listing.ts";
import { bootProbe } from "./harness/probe.ts";
import { oracle, testWith } from "./harness/programs.ts";
import { run, runText } from "./harness/run.ts";

const MAIN = path.resolve(import.meta.dirname, "../../dist/cli/main.js");
const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-build-"));
const at = (name: string): string => path.join(scratch, name);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Paths of the proto area that a build rewrites on purpose. */
const REWRITTEN = new Set(["/etc/inittab", "/etc/system"]);
/** Paths of the proto area that are not in the ramdisk: archives of earlier builds. */
const LEFT_OUT = /^\/platform\/i86pc\/(amd64\/)?boot_archive$/;

async function pureboot(
  words: readonly string[],
  environment: Record<string, string> = {},
  cwd = scratch,
): Promise<string> {
  return runText(process.execPath, [MAIN, ...words], {
    env: environment,
    cwd,
    timeoutMilliseconds: 300_000,
  });
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** What must be in the ramdisk: the tree as it was staged (our own word), checked against the folder on disk. */
async function expectedRamdisk(proto: string): Promise<Listing> {
  const { tree } = await readDirectoryTree(proto);
  const planned = await planImage([directoryLayer(tree)], { ...DEFAULT_OPTIONS, loader: "none" });
  return listTree(planned.staged.ramdisk, "crc32");
}

/** Every regular file of the folder on disk is in the listing with the folder's checksum, mode and size. */
function compareWithFolder(proto: string, listing: Listing): string[] {
  const host = [...listDirectory(proto, "crc32")].filter(([name]) => !REWRITTEN.has(name) && !LEFT_OUT.test(name));
  const wanted = new Map(host);
  const seen = new Map([...listing].filter(([name]) => wanted.has(name)));
  return compareListings(wanted, seen, { fields: ["type", "mode", "size", "target", "digest"] });
}

beforeAll(async () => {
  writeExampleProto(at("proto"));
  await pureboot(["build", "proto", "-o", "demo.iso", "--stage2", oracle("stage2_eltorito"), "--menu-timeout", "0"]);
  await pureboot(["archive", "proto", "-o", "demo.ufs", "--no-gzip"]);
});

describe("the example's ISO", () => {
  testWith(["qemu-system-x86_64", "stage2_eltorito"], "boots through GRUB, and every file arrives", async () => {
    const report = await bootProbe({ cdrom: at("demo.iso"), memoryMiB: 384 });
    expect(report.loader).toMatch(/GRUB/);
    expect(report.verdict).toBe("good");
    const seen = report.modules[0]?.listing ?? new Map();
    expect(compareWithFolder(at("proto"), seen)).toEqual([]);
    const expected = await expectedRamdisk(at("proto"));
    expect(expected.size).toBeGreaterThan(600);
    const ignore = (name: string) => name === "/" || name === "/lost+found"; // newfs' own, and its link count on the root
    expect(compareListings(expected, seen, { ignore })).toEqual([]);
  });

  testWith(
    ["qemu-system-x86_64", "linux", "gcc", "stage2_eltorito"],
    "ISO and ramdisk are mounted by Linux without complaint",
    async () => {
      const [ramdisk, iso] = await mountInLinux([
        { image: at("demo.ufs"), type: "ufs" },
        { image: at("demo.iso"), type: "iso9660", as: "cd" },
      ]);
      expect(ramdisk?.complaints).toEqual([]);
      const { tree } = await readDirectoryTree(at("proto"));
      const planned = await planImage([directoryLayer(tree)], { ...DEFAULT_OPTIONS, loader: "none" });
      const ignore = (name: string) => name === "/" || name === "/lost+found";
      const wanted = await listTree(planned.staged.ramdisk, "sha256");
      expect(compareListings(wanted, ramdisk?.listing ?? new Map(), { ignore })).toEqual([]);

      expect(iso?.complaints).toEqual([]);
      const onDisc = iso?.listing ?? new Map();
      expect([...onDisc.keys()].filter((name) => !/^\/(boot|platform)(\/|$)/.test(name))).toEqual(["/", "/.catalog"]);
      const host = [...listDirectory(at("proto"), "sha256")].filter(
        ([name]) => /^\/(boot|platform)\//.test(name) && !LEFT_OUT.test(name) && name !== "/boot/grub/menu.lst",
      );
      const shown = new Map([...onDisc].filter(([name]) => host.some(([wantedName]) => wantedName === name)));
      expect(compareListings(new Map(host), shown, { fields: ["type", "mode", "size", "target", "digest"] })).toEqual(
        [],
      );
    },
  );

  testWith(["grub-fstest"], "the ramdisk is read by a second GRUB", async () => {
    const names = await runText(oracle("grub-fstest"), [at("demo.ufs"), "ls", "(loop0)/usr/share/lib/"]);
    for (const name of ["empty", "one-byte", "one-block", "double-indirect", "names/"]) expect(names).toContain(name);
    for (const name of ["etc/system", "usr/share/lib/double-indirect", "usr/share/lib/twelve-blocks-and-one-byte"]) {
      const { stdout } = await run(oracle("grub-fstest"), [at("demo.ufs"), "crc", `(loop0)/${name}`]);
      const wanted = (await expectedRamdisk(at("proto"))).get(`/${name}`)?.digest;
      expect(stdout.toString().trim().toLowerCase().padStart(8, "0")).toBe(wanted);
    }
  });

  testWith(
    ["xorriso", "isoinfo", "bsdtar", "stage2_eltorito"],
    "xorriso, isoinfo and bsdtar read the ISO",
    async () => {
      const report = await runText(oracle("xorriso"), ["-indev", at("demo.iso"), "-report_el_torito", "plain"]);
      expect(report).toMatch(/El Torito cat path : \/\.catalog/);
      expect(report).toMatch(/El Torito boot img : +1 +BIOS +y +none +0x0000 +0x00 +4 +\d+/);
      expect(report).toMatch(/El Torito img path : +1 +\/boot\/grub\/stage2_eltorito/);
      expect(report).toMatch(/El Torito img opts : +1 +boot-info-table/);
      expect(await runText(oracle("isoinfo"), ["-d", "-i", at("demo.iso")])).toMatch(/^Volume id: illumos$/m);
      const listed = await runText(oracle("isoinfo"), ["-R", "-f", "-i", at("demo.iso")]);
      const tarred = await runText(oracle("bsdtar"), ["-tf", at("demo.iso")]);
      const found = await runText(oracle("xorriso"), ["-indev", at("demo.iso"), "-find", "/"]);
      const names = (text: string, shape: RegExp): string[] =>
        text
          .split("\n")
          .flatMap((line) => shape.exec(line)?.[1] ?? [])
          .map((name) => name.replace(/\/$/, ""))
          .sort();
      const byIsoinfo = names(listed, /^(\/.+)$/);
      expect(byIsoinfo).toContain("/platform/i86pc/boot_archive");
      expect(names(tarred, /^(.+)$/).map((name) => `/${name.replace(/^\//, "")}`)).toEqual(
        expect.arrayContaining(byIsoinfo),
      );
      expect(names(found, /^'(\/.+)'$/)).toEqual(byIsoinfo);
    },
  );

  testWith(["xorriso", "gzip", "sha1sum"], "the archive on the ISO is the ramdisk, gzip'd", async () => {
    await run(oracle("xorriso"), [
      "-osirrox",
      "on",
      "-indev",
      at("demo.iso"),
      "-extract",
      "/platform/i86pc/boot_archive",
      at("taken.gz"),
    ]);
    expect((await run(oracle("gzip"), ["-t", at("taken.gz")])).status).toBe(0);
    expect(sha256(at("demo.ufs"))).toBe(
      createHash("sha256")
        .update(gunzipSync(readFileSync(at("taken.gz"))))
        .digest("hex"),
    );
    await pureboot(["archive", "proto", "-o", "hashed", "--hash"]);
    const sum = (await runText(oracle("sha1sum"), [at("demo.ufs")])).slice(0, 40);
    expect(readFileSync(at("hashed.hash"), "utf8")).toBe(`${sum}\n`);
  });

  testWith(["stage2_eltorito"], "the source stage is not written to", () => {
    const stage = readFileSync(oracle("stage2_eltorito"));
    expect(stage.readUInt32LE(8)).toBe(0xdeadbeef);
  });
});

describe("the same input gives the same bytes", () => {
  testWith(["stage2_eltorito"], "whatever the zone, locale, umask, folder, threads and order of files", async () => {
    const wanted = sha256(at("demo.iso"));
    const words = ["--stage2", oracle("stage2_eltorito"), "--menu-timeout", "0"];
    await pureboot(
      ["build", at("proto"), "-o", at("zone.iso"), ...words, "--workers", "1"],
      { TZ: "Asia/Kathmandu", LC_ALL: "tr_TR.UTF-8" },
      "/",
    );
    expect(sha256(at("zone.iso"))).toBe(wanted);
    await pureboot(["build", "proto", "-o", "pako.iso", ...words, "--gzip", "pako", "--workers", "3"]);
    expect(sha256(at("pako.iso"))).toBe(wanted);
    const masked = await run(
      "/bin/sh",
      [
        "-c",
        `umask 077; exec "$@"`,
        "sh",
        process.execPath,
        MAIN,
        "build",
        "proto",
        "-o",
        "masked.iso",
        ...words,
        "--workers",
        "0",
      ],
      { cwd: scratch },
    );
    expect(masked.status).toBe(0);
    expect(sha256(at("masked.iso"))).toBe(wanted);
    await copyReversed(at("proto"), at("copy"));
    await pureboot(["build", "copy", "-o", "copy.iso", ...words]);
    expect(sha256(at("copy.iso"))).toBe(wanted);
  });
});

/** A copy of a folder whose directories were filled in the reverse order; tar keeps links, modes and times. */
async function copyReversed(from: string, to: string): Promise<void> {
  mkdirSync(to);
  const names = (
    await runText("/bin/sh", [
      "-c",
      `cd "$1" && find . -print0 | LC_ALL=C sort -rz | tar -c --no-recursion --null -T - -f "$2"`,
      "sh",
      from,
      at("copy.tar"),
    ])
  ).length;
  expect(names).toBe(0);
  await runText("tar", ["-xpf", at("copy.tar"), "-C", to, "--delay-directory-restore"]);
}

describe("a proto area of real size", () => {
  testWith(
    ["qemu-system-x86_64", "linux", "gcc", "stage2_eltorito"],
    "464 MB boot through GRUB; Linux reads the same",
    async () => {
      const proto = at("big");
      generateProto(proto);
      await pureboot(["build", "big", "-o", "big.iso", "--stage2", oracle("stage2_eltorito"), "--menu-timeout", "0"]);
      expect(statSync(at("big.iso")).size).toBeLessThan(200e6);
      const report = await bootProbe({ cdrom: at("big.iso"), memoryMiB: 1400, timeoutMilliseconds: 400_000 });
      expect(report.verdict).toBe("good");
      const seen = report.modules[0]?.listing ?? new Map();
      expect(seen.size).toBeGreaterThan(37_000);
      expect(compareWithFolder(proto, seen)).toEqual([]);
      rmSync(at("big.iso"));

      await pureboot(["archive", "big", "-o", "big.ufs", "--no-gzip"]);
      const [mounted] = await mountInLinux([{ image: at("big.ufs"), type: "ufs" }], { timeoutMilliseconds: 500_000 });
      expect(mounted?.complaints).toEqual([]);
      const { tree } = await readDirectoryTree(proto);
      const planned = await planImage([directoryLayer(tree)], { ...DEFAULT_OPTIONS, loader: "none" });
      const wanted = await listTree(planned.staged.ramdisk, "sha256");
      const ignore = (name: string) => name === "/" || name === "/lost+found";
      expect(compareListings(wanted, mounted?.listing ?? new Map(), { ignore })).toEqual([]);
    },
    1_200_000,
  );

  testWith(
    ["qemu-system-x86_64", "stage2_eltorito"],
    "the original's size and density work, or say what is missing",
    async () => {
      const words = [
        "build",
        "proto",
        "-o",
        "fixed.iso",
        "--stage2",
        oracle("stage2_eltorito"),
        "--menu-timeout",
        "0",
        "--force",
      ];
      await pureboot([...words, "--size", "64m", "--nbpi", "16384"]);
      const report = await bootProbe({ cdrom: at("fixed.iso"), memoryMiB: 512 });
      expect(report.verdict).toBe("good");
      expect(report.modules[0]?.size).toBe(64 * 2 ** 20);
      const small = await run(process.execPath, [MAIN, ...words, "--size", "8m", "--nbpi", "16384"], { cwd: scratch });
      expect(small.status).toBe(1);
      expect(small.stderr.toString()).toMatch(/pureboot: .*\d+ (bytes|inodes)/);
    },
  );
});

test("nothing but the outputs is left in the folder", () => {
  expect(readdirSync(scratch).filter((name) => name.startsWith(".") || name.endsWith(".partial"))).toEqual([]);
});
