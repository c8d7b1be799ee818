// Maps: every byte has one owner, pictures hold what they must and fetch nothing.

import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryContent, readAll } from "../../src/bytes/index.ts";
import {
  type Layer,
  openImage,
  type PlaceMap,
  placeMaps,
  placesHtml,
  placesSvg,
  type Regions,
  regionsOf,
  sizeMaps,
  sizesHtml,
  sizesSvg,
} from "../../src/inspect/index.ts";
import { drawnCount, rowBytes, shortSize, squarify } from "../../src/inspect/map-layout.ts";
import { treeOf } from "../../src/tree/index.ts";
import { base, fatBytes, gzip, host, mbrDisk, sampleIso, sampleTree, text, ufsBytes } from "./images.ts";

const open = (bytes: Uint8Array): Promise<Layer> => openImage(memoryContent(bytes), host);

function expectWhole({ regions, sizeBytes }: Regions | PlaceMap): void {
  let end = 0;
  for (const { offset, length } of regions) {
    expect(offset).toBe(end);
    expect(length).toBeGreaterThan(0);
    end += length;
  }
  expect(end).toBe(sizeBytes);
}

describe("regions", () => {
  test("of a file system: all bytes, each kind, each file at its place", async () => {
    const bytes = await ufsBytes(sampleTree());
    const layer = await open(bytes);
    const found = await regionsOf(layer);
    expectWhole(found);
    const kinds = new Set(found.regions.map(({ kind }) => kind));
    for (const kind of [
      "boot",
      "volume",
      "table",
      "inodes",
      "unused inodes",
      "directory",
      "link",
      "indirect",
      "file",
      "fragment",
      "free",
    ]) {
      expect(kinds).toContain(kind);
    }
    const motd = found.regions.find(({ path }) => path === "/etc/motd");
    expect(Buffer.from(bytes.subarray(motd?.offset, (motd?.offset ?? 0) + 8)).toString()).toBe("Welcome\n");
    expect(motd?.kind).toBe("fragment");
    const big = found.regions.filter(({ path, kind }) => path === "/usr/lib/big" && kind !== "indirect");
    expect(big.reduce((sum, { length }) => sum + length, 0)).toBe(Math.ceil(300_000 / 8192) * 8192);
    expect(found.marks[1]?.name).toBe("cylinder group 1");
  });

  test("of an ISO, a FAT, a disk", async () => {
    const { iso } = await sampleIso();
    const fat = await fatBytes(treeOf([["/EFI/X", text("x".repeat(3000))]], base));
    for (const layer of [await openImage(iso, host), await open(fat), await open(mbrDisk(fat))]) {
      expectWhole(await regionsOf(layer));
    }
    const regions = (await regionsOf(await openImage(iso, host))).regions;
    const bytes = await readAll(iso);
    const menu = regions.find(({ path }) => path === "/boot/grub/menu.lst");
    expect(Buffer.from(bytes.subarray(menu?.offset, (menu?.offset ?? 0) + 9)).toString()).toBe("default 0");
    expect(regions[0]).toMatchObject({ kind: "boot", length: 32_768 });
  });

  test("what has no places says so", async () => {
    await expect(regionsOf(await open(Buffer.from("plain")))).rejects.toMatchObject({ code: "unsupported" });
  });
});

describe("maps", () => {
  test("an ISO's map leads to the file system in its archive, and to the EFI image", async () => {
    const maps = await placeMaps(await openImage((await sampleIso()).iso, host), "sample.iso");
    expect(maps.map(({ name }) => name)).toEqual(["sample.iso", "/platform/i86pc/boot_archive", "/boot/efiboot.img"]);
    for (const map of maps) expectWhole(map);
    const inner = maps[0]?.regions.filter((region) => region.inner !== undefined);
    expect(new Set(inner?.map(({ kind, path, inner: to }) => `${kind} ${path} ${to}`))).toEqual(
      new Set(["image /platform/i86pc/boot_archive 1", "image /boot/efiboot.img 2"]),
    );
  });

  test("sizes: hard links once, the largest first, sums that hold", async () => {
    const [iso, archive] = await sizeMaps(await openImage((await sampleIso()).iso, host), "sample.iso");
    expect(iso?.name).toBe("sample.iso");
    const root = archive?.root;
    const usr = root?.children?.[0];
    expect(usr?.name).toBe("usr");
    expect(usr?.children?.map(({ name }) => name)).toEqual(["lib", "bin"]);
    expect(usr?.children?.[1]?.sizeBytes).toBe(21 + 12);
    expect(root?.sizeBytes).toBe(root?.children?.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  });
});

describe("where things go", () => {
  test("a treemap fills its area with rectangles in proportion", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 60 });
    const side = fc.integer({ min: 10, max: 2000 });
    fc.assert(
      fc.property(weights, side, side, (unsorted, width, height) => {
        const sorted = [...unsorted].sort((a, b) => b - a);
        const rectangles = squarify(sorted, { x: 5, y: 7, width, height });
        const total = sorted.reduce((sum, weight) => sum + weight, 0);
        expect(rectangles).toHaveLength(sorted.length);
        rectangles.forEach((one, i) => {
          const share = (sorted[i] ?? 0) / total;
          expect(one.width * one.height).toBeCloseTo(share * width * height, 3);
          expect(one.x).toBeGreaterThan(5 - 1e-6);
          expect(one.y).toBeGreaterThan(7 - 1e-6);
          expect(one.x + one.width).toBeLessThan(5 + width + 1e-6);
          expect(one.y + one.height).toBeLessThan(7 + height + 1e-6);
          for (const other of rectangles.slice(i + 1)) {
            const overlapX = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
            const overlapY = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
            expect(Math.min(overlapX, overlapY)).toBeLessThan(1e-6);
          }
        });
      }),
      { numRuns: 50 },
    );
  });

  test("what would be too small to be seen is counted out, but never one alone", () => {
    expect(drawnCount([60, 30, 10], 100, 5)).toBe(3);
    expect(drawnCount([60, 30, 6, 4], 100, 8)).toBe(2);
    expect(drawnCount([90, 6, 4], 100, 5)).toBe(3);
    expect(drawnCount([1, 1, 1, 1], 2, 1)).toBe(0);
    expect(drawnCount([], 100, 5)).toBe(0);
  });

  test("rows hold all bytes, in powers of two", () => {
    for (const size of [1, 512, 100_000, 525_312_000, 8 * 2 ** 30]) {
      const bytes = rowBytes(size, 64);
      expect(Math.log2(bytes) % 1).toBe(0);
      expect(bytes * 64).toBeGreaterThanOrEqual(size);
      if (bytes > 512) expect(bytes * 32).toBeLessThan(size);
    }
    expect([shortSize(100), shortSize(1536), shortSize(174_063_616)]).toEqual(["100 B", "1.5 KiB", "166 MiB"]);
  });
});

describe("pictures", () => {
  const pictures = async () => {
    const ufs = await ufsBytes(
      treeOf([["/dir/a<b>&\"c'</script>\xff", text("x".repeat(30_000))]], { ...base, mode: 0o755 }),
    );
    const layer = await open(gzip(ufs));
    const [places, sizes] = [await placeMaps(layer, "<x>.iso"), await sizeMaps(layer, "<x>.iso")];
    return { places, sizes };
  };

  test("SVG: well-formed whatever the names are, each region told", async () => {
    const { places, sizes } = await pictures();
    for (const svg of [placesSvg(places), sizesSvg(sizes)]) {
      const open = [...svg.matchAll(/<([a-z]+)(?:\s[^<>]*?)?(\/?)>/g)];
      const stack = open.filter(([, , selfClosing]) => selfClosing === "").length;
      expect([...svg.matchAll(/<\/[a-z]+>/g)]).toHaveLength(stack);
      expect(svg).toContain("a&#60;b&#62;&#38;&#34;c&#39;&#60;");
      expect(svg).not.toMatch(/https?:(?!\/\/www\.w3\.org\/2000\/svg")/);
    }
    expect(placesSvg(places)).toMatch(/<title>data \/dir\/a.*: \d+ bytes at \d+<\/title>/);
  });

  test("HTML: one file, whose script stands on its own and holds the data", async () => {
    const { places, sizes } = await pictures();
    for (const html of [placesHtml(places), sizesHtml(sizes)]) {
      expect(html).toContain("default-src 'none'");
      expect(html).not.toMatch(/(src|href)=|https?:|@import|url\(/);
      const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)];
      expect(scripts).toHaveLength(1);
      const script = scripts[0]?.[1] ?? "";
      // The page's script with just enough of a browser around it to draw on.
      const drawn: string[] = [];
      const context = new Proxy(
        { measureText: (words: string) => ({ width: words.length * 6 }) } as Record<string, unknown>,
        {
          get: (target, name) =>
            target[String(name)] ?? ((words: unknown) => typeof words === "string" && drawn.push(words)),
          set: () => true,
        },
      );
      const element = (): Record<string, unknown> => ({
        style: {},
        clientWidth: 1000,
        getBoundingClientRect: () => ({ top: 0, left: 0 }),
        append: () => {},
        replaceChildren: () => {},
        setAttribute: () => {},
        getContext: () => context,
        get firstChild() {
          return element();
        },
      });
      const elements = new Map<string, unknown>();
      const document = {
        body: element(),
        getElementById: (id: string) => elements.get(id) ?? elements.set(id, element()).get(id),
        createElement: element,
        createTextNode: String,
      };
      const sandbox = {
        document,
        location: { hash: "" },
        innerHeight: 900,
        scrollY: 0,
        devicePixelRatio: 1,
        addEventListener: () => {},
      };
      runInNewContext(script, {
        ...sandbox,
        getComputedStyle: () => ({ color: "#000" }),
        requestAnimationFrame: () => 0,
      });
      expect(drawn.length).toBeGreaterThan(0);
      expect(drawn.join(" ")).toMatch(/script>/);
    }
  });
});
