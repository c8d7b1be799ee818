import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { fromText, ImageError, readAll, readBytes } from "../../src/bytes/index.ts";
import { deviceNumbers, readDirectoryTree } from "../../src/node/index.ts";
import { type File, lookup, type Node, pathsOf, walk } from "../../src/tree/index.ts";
import { sampleBytes } from "../gzip/samples.ts";
import { temporaryDirectory } from "./temporary.ts";

const isPosix = process.platform !== "win32";

function fileAt(node: Node | undefined): File {
  if (node?.type !== "file") throw new Error(`a file is expected, not ${node?.type}`);
  return node;
}

describe("readDirectoryTree", () => {
  test("gives types, modes, times, links and contents", async () => {
    const top = temporaryDirectory();
    mkdirSync(path.join(top, "usr/bin"), { recursive: true });
    writeFileSync(path.join(top, "usr/bin/ls"), "program");
    chmodSync(path.join(top, "usr/bin/ls"), 0o4755);
    utimesSync(path.join(top, "usr/bin/ls"), 1_000_000_000.75, 1_000_000_000.75);
    linkSync(path.join(top, "usr/bin/ls"), path.join(top, "usr/dir"));
    symlinkSync("../no/such\u00e9 place", path.join(top, "usr/link"));
    symlinkSync("usr", path.join(top, "directory-link"));
    writeFileSync(path.join(top, "empty"), "");
    chmodSync(path.join(top, "usr"), 0o1777);

    const { tree, warnings } = await readDirectoryTree(top);
    expect(warnings).toEqual([]);
    expect(pathsOf(tree)).toEqual([
      "/",
      "/directory-link",
      "/empty",
      "/usr",
      "/usr/bin",
      "/usr/bin/ls",
      "/usr/dir",
      "/usr/link",
    ]);
    const { uid, gid } = statSync(top);
    expect(lookup(tree, "/usr/bin/ls")).toMatchObject({
      type: "file",
      mode: 0o4755,
      uid,
      gid,
      mtimeSeconds: 1_000_000_000,
    });
    expect(lookup(tree, "/usr/dir")).toBe(lookup(tree, "/usr/bin/ls"));
    expect(lookup(tree, "/usr")).toMatchObject({ type: "directory", mode: 0o1777 });
    expect(lookup(tree, "/usr/link")).toMatchObject({ type: "symlink", target: fromText("../no/such\u00e9 place") });
    expect(lookup(tree, "/directory-link")).toMatchObject({ type: "symlink", target: "usr" });
    expect(Buffer.from(await readAll(fileAt(lookup(tree, "/usr/dir")).content)).toString()).toBe("program");
    expect(fileAt(lookup(tree, "/empty")).content.sizeBytes).toBe(0);
  });

  test("times before 1970 are rounded down like others", async () => {
    const top = temporaryDirectory();
    writeFileSync(path.join(top, "old"), "");
    utimesSync(path.join(top, "old"), new Date(-1500), new Date(-1500)); // as a number, Node would take it for "now"
    expect(lookup((await readDirectoryTree(top)).tree, "/old")?.mtimeSeconds).toBe(-2);
  });

  test.runIf(process.platform === "linux")("names are bytes, whatever they mean", async () => {
    const top = temporaryDirectory();
    const names = ["latin1 \xe9", "\xff\xfe", "utf-8 \xc3\xa9", "x".repeat(255)];
    for (const name of names)
      writeFileSync(Buffer.concat([Buffer.from(`${top}/`), Buffer.from(name, "latin1")]), name, "latin1");
    const { tree } = await readDirectoryTree(top);
    expect([...tree.entries.keys()].sort()).toEqual([...names].sort());
    for (const [name, node] of tree.entries) {
      expect(Buffer.from(await readAll(fileAt(node).content)).toString("latin1")).toBe(name);
    }
  });

  test("everything may be somebody else's at once", async () => {
    const top = temporaryDirectory();
    mkdirSync(path.join(top, "folder"));
    writeFileSync(path.join(top, "folder/file"), "x");
    const { tree } = await readDirectoryTree(top, { owner: { uid: 7, gid: 8 } });
    expect(Array.from(walk(tree), ({ path, node: { uid, gid } }) => [path, uid, gid])).toEqual([
      ["/", 7, 8],
      ["/folder", 7, 8],
      ["/folder/file", 7, 8],
    ]);
  });

  test.runIf(isPosix)("fifos and sockets are nodes", async () => {
    const top = temporaryDirectory();
    execFileSync("mkfifo", [path.join(top, "fifo")]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path.join(top, "socket"), resolve));
    const { tree } = await readDirectoryTree(top);
    expect([...tree.entries].map(([name, { type }]) => [name, type]).sort()).toEqual([
      ["fifo", "fifo"],
      ["socket", "socket"],
    ]);
    await new Promise((resolve) => server.close(resolve));
  });

  test("the top may be a symbolic link, and nothing is written", async () => {
    const top = temporaryDirectory();
    mkdirSync(path.join(top, "real"));
    writeFileSync(path.join(top, "real/file"), "x");
    symlinkSync("real", path.join(top, "link"));
    const before = statSync(path.join(top, "real")).mtimeMs;
    const { tree } = await readDirectoryTree(path.join(top, "link"));
    await readAll(fileAt(lookup(tree, "/file")).content);
    expect(readdirSync(top).sort()).toEqual(["link", "real"]);
    expect(statSync(path.join(top, "real")).mtimeMs).toBe(before);
  });

  test("a source that is missing or no directory is one clear error", async () => {
    const top = temporaryDirectory();
    writeFileSync(path.join(top, "file"), "x");
    const missing = path.join(top, "missing");
    await expect(readDirectoryTree(missing)).rejects.toMatchObject({ code: "input-missing", path: missing });
    await expect(readDirectoryTree(missing)).rejects.toThrow("no such file or directory");
    await expect(readDirectoryTree(path.join(top, "file"))).rejects.toThrow("is not a directory");
  });

  test.runIf(isPosix)("what may not be read is an error with a remedy", async () => {
    const top = temporaryDirectory();
    chmodSync(top, 0o755);
    mkdirSync(path.join(top, "closed"));
    writeFileSync(path.join(top, "secret"), "x", { mode: 0o000 });
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65534); // root may read everything
    try {
      const { tree } = await readDirectoryTree(top);
      await expect(readAll(fileAt(lookup(tree, "/secret")).content)).rejects.toThrow(
        /secret: permission denied; make it readable/,
      );
      if (isRoot) process.seteuid?.(0);
      chmodSync(path.join(top, "closed"), 0o000);
      if (isRoot) process.seteuid?.(65534);
      await expect(readDirectoryTree(top)).rejects.toMatchObject({ code: "input-missing" });
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
    chmodSync(path.join(top, "closed"), 0o755);
  });

  test("an abort ends the walk", async () => {
    const top = temporaryDirectory();
    for (let i = 0; i < 2100; i++) writeFileSync(path.join(top, `${i}`), "");
    await expect(readDirectoryTree(top, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "interrupted",
    });
  });
});

describe("file contents", () => {
  const bytes = sampleBytes(1_500_000, 1);

  async function treeWithFile(): Promise<{ file: string; content: File["content"] }> {
    const top = temporaryDirectory();
    const file = path.join(top, "file");
    writeFileSync(file, bytes);
    const { tree } = await readDirectoryTree(top);
    return { file, content: fileAt(lookup(tree, "/file")).content };
  }

  test("any range can be read, several at a time", async () => {
    const { content } = await treeWithFile();
    const ranges = [
      [0, 10],
      [1_499_990, 10],
      [700_000, 800_000],
      [3, 0],
    ] as const;
    const read = await Promise.all(ranges.map(([offset, length]) => readBytes(content, offset, length)));
    read.forEach((actual, i) => {
      const [offset, length] = ranges[i] ?? [0, 0];
      expect(Buffer.from(actual).equals(bytes.subarray(offset, offset + length))).toBe(true);
    });
  });

  test.each([
    ["grows", (file: string) => appendFileSync(file, "x"), /had 1500000 bytes and has 1500001 now/],
    ["shrinks", (file: string) => truncateSync(file, 1_000_000), /had 1500000 bytes and has 1000000 now/],
    ["is written to", (file: string) => writeFileSync(file, new Uint8Array(1_500_000)), /was written to/],
    ["vanishes", (file: string) => unlinkSync(file), /vanished/],
  ])("a file that %s after the walk is an error that names it", async (_, change, message) => {
    const { file, content } = await treeWithFile();
    await readBytes(content, 0, 1000);
    change(file);
    const error = await readBytes(content, 1_000_000, 500_000).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ImageError);
    expect(error).toMatchObject({ code: "input-changed", path: file });
    expect((error as ImageError).message).toMatch(message);
  });
});

test("a walk over many paths says how far it is", async () => {
  const folder = temporaryDirectory();
  for (let i = 0; i < 4500; i++) writeFileSync(path.join(folder, String(i)), i % 2 === 0 ? "xy" : "");
  const told: unknown[] = [];
  await readDirectoryTree(folder, { onProgress: (...words) => void told.push(words) });
  expect(told).toEqual([
    ["looking for files", expect.any(Number), undefined, 2000],
    ["looking for files", expect.any(Number), undefined, 4000],
  ]);
});

describe("deviceNumbers", () => {
  test.each([
    ["linux", 0x801n, [8, 1]],
    ["linux", 0x11032cn, [259, 300]],
    ["linux", 0xffff_ffff_ffff_ffffn, [0xffffffff, 0xffffffff]],
    ["darwin", 0x03000002n, [3, 2]],
    ["sunos", 0x0000001a_00000007n, [26, 7]],
    ["freebsd", 0x145_0000_2367n, [0x123, 0x4567]],
  ] as const)("takes %s's device numbers apart", (platform, rdev, numbers) => {
    expect(deviceNumbers(rdev, platform)).toEqual(numbers);
  });

  test.runIf(process.platform === "linux")("/dev/null is 1,3 on Linux", () => {
    expect(deviceNumbers(statSync("/dev/null", { bigint: true }).rdev, "linux")).toEqual([1, 3]);
  });
});
