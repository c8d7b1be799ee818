// `pureboot mkisofs` beside genisoimage, with the same words on the same tree: the same names, trees and boot entries.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import * as mkisofs from "../../src/cli/mkisofs.ts";
import { runCommand } from "../cli/in-process.ts";
import { oracle, testWith } from "./harness/programs.ts";
import { run, runText } from "./harness/run.ts";

let folder = "";
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pureboot-mkisofs-"));
  mkdirSync(at("tree/sub/directory"), { recursive: true });
  mkdirSync(at("tree/boot"));
  const names = ["readme", "README.TXT", "name-with-dash", "UPPER case", "a+b", "#x~1", "x.y.z", ".profile"];
  for (const name of [...names, "longer-than-eight.extension", "sub/y", "sub/directory/z.c"]) {
    writeFileSync(at(`tree/${name}`), name);
  }
  writeFileSync(at("tree/boot/cdboot"), "c".repeat(1249));
  writeFileSync(at("tree/boot/efiboot.img"), "e".repeat(100 * 512));
  symlinkSync("../readme", at("tree/sub/link"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs both with the same words. */
async function both(words: readonly string[]): Promise<void> {
  for (const image of ["theirs.iso", "ours.iso"]) rmSync(at(image), { force: true });
  expect((await run(oracle("genisoimage"), ["-quiet", ...words, "-o", at("theirs.iso"), at("tree")])).status).toBe(0);
  expect(await runCommand(mkisofs, "-quiet", ...words, "-o", at("ours.iso"), at("tree"))).toMatchObject({ status: 0 });
}

const listed = async (image: string, ...words: string[]): Promise<string[]> =>
  (await runText(oracle("isoinfo"), [...words, "-f", "-i", at(image)])).split("\n").sort();

describe("plain names", () => {
  // Left out is what genisoimage does on its own account: `.tgz` for `.tar.gz`, dots in directory names.
  for (const words of [
    "",
    "-l",
    "-N -l",
    "-l -allow-lowercase",
    "-l -allow-multidot",
    "-l -ldots",
    "-l -relaxed-filenames",
    "-l -no-iso-translate",
    "-max-iso9660-filenames",
    "-iso-level 2",
    "-U",
    "-N -l -U -d -D -allow-multidot -no-iso-translate -cache-inodes",
  ]) {
    testWith(["genisoimage", "isoinfo"], `with ${words || "no option"}`, async () => {
      await both(words === "" ? [] : words.split(" "));
      expect(await listed("ours.iso")).toEqual(await listed("theirs.iso"));
    });
  }
});

testWith(["genisoimage", "isoinfo"], "Rock Ridge and Joliet names", async () => {
  await both(["-R", "-J", "-V", "illumos"]);
  expect(await listed("ours.iso", "-R")).toEqual(await listed("theirs.iso", "-R"));
  // Joliet knows no links: genisoimage shows them as empty files, we do not.
  const plain = (names: readonly string[]): string[] =>
    names.map((name) => name.replace(/;1$/, "")).filter((name) => name !== "/sub/link");
  expect(plain(await listed("ours.iso", "-J"))).toEqual(plain(await listed("theirs.iso", "-J")));
});

testWith(["genisoimage", "xorriso"], "boot entries", async () => {
  const words = `-R -c .catalog -b boot/cdboot -no-emul-boot -boot-load-size 4
    -eltorito-alt-boot -e boot/efiboot.img -no-emul-boot`;
  await both(words.split(/\s+/));
  const report = async (image: string): Promise<string[]> => {
    const text = await runText(oracle("xorriso"), ["-indev", at(image), "-report_el_torito", "plain"]);
    const lines = text.split("\n").filter((line) => /^El Torito (boot img|img path|cat path)/.test(line));
    return lines.map((line) => line.replace(/ +\d+ *$/, "")); // but for the block
  };
  expect(await report("ours.iso")).toEqual(await report("theirs.iso"));
  expect(await report("ours.iso")).toHaveLength(5);
});
