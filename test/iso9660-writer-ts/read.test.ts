// Reading what was planned: trees, layouts, boot catalogs come back; and a check finds nothing.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byteString, fromText, ImageError, memoryContent, readAll, textContent } from "../../src/bytes/index.ts";
import {
  checkIso,
  type IsoOptions,
  LEVEL_1,
  LEVEL_2,
  layoutOf,
  openIso,
  planIso,
} from "../../src/iso9660-writer-ts/index.ts";
import { type Layout, layoutBytes, ownerText } from "../../src/layout/index.ts";
import { type Directory, directory, file, lookup, type Node, pathsOf, symlink, treeOf } from "../../src/tree/index.ts";
import { attributes, directoryAttributes, listing, treeArbitrary } from "./trees.ts";

const text = (content: string): Node => file(attributes, textContent(content));
const treeFrom = (nodes: Record<string, Node>): Directory => treeOf(Object.entries(nodes), directoryAttributes);

async function imageOf(tree: Directory, options: Partial<IsoOptions> = {}): Promise<Uint8Array<ArrayBuffer>> {
  return layoutBytes(planIso(tree, { timeSeconds: 0, ...options }).layout);
}

/** Extents as text; neighbours of one owner are one, since a plan encodes a long directory piece by piece. */
function extentLines({ extents, sizeBytes }: Layout): string[] {
  const merged: { offset: number; length: number; owner: string }[] = [];
  for (const { offset, length, owner: by } of extents) {
    const last = merged[merged.length - 1];
    const owner = /^(joliet|enhanced) directory/.test(by.what) ? by.what : ownerText(by); // names are cut there
    if (last && last.owner === owner && last.offset + last.length === offset) last.length += length;
    else merged.push({ offset, length, owner });
  }
  return [...merged.map(({ offset, length, owner }) => `${offset} +${length} ${owner}`), `end ${sizeBytes}`];
}

const optionsArbitrary: fc.Arbitrary<Partial<IsoOptions>> = fc
  .record({
    rockRidge: fc.constantFrom("1.10" as const, "1.12" as const),
    names: fc.constantFrom(undefined, LEVEL_1, LEVEL_2),
    joliet: fc.boolean(),
    enhanced: fc.boolean(),
    deepDirectories: fc.constantFrom("keep" as const, "relocate" as const),
    paddingBlocks: fc.nat(3),
  })
  .map(({ names, ...options }) => (names ? { ...options, names } : options));

describe("properties", () => {
  test("tree, layout and check of an image agree with what was planned", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(treeArbitrary, optionsArbitrary, async (tree, options) => {
        const plan = planIso(tree, { timeSeconds: 0, ...options });
        const image = memoryContent(await layoutBytes(plan.layout));
        const links = options.rockRidge === "1.12";
        expect(await listing(await (await openIso(image)).tree(), { links })).toEqual(await listing(tree, { links }));
        expect(extentLines(await layoutOf(image))).toEqual(extentLines(plan.layout));
        expect(await checkIso(image)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("name sources", () => {
  const tree = treeFrom({
    "/a directory/some file.text": text("x"),
    [`/${fromText("Grüße 😀")}`]: text("g"),
    "/link": symlink(attributes, "a directory"),
  });

  test("Rock Ridge, then Joliet, then ISO 9660:1999, then plain names", async () => {
    const iso = await openIso(memoryContent(await imageOf(tree, { joliet: true, enhanced: true, names: LEVEL_1 })));
    expect(iso.nameSources).toEqual(["rock-ridge", "joliet", "enhanced", "plain"]);
    const names = async (source: (typeof iso.nameSources)[number]): Promise<string[]> =>
      pathsOf(await iso.tree(source));
    expect(await names("rock-ridge")).toEqual(pathsOf(tree));
    expect(await names("joliet")).toEqual([
      "/",
      `/${fromText("Grüße 😀")}`,
      "/a directory",
      "/a directory/some file.text",
    ]);
    expect(await names("enhanced")).toEqual(await names("joliet"));
    expect(await names("plain")).toEqual(["/", "/A_DIRECT", "/A_DIRECT/SOME_FIL.TEX", "/GR____E_", "/LINK"]);
  });

  test("what has no Rock Ridge is read-only for all, and a source that is not there is refused", async () => {
    const iso = await openIso(memoryContent(await imageOf(treeFrom({ "/d/f": text("x") }), { rockRidge: false })));
    expect(iso.nameSources).toEqual(["plain"]);
    expect(lookup(await iso.tree(), "/d")).toMatchObject({
      mode: 0o555,
      uid: 0,
      mtimeSeconds: attributes.mtimeSeconds,
    });
    expect(lookup(await iso.tree(), "/d/f")).toMatchObject({ mode: 0o444 });
    await expect(iso.tree("joliet")).rejects.toMatchObject({ code: "not-found" });
  });

  test("a dot at the end tells two names apart where the rules demand none", async () => {
    const dots = treeFrom({ "/a": text("1"), "/a.": text("2"), "/b.": text("3") });
    const image = memoryContent(await imageOf(dots, { rockRidge: false, enhanced: true }));
    for (const source of ["enhanced", "plain"] as const) {
      expect(pathsOf(await (await openIso(image)).tree(source))).toEqual(["/", "/a", "/a.", "/b"]);
    }
    expect(await checkIso(image)).toEqual([]);
  });

  test("contents are read from where they lie, any part of them", async () => {
    const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => i % 251);
    const iso = await openIso(memoryContent(await imageOf(treeFrom({ "/f": file(attributes, memoryContent(bytes)) }))));
    const found = lookup(await iso.tree(), "/f");
    if (found?.type !== "file") throw new Error("no file");
    const part = new Uint8Array(3000);
    await found.content.read(part, 4000);
    expect(part).toEqual(bytes.slice(4000, 7000));
  });
});

describe("the boot catalog", () => {
  test("comes back as planned", async () => {
    const tree = treeFrom({ "/bios": text("b".repeat(3000)), "/esp": text("e".repeat(10_000)), "/other": text("o") });
    const plan = planIso(tree, {
      timeSeconds: 0,
      bootCatalogPath: "/boot.catalog",
      bootEntries: [
        { path: "/bios", platform: "bios", loadSectors: 4, bootInfoTable: true },
        { path: "/esp", platform: "efi" },
        { path: "/other", platform: "efi", bootable: false, loadSegment: 0x7c0 },
      ],
    });
    const image = memoryContent(await layoutBytes(plan.layout));
    const catalog = await (await openIso(image)).bootCatalog();
    expect(catalog).toMatchObject({ lba: plan.bootCatalog?.lba, sizeBytes: 5 * 32 });
    expect(catalog?.entries).toMatchObject([
      { platformId: 0, bootable: true, loadSectors: 4, lba: plan.extentOf("/bios").lba, mediaType: 0 },
      { platformId: 0xef, bootable: true, loadSectors: 20, lba: plan.extentOf("/esp").lba },
      { platformId: 0xef, bootable: false, loadSectors: 1, loadSegment: 0x7c0 },
    ]);
    expect(await checkIso(image)).toEqual([]);
    expect(extentLines(await layoutOf(image))).toEqual(extentLines(plan.layout));
    expect(await (await openIso(memoryContent(await imageOf(tree)))).bootCatalog()).toBeUndefined();
  });

  test("a hundred entries need a second block", async () => {
    const entries = Array.from({ length: 100 }, (_, i) => ({
      path: "/x",
      platform: i % 2 ? ("efi" as const) : ("bios" as const),
    }));
    const image = await imageOf(treeFrom({ "/x": text("x") }), { bootEntries: entries });
    expect((await (await openIso(memoryContent(image))).bootCatalog())?.entries).toHaveLength(100);
    expect(await checkIso(memoryContent(image))).toEqual([]);
  });
});

describe("the sections of a file over 4 GiB", () => {
  test("are read as one", async () => {
    const marks = new Map([
      [0, "begin"],
      [2 ** 32 - 2050, "across the first border"],
      [2 ** 33, "near the end"],
    ]);
    const sizeBytes = 2 ** 33 + 2 ** 20 + 17;
    const sparse = {
      sizeBytes,
      async read(target: Uint8Array, offset: number) {
        target.fill(0);
        for (const [at, mark] of marks) {
          for (let i = 0; i < mark.length; i++) {
            const to = at + i - offset;
            if (to >= 0 && to < target.length) target[to] = mark.charCodeAt(i);
          }
        }
      },
    };
    const { layout } = planIso(treeFrom({ "/big": file(attributes, sparse), "/small": text("s") }), { timeSeconds: 0 });
    const { readLayout } = await import("../../src/layout/index.ts");
    const image = { sizeBytes: layout.sizeBytes, read: (t: Uint8Array, o: number) => readLayout(layout, t, o) };
    const tree = await (await openIso(image)).tree();
    const big = lookup(tree, "/big");
    if (big?.type !== "file") throw new Error("no file");
    expect(big.content.sizeBytes).toBe(sizeBytes);
    for (const [at, mark] of marks) {
      const bytes = new Uint8Array(mark.length);
      await big.content.read(bytes, at);
      expect(byteString(bytes)).toBe(mark);
    }
    expect(await checkIso(image)).toEqual([]);
    expect(extentLines(await layoutOf(image))).toEqual(extentLines(layout));
  });
});

describe("what is no ISO", () => {
  test.each([
    ["nothing", new Uint8Array(0)],
    ["zeros", new Uint8Array(100_000)],
    ["a bit less than a descriptor", new Uint8Array(17 * 2048 - 1)],
  ])("%s", async (_, bytes) => {
    await expect(openIso(memoryContent(bytes))).rejects.toMatchObject({ code: "bad-format" });
    expect(await checkIso(memoryContent(bytes))).toMatchObject([{ code: "unreadable", severity: "error" }]);
    await expect(layoutOf(memoryContent(bytes))).rejects.toBeInstanceOf(ImageError);
  });

  test("an empty tree is one", async () => {
    const image = memoryContent(await imageOf(directory(directoryAttributes)));
    expect(pathsOf(await (await openIso(image)).tree())).toEqual(["/"]);
    expect(await readAll(image)).toHaveLength((await layoutOf(image)).sizeBytes);
  });
});
