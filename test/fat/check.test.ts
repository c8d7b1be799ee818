import { describe, expect, test } from "vitest";
import { ImageError, memoryContent } from "../../src/bytes/index.ts";
import { checkFat, type FatOptions, planFat } from "../../src/fat/index.ts";
import { layoutBytes } from "../../src/layout/index.ts";
import { treeOf } from "../../src/tree/index.ts";
import { foreignImage } from "./foreign.ts";
import { base, patternFile } from "./trees.ts";

// Directories get clusters 2 (EFI) and 3 (BOOT), then the files: BOOTIA32.EFI 4-5, BOOTX64.EFI 6-10, "long name.cfg" 11.
const tree = treeOf(
  [
    ["/EFI/BOOT/BOOTIA32.EFI", patternFile(2000)],
    ["/EFI/BOOT/BOOTX64.EFI", patternFile(5000)],
    ["/EFI/BOOT/long name.cfg", patternFile(10)],
    ["/EMPTY", patternFile(0)],
  ],
  base,
);

/** A FAT16 volume: one entry of the FAT is two bytes. */
async function sixteen(options: FatOptions = {}) {
  const plan = planFat(tree, { fatType: 16, sectorsPerCluster: 2, label: "ESP", ...options });
  const bytes = Buffer.from((await layoutBytes(plan.layout)).buffer);
  const [one, two] = ["FAT 1", "FAT 2"].map((what) => plan.layout.extents.find(({ owner }) => owner.what === what));
  const offsetOf = (path: string) => plan.layout.extents.find(({ owner }) => owner.path === path)?.offset ?? Number.NaN;
  return {
    bytes,
    offsetOf,
    /** Sets an entry of both FATs. */
    link(cluster: number, next: number) {
      for (const fat of [one, two]) bytes.writeUInt16LE(next, (fat?.offset ?? Number.NaN) + cluster * 2);
    },
    /** Offset of a slot in a directory. */
    slot: (path: string, index: number) => offsetOf(path) + index * 32,
    firstFat: one?.offset ?? Number.NaN,
    async codes() {
      const findings = await checkFat(memoryContent(new Uint8Array(bytes)));
      return findings.map(({ code, severity, path }) => [code, severity, path].filter(Boolean).join(" "));
    },
  };
}

const X64 = "/EFI/BOOT/BOOTX64.EFI";
type Image = Awaited<ReturnType<typeof sixteen>>;

describe("what is wrong is found, and where", () => {
  test("nothing in a good image", async () => {
    expect(await (await sixteen()).codes()).toEqual([]);
    expect(await checkFat(memoryContent(foreignImage()))).toEqual([]);
  });

  test.each<[string, (image: Image) => void, string[]]>([
    ["lost clusters", ({ link }) => link(40, 41), ["lost-clusters error"]],
    ["a lost entry that leads nowhere", ({ link }) => link(40, 0xfff0), ["lost-clusters error", "entry-range error"]],
    ["a bad cluster", ({ link }) => link(40, 0xfff7), ["bad-clusters note"]],
    [
      "cross-linked files",
      ({ link }) => link(5, 8),
      [`cross-linked error ${X64}`, `size-chain error /EFI/BOOT/BOOTIA32.EFI`, `size-chain error ${X64}`].sort(),
    ],
    [
      "a chain that loops",
      ({ link }) => link(8, 6),
      [`chain-loop error ${X64}`, `size-chain error ${X64}`, "lost-clusters error"],
    ],
    [
      "a chain that runs out",
      ({ link }) => link(8, 0),
      [`chain-free error ${X64}`, `size-chain error ${X64}`, "lost-clusters error"],
    ],
    ["a chain into a bad cluster", ({ link }) => link(10, 0xfff7), [`chain-bad error ${X64}`]],
    ["a chain out of the volume", ({ link }) => link(10, 0xffef), [`chain-range error ${X64}`]],
    ["a chain to cluster 1", ({ link }) => link(10, 1), [`chain-range error ${X64}`]],
    [
      "a chain that is too long",
      ({ link }) => {
        link(10, 20);
        link(20, 0xffff);
      },
      [`size-chain error ${X64}`],
    ],
    [
      "a size that is too big",
      ({ bytes, slot }) => bytes.writeUInt32LE(6000, slot("/EFI/BOOT", 3) + 28),
      [`size-chain error ${X64}`],
    ],
    ["FATs that differ", ({ bytes, firstFat }) => bytes.writeUInt16LE(0xfff8, firstFat + 10 * 2), ["fat-copies error"]],
    ["FAT[0]", ({ link }) => link(0, 0xfff0), ["reserved-entry warning"]],
    ["not unmounted", ({ link }) => link(1, 0x7fff), ["dirty warning"]],
    ["disk errors", ({ link }) => link(1, 0xbfff), ["disk-errors warning"]],
    ["dirty in the boot sector", ({ bytes }) => bytes.writeUInt8(1, 37), ["dirty warning"]],
    ["no jump", ({ bytes }) => bytes.writeUInt8(0, 0), ["boot-sector warning"]],
    ["label", ({ bytes }) => bytes.write("OTHER", 43), ["label warning"]],
    [
      "first cluster of an empty file",
      ({ bytes, slot }) => bytes.writeUInt16LE(9, slot("/", 2) + 26),
      ["cross-linked error /EMPTY", "size-chain error"].slice(0, 1),
    ],
    [
      "directory without clusters",
      ({ bytes, slot }) => bytes.writeUInt16LE(0, slot("/", 1) + 26),
      ["chain-free error /EFI", "lost-clusters error"],
    ],
    [
      "size of a directory",
      ({ bytes, slot }) => bytes.writeUInt32LE(1, slot("/", 1) + 28),
      ["directory-size warning /EFI"],
    ],
    ['".."', ({ bytes, slot }) => bytes.writeUInt16LE(9, slot("/EFI/BOOT", 1) + 26), ["dot-entry warning /EFI/BOOT"]],
    [
      "checksum of a long name",
      ({ bytes, slot }) => bytes.writeUInt8(1, slot("/EFI/BOOT", 4) + 13),
      ["long-name warning /EFI/BOOT/LONGNA~1.CFG"],
    ],
    [
      "a long name without a short one",
      ({ bytes, slot }) => bytes.writeUInt8(0xe5, slot("/EFI/BOOT", 5)),
      ["long-name warning /EFI/BOOT", "lost-clusters error"],
    ],
    [
      "a name twice",
      ({ bytes, slot }) => bytes.write("BOOTX64 EFI", slot("/EFI/BOOT", 2)),
      [`duplicate-name error ${X64}`, "lost-clusters error"],
    ],
    [
      "a name that no file can have",
      ({ bytes, slot }) => bytes.write("A/B        ", slot("/EFI/BOOT", 2)),
      ["short-name warning /EFI/BOOT/A/B", "name error /EFI/BOOT/A/B", "lost-clusters error"],
    ],
    [
      "reserved attribute bits",
      ({ bytes, slot }) => bytes.writeUInt8(0x60, slot("/EFI/BOOT", 3) + 11),
      [`attributes warning ${X64}`],
    ],
    ["no FAT at all", ({ bytes }) => bytes.fill(0, 0, 512), ["volume error"]],
  ])("%s", async (_, damage, expected) => {
    const image = await sixteen();
    damage(image);
    const codes = await image.codes();
    if (expected[0]?.startsWith("cross-linked")) expect(codes).toContain(expected[0]);
    else expect(codes).toEqual(expected);
  });

  test("a cross-link names both files", async () => {
    const image = await sixteen();
    image.link(5, 8);
    const findings = await checkFat(memoryContent(new Uint8Array(image.bytes)));
    const link = findings.find(({ code }) => code === "cross-linked");
    expect(link?.message).toBe(`${X64}: the cluster after 7 is 8, which belongs to /EFI/BOOT/BOOTIA32.EFI`);
  });

  test("noise does not flood", async () => {
    const image = await sixteen();
    // a directory of five clusters, each of its 160 slots a file that begins in the same cluster
    const start = image.offsetOf(X64);
    for (let slot = 0; slot < 160; slot++) {
      image.bytes.write(`F${slot}`.padEnd(11), start + slot * 32);
      image.bytes.writeUInt8(0x20, start + slot * 32 + 11);
      image.bytes.writeUInt16LE(4, start + slot * 32 + 26);
      image.bytes.writeUInt32LE(1, start + slot * 32 + 28);
    }
    image.bytes.writeUInt8(0x10, image.slot("/EFI/BOOT", 3) + 11);
    image.bytes.writeUInt32LE(0, image.slot("/EFI/BOOT", 3) + 28);
    const codes = await image.codes();
    expect(codes.filter((code) => code.startsWith("cross-linked")).length).toBe(160);
  });
});

describe("FAT32's own sectors", () => {
  const good = layoutBytes(planFat(tree, { fatType: 32 }).layout);
  const check = async (damage: (bytes: Buffer) => void) => {
    const bytes = (await good).slice();
    damage(Buffer.from(bytes.buffer));
    return (await checkFat(memoryContent(bytes))).map(({ code, severity }) => `${code} ${severity}`);
  };
  test.each<[string, (bytes: Buffer) => void, string[]]>([
    ["nothing wrong", () => {}, []],
    ["free count", (bytes) => bytes.writeUInt32LE(1, 512 + 488), ["fsinfo warning"]],
    ["next free", (bytes) => bytes.writeUInt32LE(1, 512 + 492), ["fsinfo warning"]],
    ["signature", (bytes) => bytes.writeUInt32LE(1, 512), ["fsinfo warning"]],
    ["copy of the boot sector", (bytes) => bytes.writeUInt8(1, 6 * 512 + 100), ["boot-sector-copy warning"]],
    ["no copy", (bytes) => bytes.writeUInt16LE(0, 50), ["boot-sector-copy warning"]],
    ["root cluster", (bytes) => bytes.writeUInt32LE(1, 44), ["volume error"]],
    ["version", (bytes) => bytes.writeUInt16LE(1, 42), ["volume error"]],
    [
      "one active FAT",
      (bytes) => bytes.writeUInt16LE(0x81, 40),
      ["boot-sector-copy warning", "fat-copies note"].reverse(),
    ],
    ["an active FAT that is not there", (bytes) => bytes.writeUInt16LE(0x82, 40), ["volume error"]],
  ])("%s", async (_, damage, expected) => expect(await check(damage)).toEqual(expected));
});

test("an image that cannot be read is an error, not a finding", async () => {
  const failing = {
    sizeBytes: 2 ** 20,
    read: () => Promise.reject(new ImageError("input-changed", "it is gone")),
  };
  await expect(checkFat(failing)).rejects.toThrow("it is gone");
});
