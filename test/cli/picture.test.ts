// pureboot map and dump as a user and a program meet them.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readAll } from "../../src/bytes/index.ts";
import * as dump from "../../src/cli/dump.ts";
import * as map from "../../src/cli/map.ts";
import { sampleIso } from "../inspect/images.ts";
import { runCommand } from "./in-process.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-picture-"));
const at = (name: string): string => path.join(scratch, name);
beforeAll(async () => writeFileSync(at("x.iso"), await readAll((await sampleIso()).iso)));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("map", () => {
  test("a page or a picture, by place or by size", async () => {
    const told = await runCommand(map, at("x.iso"), "-o", at("map.html"));
    expect(told.stdout).toMatch(/map\.html: 3 layers, [\d.]+ KiB \(\d+ bytes\)\n$/);
    expect(readFileSync(at("map.html"), "utf8")).toMatch(/^<!DOCTYPE html>[\s\S]*boot_archive/);
    await runCommand(map, "-a", at("x.iso"), "--by", "size", "-o", at("size.svg"));
    expect(readFileSync(at("size.svg"), "utf8")).toMatch(/^<svg [\s\S]*usr\/ 293 KiB/);
    const printed = await runCommand(map, at("x.iso"), "-o", "-");
    expect(printed.stdout).toBe(readFileSync(at("map.html"), "utf8"));
  });

  test("the same image gives the same picture", async () => {
    await runCommand(map, at("x.iso"), "-o", at("a.svg"));
    await runCommand(map, at("x.iso"), "-o", at("b.svg"));
    expect(readFileSync(at("a.svg"))).toEqual(readFileSync(at("b.svg")));
  });

  test("what is there is not replaced unasked; other formats are refused", async () => {
    expect((await runCommand(map, at("x.iso"), "-o", at("map.html"))).status).toBe(1);
    expect((await runCommand(map, at("x.iso"), "-o", at("map.html"), "--force")).status).toBe(0);
    const png = await runCommand(map, at("x.iso"), "-o", at("map.png"));
    expect([png.status, existsSync(at("map.png"))]).toEqual([2, false]);
    expect((await runCommand(map, scratch, "-o", at("dir.svg"))).stderr).toMatch(/has no places/);
    expect((await runCommand(map, scratch, "--by", "size", "-o", at("dir.svg"))).status).toBe(0);
  });
});

describe("dump", () => {
  test("the field at an offset is marked", async () => {
    const { stdout } = await runCommand(dump, at("x.iso"), "--at", "0x8028");
    expect(stdout).toMatch(/^ {2}> 32808 +32 {2}Volume Identifier +"sample" +8\.4\.6/m);
    expect(stdout).toMatch(/^ {2}00008020 {2}20 20.*\|/m);
    const archive = await runCommand(dump, "-a", at("x.iso"), "--at", "8k");
    expect(archive.stdout).toMatch(/^8192 \(0x2000\): superblock$/m);
    const inside = await runCommand(dump, `${at("x.iso")}/platform/i86pc/boot_archive`, "--at", "0");
    expect(inside.stdout).toMatch(/gzip header/);
  });

  test("--json", async () => {
    const { stdout } = await runCommand(dump, "--json", at("x.iso"), "--at", "32808", "--length", "6");
    expect(JSON.parse(stdout)).toMatchObject({
      field: "Volume Identifier",
      offset: 32808,
      bytes: expect.stringMatching(/73616d706c65$/),
      structures: [{ name: "Primary Volume Descriptor", fields: { "Volume Identifier": "sample" } }],
    });
  });

  test("offsets that are none, and images too damaged to open", async () => {
    expect((await runCommand(dump, at("x.iso"), "--at", "x")).status).toBe(2);
    expect((await runCommand(dump, at("x.iso"), "--at", "1g")).status).toBe(2);
    const damaged = readFileSync(at("x.iso"));
    damaged.writeUInt16LE(512, 16 * 2048 + 128); // Logical Block Size
    writeFileSync(at("damaged.iso"), damaged);
    const { status, stderr, stdout } = await runCommand(dump, at("damaged.iso"), "--at", "0x8028");
    expect([status, stderr]).toEqual([0, expect.stringMatching(/only bytes are shown: logical blocks of 512/)]);
    expect(stdout).toMatch(/\| {8}sample/);
  });
});
