// What is planned is read back: trees, layouts, single bytes; and other file systems are named.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageError, memoryContent, readBytes } from "../../src/bytes/index.ts";
import { layoutBytes, layoutContent, makeLayout } from "../../src/layout/index.ts";
import { type Directory, file, lookup, treeOf } from "../../src/tree/index.ts";
import { checkUfs } from "../../src/ufs/check.ts";
import { fitUfs } from "../../src/ufs/fit.ts";
import { fs, MTB_UFS_MAGIC, SBOFF } from "../../src/ufs/format.ts";
import { layoutOf } from "../../src/ufs/layout-of.ts";
import { emptyRoot, planUfs, type UfsOptions, type UfsPlan } from "../../src/ufs/plan.ts";
import { openUfs } from "../../src/ufs/read.ts";
import { superblockCopies } from "../../src/ufs/report.ts";
import { ATTRIBUTES, DIRECTORY, everything, geometry, listing, patternContent, tree } from "./trees.ts";

const places = ({ layout }: Pick<UfsPlan, "layout">) =>
  layout.extents.map(({ offset, length, owner: { what, path } }) => ({ offset, length, what, path }));

/** The tree that is read back from a planned image. */
async function readBack(planned: Directory, options: UfsOptions): Promise<Directory> {
  const plan = planUfs(planned, options);
  const image = layoutContent(plan.layout);
  expect(places({ layout: await layoutOf(image) })).toEqual(places(plan));
  return (await openUfs(image)).tree();
}

async function expectSameTree(planned: Directory, options: UfsOptions): Promise<void> {
  const back = await readBack(planned, options);
  const expected = await listing(planned);
  const found = await listing(back);
  const isOwn = lookup(planned, "/lost+found") !== undefined;
  expect(found.filter(({ path }) => isOwn || path !== "/lost+found")).toEqual(expected);
}

describe("a tree with everything in it", () => {
  test.each([
    [8192, 1024],
    [8192, 8192],
    [4096, 512],
    [4096, 2048],
  ])("block size %i, frag size %i", async (bsize, fsize) => {
    const planned = everything(bsize, fsize);
    const newfs = fitUfs(planned, { newfs: { bsize, fsize } });
    await expectSameTree(planned, { geometry: { newfs }, timeSeconds: 1_700_000_000 });
  });
});

test("random trees in random geometries", async () => {
  await fc.assert(
    fc.asyncProperty(tree, geometry, fc.boolean(), async (planned, chosen, lostAndFound) => {
      await expectSameTree(planned, { geometry: chosen, timeSeconds: 1_000_000_000, lostAndFound });
    }),
    { numRuns: 40 },
  );
});

const small = { geometry: { newfs: { imageBytes: 8 * 2 ** 20 } }, timeSeconds: 1_000_000_000 };

describe("lost+found", () => {
  test("as newfs leaves it: inode 3, one block, mode 0700", async () => {
    const plan = planUfs(emptyRoot(0), small);
    const ufs = await openUfs(layoutContent(plan.layout));
    expect(await ufs.list("/")).toEqual([{ name: "lost+found", inode: 3 }]);
    expect(await ufs.dinode(3)).toMatchObject({ ic_smode: 0o40700, ic_nlink: 2, ic_lsize: 8192, ic_blocks: 16 });
    expect(plan.inodeOf("/lost+found")).toBe(3);
  });
  test("left out: its inode and block are free, the root stays where it was", async () => {
    const plan = planUfs(emptyRoot(0), { ...small, lostAndFound: false });
    const kept = planUfs(emptyRoot(0), small);
    const ufs = await openUfs(layoutContent(plan.layout));
    expect(await ufs.list("/")).toEqual([]);
    expect(await ufs.dinode(2)).toMatchObject({ ic_nlink: 2 });
    expect(await ufs.dinode(3)).toMatchObject({ ic_smode: 0, ic_lsize: 0 });
    expect((await ufs.dinode(2)).ic_db).toEqual((await (await openUfs(layoutContent(kept.layout))).dinode(2)).ic_db);
    expect(plan.freeBytes).toBe(kept.freeBytes + 8192);
    expect(plan.freeInodes).toBe(kept.freeInodes + 1);
  });
  test("the tree's own is used", async () => {
    const own = treeOf([["/lost+found/#7", file(ATTRIBUTES, patternContent(9, 9))]], { ...DIRECTORY, mode: 0o700 });
    await expectSameTree(own, small);
    await expectSameTree(own, { ...small, lostAndFound: false });
  });
  test("something else by that name is a conflict", () => {
    const wrong = treeOf([["/lost+found", file(ATTRIBUTES, patternContent(9, 9))]], DIRECTORY);
    expect(() => planUfs(wrong, small)).toThrow(expect.objectContaining({ code: "conflict" }));
    expect(planUfs(wrong, { ...small, lostAndFound: false }).inodeOf("/lost+found")).toBe(3);
  });
});

describe("reading", () => {
  const planned = everything(8192, 1024);
  const plan = planUfs(planned, { geometry: { newfs: fitUfs(planned) }, timeSeconds: 1 });
  const image = layoutContent(plan.layout);

  test("single bytes of a file, anywhere", async () => {
    const ufs = await openUfs(image);
    const path = `/sizes/${(12 + 2048) * 8192 + 1}`;
    const node = lookup(planned, path);
    if (node?.type !== "file") throw new Error("no such file");
    const { sizeBytes } = node.content;
    for (const [offset, length] of [
      [0, 1],
      [8191, 2],
      [12 * 8192 - 1, 3],
      [1_000_000, 70_000],
      [sizeBytes - 1, 1],
    ] as const) {
      expect(await ufs.read(path, offset, length)).toEqual(await readBytes(node.content, offset, length));
    }
    await expect(ufs.read(path, sizeBytes, 1)).rejects.toMatchObject({ code: "truncated" });
    await expect(ufs.read("/sizes", 0, 1)).rejects.toMatchObject({ code: "wrong-type" });
    await expect(ufs.read("/nothing", 0, 1)).rejects.toMatchObject({ code: "not-found" });
    await expect(ufs.read("/fifo/x", 0, 1)).rejects.toMatchObject({ code: "wrong-type" });
  });
  test("by a backup superblock when the first one is damaged", async () => {
    const bytes = await layoutBytes(
      planUfs(everything(4096, 512), { ...small, geometry: { newfs: fitUfs(planned) } }).layout,
    );
    bytes.fill(0xff, 8192, 16384);
    await expect(openUfs(memoryContent(bytes))).rejects.toMatchObject({ code: "bad-format" });
    for (const superblock of superblockCopies(plan.superblock)) {
      const ufs = await openUfs(memoryContent(bytes), { superblock });
      expect(await ufs.list("/dev")).toHaveLength(3);
    }
    await expect(openUfs(memoryContent(bytes), { superblock: 33 })).rejects.toMatchObject({ code: "bad-format" });
  });
  test("the layout of an image without a superblock is not guessed", async () => {
    await expect(layoutOf(layoutContent(makeLayout(2 ** 20, [])))).rejects.toBeInstanceOf(ImageError);
  });
});

describe("other kinds of UFS are named", () => {
  const little = new Uint8Array(2 ** 17);
  const plan = planUfs(emptyRoot(0), small);
  const put = (bytes: Uint8Array, field: keyof typeof fs.fields, value: number, isLittle: boolean): void => {
    const { offset } = fs.fields[field];
    new DataView(bytes.buffer).setInt32(SBOFF + offset, value, isLittle);
  };
  /** The fields of a superblock that are 32-bit numbers, in either byte order. */
  function superblock(isLittle: boolean): Uint8Array<ArrayBuffer> {
    const bytes = little.slice();
    for (const [name, { type }] of Object.entries(fs.fields)) {
      const field = name as keyof typeof fs.fields;
      if (type.sizeBytes === 4) put(bytes, field, plan.superblock[field] as number, isLittle);
    }
    return bytes;
  }
  /** BSD has fs_qbmask and fs_qfmask four bytes earlier. */
  function bsd(isLittle: boolean): Uint8Array<ArrayBuffer> {
    const bytes = superblock(isLittle);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(SBOFF + fs.fields.fs_qbmask.offset - 4, 8191n, isLittle);
    view.setBigUint64(SBOFF + fs.fields.fs_qbmask.offset + 4, 1023n, isLittle);
    return bytes;
  }
  function mtb(isLittle: boolean): Uint8Array<ArrayBuffer> {
    const bytes = superblock(isLittle);
    put(bytes, "fs_magic", MTB_UFS_MAGIC, isLittle);
    return bytes;
  }
  function ufs2(isLittle: boolean, at: number): Uint8Array<ArrayBuffer> {
    const bytes = little.slice();
    new DataView(bytes.buffer).setInt32(at + fs.fields.fs_magic.offset, 0x19540119, isLittle);
    return bytes;
  }
  test.each([
    ["SPARC", superblock(false), /a big-endian UFS \(SPARC\)/],
    ["multi-terabyte", mtb(true), /multi-terabyte/],
    ["multi-terabyte, SPARC", mtb(false), /multi-terabyte/],
    ["BSD UFS1", bsd(true), /a BSD UFS1/],
    ["BSD UFS1, big-endian", bsd(false), /a big-endian BSD UFS1/],
    ["BSD UFS2", ufs2(true, 65_536), /a BSD UFS2/],
    ["BSD UFS2, big-endian", ufs2(false, 65_536), /a big-endian BSD UFS2/],
    ["BSD UFS2, where UFS1 has its superblock", ufs2(true, 8192), /a BSD UFS2/],
  ])("%s", async (_, bytes, message) => {
    const error = { code: "unsupported", message: expect.stringMatching(message) };
    await expect(openUfs(memoryContent(bytes))).rejects.toMatchObject(error);
    await expect(layoutOf(memoryContent(bytes))).rejects.toMatchObject(error);
    expect((await checkUfs(memoryContent(bytes))).findings).toMatchObject([error]);
  });
});

describe("adding a file", () => {
  test("changes no other file's bytes", async () => {
    const before = everything(8192, 1024);
    const entries = new Map([...before.entries, ["bzzz", file(ATTRIBUTES, patternContent(123_456, 5))]]);
    const after = { ...before, entries } as Directory;
    const geometry = { newfs: fitUfs(after) };
    const old = await listing(await readBack(before, { geometry, timeSeconds: 1 }));
    const now = await listing(await readBack(after, { geometry, timeSeconds: 1 }));
    expect(now.filter(({ path }) => path !== "/bzzz")).toEqual(old);
  });
});
