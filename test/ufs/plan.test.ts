// Planning: what fits, what is refused and why, holes, large files, a million inodes.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Content, fnv1a, ImageError, memoryContent, readBytes } from "../../src/bytes/index.ts";
import { layoutContent } from "../../src/layout/index.ts";
import { type Directory, device, directory, file, type Node, symlink, treeOf, walk } from "../../src/tree/index.ts";
import { checkUfs } from "../../src/ufs/check.ts";
import { type FitOptions, fitUfs } from "../../src/ufs/fit.ts";
import { lofiCylinderBytes } from "../../src/ufs/newfs.ts";
import { numberTree } from "../../src/ufs/numbering.ts";
import { emptyRoot, planUfs, type UfsPlan } from "../../src/ufs/plan.ts";
import { openUfs } from "../../src/ufs/read.ts";
import { ATTRIBUTES, DIRECTORY, everything, patternContent, tree } from "./trees.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** A content that must not be read: planning needs sizes only. */
function unread(sizeBytes: number): Content {
  return {
    sizeBytes,
    async read() {
      throw new Error("read while planning");
    },
  };
}

const one = (path: string, node: Node): Directory => treeOf([[path, node]], DIRECTORY);
const planIn = (planned: Directory, imageBytes: number, nbpi?: number): UfsPlan =>
  planUfs(planned, { geometry: { newfs: { imageBytes, nbpi } }, timeSeconds: 1 });

function failure(work: () => unknown): ImageError {
  try {
    work();
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("an inode's path, and the hash of it, are those of a walk through the tree", () => {
  fc.assert(
    fc.property(tree, (planned) => {
      const { inodes } = numberTree(planned, false, 0);
      const walked = new Map<Node, string>();
      for (const { path, node } of walk(planned)) if (!walked.has(node)) walked.set(node, path);
      inodes.nodes.forEach((node, inode) => {
        if (node === undefined) return;
        expect(inodes.paths[inode]).toBe(walked.get(node));
        expect(inodes.pathHashes[inode]).toBe(fnv1a(inodes.paths[inode] ?? ""));
      });
    }),
  );
});

describe("a size that is too small", () => {
  test("says how many bytes are missing, and so many more suffice", () => {
    const planned = one("/file", file(ATTRIBUTES, unread(20 * MIB)));
    const { code, message } = failure(() => planIn(planned, 10 * MIB));
    expect(code).toBe("no-space");
    const missing = Number(/ (\d+) bytes are missing/.exec(message)?.[1]);
    expect(missing).toBeGreaterThan(10 * MIB);
    expect(missing).toBeLessThan(12 * MIB);
    planIn(planned, 10 * MIB + Math.ceil(missing * 1.1));
  });
  test("says how many inodes are missing", () => {
    const planned = treeOf(
      Array.from({ length: 3000 }, (_, i) => [`/f${i}`, file(ATTRIBUTES, unread(0))] as const),
      DIRECTORY,
    );
    const { message } = failure(() => planIn(planned, 10 * MIB, 16384));
    const { fs_ncg, fs_ipg } = planIn(emptyRoot(0), 10 * MIB, 16384).superblock;
    expect(message).toContain(` ${3000 + 4 - fs_ncg * fs_ipg} inodes are missing`);
    planIn(planned, 10 * MIB, 2048);
  });
  test("both", () => {
    const nodes = Array.from({ length: 3000 }, (_, i) => [`/f${i}`, file(ATTRIBUTES, unread(8192))] as const);
    const { message } = failure(() => planIn(treeOf(nodes, DIRECTORY), 10 * MIB, 16384));
    expect(message).toMatch(/bytes and \d+ inodes are missing/);
  });
});

describe("the smallest size", () => {
  const minimal = (planned: Directory, options: FitOptions): void => {
    const found = fitUfs(planned, options);
    const plan = planUfs(planned, { ...options, geometry: { newfs: found }, timeSeconds: 1 });
    expect(plan.freeBytes).toBeGreaterThanOrEqual(options.freeBytes ?? 0);
    expect(plan.freeInodes).toBeGreaterThanOrEqual(options.freeInodes ?? 0);
    const { imageBytes } = found;
    const less = imageBytes - lofiCylinderBytes(imageBytes);
    const smaller = (): boolean => {
      const { freeBytes, freeInodes } = planUfs(planned, {
        ...options,
        geometry: { newfs: { ...found, imageBytes: less } },
        timeSeconds: 1,
      });
      return freeBytes >= (options.freeBytes ?? 0) && freeInodes >= (options.freeInodes ?? 0);
    };
    let fits: boolean;
    try {
      fits = smaller();
    } catch (error) {
      expect(error).toBeInstanceOf(ImageError);
      fits = false;
    }
    expect(fits, `${less} bytes would do`).toBe(false);
  };

  test("one cylinder less does not fit", () => {
    fc.assert(
      fc.property(
        tree,
        fc.nat(20 * MIB),
        fc.nat(5000),
        fc.constantFrom(4096, 8192),
        fc.constantFrom(undefined, 2048, 16384),
        fc.boolean(),
        (planned, freeBytes, freeInodes, bsize, nbpi, lostAndFound) => {
          minimal(planned, { freeBytes, freeInodes, newfs: { bsize, nbpi }, lostAndFound });
        },
      ),
      { numRuns: 40 },
    );
  });
  test("at every border between groups and tails", () => {
    for (let kib = 0; kib < 6000; kib += 97) minimal(one("/file", file(ATTRIBUTES, unread(kib * 1024))), {});
    for (let count = 100; count < 3000; count += 331) {
      const nodes = Array.from(
        { length: count },
        (_, i) => [`/f${i}`, file(ATTRIBUTES, unread((i * 613) % 9000))] as const,
      );
      minimal(treeOf(nodes, DIRECTORY), { freeBytes: count });
    }
  });
  test("a density is chosen so that the inodes suffice", () => {
    // As many as a real proto area, in the size of a real ramdisk: -i 16384 gives 32,768 only.
    const nodes = Array.from(
      { length: 35_855 },
      (_, i) => [`/d${i % 100}/f${i}`, file(ATTRIBUTES, unread(11_000))] as const,
    );
    const planned = treeOf(nodes, DIRECTORY);
    const { nbpi, imageBytes } = fitUfs(planned, { newfs: { imageBytes: 512 * MIB } });
    expect([nbpi, imageBytes]).toEqual([8192, 512 * MIB]);
    planIn(planned, 512 * MIB, 8192);
    expect(failure(() => fitUfs(planned, { newfs: { imageBytes: 512 * MIB, nbpi: 16384 } })).code).toBe("no-space");
  });
  test("a given size that is too small", () => {
    const planned = one("/file", file(ATTRIBUTES, unread(20 * MIB)));
    expect(failure(() => fitUfs(planned, { newfs: { imageBytes: 10 * MIB } })).message).toMatch(/bytes are missing/);
    const wanted = { newfs: { imageBytes: 30 * MIB }, freeBytes: 20 * MIB };
    expect(failure(() => fitUfs(planned, wanted)).message).toMatch(
      /bytes of the space that shall stay free are missing/,
    );
  });
  test("more than lofi can have", () => {
    expect(failure(() => fitUfs(one("/file", file(ATTRIBUTES, unread(20 * GIB))))).code).toBe("no-space");
  });
});

describe("limits", () => {
  const refused = (path: string, node: Node): ImageError => failure(() => planIn(one(path, node), 64 * MIB));
  test.each([
    ["a name of 256 bytes", `/${"n".repeat(256)}`, file(ATTRIBUTES, unread(0)), /name is 256 bytes; UFS allows 255/],
    ["a link of 1024 bytes", "/link", symlink(ATTRIBUTES, "x".repeat(1024)), /1024 bytes; illumos allows 1023/],
    ["a file of 2^40 bytes", "/file", file(ATTRIBUTES, unread(2 ** 40)), /size 1099511627776 is not in/],
    ["major 0, minor 256", "/dev", device(ATTRIBUTES, "block", 0, 256), /cannot hold the device number 0,256/],
    ["major 0, minor 65535", "/dev", device(ATTRIBUTES, "block", 0, 65_535), /device number/],
    ["major 16383, minor 196608", "/dev", device(ATTRIBUTES, "block", 16_383, 196_608), /device number/],
    ["major 16384", "/dev", device(ATTRIBUTES, "block", 16_384, 0), /device number/],
    ["minor 262144", "/dev", device(ATTRIBUTES, "block", 5, 262_144), /device number/],
    ["a time beyond 2038", "/file", file({ ...ATTRIBUTES, mtimeSeconds: 2 ** 31 }, unread(0)), /modification time/],
    ["a uid of 2^32", "/file", file({ ...ATTRIBUTES, uid: 2 ** 32 }, unread(0)), /uid 4294967296/],
    ["a mode with type bits", "/file", file({ ...ATTRIBUTES, mode: 0o100644 }, unread(0)), /mode 33188/],
  ])("%s", (_, path, node, message) => {
    const error = refused(path, node);
    expect(error.code).toBe("limit");
    expect(error.message).toMatch(message);
    expect(error.path).toBe(path);
  });
  test.each([
    [0, 65_536],
    [0, 262_143],
    [127, 255],
    [127, 256],
    [128, 0],
    [16_383, 196_607],
  ])("device %i,%i is possible", async (major, minor) => {
    const plan = planIn(one("/dev", device(ATTRIBUTES, "block", major, minor)), 8 * MIB);
    const node = (await (await openUfs(layoutContent(plan.layout))).tree()).entries.get("dev");
    expect(node).toMatchObject({ major, minor });
  });
  test("32767 names, and 32765 subdirectories, but no more", () => {
    const linked = file(ATTRIBUTES, unread(1));
    const names = (count: number) =>
      treeOf(
        Array.from({ length: count }, (_, i) => [`/n${i}`, linked] as const),
        DIRECTORY,
      );
    planIn(names(32_767), 64 * MIB);
    expect(failure(() => planIn(names(32_768), 64 * MIB)).message).toMatch(
      /more than 32767 names; UFS allows 32767 links/,
    );
    const folders = (count: number) =>
      treeOf(
        Array.from({ length: count }, (_, i) => [`/top/d${i}`, directory(DIRECTORY)] as const),
        DIRECTORY,
      );
    planIn(folders(32_765), 256 * MIB);
    expect(failure(() => planIn(folders(32_766), 256 * MIB)).message).toMatch(/more than 32765 subdirectories/);
  });
});

describe("large files", () => {
  test("over 2 GiB: the flag, three levels of addresses, and every byte where it belongs", async () => {
    const bsize = 4096;
    // With 1024 addresses in a block the third level begins at 12 + 1024 + 1024^2 blocks, just over 4 GiB.
    const sizeBytes = (12 + 1024 + 1024 * 1024) * bsize + 3 * bsize + 5;
    const planned = one("/large", file(ATTRIBUTES, patternContent(sizeBytes, 1)));
    const plan = planUfs(planned, { geometry: { newfs: fitUfs(planned, { newfs: { bsize } }) }, timeSeconds: 1 });
    expect(plan.superblock.fs_flags).toBe(1);
    const image = layoutContent(plan.layout);
    const ufs = await openUfs(image);
    const inode = await ufs.dinode(plan.inodeOf("/large") ?? 0);
    expect(inode.ic_ib.every((frag) => frag > 0)).toBe(true);
    const expected = patternContent(sizeBytes, 1);
    for (const offset of [0, 11 * bsize + 4000, (12 + 1024) * bsize - 1, 2 ** 31 - 1, 2 ** 32, sizeBytes - 20_000]) {
      const length = Math.min(20_000, sizeBytes - offset);
      expect(await ufs.read("/large", offset, length)).toEqual(await readBytes(expected, offset, length));
    }
    expect((await checkUfs(image)).findings).toEqual([]);
  });
  test("up to 2^31-1 bytes: no flag", () => {
    const planned = one("/file", file(ATTRIBUTES, unread(2 ** 31 - 1)));
    expect(planIn(planned, 3 * GIB).superblock.fs_flags).toBe(0);
    expect(planIn(one("/file", file(ATTRIBUTES, unread(2 ** 31))), 3 * GIB).superblock.fs_flags).toBe(1);
  });
});

describe("holes", () => {
  /** Data at both ends, nothing in between. */
  function sparse(sizeBytes: number): Content {
    const bytes = new Uint8Array(sizeBytes);
    bytes.fill(7, 0, 5000);
    bytes.fill(9, sizeBytes - 3);
    const dataRanges = [
      { offset: 0, length: 5000 },
      { offset: sizeBytes - 3, length: 3 },
    ];
    return { ...memoryContent(bytes), dataRanges };
  }
  const size = 3_000_000;
  const planned = treeOf(
    [
      ["/data/sparse", file(ATTRIBUTES, sparse(size))],
      ["/kernel/sparse", file(ATTRIBUTES, sparse(size))],
      ["/end", file(ATTRIBUTES, { ...memoryContent(new Uint8Array(50_000)), dataRanges: [] })],
    ],
    DIRECTORY,
  );
  const sectorsOf = async (plan: UfsPlan, path: string): Promise<number> =>
    (await (await openUfs(layoutContent(plan.layout))).dinode(plan.inodeOf(path) ?? 0)).ic_blocks;

  test("only on request, and never where the boot reader reads", async () => {
    const options = { geometry: { newfs: { imageBytes: 16 * MIB } }, timeSeconds: 1 };
    const full = planUfs(planned, options);
    const some = planUfs(planned, { ...options, holes: true });
    const none = planUfs(planned, { ...options, holes: () => false });
    const whole = await sectorsOf(full, "/data/sparse");
    expect(whole).toBeGreaterThan(size / 512);
    expect(await sectorsOf(none, "/data/sparse")).toBe(whole);
    expect(await sectorsOf(some, "/data/sparse")).toBe(3 * 16); // two blocks of data, one of addresses
    expect(await sectorsOf(some, "/kernel/sparse")).toBe(whole);
    expect(await sectorsOf(some, "/end")).toBe(2); // the last block is always there, here as one frag of it
    for (const plan of [full, some]) expect((await checkUfs(layoutContent(plan.layout))).findings).toEqual([]);
  });
  test("read as zeros, and are known without reading", async () => {
    const plan = planUfs(planned, { geometry: { newfs: { imageBytes: 16 * MIB } }, timeSeconds: 1, holes: true });
    const ufs = await openUfs(layoutContent(plan.layout));
    const found = await ufs.read("/data/sparse", 0, size);
    expect(Buffer.compare(found, await readBytes(sparse(size), 0, size))).toBe(0);
    const node = (await ufs.tree()).entries.get("data");
    const back = node?.type === "directory" ? node.entries.get("sparse") : undefined;
    if (back?.type !== "file") throw new Error("no file");
    expect(back.content.dataRanges).toEqual([
      { offset: 0, length: 8192 },
      { offset: 366 * 8192, length: size - 366 * 8192 },
    ]);
  });
});

test("a directory of 100,000 entries", async () => {
  const names = Array.from({ length: 100_000 }, (_, i) => [`/big/file-${i}`, file(ATTRIBUTES, unread(0))] as const);
  const planned = treeOf(names, DIRECTORY);
  const plan = planUfs(planned, { geometry: { newfs: fitUfs(planned) }, timeSeconds: 1 });
  const ufs = await openUfs(layoutContent(plan.layout));
  expect(await ufs.list("/big")).toHaveLength(100_000);
});

test("200,000 inodes are planned in 8 s (see bench/ for a million)", () => {
  const top = new Map<string, Node>();
  for (let d = 0; d < 200; d++) {
    const entries = new Map<string, Node>();
    for (let i = 0; i < 1000; i++) entries.set(`file${i}`, file(ATTRIBUTES, unread((d * 7919 + i * 104_729) % 6000)));
    top.set(`directory${d}`, directory(DIRECTORY, entries));
  }
  const planned = directory(DIRECTORY, top);
  const start = performance.now();
  const plan = planUfs(planned, { geometry: { newfs: { imageBytes: GIB, nbpi: 2048 } }, timeSeconds: 1 });
  expect(plan.usedInodes).toBe(200_202);
  expect((performance.now() - start) / 1000).toBeLessThan(8);
});

test("an empty image of 8 GiB is almost nothing to write", () => {
  const plan = planIn(emptyRoot(0), 8 * GIB);
  const written = plan.layout.extents.reduce((sum, { length }) => sum + length, 0);
  expect(written).toBeLessThan(plan.superblock.fs_ncg * 3 * 8192 + 100_000);
});

test("the same tree in another order of names gives the same layout", () => {
  const planned = everything(8192, 1024);
  const reversed = (node: Directory): Directory =>
    directory(
      node,
      new Map(
        [...node.entries]
          .reverse()
          .map(([name, child]) => [name, child.type === "directory" ? reversed(child) : child]),
      ),
    );
  const extents = (root: Directory) =>
    planIn(root, 128 * MIB).layout.extents.map(({ offset, length, owner }) => [offset, length, owner.what, owner.path]);
  expect(extents(reversed(planned))).toEqual(extents(planned));
});

describe("a change stays local", () => {
  const SIZES = Array.from({ length: 1500 }, (_, i) => (i % 50 === 0 ? 150_000 + i : 100 + ((i * 7919) % 24_000)));
  const grownAt = (index: number, byBytes: number): UfsPlan =>
    planIn(
      treeOf(
        SIZES.map((size, i) => [
          `/usr/d${i % 30}/f${i}`,
          file(ATTRIBUTES, unread(i === index ? size + byBytes : size)),
        ]),
        DIRECTORY,
      ),
      64 * MIB,
    );
  /** Where each file lies within its block, by path; and in what order. */
  const dataOf = ({ layout }: UfsPlan) => layout.extents.filter(({ owner }) => owner.what === "data");

  test.each([700, 9000, 200_000])(
    "a file that grows by %d bytes does not change how others lie in their blocks",
    (bytes) => {
      const before = dataOf(grownAt(-1, 0));
      const after = new Map(dataOf(grownAt(700, bytes)).map((one) => [`${one.owner.path} ${one.contentOffset}`, one]));
      const moved = before.filter(({ owner, contentOffset, offset }) => {
        const now = after.get(`${owner.path} ${contentOffset}`);
        return now === undefined || (now.offset - offset) % 8192 !== 0;
      });
      expect(moved.length / before.length).toBeLessThan(0.05);
    },
  );

  describe("with room between parts", () => {
    const many = (index: number, bytes: number, imageBytes: number): UfsPlan =>
      planIn(
        treeOf(
          Array.from({ length: 6000 }, (_, i) => [
            `/usr/d${i % 30}/f${i}`,
            file(ATTRIBUTES, unread(i === index ? bytes : 3000 + ((i * 7919) % 9000))),
          ]),
          DIRECTORY,
        ),
        imageBytes,
        4096,
      );
    const places = (plan: UfsPlan): Map<string, number> =>
      new Map(dataOf(plan).map(({ owner, offset }) => [`${owner.path}`, offset]));
    const moved = (before: UfsPlan, after: UfsPlan): number => {
      const now = places(after);
      return [...places(before)].filter(([path, offset]) => now.get(path) !== offset).length;
    };
    test("a file that grows moves those of its own part only", () => {
      expect(moved(many(-1, 0, 96 * MIB), many(2000, 20_000, 96 * MIB))).toBeLessThan(2500);
    });
    test("the free space between them is free, and no more than half of it", () => {
      const { freeBytes, layout } = many(-1, 0, 96 * MIB);
      const last = Math.max(...dataOf({ layout } as UfsPlan).map(({ offset, length }) => offset + length));
      expect(layout.sizeBytes - last).toBeGreaterThan(freeBytes / 2 - MIB);
    });
  });
  test("directories and indirect blocks lie before all files", () => {
    const { layout } = grownAt(-1, 0);
    const offsets = (what: string): number[] =>
      layout.extents.filter(({ owner }) => owner.what === what && owner.path !== "/").map(({ offset }) => offset);
    const firstFile = Math.min(...offsets("data"));
    for (const what of ["directory", "indirect block"]) {
      expect(offsets(what).length).toBeGreaterThan(20);
      expect(Math.max(...offsets(what))).toBeLessThan(firstFile);
    }
  });
});
