// pureboot diff as a user and a program meet it.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readAll } from "../../src/bytes/index.ts";
import * as diff from "../../src/cli/diff.ts";
import { draft } from "../../src/tree/index.ts";
import { sampleIso, sampleTree, text } from "../inspect/images.ts";
import { runCommand } from "./in-process.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-diff-"));
const at = (name: string): string => path.join(scratch, name);
beforeAll(async () => {
  writeFileSync(at("a.iso"), await readAll((await sampleIso()).iso));
  const tree = draft(sampleTree());
  tree.put("/etc/motd", text("Goodbye\n", { mode: 0o600 }));
  tree.remove("/usr/lib");
  tree.put("/new/one", text("1"), { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0 });
  writeFileSync(at("b.iso"), await readAll((await sampleIso(tree.tree())).iso));
  mkdirSync(at("dir"));
  writeFileSync(at("dir/x"), "x");
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test("status 0 and nothing printed for what is equal", async () => {
  expect(await runCommand(diff, at("a.iso"), at("a.iso"))).toEqual({ stdout: "", stderr: "", status: 0 });
});

test("standard input can be one of the two only", async () => {
  const { status, stderr } = await runCommand(diff, "-", "-");
  expect([status, stderr]).toEqual([2, expect.stringMatching(/^"-" was named twice/)]);
});

test("a line a path, directories that came or went folded", async () => {
  const { status, stdout } = await runCommand(diff, "-a", at("a.iso"), at("b.iso"));
  expect(status).toBe(3);
  expect(stdout.split("\n")).toEqual([
    "! /etc/motd: content (8 bytes, from byte 0 on); mode 0644 -> 0600",
    "+ /new (directory) (with 1 paths below)",
    "- /usr/lib (directory) (with 2 paths below)",
    "",
  ]);
  const all = await runCommand(diff, "-a", "--all", at("a.iso"), at("b.iso"));
  expect(all.stdout).toMatch(/^- \/usr\/lib\/big \(file, 300000 bytes\)$/m);
  const whole = await runCommand(diff, at("a.iso"), at("b.iso"));
  expect(whole.stdout).toMatch(/^! \/platform\/i86pc\/boot_archive\/etc\/motd: content/m);
});

test("--json, and paths inside of images", async () => {
  const { stdout } = await runCommand(diff, "--json", `${at("a.iso")}/platform/i86pc/boot_archive/etc`, at("dir"));
  const { isEmpty, paths } = JSON.parse(stdout);
  expect(isEmpty).toBe(false);
  expect(paths).toContainEqual(expect.objectContaining({ path: "/motd", kind: "removed", type: "file", sizeBytes: 8 }));
  expect(paths).toContainEqual(expect.objectContaining({ path: "/x", kind: "added" }));
});
