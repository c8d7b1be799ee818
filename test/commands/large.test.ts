// Images of 8 GiB are looked into in seconds, and in less than 200 MiB of memory: each command in a process of its own, whose
// peak the operating system counts.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readAll } from "../../src/bytes/index.ts";
import { writePartitionTable } from "../../src/disk/index.ts";
import { sampleIso } from "../inspect/images.ts";

const SIZE_BYTES = 8 * 2 ** 30;
const MAX_PEAK_KIB = 200 << 10;
/** Far more than any takes on a machine that has other things to do, far less than reading it all would. */
const MAX_SECONDS = 15;

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), "pureboot-large-"));
const at = (name: string): string => path.join(folder, name);

/** Runs a command; its last line on stderr is the peak of its memory. */
function run(...words: string[]): { stdout: string; status: number | null; peakKib: number; seconds: number } {
  const script = `process.on("exit", () => console.error(process.resourceUsage().maxRSS));
    process.argv = [process.argv[0], ...process.argv.slice(1)]; await import(${JSON.stringify(`file://${main}`)});`;
  const start = performance.now();
  const result = spawnSync(process.execPath, ["--input-type=module", "-e", script, "pureboot", ...words], {
    encoding: "utf8",
  });
  const seconds = (performance.now() - start) / 1000;
  return {
    stdout: result.stdout,
    status: result.status,
    peakKib: Number(result.stderr.trim().split("\n").at(-1)),
    seconds,
  };
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => {
  expect(run("newfs", at("big.ufs"), "--image-size", "8g").status).toBe(0);
  writeFileSync(at("big.iso"), await readAll((await sampleIso()).iso));
  const sector = new Uint8Array(512);
  writePartitionTable([{ type: 0x0c, startLba: 2048, sectors: SIZE_BYTES / 512 - 2048, active: false }], sector);
  writeFileSync(at("big.img"), sector);
  for (const name of ["big.iso", "big.img"]) truncateSync(at(name), SIZE_BYTES);
});

describe.each([
  ["big.ufs", "UFS"],
  ["big.iso", "ISO 9660"],
  ["big.img", "MBR"],
])("%s", (name, kind) => {
  test.each([["inspect"], ["ls", "-lR"], ["verify", "--progress=quiet"]])("%s", (...words) => {
    const { stdout, status, peakKib, seconds } = run(...words, at(name));
    expect([0, 3]).toContain(status);
    if (words[0] === "inspect") expect(stdout).toContain(kind);
    expect(peakKib).toBeGreaterThan(10_000);
    expect(peakKib).toBeLessThan(MAX_PEAK_KIB);
    expect(seconds).toBeLessThan(MAX_SECONDS);
  });
});
