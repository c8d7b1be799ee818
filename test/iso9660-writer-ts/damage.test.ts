// Damaged images: the check names each damage, and readers given any bytes at all return or throw an ImageError.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOf, type Content, ImageError, memoryContent, readBytes, textContent } from "../../src/bytes/index.ts";
import { checkIso, layoutOf, openIso, planIso } from "../../src/iso9660-writer-ts/index.ts";
import { layoutBytes } from "../../src/layout/index.ts";
import { device, file, type Node, special, symlink, treeOf, walk } from "../../src/tree/index.ts";
import { viewOf } from "./small-reader.ts";
import { attributes, directoryAttributes } from "./trees.ts";

const text = (content: string): Node => file(attributes, textContent(content));
const shared = text("shared");
const LONG = "n".repeat(200);
const tree = treeOf(
  Object.entries<Node>({
    "/boot/loader": text("l".repeat(3000)),
    "/boot/esp": text("e".repeat(5000)),
    "/1/2/3/4/5/6/7/8/9/deep": text("deep"),
    [`/${LONG}`]: text("long"),
    "/link": symlink(attributes, `/usr/${"t".repeat(300)}`),
    "/device": device(attributes, "character", 13, 2),
    "/fifo": special(attributes, "fifo"),
    "/a": shared,
    "/b": shared,
  }),
  directoryAttributes,
);
const plan = planIso(tree, {
  timeSeconds: 0,
  joliet: true,
  enhanced: true,
  deepDirectories: "relocate",
  bootCatalogPath: "/catalog",
  bootEntries: [
    { path: "/boot/loader", platform: "bios", loadSectors: 4, bootInfoTable: true },
    { path: "/boot/esp", platform: "efi" },
  ],
});
const image = await layoutBytes(plan.layout);

const blockOf = (what: string, path?: string): number => {
  const found = plan.layout.extents.find(({ owner }) => owner.what === what && owner.path === path);
  if (!found) throw new Error(`no ${what} ${path}`);
  return found.offset;
};
const ROOT = blockOf("primary directory", "/");

/** Offset of the record with this ISO identifier in a directory. */
function recordAt(directory: number, identifier: string): number {
  for (let at = directory; at < directory + 2048; at += image[at] ?? 2048) {
    const name = image.subarray(at + 33, at + 33 + (image[at + 32] ?? 0));
    if (name.length === identifier.length && name.every((byte, i) => byte === identifier.charCodeAt(i))) return at;
  }
  throw new Error(`no record ${identifier}`);
}

/** Offset of an entry's signature in a record or area. */
function entryAt(from: number, signature: string): number {
  const [first = 0, second = 0] = bytesOf(signature);
  for (let at = from; at < from + 2048; at++) if (image[at] === first && image[at + 1] === second) return at;
  throw new Error(`no entry ${signature}`);
}

async function codesAfter(damage: (bytes: Uint8Array, view: DataView) => unknown): Promise<string[]> {
  const bytes = image.slice();
  const result = damage(bytes, viewOf(bytes));
  return [
    ...new Set(
      (await checkIso(memoryContent(result instanceof Uint8Array && result !== bytes ? result : bytes))).map(
        ({ code }) => code,
      ),
    ),
  ];
}

describe("the check names the damage", () => {
  test("and finds none in the image that is damaged here", async () => {
    expect(await checkIso(memoryContent(image))).toEqual([]);
  });

  const both = (view: DataView, at: number, value: number): void => {
    view.setUint32(at, value, true);
    view.setUint32(at + 4, value, false);
  };
  const damages: readonly [string, string, (bytes: Uint8Array, view: DataView) => unknown][] = [
    ["truncated", "an image cut off", (bytes) => bytes.slice(0, bytes.length - 4096)],
    ["halves-differ", "halves of the volume size", (_, view) => view.setUint8(16 * 2048 + 84, 9)],
    ["halves-differ", "halves of an extent's place", (_, view) => view.setUint8(recordAt(ROOT, "a") + 9, 9)],
    ["version", "file structure version", (_, view) => view.setUint8(16 * 2048 + 881, 7)],
    ["no-terminator", "a set without an end", (bytes) => bytes.fill(0, 20 * 2048, 20 * 2048 + 7)],
    ["root-differs", "another root in the descriptor", (_, view) => both(view, 18 * 2048 + 156 + 10, 4096)],
    [
      "path-table",
      "a path table that names another block",
      (_, view) => view.setUint32(blockOf("primary path table L") + 2, 99, true),
    ],
    [
      "path-table",
      "a path table M that differs",
      (_, view) => view.setUint32(blockOf("primary path table M") + 12, 99, false),
    ],
    ["path-table", "a path table far away", (_, view) => view.setUint32(16 * 2048 + 140, 2 ** 31, true)],
    ["bad-record", "a record that crosses its sector", (bytes) => bytes.set([255], recordAt(ROOT, "link"))],
    ["bad-record", "a record too short for itself", (bytes) => bytes.set([20], recordAt(ROOT, "link"))],
    ["no-self", "no record for the directory itself", (bytes) => bytes.set([65], ROOT + 33)],
    [
      "self-differs",
      "a directory that says it is elsewhere",
      (_, view) => both(view, blockOf("primary directory", "/boot") + 2, 40),
    ],
    [
      "parent-differs",
      "a wrong parent",
      (_, view) =>
        both(view, blockOf("primary directory", "/boot") + (image[blockOf("primary directory", "/boot")] ?? 0) + 2, 40),
    ],
    ["unsorted", "records out of order", (bytes) => bytes.set([0x7a], recordAt(ROOT, "a") + 33)],
    ["name-twice", "two records of one name", (bytes) => bytes.set([0x61], entryAt(recordAt(ROOT, "b"), "NM") + 5)],
    ["beyond-image", "a file behind the end", (_, view) => both(view, recordAt(ROOT, "a") + 2, 100_000)],
    ["beyond-image", "a directory behind the end", (_, view) => both(view, recordAt(ROOT, "boot") + 2, 100_000)],
    ["overlap", "a file in the path table", (_, view) => both(view, recordAt(ROOT, "a") + 2, 22)],
    [
      "directory-twice",
      "a directory inside of itself",
      (_, view) => both(view, recordAt(ROOT, "boot") + 2, ROOT / 2048),
    ],
    [
      "directories-overlap",
      "two directories that are together longer than the image",
      (_, view) => {
        for (const name of ["1", "boot"]) {
          const lba = view.getUint32(recordAt(ROOT, name) + 2, true);
          both(view, recordAt(ROOT, name) + 10, image.length - lba * 2048);
        }
      },
    ],
    ["lost-section", "a first section without a second", (bytes) => bytes.set([0x80], recordAt(ROOT, "link") + 25)],
    [
      "continuation-loop",
      "a continuation that leads to itself",
      (bytes) => {
        const area = blockOf("continuation area", "/");
        bytes.set(bytes.slice(entryAt(recordAt(ROOT, "\0"), "CE"), entryAt(recordAt(ROOT, "\0"), "CE") + 28), area);
      },
    ],
    [
      "continuation-crosses",
      "a continuation across a block",
      (_, view) => both(view, entryAt(recordAt(ROOT, "\0"), "CE") + 12, 2000),
    ],
    [
      "beyond-image",
      "a continuation behind the end",
      (_, view) => both(view, entryAt(recordAt(ROOT, "\0"), "CE") + 4, 100_000),
    ],
    [
      "bad-entry",
      "an entry longer than its record",
      (bytes) => bytes.set([200], entryAt(recordAt(ROOT, "fifo"), "TF") + 2),
    ],
    ["bad-entry", "an entry too short", (bytes) => bytes.set([12], entryAt(recordAt(ROOT, "fifo"), "PX") + 2)],
    ["bad-name", "a name with a slash", (bytes) => bytes.set([0x2f], entryAt(recordAt(ROOT, "fifo"), "NM") + 6)],
    [
      "name-cut",
      "a name that is continued nowhere",
      (bytes) => bytes.set([1], entryAt(recordAt(ROOT, "fifo"), "NM") + 4),
    ],
    ["no-er", "no ER", (bytes) => bytes.set([88], blockOf("continuation area", "/") + 8)],
    ["bad-mode", "a mode of no type", (_, view) => both(view, entryAt(recordAt(ROOT, "fifo"), "PX") + 4, 0o770000)],
    [
      "type-differs",
      "a file that PX calls a directory",
      (_, view) => both(view, entryAt(recordAt(ROOT, "a"), "PX") + 4, 0o040755),
    ],
    [
      "link-target",
      "a link without a target",
      (_, view) => both(view, entryAt(recordAt(ROOT, "a"), "PX") + 4, 0o120777),
    ],
    [
      "no-device",
      "a device without numbers",
      (_, view) => both(view, entryAt(recordAt(ROOT, "a"), "PX") + 4, 0o060644),
    ],
    ["unknown-entry", "an unknown entry", (bytes) => bytes.set(bytesOf("XY"), entryAt(recordAt(ROOT, "fifo"), "TF"))],
    ["no-attributes", "no PX", (bytes) => bytes.set(bytesOf("XY"), entryAt(recordAt(ROOT, "fifo"), "PX"))],
    ["no-name", "no NM", (bytes) => bytes.set(bytesOf("XY"), entryAt(recordAt(ROOT, "fifo"), "NM"))],
    [
      "bad-relocation",
      "CL that leads nowhere",
      (_, view) => {
        const at = recordAt(blockOf("primary directory", "/1/2/3/4/5/6/7"), "8");
        both(view, entryAt(at, "CL") + 4, plan.extentOf("/boot/loader").lba);
      },
    ],
    [
      "relocation",
      "PL that leads elsewhere",
      (_, view) => both(view, entryAt(blockOf("primary directory", "/1/2/3/4/5/6/7/8"), "PL") + 4, 77),
    ],
    [
      "hidden-entries",
      "a moved directory that is not marked as moved",
      (bytes) => bytes.set(bytesOf("XY"), entryAt(recordAt(blockOf("primary directory", "/rr_moved"), "8"), "RE")),
    ],
    ["boot-catalog", "a catalog behind the end", (_, view) => view.setUint32(17 * 2048 + 71, 100_000, true)],
    [
      "boot-catalog",
      "a catalog without key bytes",
      (bytes) => bytes.set([0], blockOf("boot catalog", "/catalog") + 30),
    ],
    [
      "catalog-checksum",
      "a catalog with a wrong checksum",
      (bytes) => bytes.set([1], blockOf("boot catalog", "/catalog") + 5),
    ],
    [
      "catalog-truncated",
      "a section of 65,535 entries",
      (_, view) => view.setUint16(blockOf("boot catalog", "/catalog") + 64 + 2, 0xffff, true),
    ],
    [
      "boot-image",
      "a boot image behind the end",
      (_, view) => view.setUint32(blockOf("boot catalog", "/catalog") + 32 + 8, 100_000, true),
    ],
    [
      "boot-image",
      "a boot image that is no file",
      (_, view) => view.setUint32(blockOf("boot catalog", "/catalog") + 32 + 8, 17, true),
    ],
    [
      "boot-size",
      "an EFI image that is cut off",
      (bytes) => bytes.set([3], blockOf("boot catalog", "/catalog") + 96 + 6),
    ],
    [
      "boot-info-table",
      "a boot image that was changed",
      (bytes) => bytes.set([1], plan.extentOf("/boot/loader").lba * 2048 + 99),
    ],
    ["beyond-volume", "a volume size that is too small", (_, view) => both(view, 16 * 2048 + 80, 60)],
    ["unreadable", "blocks of 512 bytes", (_, view) => view.setUint16(16 * 2048 + 128, 512, true)],
  ];
  test.each(damages)("%s: %s", async (code, _, damage) => {
    expect(await codesAfter(damage)).toContain(code);
  });

  test("a thousand findings of a kind are counted, not told", async () => {
    const names = Array.from({ length: 200 }, (_, i): [string, Node] => [`/f${i}`, text("x")]);
    const bytes = await layoutBytes(planIso(treeOf(names, directoryAttributes), { timeSeconds: 0 }).layout);
    viewOf(bytes).setUint32(16 * 2048 + 80, 20, true);
    const findings = (await checkIso(memoryContent(bytes))).filter(({ code }) => code === "beyond-volume");
    expect(findings).toHaveLength(26);
    expect(findings[25]?.message).toMatch(/^… and \d+ more/);
  });
});

describe("any bytes", () => {
  /** Everything that reads. Returns what came of it; throws when it is no ImageError. */
  async function readEverything(content: Content): Promise<void> {
    const attempt = async (action: () => Promise<unknown>): Promise<void> => {
      try {
        await action();
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
      }
    };
    await attempt(() => layoutOf(content));
    for (const finding of await checkIso(content)) expect(finding.message).not.toBe("");
    await attempt(async () => {
      const iso = await openIso(content);
      await attempt(() => iso.bootCatalog());
      for (const source of iso.nameSources) {
        await attempt(async () => {
          for (const { node } of walk(await iso.tree(source))) {
            if (node.type !== "file") continue;
            await attempt(() => readBytes(node.content, 0, Math.min(100, node.content.sizeBytes)));
          }
        });
      }
    });
  }

  const metadataBytes = Math.min(
    ...[...walk(tree)].flatMap(({ path, node }) => (node.type === "file" ? [plan.extentOf(path).lba * 2048] : [])),
  );
  const interesting = fc.constantFrom(0, 1, 2, 4, 5, 31, 32, 33, 34, 127, 128, 200, 254, 255);
  const places = plan.layout.extents
    .map(({ offset, length }) => [offset, length] as const)
    .filter(([offset]) => offset < metadataBytes);
  /** A byte of a structure that is in use: a random one of the whole image would mostly hit nothing. */
  const place = fc
    .tuple(fc.constantFrom(...places), fc.nat(2047))
    .map(([[offset, length], at]) => offset + (at % Math.min(length, 2048)));

  test("damaged in many places", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(place, fc.oneof(interesting, fc.integer({ min: 0, max: 255 }))), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.option(fc.nat(image.length), { freq: 8 }),
        async (changes, end) => {
          const bytes = image.slice(0, end ?? image.length);
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          await readEverything(memoryContent(bytes));
        },
      ),
      { numRuns: 250 },
    );
  });

  test("blocks that changed places", { timeout: 120_000 }, async () => {
    const block = fc.integer({ min: 16, max: metadataBytes / 2048 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(block, block), { minLength: 1, maxLength: 4 }), async (moves) => {
        const bytes = image.slice();
        for (const [from, to] of moves) bytes.copyWithin(to * 2048, from * 2048, (from + 1) * 2048);
        await readEverything(memoryContent(bytes));
      }),
      { numRuns: 150 },
    );
  });

  test("noise behind a valid descriptor", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 0, maxLength: 20_000, size: "max" }), async (noise) => {
        const bytes = image.slice(0, 40 * 2048);
        bytes.set(noise, 21 * 2048);
        await readEverything(memoryContent(bytes));
      }),
      { numRuns: 60 },
    );
  });
});
