// ISO images of ours as others read them: Linux, xorriso, libarchive, isoinfo, isovfy, on random trees and on trees that
// break other writers.

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { type Content, fromText, memoryContent, textContent } from "../../src/bytes/index.ts";
import { checkIso, type IsoOptions, type IsoPlan, LEVEL_2, planIso } from "../../src/iso9660-writer-ts/index.ts";
import { layoutContent } from "../../src/layout/index.ts";
import { type Directory, directory, file, mapTree, type Node, special, symlink, treeOf } from "../../src/tree/index.ts";
import { attributes, directoryAttributes, treeArbitrary } from "../iso9660-writer-ts/trees.ts";
import { mountInLinux } from "./harness/linux.ts";
import { compareListings, type Field, type ListedPath, type Listing, listTree } from "./harness/listing.ts";
import { testWith } from "./harness/programs.ts";
import { faultsByIsovfy, listByBsdtar, listByIsoinfo, listByXorriso, writeImage } from "./iso-harness.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pureboot-iso-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Case {
  readonly name: string;
  readonly tree: Directory;
  readonly options: Partial<IsoOptions>;
}

interface Written extends Case {
  readonly image: string;
  readonly plan: IsoPlan;
  readonly expected: Listing;
}

async function written(cases: readonly Case[]): Promise<Written[]> {
  const results: Written[] = [];
  for (const { name, tree, options } of cases) {
    const plan = planIso(tree, { timeSeconds: 0, ...options });
    expect([name, await checkIso(layoutContent(plan.layout))]).toEqual([name, []]);
    const image = join(folder, `${name.replaceAll(/\W+/g, "-")}.iso`);
    await writeImage(plan.layout, image);
    results.push({ name, tree, options, image, plan, expected: await listTree(tree, "sha256") });
  }
  return results;
}

const text = (content: string): Node => file(attributes, textContent(content));
const treeFrom = (nodes: Iterable<readonly [string, Node]>): Directory => treeOf(nodes, directoryAttributes);
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** In Linux the time of an ISO's file has 31 bits, a device's major number 12. */
function withinLinux(tree: Directory): Directory {
  return mapTree(tree, (node) => ({
    ...node,
    mtimeSeconds: Math.min(Math.max(node.mtimeSeconds, 0), 2 ** 31 - 1),
    ...("major" in node && { major: node.major & 0xfff || 1 }),
  }));
}

/** Random trees, the same ones in each run. */
const RANDOM = fc.sample(treeArbitrary, { numRuns: 12, seed: 20250901 }).map(withinLinux);

const HARD_CASES: readonly Case[] = [
  { name: "empty tree", tree: directory(directoryAttributes), options: {} },
  {
    name: "names of all lengths",
    tree: treeFrom(
      range(1, 253).flatMap((n): [string, Node][] => [
        [`/f/${"n".repeat(n)}`, text(`${n}`)],
        [`/d/${"m".repeat(n)}/x`, text("x")],
      ]),
    ),
    options: { joliet: true },
  },
  {
    name: "symbolic links of all lengths",
    tree: treeFrom(
      [...range(1, 300), 511, 512, 1000, 1022, 1023].flatMap((n): [string, Node][] => [
        [`/plain/${n}`, symlink(attributes, "t".repeat(n))],
        [`/parts/${n}`, symlink(attributes, "/abc/../d.e".repeat(100).slice(0, n))],
      ]),
    ),
    options: {},
  },
  {
    name: "dots and odd bytes",
    tree: treeFrom(
      [
        "a.b.c.d",
        "...",
        "..a",
        ".a",
        "a.",
        "a..",
        ".a.b.",
        "a b",
        "a;1",
        "A",
        "a",
        "ä ö", // Latin-1; of one byte Linux lists such a name, but does not find it
        fromText("ä"),
        "\x01\x02",
        "\n",
        "~#",
        "*?",
        "\\",
      ].map((name): [string, Node] => [`/${name}/${name}`, text(name)]),
    ),
    options: { joliet: true },
  },
  {
    name: "twelve levels kept",
    tree: treeFrom([
      [`/${"level/".repeat(12)}file`, text("deep")],
      [`/${`${"long".repeat(20)}/`.repeat(5)}file`, text("long path")],
    ]),
    options: {},
  },
  {
    name: "twenty levels moved",
    tree: treeFrom([
      [`/${"level/".repeat(20)}file`, text("deep")],
      ["/1/2/3/4/5/6/7/8/a", text("a")],
      ["/1/2/3/4/5/6/7/9/b", text("b")],
    ]),
    options: { deepDirectories: "relocate" },
  },
  {
    name: "names alike in their beginnings",
    tree: treeFrom(range(0, 1200).map((i): [string, Node] => [`/${"alike".repeat(10)}${i}.tail`, text(`${i}`)])),
    options: { names: LEVEL_2 },
  },
  {
    name: "nodes of all types",
    tree: treeFrom([
      ["/fifo", special(attributes, "fifo")],
      ["/empty", text("")],
      ["/sticky", directory({ ...attributes, mode: 0o1777, uid: 100_000, gid: 200_000 })],
      ["/setuid", file({ ...attributes, mode: 0o6755, uid: 7 }, textContent("x"))],
      ["/null", { ...attributes, type: "character", major: 13, minor: 2 }],
      ["/disk", { ...attributes, type: "block", major: 102, minor: 64 }],
    ]),
    options: { rockRidge: "1.12" },
  },
];

const CASES: readonly Case[] = [
  ...HARD_CASES,
  ...RANDOM.map((tree, i): Case => {
    const relocate = i % 3 === 1 ? { deepDirectories: "relocate" as const } : {};
    const version = i % 4 === 2 ? { rockRidge: "1.12" as const } : {};
    return {
      name: `random ${i}`,
      tree,
      options: { joliet: i % 2 === 0, enhanced: i % 5 === 0, ...relocate, ...version },
    };
  }),
];

const sha256OfNothing = createHash("sha256").digest("hex");

describe("trees of all kinds", () => {
  testWith(["qemu-system-x86_64", "linux", "gcc"], "Linux sees each path as it is", async () => {
    const images = await written(CASES);
    const seen = await mountInLinux(images.map(({ image }) => ({ image, type: "iso9660" })));
    const fields: Field[] = [
      "type",
      "mode",
      "uid",
      "gid",
      "nlink",
      "size",
      "mtimeSeconds",
      "target",
      "device",
      "digest",
    ];
    images.forEach(({ name, expected }, i) => {
      const { listing = new Map(), complaints = ["not mounted"] } = seen[i] ?? {};
      expect([name, complaints, compareListings(expected, listing, { fields })]).toEqual([name, [], []]);
    });
  });

  testWith(["bsdtar"], "libarchive sees each path as it is", async () => {
    for (const { name, image, expected } of await written(CASES)) {
      const listing = withLinkedData(expected, await listByBsdtar(image));
      const fields: Field[] = ["type", "mode", "uid", "gid", "size", "mtimeSeconds", "target", "digest"];
      expect([name, compareListings(expected, listing, { fields })]).toEqual([name, []]);
    }
  });

  testWith(["xorriso"], "xorriso takes each file out as it is", async () => {
    for (const { name, image, expected } of await written(CASES)) {
      const listing = await listByXorriso(image, join(folder, "xorriso"));
      rmSync(join(folder, "xorriso"), { recursive: true });
      const fields: Field[] = ["type", "size", "mtimeSeconds", "target", "digest"];
      // It makes no devices without being allowed to, and cleans symbolic links of doubled slashes.
      const ignore = (path: string): boolean => /character|block/.test(expected.get(path)?.type ?? "");
      expect([name, compareListings(cleaned(expected), cleaned(listing), { fields, ignore })]).toEqual([name, []]);
    }
  });

  testWith(["isoinfo", "isovfy"], "isoinfo lists them, isovfy finds nothing", async () => {
    for (const { name, image, expected, options, plan } of await written(CASES)) {
      // It has a buffer for links, and does not look at its end.
      const hasLongLinks = [...expected.values()].some(({ target = "" }) => target.length > 250);
      if (!hasLongLinks) expect([name, await faultsByIsovfy(image)]).toEqual([name, []]);
      if (options.deepDirectories) continue; // isoinfo shows relocated directories where they lie
      const entries = await listByIsoinfo(image, "-R");
      for (const { path, type, mode, nlink, uid, gid, size } of expected.values()) {
        // It cuts long names short, and shows names and link targets without saying where they end.
        if (path === "/" || /[\n]|[^/]{200}/.test(path) || / (\/|$)| -> |\/[^/]*\/.{250}/.test(path)) continue;
        if (uid > 0o7777 || gid > 0o7777) continue; // its columns run together
        const found = entries.get(path);
        const lba = type === "file" ? { lba: plan.extentOf(path).lba, size } : {};
        expect([name, path, found]).toEqual([name, path, expect.objectContaining({ nlink, uid, gid, ...lba })]);
        if (mode <= 0o777) expect([path, found?.mode.slice(1)]).toEqual([path, permissionLetters(mode)]);
      }
    }
  });
});

/** rwx letters for a mode without set-id and sticky bits. */
function permissionLetters(mode: number): string {
  return [...mode.toString(2).padStart(9, "0")].map((bit, i) => (bit === "1" ? "rwx"[i % 3] : "-")).join("");
}

/** libarchive gives the data of a file with several names to one of them; the others get it here if it was right there. */
function withLinkedData(expected: Listing, listing: Listing): Listing {
  const good = new Set<number>();
  for (const [path, { inode, digest }] of expected) if (listing.get(path)?.digest === digest) good.add(inode);
  const records = [...listing].map(([path, record]): [string, ListedPath] => {
    const wanted = expected.get(path);
    const isLinked = record.nlink > 1 && record.size === 0 && record.digest === sha256OfNothing;
    if (!isLinked || !wanted || !good.has(wanted.inode) || wanted.digest === undefined) return [path, record];
    return [path, { ...record, size: wanted.size, digest: wanted.digest }];
  });
  return new Map(records);
}

/** Links without doubled and trailing slashes, and without a time: xorriso gives them none. */
function cleaned(listing: Listing): Listing {
  return new Map(
    [...listing].map(([path, record]): [string, ListedPath] => {
      if (record.target === undefined) return [path, record];
      const target = record.target.replaceAll(/\/+/g, "/").replace(/(.)\/$/, "$1");
      return [path, { ...record, target, size: target.length, mtimeSeconds: 0 }];
    }),
  );
}

describe("El Torito", () => {
  const tree = treeFrom([
    ["/boot/cdboot", text("c".repeat(1249))],
    ["/boot/efiboot.img", text("E".repeat(4400 * 1024))],
    ["/boot/grub/stage2_eltorito", text("s".repeat(100_000))],
  ]);
  const plan = planIso(tree, {
    timeSeconds: 0,
    volumeId: "illumos",
    bootCatalogPath: ".catalog",
    systemArea: memoryContent(new Uint8Array(0)),
    bootEntries: [
      { path: "/boot/cdboot", platform: "bios", loadSectors: 4, bootInfoTable: true },
      { path: "/boot/efiboot.img", platform: "efi" },
      { path: "/boot/grub/stage2_eltorito", platform: "bios", loadSectors: 4, bootInfoTable: true },
    ],
  });

  testWith(["xorriso", "isoinfo"], "xorriso reports every entry with its path and its boot-info-table", async () => {
    const { runText } = await import("./harness/run.ts");
    const { oracle } = await import("./harness/programs.ts");
    const image = join(folder, "eltorito.iso");
    await writeImage(plan.layout, image);
    const report = await runText(oracle("xorriso"), ["-indev", image, "-report_el_torito", "plain"]);
    const lines = report.split("\n").filter((line) => line.startsWith("El Torito"));
    const lba = (path: string): number => plan.extentOf(path).lba;
    expect(lines.map((line) => line.replaceAll(/ +/g, " ").trim())).toEqual([
      `El Torito catalog : ${plan.bootCatalog?.lba} 1`,
      "El Torito cat path : /.catalog",
      "El Torito images : N Pltf B Emul Ld_seg Hdpt Ldsiz LBA",
      `El Torito boot img : 1 BIOS y none 0x0000 0x00 4 ${lba("/boot/cdboot")}`,
      `El Torito boot img : 2 UEFI y none 0x0000 0x00 8800 ${lba("/boot/efiboot.img")}`,
      `El Torito boot img : 3 BIOS y none 0x0000 0x00 4 ${lba("/boot/grub/stage2_eltorito")}`,
      "El Torito img path : 1 /boot/cdboot",
      "El Torito img opts : 1 boot-info-table",
      "El Torito img path : 2 /boot/efiboot.img",
      "El Torito img path : 3 /boot/grub/stage2_eltorito",
      "El Torito img opts : 3 boot-info-table",
    ]);
    const described = await runText(oracle("isoinfo"), ["-d", "-i", image]);
    expect(described).toMatch(/El Torito VD version 1 found, boot catalog is in sector \d+/);
    expect(described).toMatch(/Rock Ridge signatures version 1 found/);
    expect(described).toMatch(/Volume id: illumos\n/);
  });
});

describe("names that Linux has no room for", () => {
  testWith(["bsdtar", "xorriso"], "254 and 255 bytes, in the root and 300 bytes deep", async () => {
    const names = range(250, 255).flatMap((n): [string, Node][] => [
      [`/${"n".repeat(n)}`, text(`${n}`)],
      [`/${"d".repeat(150)}/${"e".repeat(150)}/${"m".repeat(n)}/${"f".repeat(n)}`, text(`deep ${n}`)],
    ]);
    const [image] = await written([{ name: "long names", tree: treeFrom(names), options: {} }]);
    if (!image) throw new Error("not written");
    const fields: Field[] = ["type", "size", "mtimeSeconds", "digest"];
    expect(compareListings(image.expected, await listByBsdtar(image.image), { fields })).toEqual([]);
    const xorriso = await listByXorriso(image.image, join(folder, "long"));
    rmSync(join(folder, "long"), { recursive: true });
    expect(compareListings(image.expected, xorriso, { fields })).toEqual([]);
  });
});

describe("big", () => {
  // (Linux looks names up from the directory's beginning each time: it would take hours over these.)
  testWith(["bsdtar", "xorriso"], "100,000 files in one directory", async () => {
    const tree = treeFrom(range(1, 100_000).map((i): [string, Node] => [`/many/file-${i}`, text(`${i % 10}`)]));
    const [image] = await written([{ name: "many", tree, options: { joliet: true } }]);
    if (!image) throw new Error("not written");
    const bsdtar = await listByBsdtar(image.image);
    expect(
      compareListings(image.expected, bsdtar, { fields: ["type", "mode", "size", "mtimeSeconds", "digest"] }),
    ).toEqual([]);
    const xorriso = await listByXorriso(image.image, join(folder, "many"));
    expect(compareListings(image.expected, xorriso, { fields: ["type", "size", "mtimeSeconds", "digest"] })).toEqual(
      [],
    );
  });

  /** Zeros, but for a mark at the start, across the border of the first section, and at the end. */
  function sparse(sizeBytes: number): Content {
    const marks = [0, 2 ** 32 - 2048 - 3, sizeBytes - 5];
    return {
      sizeBytes,
      async read(target, offset) {
        target.fill(0);
        for (const mark of marks) {
          for (let i = 0; i < 5; i++) {
            const at = mark + i - offset;
            if (at >= 0 && at < target.length) target[at] = 65 + i;
          }
        }
      },
    };
  }

  testWith(["bsdtar", "isoinfo"], "a file of 5 GiB in two sections", async () => {
    const sizeBytes = 5 * 2 ** 30 + 1;
    const tree = treeFrom([
      ["/sparse", file(attributes, sparse(sizeBytes))],
      ["/zz", text("behind it")],
    ]);
    const plan = planIso(tree, { timeSeconds: 0 });
    const image = join(folder, "sparse.iso");
    await writeImage(plan.layout, image);
    const listing = await listByBsdtar(image);
    const expected = await listTree(tree, "sha256");
    expect(compareListings(expected, listing, { fields: ["type", "size", "digest"] })).toEqual([]);
    expect((await listByIsoinfo(image, "-R")).get("/zz")?.lba).toBe(plan.extentOf("/zz").lba);
    rmSync(image);
  });
});
