import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromText, memoryContent, readAll, textContent } from "../../src/bytes/index.ts";
import { checkFat, planFat, readFat } from "../../src/fat/index.ts";
import { type Layout, layoutBytes } from "../../src/layout/index.ts";
import { device, directory, file, type lookup, mustLookup, special, symlink, treeOf } from "../../src/tree/index.ts";
import { base, canonical, patternFile, treeArbitrary } from "./trees.ts";

const shape = ({ sizeBytes, extents }: Layout) => ({
  sizeBytes,
  extents: extents.map(({ offset, length, owner }) => ({ offset, length, owner })),
});

describe("what is planned is read back", () => {
  const optionsArbitrary = fc.constantFrom(
    {},
    { label: "esp 1", timeSeconds: 1_600_000_000 },
    { sizeBytes: 4 * 2 ** 20 },
    { fatType: 16 as const, label: "SIXTEEN" },
    { fatType: 12 as const, sectorsPerCluster: 1 },
  );
  test("tree, layout, figures; and the check finds nothing", async () => {
    await fc.assert(
      fc.asyncProperty(treeArbitrary, optionsArbitrary, async (tree, options) => {
        const plan = planFat(tree, options);
        const bytes = await layoutBytes(plan.layout);
        const image = await readFat(memoryContent(bytes));
        expect(await canonical(image.tree, "as read")).toEqual(await canonical(tree, "expected"));
        expect(shape(image.layout)).toEqual(shape(plan.layout));
        expect(Buffer.compare(await layoutBytes(image.layout), bytes)).toBe(0);
        const { fatType, clusters, clusterBytes, freeClusters, freeBytes, volumeId, label, sizeBytes } = plan;
        expect(image).toMatchObject({
          fatType,
          clusters,
          clusterBytes,
          freeClusters,
          freeBytes,
          volumeId,
          label,
          sizeBytes,
        });
        expect(await checkFat(memoryContent(bytes))).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test("FAT32", async () => {
    const tree = treeOf(
      [
        ["/EFI/BOOT/BOOTX64.EFI", patternFile(100_001)],
        [`/EFI/${"long ".repeat(20)}name`, patternFile(600, 2)],
        ["/empty", patternFile(0)],
      ],
      base,
    );
    const plan = planFat(tree, { fatType: 32, label: "ESP" });
    const bytes = await layoutBytes(plan.layout);
    const image = await readFat(memoryContent(bytes));
    expect(image).toMatchObject({ fatType: 32, label: "ESP", oemName: "PUREBOOT", volumeId: plan.volumeId });
    expect(await canonical(image.tree, "as read")).toEqual(await canonical(tree, "expected"));
    expect(shape(image.layout)).toEqual(shape(plan.layout));
    expect(await checkFat(memoryContent(bytes))).toEqual([]);
    // as the standard has it: FSInfo in sector 1, the copy of the boot sector in 6
    expect(Buffer.from(bytes.subarray(512, 516)).toString("latin1")).toBe("RRaA");
    expect(bytes.subarray(6 * 512, 7 * 512)).toEqual(bytes.subarray(0, 512));
  });

  test("1,500 files in the root directory of FAT12, and a directory of several clusters", async () => {
    const many = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, i) => [`${prefix}file number ${i}`, patternFile(i % 3, i)] as const);
    const tree = treeOf([...many("/", 500), ...many("/d/", 1500)], base);
    const plan = planFat(tree);
    expect(plan.fatType).toBe(12);
    const bytes = await layoutBytes(plan.layout);
    const image = await readFat(memoryContent(bytes));
    expect(image.geometry.rootEntries).toBe(1504); // 501 names, 500 of them with two long pieces, in whole sectors
    expect(await canonical(image.tree, "as read")).toEqual(await canonical(tree, "expected"));
  });
});

describe("bytes as the standard has them", () => {
  test("a small ESP", async () => {
    const tree = treeOf(
      [["/EFI/BOOT/BOOTX64.EFI", patternFile(3000, 9, { ...base, mtimeSeconds: 1_709_213_879 })]],
      base,
    );
    const plan = planFat(tree, { sizeBytes: 4 * 2 ** 20, volumeId: 0x12345678, label: "efi" });
    const bytes = Buffer.from(await layoutBytes(plan.layout));
    expect(bytes.subarray(0, 3).toString("hex")).toBe("eb3c90");
    expect(bytes.subarray(3, 11).toString()).toBe("PUREBOOT");
    expect(bytes.readUInt16LE(11)).toBe(512);
    expect(bytes[13]).toBe(2);
    expect(bytes.readUInt16LE(14)).toBe(1);
    expect(bytes[16]).toBe(2);
    expect(bytes.readUInt16LE(17)).toBe(512);
    expect(bytes.readUInt16LE(19)).toBe(8192);
    expect(bytes[21]).toBe(0xf8);
    expect(bytes.readUInt16LE(22)).toBe(12); // (4067 + 2) * 1.5 bytes
    expect(bytes.readUInt32LE(39)).toBe(0x12345678);
    expect(bytes.subarray(43, 62).toString()).toBe("EFI        FAT12   ");
    expect(bytes.readUInt16LE(510)).toBe(0xaa55);
    expect(bytes.subarray(512, 524).toString("hex")).toBe("f8ffffffffff056000ff0f00"); // 2: EFI, 3: BOOT, 4-6: the file
    expect(Buffer.compare(bytes.subarray(512, 13 * 512), bytes.subarray(13 * 512, 25 * 512))).toBe(0);
    const root = 25 * 512;
    expect(bytes.subarray(root, root + 12).toString("latin1")).toBe("EFI        \x08");
    expect(bytes.subarray(root + 32, root + 44).toString("latin1")).toBe("EFI        \x10");
    expect(bytes.readUInt16LE(root + 32 + 26)).toBe(2);
    const cluster = (n: number) => root + 512 * 32 + (n - 2) * 1024;
    expect(bytes.subarray(cluster(2), cluster(2) + 12).toString("latin1")).toBe(".          \x10");
    expect(bytes.subarray(cluster(2) + 32, cluster(2) + 44).toString("latin1")).toBe("..         \x10");
    expect(bytes.readUInt16LE(cluster(2) + 32 + 26)).toBe(0);
    expect(bytes.readUInt16LE(cluster(3) + 32 + 26)).toBe(2);
    const entry = bytes.subarray(cluster(3) + 64, cluster(3) + 96);
    expect(entry.subarray(0, 12).toString("latin1")).toBe("BOOTX64 EFI\x20");
    expect(entry.subarray(22, 32).toString("hex")).toBe("bd6c5d580400b80b0000"); // 13:37:58, 2024-02-29, cluster 4, 3000 bytes
    expect(bytes.subarray(cluster(4), cluster(4) + 3000)).toEqual(Buffer.from(await readAll(fileAt(tree))));
  });
  const fileAt = (tree: Parameters<typeof lookup>[0]) => {
    const node = mustLookup(tree, "/EFI/BOOT/BOOTX64.EFI");
    if (node.type !== "file") throw new Error("no file");
    return node.content;
  };

  test("the standard's example of a long name", async () => {
    const plan = planFat(treeOf([["/The quick brown.fox", patternFile(1)]], base));
    const bytes = Buffer.from(await layoutBytes(plan.layout));
    const root = plan.layout.extents.find(({ owner }) => owner.what === "root directory")?.offset ?? 0;
    expect(bytes.subarray(root, root + 32).toString("hex")).toBe(
      "42" +
        Buffer.from("wn.fo", "utf16le").toString("hex") +
        "0f0007" +
        "78000000ffffffffffffffff" +
        "0000" +
        "ffffffff",
    );
    expect(bytes.subarray(root + 32, root + 64).toString("hex")).toBe(
      `01${Buffer.from("The q", "utf16le").toString("hex")}0f0007${Buffer.from("uick b", "utf16le").toString("hex")}0000${Buffer.from("ro", "utf16le").toString("hex")}`,
    );
    expect(bytes.subarray(root + 64, root + 75).toString()).toBe("THEQUI~1FOX");
  });
});

describe("determinism", () => {
  const tree = treeOf([["/a/b", patternFile(10)]], base);
  test("the serial number is the same for the same tree, and follows names, sizes and times but not contents", () => {
    const serial = (path: string, size: number, seed: number, time = 0) =>
      planFat(treeOf([[path, patternFile(size, seed, { ...base, mtimeSeconds: time })]], base)).volumeId;
    expect(serial("/a", 10, 1)).toBe(serial("/a", 10, 2));
    expect(new Set([serial("/a", 10, 1), serial("/b", 10, 1), serial("/a", 11, 1), serial("/a", 10, 1, 5)]).size).toBe(
      4,
    );
    expect(planFat(tree, { volumeId: 7 }).volumeId).toBe(7);
  });
  test("the order of a directory's entries does not count", async () => {
    const nodes = ["/x1", "/x2", "/long name 1", "/long name 2"].map((path) => [path, patternFile(5)] as const);
    const [one, other] = [treeOf(nodes, base), treeOf([...nodes].reverse(), base)];
    expect(Buffer.compare(await layoutBytes(planFat(one).layout), await layoutBytes(planFat(other).layout))).toBe(0);
  });
  test("contents are not read by planning", () => {
    const never = { sizeBytes: 3_000_000_000, read: () => Promise.reject(new Error("was read")) };
    expect(planFat(treeOf([["/big", file(base, never)]], base)).fatType).toBe(32);
  });
});

describe("what FAT cannot hold", () => {
  const one = (
    path: string,
    node: Parameters<typeof treeOf>[0] extends Iterable<readonly [string, infer N]> ? N : never,
  ) => planFat(treeOf([[path, node]], base));
  test.each([
    ["a symbolic link", symlink(base, "x"), /symlink.*leave it out/],
    ["a device", device(base, "character", 1, 2), /character/],
    ["a fifo", special(base, "fifo"), /fifo/],
    [
      "a file of 4 GiB",
      file(base, { sizeBytes: 2 ** 32, read: async () => {} }),
      /4294967296 bytes; FAT allows 4294967295/,
    ],
  ])("%s", (_, node, message) => {
    expect(() => one("/d/x", node)).toThrow(expect.objectContaining({ code: "limit", path: "/d/x" }));
    expect(() => one("/d/x", node)).toThrow(message);
  });
  test("names that are one to FAT", () => {
    const tree = treeOf(
      [
        ["/Readme", patternFile(1)],
        ["/README", patternFile(1)],
      ],
      base,
    );
    expect(() => planFat(tree)).toThrow(expect.objectContaining({ code: "conflict", path: "/Readme" }));
    const accents = treeOf(
      [
        [`/${fromText("É")}`, patternFile(1)],
        [`/${fromText("é")}`, patternFile(1)],
      ],
      base,
    );
    expect(() => planFat(accents)).toThrow(/same name as/);
  });
  test("a directory of more than 65,536 entries", () => {
    const names = Array.from({ length: 3_121 }, (_, i) => [`${i}`.padStart(255, "n"), patternFile(0)] as const);
    const crowded = directory(base, new Map(names));
    expect(() => planFat(directory(base, new Map([["d", crowded]])))).toThrow(
      expect.objectContaining({ code: "limit", path: "/d" }),
    );
  });
  test("257 levels of directories", () => {
    expect(() => planFat(treeOf([[`${"/d".repeat(256)}/f`, patternFile(1)]], base))).not.toThrow();
    expect(() => planFat(treeOf([[`${"/d".repeat(257)}/f`, patternFile(1)]], base))).toThrow(/256 directories deep/);
  });
  test("a tree that is too big for the size", () => {
    const tree = treeOf([["/a", file(base, textContent("x".repeat(100_000)))]], base);
    expect(() => planFat(tree, { sizeBytes: 65536 })).toThrow(expect.objectContaining({ code: "no-space" }));
    expect(() => planFat(tree, { volumeId: 2 ** 32 })).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => planFat(tree, { label: "much too long a label" })).toThrow(
      expect.objectContaining({ code: "invalid-argument" }),
    );
  });
});

test("hard links are stored once for each name, and named", async () => {
  const shared = patternFile(5000);
  const tree = treeOf(
    [
      ["/EFI/BOOT/BOOTX64.EFI", shared],
      ["/z", shared],
      ["/other", patternFile(5000)],
    ],
    base,
  );
  const plan = planFat(tree);
  expect(plan.hardLinkCopies).toEqual(["/EFI/BOOT/BOOTX64.EFI"]);
  const image = await readFat(memoryContent(await layoutBytes(plan.layout)));
  expect(await canonical(image.tree, "as read")).toEqual(await canonical(tree, "expected"));
});
