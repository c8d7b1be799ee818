import { appendFileSync, mkdirSync, unlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ImageError, readAll, readBytes } from "../../src/bytes/index.ts";
import { createFileReader, readDirectoryTree, threadedReader } from "../../src/node/index.ts";
import { type File, walk } from "../../src/tree/index.ts";
import { randomNumbers, sampleBytes } from "../gzip/samples.ts";
import { type Compiled, compileNodeRoom } from "./compiled.ts";
import { temporaryDirectory } from "./temporary.ts";

let compiled: Compiled;
beforeAll(() => {
  compiled = compileNodeRoom();
});
afterAll(() => compiled.remove());

const SIZES = [0, 1, 100, 5000, 70_000, 262_144, 900_000];

/** Files named by their size, which is also the seed of their bytes, in two directories. */
function makeFiles(): string {
  const top = temporaryDirectory();
  for (const name of ["a", "b\xe9"]) {
    mkdirSync(path.join(top, name));
    for (const size of SIZES) writeFileSync(path.join(top, name, `${size}`), sampleBytes(size, size));
  }
  return top;
}

async function filesOf(top: string, reader: ReturnType<typeof createFileReader>): Promise<File[]> {
  const { tree } = await readDirectoryTree(top, { reader });
  return [...walk(tree)].map(({ node }) => node).filter((node) => node.type === "file");
}

describe("threadedReader", () => {
  test("gives each read its own bytes, however many there are at a time", async () => {
    const random = randomNumbers(1);
    for (const patienceMs of [0, 2]) {
      let reads = 0;
      const reader = threadedReader(compiled.file("read-thread"), 3, patienceMs, () => reads++);
      const files = await filesOf(makeFiles(), reader);
      const checks = Array.from({ length: 300 }, async () => {
        const { content } = files[random() % files.length] as File; // the index is inside
        const offset = content.sizeBytes === 0 ? 0 : random() % content.sizeBytes;
        const length = random() % (content.sizeBytes - offset + 1);
        const expected = sampleBytes(content.sizeBytes, content.sizeBytes).subarray(offset, offset + length);
        expect(Buffer.from(await readBytes(content, offset, length)).equals(expected)).toBe(true);
      });
      await Promise.all(checks);
      await reader.close();
    }
  });

  test("a busy machine that need not read the disk starts no threads", async () => {
    const reader = threadedReader("no such script", 3, 0.001, () => 5);
    for (const { content } of await filesOf(makeFiles(), reader)) await readAll(content);
    await reader.close();
  });

  test("errors come through with code and path", async () => {
    const top = makeFiles();
    const reader = threadedReader(compiled.file("read-thread"), 1, 0);
    const files = await filesOf(top, reader);
    const file = path.join(top, "a", "5000");
    appendFileSync(file, "x");
    const small = files.find(({ content }) => content.sizeBytes === 5000) as File; // made above
    const error = await readAll(small.content).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ImageError);
    expect(error).toMatchObject({ code: "input-changed", path: file });
    unlinkSync(file);
    await expect(readAll(small.content)).rejects.toThrow("vanished");
    const other = files.find(({ content }) => content.sizeBytes === 70_000) as File; // made above
    expect(await readAll(other.content)).toEqual(sampleBytes(70_000, 70_000)); // a failure is of its request, not of the thread
    await reader.close();
  });

  test("a thread that dies fails the reads", async () => {
    const script = path.join(temporaryDirectory(), "thread.mjs");
    writeFileSync(
      script,
      'import { parentPort } from "node:worker_threads"; parentPort.on("message", () => process.exit(5));',
    );
    const reader = threadedReader(script, 2, 0);
    const [, , file] = await filesOf(makeFiles(), reader);
    await expect(readAll((file as File).content)).rejects.toThrow("a reading thread ended with status 5");
    await reader.close();
  });

  test("close rejects what is under way", async () => {
    const reader = threadedReader(compiled.file("read-thread"), 1, 0);
    const files = await filesOf(makeFiles(), reader);
    const reads = Promise.allSettled(files.map(({ content }) => readAll(content)));
    await reader.close();
    expect((await reads).some(({ status }) => status === "rejected")).toBe(true);
  });
});

test("createFileReader without threads reads here", async () => {
  const reader = createFileReader({ threads: 0 });
  for (const { content } of await filesOf(makeFiles(), reader)) {
    expect(Buffer.from(await readAll(content)).equals(sampleBytes(content.sizeBytes, content.sizeBytes))).toBe(true);
  }
  await reader.close();
});
