// What goes wrong half-way: one clear line, the right status, and nothing left: no output, no temporary file, no process.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { writeExampleProto } from "../../fixtures/example.ts";
import { buildIsoFile } from "../../src/node/index.ts";

const MAIN = path.resolve(import.meta.dirname, "../../dist/cli/main.js");
const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-faults-"));
const [proto, out, temporary] = ["proto", "out", "tmp"].map((name) => path.join(scratch, name)) as [
  string,
  string,
  string,
];
const output = path.join(out, "x.iso");

beforeEach(() => {
  for (const folder of [proto, out, temporary]) rmSync(folder, { recursive: true, force: true });
  for (const folder of [out, temporary]) mkdirSync(folder);
  writeExampleProto(proto);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const leftovers = (): string[] => [...readdirSync(out), ...readdirSync(temporary)].filter((name) => name !== "cache");
const lastFile = path.join(proto, "usr/late");

describe("a source that changes while it is read", () => {
  test.each([
    ["vanishes", () => unlinkSync(lastFile), /usr\/late: changed while it was read: it vanished/],
    ["grows", () => writeFileSync(lastFile, "more and more"), /usr\/late: changed while it was read: it had 4 bytes/],
    [
      "goes with its whole directory",
      () => rmSync(proto, { recursive: true }),
      /changed while it was read: it vanished; build again/,
    ],
  ])("a file that %s", async (_, change, message) => {
    writeFileSync(lastFile, "late");
    let isChanged = false;
    const onProgress = (): void => {
      if (isChanged) return;
      isChanged = true;
      change();
    };
    const job = { sources: [proto], output };
    // One thread and slow compression: the first progress comes long before the last file is read.
    const host = { onProgress, workers: 1, engine: "pako" } as const;
    await expect(buildIsoFile(job, { loader: "none", level: 9 }, host)).rejects.toThrow(message);
    expect(leftovers()).toEqual([]);
  });
});

describe("an interruption, whenever it comes", () => {
  test.each([20, 150, 300, 450, 700, 1500])("after %d ms", async (milliseconds) => {
    const words = ["build", proto, "-o", output, "--loader", "none", "--gzip", "pako", "--level", "9"];
    const child = spawn(process.execPath, [MAIN, ...words, "--cache", path.join(out, "cache")], {
      cwd: scratch,
      detached: true, // a group of its own, so that what is left of it can be found
      env: { ...process.env, TMPDIR: temporary },
    });
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    const ended = new Promise<readonly [number | null, string | null]>((resolve) =>
      child.on("close", (status, signal) => resolve([status, signal])),
    );
    await setTimeout(milliseconds);
    child.kill("SIGINT");
    const [status, signal] = await ended;
    // Before there is a handler the signal itself ends it; at the very end it may have been done.
    if (signal === null) expect([0, 130]).toContain(status);
    else expect(signal).toBe("SIGINT");
    if (status === 130) expect(stderr).toMatch(/interrupted/);
    expect(leftovers()).toEqual(status === 0 ? ["x.iso"] : []);
    if (existsSync(path.join(out, "cache"))) {
      const names = readdirSync(path.join(out, "cache"), { recursive: true, encoding: "utf8" });
      expect(names.filter((name) => path.basename(name).startsWith("."))).toEqual([]);
    }
    expect(() => process.kill(-(child.pid ?? 0), 0)).toThrow("ESRCH");
  });
});

/** A disk of 1 MiB: mounting one takes root. */
const disk = path.join(scratch, "disk");
mkdirSync(disk);
const { status: mounted } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", disk]);

describe.runIf(mounted === 0)("a disk that fills", () => {
  afterAll(() => {
    execFileSync("umount", [disk]);
  });

  test.each([
    ["an ISO", ["build", "--loader", "none"]],
    ["a raw ramdisk", ["archive", "--no-gzip"]],
    ["an archive", ["archive"]],
  ])("under %s", (_, words) => {
    const [command = "", ...options] = words;
    const run = spawnSync(process.execPath, [MAIN, command, proto, "-o", path.join(disk, "x"), ...options], {
      encoding: "utf8",
      env: { ...process.env, TMPDIR: temporary },
    });
    expect(run.stderr).toMatch(
      /disk\/x: cannot write: no space left on the disk; free some, or write somewhere else\n$/,
    );
    expect(run.status).toBe(1);
    expect(readdirSync(disk)).toEqual([]);
  });

  test("under the cache: the build goes on without it", () => {
    const cache = path.join(disk, "cache");
    const words = ["build", proto, "-o", output, "--loader", "none", "--cache", cache];
    const run = spawnSync(process.execPath, [MAIN, ...words], { encoding: "utf8" });
    expect([run.status, readdirSync(out)]).toEqual([0, ["x.iso"]]);
    rmSync(cache, { recursive: true });
  });
});
