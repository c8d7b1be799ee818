// pureboot verify as a user and a program meet it.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fromText, readAll } from "../../src/bytes/index.ts";
import * as verify from "../../src/cli/verify.ts";
import { gzip, sampleTree, sha1, text, ufsBytes } from "../inspect/images.ts";
import { grubParts, loaderParts, mediumOf } from "../inspect/media.ts";
import { runCommand } from "./in-process.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-verify-"));
const at = (name: string): string => path.join(scratch, name);
beforeAll(async () => {
  writeFileSync(at("good.iso"), await readAll(await mediumOf(grubParts())));
  const blank = grubParts();
  blank.ramdisk.set("/etc/driver_aliases", text(""));
  writeFileSync(at("blank.iso"), await readAll(await mediumOf(blank)));
  const bad = grubParts();
  bad.nodes.delete("/boot/grub/menu.lst");
  writeFileSync(at("bad.iso"), await readAll(await mediumOf(bad)));
  const ramdisk = await ufsBytes(sampleTree());
  writeFileSync(at("boot_archive"), gzip(ramdisk));
  writeFileSync(at("boot_archive.hash"), `${sha1(ramdisk)}\n`);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test("status 0 and one line for a good image; notes with -v", async () => {
  const good = await runCommand(verify, at("good.iso"));
  expect(good.status).toBe(0);
  expect(good.stdout).toMatch(/good\.iso: good: 0 errors, 0 warnings, 1 note; nothing keeps it from booting/);
  const verbose = await runCommand(verify, "-v", at("good.iso"));
  expect(verbose.stdout).toMatch(/^note: \[memory\].*\n {4}why: .*\n {4}mend: /m);
  expect(verbose.stdout).toMatch(/^checked: .*fsck in all phases$/m);
});

test("status 3 for errors, with --strict for warnings too", async () => {
  const bad = await runCommand(verify, at("bad.iso"));
  expect([bad.status, bad.stdout.split("\n")[0]]).toEqual([
    3,
    "error: [grub-menu] /boot/grub/menu.lst is missing: GRUB will stop at its prompt",
  ]);
  expect(bad.stdout).toMatch(/NOT good: 1 error,.*it will not boot as it should/);
  expect((await runCommand(verify, at("blank.iso"))).status).toBe(0);
  expect((await runCommand(verify, "--strict", at("blank.iso"))).status).toBe(3);
});

test("--json has everything", async () => {
  const { status, stdout } = await runCommand(verify, "--json", at("bad.iso"));
  expect(status).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 1,
    command: "verify",
    kind: "iso",
    boots: false,
    errors: 1,
    findings: [{ rule: "grub-menu", severity: "error", path: "/boot/grub/menu.lst" }],
  });
});

test("the hash file beside an archive counts", async () => {
  const good = await runCommand(verify, "-v", at("boot_archive"));
  expect(good.stdout).toMatch(/SHA-1 as in its \.hash file/);
  writeFileSync(at("boot_archive.hash"), `${"1".repeat(40)}\n`);
  const wrong = await runCommand(verify, at("boot_archive"));
  expect(wrong.stdout).toMatch(/error: \[archive-hash\]/);
  const inside = await runCommand(verify, "-v", `${at("good.iso")}/platform/i86pc/boot_archive`);
  expect(inside.status).toBe(0);
  expect(inside.stdout).toMatch(/checked: UFS/);
});

test("rules are listed and explained", async () => {
  expect((await runCommand(verify, "--rules")).stdout).toMatch(
    /^ {2}loader-conf-syntax +error +Configuration files hold/m,
  );
  const explained = await runCommand(verify, "--explain", "archive-hash");
  expect(explained.stdout).toMatch(/^archive-hash \(archive, error at worst\)\n.*\n\nWhy: .*\nMend: /);
  const unknown = await runCommand(verify, "--explain", "archive-hsh");
  expect([unknown.status, unknown.stderr]).toEqual([2, 'there is no rule "archive-hsh"; did you mean archive-hash?\n']);
  expect((await runCommand(verify)).status).toBe(2);
  expect((await runCommand(verify, scratch)).status).toBe(1);
});

test("names that are not ASCII are shown as what they are, and what breaks a rule often is explained once", async () => {
  const made = await loaderParts();
  for (const name of ["süß", "日本"]) made.nodes.set(fromText(`/boot/conf.d/${name}`), text("no assignment\n"));
  writeFileSync(at("names.iso"), await readAll(await mediumOf(made)));
  const { stdout } = await runCommand(verify, "-v", at("names.iso"));
  expect(stdout).toContain("error: [loader-conf-syntax] /boot/conf.d/süß: ");
  expect(stdout).toContain("error: [loader-conf-syntax] /boot/conf.d/日本: ");
  expect(stdout.match(/At a syntax error the loader gives up/g)).toHaveLength(1);
  const { findings } = JSON.parse((await runCommand(verify, "--json", at("names.iso"))).stdout);
  expect(findings[0].found).toMatch(/^\/boot\/conf\.d\/süß: /);
});
