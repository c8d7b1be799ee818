// Extraction: what comes out is what was in, and nothing lands outside.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { type Content, memoryContent, readAll, textContent } from "../../src/bytes/index.ts";
import { extractTree } from "../../src/node/extract.ts";
import { readDirectoryTree } from "../../src/node/index.ts";
import { makeDirectories } from "../../src/node/make-directories.ts";
import {
  type Attributes,
  type Directory,
  device,
  directory,
  file,
  type Node,
  special,
  symlink,
  treeOf,
  walk,
} from "../../src/tree/index.ts";
import { temporaryDirectory } from "./temporary.ts";

const scratch = fs.mkdtempSync(path.join(tmpdir(), "pureboot-extract-"));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));
let used = 0;
const fresh = (): string => path.join(scratch, `t${used++}`);

const isRoot = process.geteuid?.() === 0;
const base: Attributes = {
  mode: 0o644,
  uid: process.geteuid?.() ?? 0,
  gid: process.getegid?.() ?? 0,
  mtimeSeconds: 1_500_000_000,
};
const folder: Attributes = { ...base, mode: 0o755 };
const text = (content: string, mode = 0o644): Node => file({ ...base, mode }, textContent(content));

/** A tree as lines: everything but what a file system does not keep. */
async function listing(tree: Directory): Promise<string[]> {
  const lines: string[] = [];
  const names = new Map<Node, string>();
  for (const { path: at, node } of walk(tree)) {
    const first = names.get(node) ?? at;
    names.set(node, first);
    const attributes = node.type === "symlink" ? "" : `${node.mode.toString(8)} ${node.uid}:${node.gid}`;
    const content =
      node.type === "file"
        ? Buffer.from(await readAll(node.content)).toString("hex")
        : node.type === "symlink"
          ? node.target
          : "";
    lines.push([at, node.type, attributes, node.mtimeSeconds, first, content].join(" "));
  }
  return lines;
}

describe("what comes out", () => {
  const shared = text("shared");
  const tree = treeOf(
    [
      ["/a/b/c", text("content")],
      ["/a/locked", directory({ ...folder, mode: 0o500, mtimeSeconds: 12345 }, new Map([["in", text("x", 0o400)]]))],
      ["/one", shared],
      ["/z/two", shared],
      ["/link", symlink({ ...base, mode: 0o777 }, "../../etc/passwd")],
      ["/caf\xe9", text("a name that is no UTF-8")],
      ["/empty", text("")],
      ["/many", file(base, memoryContent(new Uint8Array(3_000_000).fill(7)))],
    ],
    folder,
  );

  test("modes, times, links, names, contents", async () => {
    const target = fresh();
    const extracted = await extractTree(tree, target);
    expect(extracted).toMatchObject({ directories: 4, files: 6, hardLinks: 1, symlinks: 1, warnings: [] });
    expect(await listing((await readDirectoryTree(target)).tree)).toEqual(await listing(tree));
  });

  test("any tree", async () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9._ -]{1,12}$/).filter((one) => one !== "." && one !== "..");
    const leaf: fc.Arbitrary<Node> = fc.oneof(
      fc
        .tuple(fc.uint8Array({ maxLength: 50 }), fc.integer({ min: 0, max: 0o777 }), fc.nat(2_000_000_000))
        .map(([bytes, mode, mtimeSeconds]) =>
          file({ ...base, mode: mode | 0o400, mtimeSeconds }, memoryContent(new Uint8Array(bytes))),
        ),
      fc.stringMatching(/^[a-z./]{1,20}$/).map((target) => symlink({ ...base, mode: 0o777 }, target)),
    );
    const trees = fc.letrec<{ tree: Directory; node: Node }>((tie) => ({
      node: fc.oneof({ depthSize: "small" }, leaf, tie("tree")),
      tree: fc
        .dictionary(name, tie("node"), { maxKeys: 5 })
        .map((entries) => directory(folder, new Map(Object.entries(entries)))),
    }));
    await fc.assert(
      fc.asyncProperty(trees.tree, async (random) => {
        const target = fresh();
        await extractTree(random, target);
        expect(await listing((await readDirectoryTree(target)).tree)).toEqual(await listing(random));
      }),
      { numRuns: 40 },
    );
  });

  test("holes stay holes", async () => {
    const content: Content = {
      sizeBytes: 1 << 30,
      read: async (target) => void target.fill(1),
      dataRanges: [{ offset: 1 << 20, length: 4096 }],
    };
    const zeros: Content = { sizeBytes: 8 << 20, read: async (target) => void target.fill(0) };
    const target = fresh();
    const sparse = new Map([
      ["hole", file(base, content)],
      ["zeros", file(base, zeros)],
    ]);
    await extractTree(directory(folder, sparse), target);
    const stats = fs.statSync(path.join(target, "hole"));
    expect([stats.size, stats.blocks * 512 < 1 << 20]).toEqual([1 << 30, true]);
    const zeroStats = fs.statSync(path.join(target, "zeros"));
    expect([zeroStats.size, zeroStats.blocks]).toEqual([8 << 20, 0]);
  });

  test("set-id bits go with owners only", async () => {
    const suid = directory(folder, new Map([["su", text("x", 0o4755)]]));
    const without = fresh();
    const { warnings } = await extractTree(suid, without, { owners: false });
    expect(fs.statSync(path.join(without, "su")).mode & 0o7777).toBe(0o755);
    expect(warnings).toEqual([expect.stringMatching(/^\/su: set-user-id/)]);
    if (!isRoot) return;
    const within = fresh();
    const other = directory(folder, new Map([["su", { ...text("x", 0o4755), uid: 17, gid: 18 }]]));
    await extractTree(other, within);
    const stats = fs.statSync(path.join(within, "su"));
    expect([stats.mode & 0o7777, stats.uid, stats.gid]).toEqual([0o4755, 17, 18]);
  });

  test("devices are left out, unless root asks for them", async () => {
    const devices = directory(
      folder,
      new Map<string, Node>([
        ["null", device({ ...base, mode: 0o666 }, "character", 1, 3)],
        ["pipe", special({ ...base, mode: 0o620 }, "fifo")],
        ["socket", special(base, "socket")],
      ]),
    );
    const target = fresh();
    const { warnings } = await extractTree(devices, target);
    expect(fs.readdirSync(target)).toEqual([]);
    expect(warnings).toEqual([
      "/null: a device or fifo; left out (--devices makes them, as root) (and 1 more)",
      "/socket: a socket; left out",
    ]);
    const asked = extractTree(devices, fresh(), { devices: true });
    if (!isRoot) {
      await expect(asked).rejects.toMatchObject({ code: "invalid-argument" });
      return;
    }
    const made = await asked.catch((error: Error) => error.message);
    if (typeof made === "string")
      expect(made).toMatch(/mknod/); // root without the right to make devices
    else {
      const at = path.join(scratch, `t${used - 1}`);
      expect(execFileSync("stat", ["-c", "%F %t %T %a", "null", "pipe"], { cwd: at, encoding: "utf8" })).toBe(
        "character special file 1 3 666\nfifo 0 0 620\n",
      );
    }
  });
});

describe("nothing lands outside", () => {
  test.each(["..", ".", "", "a/b", "../../etc", "x\0y"])("a name like %j is refused", async (name) => {
    const target = fresh();
    const hostile = directory(folder, new Map([["dir", directory(folder, new Map([[name, text("evil")]]))]]));
    await expect(extractTree(hostile, target)).rejects.toMatchObject({ code: "invalid-argument" });
    expect(fs.readdirSync(path.join(target, "dir"))).toEqual([]);
  });

  test("links of the image are not followed, wherever they lead", async () => {
    const [target, outside] = [fresh(), fresh()];
    fs.mkdirSync(outside);
    // Two trees, the second over the first: the way into a directory is a link by then.
    await extractTree(directory(folder, new Map([["d", symlink(base, outside)]])), target);
    const below = directory(folder, new Map([["d", directory(folder, new Map([["evil", text("evil")]]))]]));
    await expect(extractTree(below, target)).rejects.toMatchObject({ code: "output" });
    expect(fs.readdirSync(outside)).toEqual([]);
    await extractTree(below, target, { force: true });
    expect(fs.readdirSync(outside)).toEqual([]);
    expect(fs.lstatSync(path.join(target, "d")).isDirectory()).toBe(true);
  });

  test("a link in the place of a file is replaced, not written through", async () => {
    const [target, outside] = [fresh(), fresh()];
    fs.writeFileSync(outside, "before");
    await extractTree(directory(folder, new Map([["f", symlink(base, outside)]])), target);
    const over = directory(folder, new Map([["f", text("new")]]));
    await expect(extractTree(over, target)).rejects.toMatchObject({ code: "output" });
    await extractTree(over, target, { force: true });
    expect(fs.readFileSync(outside, "utf8")).toBe("before");
    expect(fs.readFileSync(path.join(target, "f"), "utf8")).toBe("new");
  });

  test("a directory that is replaced by a link while it is written to", async () => {
    const [target, outside] = [fresh(), fresh()];
    fs.mkdirSync(outside);
    const swap: Content = {
      sizeBytes: 1,
      async read(into) {
        into[0] = 1;
        fs.renameSync(path.join(target, "d"), path.join(target, "moved"));
        fs.symlinkSync(outside, path.join(target, "d"));
      },
    };
    const shared = text("shared");
    const entries = new Map<string, Node>([
      ["a", file(base, swap)],
      ["b", text("after the swap")],
      ["c", directory(folder, new Map([["deep", text("deep")]]))],
      ["l", symlink(base, "x")],
      ["s", shared],
      ["t", shared],
    ]);
    const tree = directory(folder, new Map([["d", directory(folder, entries)]]));
    await extractTree(tree, target).catch((error: unknown) => expect(error).toMatchObject({ code: "output" }));
    expect(fs.readdirSync(outside)).toEqual([]);
  });

  test("what is there is not replaced unasked, and directories never", async () => {
    const target = fresh();
    fs.mkdirSync(path.join(target, "x"), { recursive: true });
    const tree = directory(folder, new Map([["x", text("file")]]));
    await expect(extractTree(tree, target, { force: true })).rejects.toThrow(/is a directory/);
    expect(fs.statSync(path.join(target, "x")).isDirectory()).toBe(true);
  });
});

test("directories are made as mkdir -p makes them, and where none can be made that is said", () => {
  const top = temporaryDirectory();
  const deep = path.join(top, "a", "b", "c");
  expect(makeDirectories(deep)).toBe(path.join(top, "a"));
  expect(makeDirectories(deep)).toBeUndefined();
  fs.writeFileSync(path.join(top, "file"), "");
  expect(() => makeDirectories(path.join(top, "file"))).toThrow("EEXIST");
  expect(() => makeDirectories(path.join(top, "file", "below"))).toThrow("ENOTDIR");
  if (process.platform === "linux") expect(() => makeDirectories("/proc/nowhere/below")).toThrow("ENOENT");
});
