// Owners, modes and set-id bits of package manifests, as Linux shows them in the finished image.

import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect } from "vitest";
import { GROUP, gateEntries, generateManifests, PASSWD } from "../../fixtures/generate-manifests.ts";
import { mountInLinux } from "./harness/linux.ts";
import { oracle, testWith } from "./harness/programs.ts";
import { runText } from "./harness/run.ts";

const MAIN = path.resolve(import.meta.dirname, "../../dist/cli/main.js");
const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-packages-"));
const at = (...names: string[]): string => path.join(scratch, ...names);
const pureboot = (...words: string[]): Promise<string> => runText(process.execPath, [MAIN, ...words], { cwd: scratch });
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const entries = gateEntries(4000);
const gate = generateManifests(entries, { manifests: 100, drivers: 120, aliases: 500 });

function writeGate(): void {
  const write = (name: string, text: string): void => {
    mkdirSync(path.dirname(at(name)), { recursive: true });
    writeFileSync(at(name), text);
  };
  for (const { path: name, type, target = "" } of entries) {
    const text = name === "etc/passwd" ? PASSWD : name === "etc/group" ? GROUP : `${name}\n`;
    if (type === "dir") mkdirSync(at("proto", name), { recursive: true });
    else if (type === "file") write(`proto/${name}`, text);
    else if (type === "link") {
      mkdirSync(path.dirname(at("proto", name)), { recursive: true });
      symlinkSync(target, at("proto", name));
    }
  }
  for (const { path: name, type, target = "" } of entries) {
    if (type === "hardlink") linkSync(at("proto", target), at("proto", name));
  }
  for (const [name, text] of Object.entries(gate.stateBefore)) write(`proto/etc/${name}`, text);
  for (const { name, text } of gate.files) write(`pkg/${name}`, text);
}

describe("an image with package manifests", () => {
  testWith(
    ["qemu-system-x86_64", "linux", "gcc"],
    "has the manifests' owners, modes and set-id bits under Linux",
    async () => {
      writeGate();
      const told = await pureboot("archive", "proto", "-o", "gate.ufs", "--no-gzip", "--manifests", "pkg");
      expect(told).toMatch(/drivers +\d+ drivers, \d+ aliases, \d+ majors/);
      const [mounted] = await mountInLinux([{ image: at("gate.ufs"), type: "ufs" }]);
      expect(mounted?.complaints).toEqual([]);
      const wrong: string[] = [];
      let setId = 0;
      for (const [name, wanted] of gate.expected) {
        const seen = mounted?.listing.get(`/${name}`);
        if ((wanted.mode & 0o6000) !== 0) setId++;
        const same =
          seen &&
          seen.uid === wanted.uid &&
          seen.gid === wanted.gid &&
          (wanted.type === "link" || seen.mode === wanted.mode);
        if (!same)
          wrong.push(
            `${name}: ${seen?.mode.toString(8)} ${seen?.uid}:${seen?.gid}, expected ${wanted.mode.toString(8)} ${wanted.uid}:${wanted.gid}`,
          );
      }
      expect(wrong).toEqual([]);
      expect(setId).toBeGreaterThan(0);
    },
  );

  testWith(["tar"], "is the same from a tar made by GNU tar as from the folder", async () => {
    await runText(oracle("tar"), ["-czf", at("proto.tar.gz"), "--format=pax", "-C", at("proto"), "."]);
    for (const [name, source] of [
      ["one.gz", "proto"],
      ["two.gz", "proto.tar.gz"],
    ] as const) {
      await pureboot("archive", source, "-o", name, "--manifests", "pkg", "--epoch", "1000000000");
    }
    expect(readFileSync(at("two.gz")).equals(readFileSync(at("one.gz")))).toBe(true);
  });
});
