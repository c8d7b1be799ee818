// What illumos' own programs made (fixtures/ufs/newfs.json) is made again, bit for bit, with the same messages.

import { describe, expect, test } from "vitest";
import { ImageError } from "../../src/bytes/index.ts";
import { mkfs } from "../../src/ufs/mkfs.ts";
import { plainDevice } from "../../src/ufs/mkfs-operands.ts";
import { mkfsCommand, type NewfsOptions, newfs } from "../../src/ufs/newfs.ts";
import { emptyRoot, planUfs } from "../../src/ufs/plan.ts";
import { mkfsReport } from "../../src/ufs/report.ts";
import { type Golden, geometryOf, goldens, mkfsGoldens, operandsOf } from "./goldens.ts";
import { sha256 } from "./hash.ts";

const empty = (golden: Golden, timeSeconds = 0, fsirand: "zero" | "illumos" = "zero") =>
  planUfs(emptyRoot(timeSeconds), { geometry: geometryOf(golden), timeSeconds, fsirand });

describe.each(goldens.map((golden) => [golden.name, golden] as const))("%s", (_, golden) => {
  const plan = empty(golden);
  const small = golden.imageBytes <= 2 ** 26;

  test("superblock and summary array", () => {
    expect(plan.superblock).toMatchObject(golden.superblock);
    const { fs_cstotal_nbfree, fs_cstotal_nffree, fs_bsize, fs_fsize } = plan.superblock;
    expect(plan.freeBytes).toBe(fs_cstotal_nbfree * fs_bsize + fs_cstotal_nffree * fs_fsize);
    expect(plan.freeInodes).toBe(golden.superblock["fs_cstotal_nifree"]);
  });
  test("every byte, times and generation numbers zero", async () => {
    if (golden.imageBytes <= 2 ** 29) expect(await sha256(plan.layout)).toBe(golden.sha256.zeroed);
  });
  test("every byte, with illumos' generation numbers", async () => {
    if (!small) return;
    expect(await sha256(empty(golden, 0, "illumos").layout)).toBe(golden.sha256.time0);
    expect(await sha256(empty(golden, 1_000_000_000, "illumos").layout)).toBe(golden.sha256.time1000000000);
  });
  test("messages", () => {
    expect([...plan.warnings, ...mkfsReport(plan.superblock, "IMG")]).toEqual(golden.stderr);
  });
  test("the command line that newfs passes on", () => {
    if (!golden.mkfsCommand) return;
    const geometry = geometryOf(golden);
    if ("newfs" in geometry) {
      expect(mkfsCommand("IMG", newfs(geometry.newfs).operands)).toBe(golden.mkfsCommand);
    }
  });
});

describe.each(mkfsGoldens.map((golden) => [golden.mkfs, golden] as const))("mkfs %s", (_, golden) => {
  const { imageBytes, timeSeconds, stderr } = golden;
  const geometry = { mkfs: operandsOf(golden.mkfs), imageBytes };
  const plan = () => planUfs(emptyRoot(timeSeconds), { geometry, timeSeconds, fsirand: "illumos" });
  if (golden.status === 0) {
    test("the same bytes and messages", async () => {
      const { layout, superblock, warnings } = plan();
      expect([...warnings, ...mkfsReport(superblock, "IMG")]).toEqual(stderr);
      expect(await sha256(layout)).toBe(golden.sha256);
    });
  } else {
    test("refused for the same reason", () => {
      let message = "";
      try {
        plan();
      } catch (error) {
        message = error instanceof ImageError ? error.message.replace("mkfs: ", "") : String(error);
      }
      expect(message).not.toBe("");
      expect(stderr.join(" ")).toContain(message);
    });
  }
});

const lofi = (imageBytes: number, options: Partial<NewfsOptions> = {}) => newfs({ imageBytes, ...options });
const MIB = 2 ** 20;
const GIB = 2 ** 30;

describe("newfs", () => {
  // usr/src/uts/common/io/lofi.c, fake_disk_geometry
  test.each([
    [1 * MIB, 10, 204],
    [2 * MIB - 1, 20, 204],
    [2 * MIB, 6, 682],
    [16 * MIB, 54, 606],
    [100 * MIB, 341, 600],
    [1 * GIB, 3495, 600],
    [4 * GIB, 13981, 600],
    // 16-bit cylinders: 69905 become 4369
    [20 * GIB, 4369, 9600],
  ])("lofi of %i bytes has %i cylinders of %i sectors", (bytes, ncyl, nsect) => {
    const { operands } = lofi(bytes);
    expect([operands.size, operands.nsect]).toEqual([ncyl * nsect, nsect]);
  });
  test.each([
    [64 * MIB, { cgsize: 16, nbpi: 2048, free: 10 }],
    [1 * GIB, { cgsize: 16, nbpi: 2048, free: 6 }],
    [4 * GIB, { cgsize: 96, nbpi: 8192, free: 1 }],
    [9 * GIB, { ntrack: -1, nbpi: 8192, free: 1 }],
  ])("defaults at %i bytes", (bytes, expected) => {
    expect(lofi(bytes).operands).toMatchObject(expected);
  });
  test("over 7.875 GiB mkfs makes up an EFI-style geometry", () => {
    const { superblock } = planUfs(emptyRoot(0), { geometry: { newfs: { imageBytes: 8 * GIB } }, timeSeconds: 0 });
    expect(superblock).toMatchObject({ fs_nsect: 128, fs_ntrak: 48, fs_version: 2 });
  });
  test.each([
    ["too small an image", { imageBytes: 1023 * 512 }, /at least 524288 bytes/],
    ["sectors", { sectors: 1023 }, /fssize must be at least 1024/],
    ["bsize", { bsize: 16384 }, /bad block size/],
    ["fsize", { fsize: 256 }, /bad frag size/],
    ["minfree", { minfree: 100 }, /bad free space %/],
    ["nbpi", { nbpi: 511 }, /bad bytes per inode/],
    ["cpg", { cpg: 0 }, /bad cylinders\/group/],
    ["nrpos", { nrpos: 0 }, /bad number of rotational positions/],
    ["EFI disk of less than a cylinder", { device: "efi", imageBytes: 6143 * 512 }, /at least 6144 sectors/],
  ] as const)("refuses %s", (_, options, message) => {
    expect(() => newfs({ imageBytes: 64 * MIB, ...options })).toThrow(message);
  });
});

describe("mkfs", () => {
  const warningsOf = (operands: object, sectors = 131072) => mkfs({ size: sectors, ...operands }).warnings;
  test.each([
    [{ nsect: 0 }, "mkfs: bad value for nsect: 0 must be between 1 and 32768", "mkfs: nsect reset to default 32"],
    [{ nsect: 32, ntrack: 0 }, "mkfs: bad value for ntrack: 0 must be between 1 and 131072"],
    [{ nsect: 32, apc: 32 }, "mkfs: bad value for apc: 32 must be between 0 and 31", "mkfs: apc reset to default 0"],
    [{ bsize: 16384 }, "mkfs: bad value for bsize: 16384 must be between 4096 and 8192"],
    [{ bsize: 5000 }, "block size must be a power of 2, not 5000", "mkfs: bsize reset to default 8192"],
    [{ fragsize: 512 }, "fragment size 512 is too small, minimum with block size 8192 is 1024"],
    [{ fragsize: 1536 }, "fragment size must be a power of 2, not 1536", "mkfs: fragsize reset to 1024"],
    [{ rps: 1001 }, "mkfs: bad value for rps: 1001 must be between 1 and 1000", "mkfs: rps reset to default 60"],
    [{ free: 100 }, "mkfs: bad value for free: 100 must be between 0 and 99", "mkfs: free reset to default 10"],
    [{ nrpos: 33 }, "mkfs: bad value for nrpos: 33 must be between 1 and 32", "mkfs: nrpos reset to default 8"],
    [{ nbpi: 511 }, "mkfs: bad value for nbpi: 511 must be between 512 and 2097152"],
    [{ cgsize: 0 }, "mkfs: bad value for cgsize: 0 must be between 1 and 264", "mkfs: cgsize reset to default 16"],
    [{ opt: "x" }, "mkfs: bad optimization value `x' reset to `t' (time)"],
    [{ mtb: "maybe" }, "mkfs: bad mtb value `maybe' reset to `n' (no mtb support)"],
    [{ nbpi: 512, nsect: 32, ntrack: 4 }, "512 smaller than allocatable fragment size of 1024"],
    [{ nsect: 33, ntrack: 1, cgsize: 17 }, "Rounded cgsize up to 32"],
  ])("%o is put right with a warning", (operands, ...messages) => {
    expect(warningsOf(operands)).toEqual(expect.arrayContaining(messages));
  });
  test("a size that the device does not have becomes the device's", () => {
    const { superblock, warnings } = mkfs({ size: 5000 }, plainDevice(2048));
    expect(superblock.fs_size).toBe(1024);
    expect(warnings).toContain("mkfs: bad value for size: 5000 must be between 1024 and 2048");
  });
  test.each([
    ["cylinders too large for a group's block", { nsect: 600, ntrack: 300 }, /minimum cylinders per group/],
    ["too many inodes", { nsect: 128, ntrack: 255, nbpi: 512 }, /Please re-run mkfs with corrected parameters/],
    ["too small a group", { nsect: 32, ntrack: 1, cgsize: 1 }, /cgsize must be at least/],
    ["a single group without data", { size: 1024, nbpi: 512, nsect: 32, ntrack: 16 }, /only one cylinder group/],
    ["too small a device", { size: 1023 }, /at least 1024 sectors/],
  ])("refuses %s", (_, operands, message) => {
    expect(() => mkfs({ size: 131072, ...operands })).toThrow(message);
  });
  test("refuses multi-terabyte file systems, which cannot be booted", () => {
    for (const operands of [{ size: 131072, mtb: "y" }, { size: 2 ** 31 }]) {
      expect(() => mkfs(operands)).toThrow(expect.objectContaining({ code: "unsupported" }));
      expect(() => mkfs(operands)).toThrow(/0xdecade.*boot/);
    }
  });
  test("whatever the operands, there is a geometry or an ImageError", () => {
    for (const size of [1024, 5000, 2 ** 31 - 1]) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1.5, 2 ** 31, 1e300]) {
        for (const name of ["nsect", "ntrack", "bsize", "fragsize", "cgsize", "free", "rps", "nbpi", "apc", "nrpos"]) {
          try {
            mkfs({ size, [name]: value });
          } catch (error) {
            expect(error, `${name}=${value}`).toBeInstanceOf(ImageError);
          }
        }
      }
    }
  });
});
