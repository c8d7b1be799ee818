// pureboot newfs, mkfs and fsck as a user meets them.

import { createHash } from "node:crypto";
import { mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import * as fsck from "../../src/cli/fsck.ts";
import * as mkfs from "../../src/cli/mkfs.ts";
import * as newfs from "../../src/cli/newfs.ts";
import { goldens, mkfsGoldens } from "../ufs/goldens.ts";
import { runCommand } from "./in-process.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-ufs-"));
const image = path.join(scratch, "IMG");
const sha256 = (): string => createHash("sha256").update(readFileSync(image)).digest("hex");
const blank = (sizeBytes: number): void => {
  writeFileSync(image, "");
  truncateSync(image, sizeBytes);
};
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
beforeEach(() => {
  rmSync(image, { force: true });
  delete process.env["SOURCE_DATE_EPOCH"];
});

const bootArchive = goldens.find(({ name }) => name === "lofi-64m-bootarchive");
const options = ["-o", "space", "-m", "0", "-i", "16384"];
if (bootArchive === undefined) throw new Error("no golden of a boot archive");

describe("newfs", () => {
  test("on a file that is there: illumos' bytes, command line and messages", async () => {
    blank(bootArchive.imageBytes);
    const { stdout, stderr, status } = await runCommand(newfs, image, ...options, "--epoch", "0");
    expect(status).toBe(0);
    expect(sha256()).toBe(bootArchive.sha256.zeroed);
    expect(stdout.replaceAll(image, "IMG")).toBe(`${bootArchive.mkfsCommand}\n`);
    expect(stderr.replaceAll(image, "IMG").trimEnd().split("\n")).toEqual(bootArchive.stderr);
  });
  test("of a size, with illumos' generation numbers", async () => {
    const words = ["--image-size", "64m", "--fsirand", "illumos", "--epoch", "1000000000"];
    expect((await runCommand(newfs, image, ...options, ...words)).status).toBe(0);
    expect(sha256()).toBe(bootArchive.sha256.time1000000000);
    const again = await runCommand(newfs, image, "--image-size", "1m");
    expect(again).toMatchObject({ status: 1, stderr: expect.stringMatching(/exists/) });
    expect((await runCommand(newfs, image, "--image-size", "1m", "--force")).status).toBe(0);
    expect(statSync(image).size).toBe(2 ** 20);
  });
  test("SOURCE_DATE_EPOCH is the time", async () => {
    process.env["SOURCE_DATE_EPOCH"] = "1000000000";
    await runCommand(newfs, image, "--image-size", "64m", ...options, "--fsirand", "illumos");
    expect(sha256()).toBe(bootArchive.sha256.time1000000000);
  });
  test("what is empty takes no space", async () => {
    await runCommand(newfs, image, "--image-size", "8g");
    const { size, blocks } = statSync(image);
    expect(size).toBe(8 * 2 ** 30);
    expect(blocks * 512).toBeLessThan(32 * 2 ** 20);
  });
  test("-N writes nothing; --json says everything", async () => {
    const { stdout } = await runCommand(newfs, image, "--image-size", "8m", "-N", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ command: "newfs", sizeBytes: 8388608, superblockBackups: [32, 9728] });
    expect(() => statSync(image)).toThrow();
  });
  test.each([
    [["-m", "100", "--image-size", "8m"], 2, /bad free space %/],
    [["-m", "x", "--image-size", "8m"], 2, /whole number/],
    [["--image-size", "8q"], 2, /8q.*must be a size/i],
    [["--image-size", "100k"], 2, /at least 524288 bytes/],
    [["--device", "efi", "--image-size", "2t"], 1, /multi-terabyte.*boot reader/],
    [[], 4, /no such file; give --image-size/],
  ])("%j is refused", async (words, status, message) => {
    const run = await runCommand(newfs, image, ...words);
    expect(run.status).toBe(status);
    expect(run.stderr).toMatch(message);
    expect(() => statSync(image)).toThrow();
  });
});

describe("mkfs", () => {
  test("operands, some of them negative", async () => {
    blank(bootArchive.imageBytes);
    const words = "131018 601 1 8192 1024 16 0 120 16384 s 0 -1 8 1 n".split(" ");
    expect((await runCommand(mkfs, image, ...words)).status).toBe(0);
    expect(sha256()).toBe(bootArchive.sha256.zeroed);
  });
  test.each(mkfsGoldens.slice(0, 6).map(({ mkfs: operands }) => operands))("%s", async (operands) => {
    const golden = mkfsGoldens.find((one) => one.mkfs === operands);
    const run = await runCommand(mkfs, image, ...operands.split(" "), "--fsirand", "illumos");
    expect(run.stderr.replaceAll(image, "IMG").trimEnd().split("\n")).toEqual(golden?.stderr);
    expect(sha256()).toBe(golden?.sha256);
  });
  test.each([
    [["1000"], 2, /at least 1024 sectors/],
    [["12m"], 2, /bad numeric arg for size: "12m"/],
    [["131072", "32", "1", "8192", "1024", "1"], 2, /cgsize must be at least 3/],
    [["131072", ..."1 1 1 1 1 1 1 1 1 1 1 1 1 1 1".split(" ")], 2, /16 operands/],
  ])("%j is refused", async (words, status, message) => {
    const run = await runCommand(mkfs, image, ...words);
    expect(run.status).toBe(status);
    expect(run.stderr).toMatch(message);
  });
});

describe("fsck", () => {
  test("a clean image, raw and gzip'd", async () => {
    await runCommand(newfs, image, "--image-size", "8m");
    const raw = await runCommand(fsck, image, "--progress", "quiet");
    expect(raw.status).toBe(0);
    expect(raw.stdout).toMatch(/^\*\* .*IMG \(NO WRITE\)\n[\s\S]*2 files, 9 used, \d+ free/);
    writeFileSync(image, gzipSync(readFileSync(image)));
    expect(await runCommand(fsck, image, "--progress", "quiet")).toEqual(raw);
  });
  test("a damaged one: status 3, findings in JSON; by a copy of the superblock it is clean again", async () => {
    await runCommand(newfs, image, "--image-size", "8m");
    const descriptor = openSync(image, "r+");
    writeSync(descriptor, new Uint8Array(100).fill(0xff), 0, 100, 8192 + 1300);
    const text = await runCommand(fsck, image, "--progress", "quiet");
    expect(text.status).toBe(3);
    expect(text.stdout).toMatch(/BAD SUPERBLOCK AT BLOCK 16: MAGIC NUMBER WRONG\nUSE AN ALTERNATE SUPERBLOCK/);
    const json = await runCommand(fsck, image, "--json", "--progress", "quiet");
    expect(json.status).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({
      command: "fsck",
      isClean: false,
      findings: [{ phase: "setup", severity: "error", field: "fs_magic" }],
    });
    expect((await runCommand(fsck, image, "--superblock", "32", "--progress", "quiet")).status).toBe(0);
  });
  test("what is no UFS, and what is not there", async () => {
    writeFileSync(image, "hello");
    const short = await runCommand(fsck, image, "--progress", "quiet");
    expect(short).toMatchObject({ status: 3, stdout: expect.stringMatching(/no UFS, or cut off/) });
    const missing = await runCommand(fsck, path.join(scratch, "nothing"), "--progress", "quiet");
    expect(missing.status).toBe(4);
    expect((await runCommand(fsck, scratch, "--progress", "quiet")).stderr).toMatch(
      /is a directory; name an image with a UFS/,
    );
  });
});
