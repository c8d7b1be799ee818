import { spawnSync } from "node:child_process";
import { truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readBytes } from "../../src/bytes/index.ts";
import { openFileContent } from "../../src/node/index.ts";
import { sampleBytes } from "../gzip/samples.ts";
import { type Compiled, compileNodeRoom } from "./compiled.ts";
import { temporaryDirectory } from "./temporary.ts";

describe("openFileContent", () => {
  test("reads a file anywhere", async () => {
    const file = path.join(temporaryDirectory(), "image");
    const bytes = sampleBytes(300_000, 1);
    writeFileSync(file, bytes);
    const content = await openFileContent(file);
    expect(content.sizeBytes).toBe(300_000);
    expect(Buffer.from(await readBytes(content, 123_456, 100_000)).equals(bytes.subarray(123_456, 223_456))).toBe(true);
    truncateSync(file, 1000);
    await expect(readBytes(content, 900, 200)).rejects.toMatchObject({ code: "input-changed" });
    await content.close();
  });

  test("what is missing or no file is an error", async () => {
    const top = temporaryDirectory();
    await expect(openFileContent(path.join(top, "none"))).rejects.toMatchObject({ code: "input-missing" });
    await expect(openFileContent(top)).rejects.toThrow("neither a file nor a block device");
  });
});

describe.runIf(process.platform !== "win32")("standard input", () => {
  let compiled: Compiled;
  beforeAll(() => {
    compiled = compileNodeRoom();
  });
  afterAll(() => compiled.remove());

  test.each(["cat image | ", "< image "])("is read as a content (%s)", (from) => {
    const top = temporaryDirectory();
    const bytes = sampleBytes(500_000, 2);
    writeFileSync(path.join(top, "image"), bytes);
    const script = `const { openFileContent } = await import(process.argv[1]); const content = await openFileContent("-");
      const part = new Uint8Array(5); await content.read(part, 400_000); console.log(content.sizeBytes, [...part].join()); await content.close();`;
    writeFileSync(path.join(top, "script.mjs"), script.replace("process.argv[1]", "process.argv[2]"));
    const command = `"${process.execPath}" script.mjs "${compiled.file("index")}"`;
    const { stdout } = spawnSync("sh", ["-c", from.startsWith("<") ? `${command} ${from}` : from + command], {
      cwd: top,
      encoding: "utf8",
    });
    expect(stdout).toBe(`500000 ${[...bytes.subarray(400_000, 400_005)].join()}\n`);
  });
});
