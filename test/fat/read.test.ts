import { describe, expect, test } from "vitest";
import { memoryContent, readAll, readBytes } from "../../src/bytes/index.ts";
import { looksLikeFat, planFat, readFat } from "../../src/fat/index.ts";
import { layoutBytes } from "../../src/layout/index.ts";
import { treeOf, walk } from "../../src/tree/index.ts";
import { FOREIGN_FILES, FOREIGN_MTIME, foreignImage } from "./foreign.ts";
import { base, patternBytes, patternFile } from "./trees.ts";

describe("an image that others made", () => {
  test("tree, modes, times", async () => {
    const image = await readFat(memoryContent(foreignImage()));
    const found: Record<string, { content: string; mode: number }> = {};
    for (const { path, node } of walk(image.tree)) {
      if (node.type !== "file") continue;
      expect(node.mtimeSeconds).toBe(FOREIGN_MTIME);
      found[path] = { content: Buffer.from(await readAll(node.content)).toString(), mode: node.mode };
    }
    expect(found).toEqual(FOREIGN_FILES);
  });
  test("figures, as mdir and fsck.fat tell them", async () => {
    expect(await readFat(memoryContent(foreignImage()))).toMatchObject({
      ...{ fatType: 12, label: "FOREIGN", volumeId: 0x11223344, oemName: "mkfs.fat", sizeBytes: 65536 },
      ...{ clusterBytes: 512, clusters: 118, freeClusters: 118 - 21 },
    });
  });
  test("parts of a fragmented file can be read", async () => {
    const image = await readFat(memoryContent(foreignImage()));
    const node = image.tree.entries.get("Fragmented.bin");
    if (node?.type !== "file") throw new Error("not there");
    expect(image.layout.extents.filter(({ owner }) => owner.path === "/Fragmented.bin").length).toBeGreaterThan(1);
    for (const [from, length] of [
      [0, 1],
      [511, 2],
      [500, 1600],
      [2999, 1],
    ] as const) {
      expect(Buffer.from(await readBytes(node.content, from, length)).toString()).toBe("z".repeat(length));
    }
  });
});

describe("a damaged image is refused", () => {
  const tree = treeOf([["/EFI/BOOT/BOOTX64.EFI", patternFile(5000)]], base);
  const damaged = async (change: (bytes: Buffer) => void) => {
    const bytes = await layoutBytes(planFat(tree).layout);
    change(Buffer.from(bytes.buffer));
    return readFat(memoryContent(bytes));
  };
  test("the undamaged one is not", async () => {
    expect((await damaged(() => {})).clusters).toBeGreaterThan(6);
  });
  test.each([
    ["signature", "bad-format", 510, 0],
    ["sector size", "bad-format", 12, 9],
    ["cluster size", "bad-format", 13, 3],
    ["no reserved sectors", "bad-format", 14, 0],
    ["no FATs", "bad-format", 16, 0],
    ["FAT too small", "bad-format", 20, 0x7f],
    ["file's first cluster in the FAT free", "bad-format", 512 + 6, 0],
  ])("%s", async (_, code, offset, value) => {
    await expect(damaged((bytes) => bytes.writeUInt8(value, offset))).rejects.toThrow(
      expect.objectContaining({ code }),
    );
  });
  test("the path is named", async () => {
    await expect(damaged((bytes) => bytes.fill(0, 512 + 6, 512 + 12))).rejects.toThrow(/^\/EFI\/BOOT\/BOOTX64.EFI: /);
  });
  test("an image that ends early is read as far as it goes", async () => {
    const plan = planFat(tree, { sizeBytes: 2 ** 20 });
    const bytes = await layoutBytes(plan.layout);
    const last = plan.layout.extents.at(-1);
    const end = (last?.offset ?? 0) + 5120; // five clusters of 1 KiB
    const image = await readFat(memoryContent(bytes.slice(0, end)));
    const node = image.tree.entries.get("EFI");
    expect(node?.type).toBe("directory");
    await expect(readFat(memoryContent(bytes.slice(0, end - 1024)))).rejects.toThrow(/beyond the image's end/);
    await expect(readFat(memoryContent(bytes.slice(0, 600)))).rejects.toThrow(
      expect.objectContaining({ code: "truncated" }),
    );
    await expect(readFat(memoryContent(bytes.slice(0, 100)))).rejects.toThrow(
      expect.objectContaining({ code: "truncated" }),
    );
  });
});

test("looksLikeFat tells FAT from other first sectors", async () => {
  const bytes = await layoutBytes(planFat(treeOf([["/a", patternFile(1)]], base)).layout);
  expect(looksLikeFat(bytes)).toBe(true);
  expect(looksLikeFat(foreignImage())).toBe(true);
  expect(looksLikeFat(bytes.subarray(0, 500))).toBe(false);
  expect(looksLikeFat(new Uint8Array(512))).toBe(false);
  const noise = patternBytes(512, 3);
  noise.set([0x55, 0xaa], 510);
  expect(looksLikeFat(noise)).toBe(false);
});
