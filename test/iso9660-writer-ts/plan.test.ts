// Planned volumes as the small reader sees them: names, attributes, places, order, records inside their sectors.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byteString, bytesOf, ImageError, memoryContent, readAll, textContent } from "../../src/bytes/index.ts";
import { newRun, placeRecord } from "../../src/iso9660-writer-ts/directory.ts";
import { buildHierarchy } from "../../src/iso9660-writer-ts/hierarchy.ts";
import {
  type IsoOptions,
  JOLIET,
  LEVEL_1,
  LEVEL_2,
  LEVEL_4,
  type NameRules,
  planIso,
} from "../../src/iso9660-writer-ts/index.ts";
import {
  entryCount,
  inodesOf,
  measureRecords,
  type RecordContext,
  recordsOf,
} from "../../src/iso9660-writer-ts/records.ts";
import { layoutBytes } from "../../src/layout/index.ts";
import {
  type Directory,
  device,
  directory,
  file,
  modeWithType,
  type Node,
  special,
  symlink,
  treeOf,
  walk,
} from "../../src/tree/index.ts";
import { type SeenIso, smallReader, viewOf } from "./small-reader.ts";
import { attributes, directoryAttributes, linkCounts, treeArbitrary } from "./trees.ts";

const TIME = Date.UTC(2015, 8, 1, 12, 30, 59) / 1000;
const text = (content: string): Node => file(attributes, textContent(content));
const treeFrom = (nodes: Record<string, Node>): Directory => treeOf(Object.entries(nodes), directoryAttributes);

async function imageOf(tree: Directory, options: Partial<IsoOptions> = {}): Promise<Uint8Array<ArrayBuffer>> {
  return layoutBytes(planIso(tree, { timeSeconds: TIME, ...options }).layout);
}

async function seen(tree: Directory, options: Partial<IsoOptions> = {}): Promise<SeenIso> {
  return smallReader(await imageOf(tree, options));
}

const utcText = (seconds: number): string => {
  const iso = new Date(seconds * 1000).toISOString();
  return iso.slice(0, 19).replace("T", " ");
};

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ImageError) return error.code;
    throw error;
  }
  return "no error";
}

describe("a small volume", () => {
  const stage = Uint8Array.from({ length: 5001 }, (_, i) => (i * 7) & 0xff);
  const tree = treeFrom({
    "/boot/grub/stage2_eltorito": file(attributes, memoryContent(stage)),
    "/boot/loader.efi": text("efi"),
    "/boot/loader": text("loader"),
    "/boot/loader.rc": text("rc"),
    "/boot/loader-x": text("x"),
    "/boot/loader32.efi": text("32"),
    "/.hidden": text("dot"),
    "/last": text("the last one"),
    "/empty": text(""),
  });
  const options: Partial<IsoOptions> = {
    volumeId: "illumos",
    bootCatalogPath: ".catalog",
    lastPath: "/last",
    bootEntries: [{ path: "boot/grub/stage2_eltorito", platform: "bios", loadSectors: 4, bootInfoTable: true }],
  };

  test("descriptors: primary at 16, boot record at 17, terminator behind (ECMA-119 8, El Torito figure 7)", async () => {
    const iso = await imageOf(tree, { ...options, publisherId: "PUB" });
    const view = viewOf(iso);
    const head = (lba: number): string => byteString(iso, lba * 2048, lba * 2048 + 7);
    expect([head(16), head(17), head(18)]).toEqual(["\x01CD001\x01", "\x00CD001\x01", "\xffCD001\x01"]);
    expect(byteString(iso, 16 * 2048 + 40, 16 * 2048 + 72)).toBe("illumos".padEnd(32));
    expect(byteString(iso, 16 * 2048 + 318, 16 * 2048 + 446)).toBe("PUB".padEnd(128));
    expect(view.getUint32(16 * 2048 + 80, true)).toBe(iso.length / 2048);
    expect(view.getUint32(16 * 2048 + 84, false)).toBe(iso.length / 2048);
    expect(byteString(iso, 16 * 2048 + 813, 16 * 2048 + 830)).toBe("2015090112305900\0");
    expect(byteString(iso, 16 * 2048 + 847, 16 * 2048 + 864)).toBe("0000000000000000\0");
    expect(iso.subarray(0, 32768).every((byte) => byte === 0)).toBe(true);
  });

  test("path tables in both byte orders name every directory (9.4)", async () => {
    const iso = await imageOf(tree, options);
    const view = viewOf(iso);
    const size = view.getUint32(16 * 2048 + 132, true);
    const readTable = (lba: number, little: boolean): unknown[] => {
      const rows: unknown[] = [];
      for (let at = lba * 2048; at < lba * 2048 + size; ) {
        const length = iso[at] ?? 0;
        rows.push([
          byteString(iso, at + 8, at + 8 + length),
          view.getUint32(at + 2, little),
          view.getUint16(at + 6, little),
        ]);
        at += 8 + length + (length % 2);
      }
      return rows;
    };
    const tableL = readTable(view.getUint32(16 * 2048 + 140, true), true);
    expect(readTable(view.getUint32(16 * 2048 + 148, false), false)).toEqual(tableL);
    const { nodes } = smallReader(iso);
    expect(tableL).toEqual([
      ["\0", nodes.get("/")?.extents[0]?.[0], 1],
      ["boot", nodes.get("/boot")?.extents[0]?.[0], 1],
      ["grub", nodes.get("/boot/grub")?.extents[0]?.[0], 2],
    ]);
  });

  test("the record `loader` comes before all names that begin with it: isoboot takes the first", async () => {
    const { nodes, records } = await seen(tree, options);
    const boot = records.get(nodes.get("/boot")?.extents[0]?.[0] ?? 0);
    expect(boot?.map(({ isoName }) => isoName)).toEqual([
      "\x00",
      "\x01",
      "grub",
      "loader",
      "loader.efi",
      "loader.rc",
      "loader-x",
      "loader32.efi",
    ]);
  });

  test("the boot catalog, byte by byte (El Torito 2.1, 2.2)", async () => {
    const iso = await imageOf(tree, options);
    const { nodes } = smallReader(iso);
    const [lba, size] = nodes.get("/.catalog")?.extents[0] ?? [0, 0];
    expect(viewOf(iso).getUint32(17 * 2048 + 0x47, true)).toBe(lba);
    expect(byteString(iso, 17 * 2048 + 7, 17 * 2048 + 39)).toBe("EL TORITO SPECIFICATION".padEnd(32, "\0"));
    expect(size).toBe(2048);
    const stageLba = nodes.get("/boot/grub/stage2_eltorito")?.extents[0]?.[0] ?? 0;
    const expected = new Uint8Array(2048);
    expected.set([1, 0], 0);
    expected.set([0xaa, 0x55, 0x55, 0xaa], 28); // 0x0001 + 0xaa55 + 0x55aa = 0x10000
    expected.set([0x88, 0, 0, 0, 0, 0, 4, 0, stageLba & 0xff, stageLba >> 8], 32);
    expect(iso.subarray(lba * 2048, lba * 2048 + 2048)).toEqual(expected);
    expect(nodes.get("/.catalog")?.mode).toBe(0o100444);
  });

  test("the boot information table is in the output and not in the source", async () => {
    const iso = await imageOf(tree, options);
    const [lba = 0] = smallReader(iso).nodes.get("/boot/grub/stage2_eltorito")?.extents[0] ?? [];
    const expected = stage.slice();
    const words = new Uint8Array(5004);
    words.set(stage);
    let sum = 0;
    for (let i = 64; i < 5004; i += 4) sum = (sum + viewOf(words).getUint32(i, true)) >>> 0;
    expected.fill(0, 8, 64);
    [16, lba, 5001, sum].forEach((value, i) => {
      viewOf(expected).setUint32(8 + 4 * i, value, true);
    });
    expect(iso.slice(lba * 2048, lba * 2048 + 5001)).toEqual(expected);
    expect(stage[8]).toBe(56);
  });

  test("a part of the boot file that begins or ends inside the table is patched alike", async () => {
    const plan = planIso(tree, { timeSeconds: TIME, ...options });
    const whole = plan.layout.extents.find(({ owner }) => owner.path === "/boot/grub/stage2_eltorito")?.content;
    if (!whole) throw new Error("no such extent");
    const all = await readAll(whole);
    for (const [offset, length] of [
      [0, 9],
      [7, 2],
      [60, 10],
      [20, 5],
      [64, 100],
    ] as const) {
      const part = new Uint8Array(length);
      await whole.read(part, offset);
      expect(part).toEqual(all.slice(offset, offset + length));
    }
  });

  test("the last file is last, and its size moves nothing", async () => {
    const plan = planIso(tree, { timeSeconds: TIME, ...options });
    const grown = treeFrom({ ...Object.fromEntries(nodesOf(tree)), "/last": text("x".repeat(100_000)) });
    const empty = treeFrom({ ...Object.fromEntries(nodesOf(tree)), "/last": text("") });
    for (const other of [grown, empty]) {
      const again = planIso(other, { timeSeconds: TIME, ...options });
      expect(again.extentOf("/last").lba).toBe(plan.extentOf("/last").lba);
      for (const [path] of nodesOf(tree))
        if (path !== "/last") expect(again.extentOf(path)).toEqual(plan.extentOf(path));
    }
    const { lba, sizeBytes } = plan.extentOf("/last");
    expect(plan.volumeSpaceSize).toBe(lba + 1);
    expect(sizeBytes).toBe(12);
    expect((await seen(tree, options)).data("/last")).toBe("the last one");
  });

  test("an empty file has no place", async () => {
    expect((await seen(tree, options)).nodes.get("/empty")?.extents).toEqual([[0, 0]]);
  });

  test("system area and padding", async () => {
    const iso = await imageOf(tree, { systemArea: textContent("MBR"), paddingBlocks: 150 });
    expect(byteString(iso, 0, 4)).toBe("MBR\0");
    expect(iso.length).toBe((await imageOf(tree)).length + 150 * 2048);
    expect(viewOf(iso).getUint32(16 * 2048 + 80, true)).toBe(iso.length / 2048);
  });

  test("several boot entries: a section for each run of one platform (El Torito 2.3)", async () => {
    const plan = planIso(tree, {
      timeSeconds: TIME,
      bootEntries: [
        { path: "/boot/loader", platform: "bios" },
        { path: "/boot/loader.efi", platform: "efi" },
        { path: "/boot/loader32.efi", platform: "efi", loadSectors: 0, bootable: false },
        { path: "/boot/grub/stage2_eltorito", platform: "bios", loadSegment: 0x1000 },
      ],
    });
    const iso = await layoutBytes(plan.layout);
    const at = (plan.bootCatalog?.lba ?? 0) * 2048;
    const lba = (path: string): number[] => [plan.extentOf(path).lba & 0xff, plan.extentOf(path).lba >> 8];
    const entry = (i: number): number[] => [...iso.subarray(at + i * 32, at + i * 32 + 10)];
    expect(entry(1)).toEqual([0x88, 0, 0, 0, 0, 0, 1, 0, ...lba("/boot/loader")]);
    expect(entry(2)).toEqual([0x90, 0xef, 2, 0, 0, 0, 0, 0, 0, 0]);
    expect(entry(3)).toEqual([0x88, 0, 0, 0, 0, 0, 1, 0, ...lba("/boot/loader.efi")]);
    expect(entry(4)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, ...lba("/boot/loader32.efi")]);
    expect(entry(5)).toEqual([0x91, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(entry(6)).toEqual([0x88, 0, 0, 0x10, 0, 0, 10, 0, ...lba("/boot/grub/stage2_eltorito")]);
    expect(plan.bootEntries.map(({ loadSectors }) => loadSectors)).toEqual([1, 1, 0, 10]);
    expect(smallReader(iso).nodes.has("/.catalog")).toBe(false);
  });
});

function nodesOf(tree: Directory): [string, Node][] {
  return [...walk(tree)].filter(({ node }) => node.type === "file").map(({ path, node }) => [path, node]);
}

describe("Rock Ridge", () => {
  test("attributes, devices, fifos and times", async () => {
    const special1 = { mode: 0o4755, uid: 4_000_000_000, gid: 7, mtimeSeconds: 1_234_567_890 };
    const { nodes } = await seen(
      treeFrom({
        "/setuid": file(special1, textContent("x")),
        "/character": device(attributes, "character", 0x3fff, 0x3ffff),
        "/block": device(attributes, "block", 1, 2),
        "/fifo": special(attributes, "fifo"),
        "/future": file({ ...attributes, mtimeSeconds: Date.UTC(2500, 0, 1) / 1000 }, textContent("")),
      }),
    );
    expect(nodes.get("/setuid")).toMatchObject({ mode: 0o104755, uid: 4_000_000_000, gid: 7, links: 1 });
    expect(nodes.get("/setuid")).toMatchObject({ mtime: "2009-02-13 23:31:30", recordTime: "2009-02-13 23:31:30" });
    expect(nodes.get("/character")).toMatchObject({ mode: 0o020644, device: "16383,262143" });
    expect(nodes.get("/block")).toMatchObject({ mode: 0o060644, device: "1,2" });
    expect(nodes.get("/fifo")).toMatchObject({ mode: 0o010644, entries: "NM PX TF" });
    expect(nodes.get("/future")).toMatchObject({ mtime: "2500-01-01 00:00:00", recordTime: "1900-00-00 00:00:00" });
    expect(nodes.get("/")?.entries).toBe("SP PX TF CE | ER");
  });

  test("hard links share one extent, count their names, and share a serial number in 1.12", async () => {
    const one = text("shared");
    const tree = treeFrom({ "/a": one, "/d/b": one, "/d/c": text("shared") });
    const { nodes } = await seen(tree, { rockRidge: "1.12" });
    expect(nodes.get("/a")?.extents).toEqual(nodes.get("/d/b")?.extents);
    expect(nodes.get("/a")?.extents).not.toEqual(nodes.get("/d/c")?.extents);
    expect([nodes.get("/a")?.links, nodes.get("/d/c")?.links, nodes.get("/d")?.links]).toEqual([2, 1, 2]);
    expect(nodes.get("/a")?.serial).toBe(nodes.get("/d/b")?.serial);
    expect(new Set([...nodes.values()].map(({ serial }) => serial)).size).toBe(nodes.size - 1);
    expect((await seen(tree)).nodes.get("/a")?.serial).toBeUndefined();
  });

  test("NM is in one piece and before CE up to 250 bytes, wherever the record has room for it", async () => {
    for (let length = 1; length <= 255; length++) {
      const name = "n".repeat(length);
      const { nodes } = await seen(treeFrom({ [`/${name}`]: text("") }));
      const [inRecord = "", inArea = ""] = nodes.get(`/${name}`)?.entries.split(" | ") ?? [];
      const pieces = `${inRecord} ${inArea}`.split(" ").filter((signature) => signature === "NM").length;
      expect([length, pieces]).toEqual([length, length > 250 ? 2 : 1]);
      expect([length, inRecord.startsWith("NM")]).toEqual([length, length <= 151]);
      expect([length, inArea === ""]).toEqual([length, length <= 131]);
    }
  });

  test("deep directories stay, or move and are found by CL, PL and RE", async () => {
    const tree = treeFrom({
      "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/file": text("deep"),
      "/1/2/3/4/5/6/7/other/file": text("other"),
      "/rr_moved/mine": text("mine"),
    });
    const kept = await imageOf(tree);
    const moved = await imageOf(tree, { deepDirectories: "relocate" });
    const paths = [...walk(tree)].map(({ path }) => path).sort();
    for (const iso of [kept, moved]) {
      const { nodes, data } = smallReader(iso);
      expect([...nodes.keys()].sort()).toEqual(paths);
      expect(data("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/file")).toBe("deep");
    }
    expect(byteString(kept)).not.toContain("CL\x0c\x01");
    expect(byteString(moved).split("CL\x0c\x01").length - 1).toBe(3);
    expect(byteString(moved).split("PL\x0c\x01").length - 1).toBe(3);
    expect(byteString(moved).split("RE\x04\x01").length - 1).toBe(4);
  });

  test("without it there are plain names, and no links or devices", async () => {
    const tree = treeFrom({ "/dir.ectory/File.Name.txt": text("x") });
    const { nodes } = await seen(tree, { rockRidge: false, names: LEVEL_1 });
    expect([...nodes.keys()]).toEqual(["/", "/DIR_ECTO", "/DIR_ECTO/FILE_NAM.TXT;1"]);
    const link = treeFrom({ "/link": symlink(attributes, "x") });
    expect(codeOf(() => planIso(link, { timeSeconds: 0, rockRidge: false }))).toBe("unsupported");
  });
});

describe("properties", () => {
  test("every tree reads back the same, whatever the options", { timeout: 120_000 }, async () => {
    const optionsArbitrary = fc.record({
      rockRidge: fc.constantFrom("1.10" as const, "1.12" as const),
      names: fc.constantFrom<NameRules | undefined>(undefined, LEVEL_1, LEVEL_2),
      joliet: fc.boolean(),
      enhanced: fc.boolean(),
      deepDirectories: fc.constantFrom("keep" as const, "relocate" as const),
    });
    await fc.assert(
      fc.asyncProperty(treeArbitrary, optionsArbitrary, async (tree, { names, ...options }) => {
        const iso = await imageOf(tree, names ? { ...options, names } : options);
        const { nodes, records, data } = smallReader(iso);
        const links = linkCounts(tree);
        expect([...nodes.keys()].sort()).toEqual([...walk(tree)].map(({ path }) => path).sort());
        for (const { path, node } of walk(tree)) {
          const found = nodes.get(path);
          expect(found).toMatchObject({
            mode: modeWithType(node),
            uid: node.uid,
            gid: node.gid,
            links: links.get(node),
            mtime: utcText(node.mtimeSeconds),
            target: node.type === "symlink" ? node.target : "",
            device: "major" in node ? `${node.major},${node.minor}` : "",
          });
          if (node.type === "file") expect(data(path)).toBe(byteString(await readAll(node.content)));
        }
        for (const list of records.values()) expectWellPacked(list);
      }),
      { numRuns: 60 },
    );
  });

  test("records take the room that was measured without making them", () => {
    fc.assert(
      fc.property(
        treeArbitrary,
        fc.constantFrom<RecordContext["rockRidge"]>(false, "1.10", "1.12"),
        fc.boolean(),
        (tree, rockRidge, relocate) => {
          const rules = { names: LEVEL_4, rockRidge: rockRidge !== false, leaveOutSpecials: true, relocate };
          const context = { rockRidge, inodes: inodesOf(tree) };
          for (const parent of buildHierarchy(tree, rockRidge ? { ...rules, names: LEVEL_2 } : rules)) {
            const made = newRun();
            const count = entryCount(parent);
            for (const record of recordsOf(parent, 0, count, context)) placeRecord(made, record);
            expect(measureRecords(parent, 0, count, context)).toEqual(made);
          }
        },
      ),
    );
  });

  test("the order of entries in the input's directories does not matter", async () => {
    await fc.assert(
      fc.asyncProperty(treeArbitrary, async (tree) => {
        const reversed = (node: Directory): Directory => {
          const entries = [...node.entries].reverse();
          return directory(
            node,
            new Map(entries.map(([name, child]) => [name, child.type === "directory" ? reversed(child) : child])),
          );
        };
        const [one, other] = [await imageOf(reversed(tree), { joliet: true }), await imageOf(tree, { joliet: true })];
        expect(Buffer.compare(one, other)).toBe(0);
      }),
      { numRuns: 15 },
    );
  });
});

/** Records lie inside their sectors with a byte to spare, are even, and are in the order of 9.3 without duplicates. */
function expectWellPacked(list: readonly { offset: number; length: number; isoName: string }[]): void {
  const keys: string[] = [];
  for (const { offset, length, isoName } of list) {
    expect(offset + length).toBeLessThan(2048);
    expect([offset % 2, length % 2]).toEqual([0, 0]);
    if (isoName > "\x01") keys.push(isoName.replaceAll(";", "\x00").replaceAll(".", "\x01"));
  }
  expect(list.slice(0, 2).map(({ isoName }) => isoName)).toEqual(["\x00", "\x01"]);
  expect(keys).toEqual([...new Set(keys)].sort());
}

describe("a directory of many entries", () => {
  test("5,000 names, in several runs of records", async () => {
    const names = Array.from({ length: 5000 }, (_, i) => `the-same-first-thirty-seven-characters-${i}`);
    const tree = treeFrom(Object.fromEntries(names.map((name) => [`/d/${name.padEnd(190, "+")}`, text(name)])));
    const { nodes, records, data } = await seen(tree);
    expect(nodes.size).toBe(5002);
    const name = "the-same-first-thirty-seven-characters-4321".padEnd(190, "+");
    expect(data(`/d/${name}`)).toBe("the-same-first-thirty-seven-characters-4321");
    for (const list of records.values()) expectWellPacked(list);
  });
});

describe("Joliet", () => {
  test("names of 64 UCS-2 characters in their own hierarchy, sharing the data", async () => {
    const name = byteString(new TextEncoder().encode("Grüße an alle 😀.txt"));
    const tree = treeFrom({
      [`/Some Directory/${name}`]: text("hi"),
      "/bad\xff*name?.txt": text("x"),
      [`/${"l".repeat(80)}.c`]: text("long"),
      "/link": symlink(attributes, "x"),
    });
    const iso = await imageOf(tree, { joliet: true, volumeId: "illumos" });
    const decode = (isoName: string): string => Buffer.from(isoName, "latin1").swap16().toString("utf16le");
    const { nodes, data } = smallReader(iso, 17, decode);
    expect([...nodes.keys()].sort()).toEqual([
      "/",
      "/Some Directory",
      "/Some Directory/Grüße an alle 😀.txt;1",
      "/bad\xff_name_.txt;1",
      `/${"l".repeat(62)}.c;1`,
    ]);
    expect(data("/Some Directory/Grüße an alle 😀.txt;1")).toBe("hi");
    expect(nodes.get("/Some Directory/Grüße an alle 😀.txt;1")?.extents).toEqual(
      smallReader(iso).nodes.get(`/Some Directory/${name}`)?.extents,
    );
    expect(byteString(iso, 17 * 2048 + 88, 17 * 2048 + 92)).toBe("%/E\0");
    expect(byteString(iso, 17 * 2048 + 40, 17 * 2048 + 72)).toBe("\0i\0l\0l\0u\0m\0o\0s".padEnd(32, "\0 "));
    expect(JOLIET.maxFileLength).toBe(64);
  });
});

describe("big files", () => {
  test("more than 4 GiB lies in sections of whole blocks (6.5.1), each with its record", () => {
    const sizeBytes = 2 ** 33 + 5;
    const big = { sizeBytes, read: () => Promise.reject(new Error("not read")) };
    const plan = planIso(treeFrom({ "/big": file(attributes, big) }), { timeSeconds: 0 });
    const { lba } = plan.extentOf("/big");
    expect(plan.volumeSpaceSize).toBe(lba + 2 ** 22 + 1);
    const root = plan.layout.extents.find(({ owner }) => owner.what === "primary directory");
    const sector = new Uint8Array(2048);
    return root?.content.read(sector, 0).then(() => {
      const view = viewOf(sector);
      const found: unknown[] = [];
      for (let at = 0; (sector[at] ?? 0) > 0; at += sector[at] ?? 0) {
        if (sector[at + 25] === 2) continue;
        found.push([view.getUint32(at + 2, true), view.getUint32(at + 10, true), sector[at + 25]]);
      }
      const section = 2 ** 32 - 2048;
      expect(found).toEqual([
        [lba, section, 0x80],
        [lba + section / 2048, section, 0x80],
        [lba + (2 * section) / 2048, 5 + 4096, 0],
      ]);
    });
  });

  test("no more than 8 TiB", () => {
    const huge = { sizeBytes: 2 ** 43, read: () => Promise.resolve() };
    expect(codeOf(() => planIso(treeFrom({ "/huge": file(attributes, huge) }), { timeSeconds: 0 }))).toBe("limit");
  });
});

describe("what cannot be", () => {
  const tree = treeFrom({ "/file": text("x"), "/dir/file": text("y"), "/zero": text("") });
  const boot = (path: string, more = {}): IsoOptions => ({
    timeSeconds: 0,
    bootEntries: [{ path, platform: "bios", ...more }],
  });
  test.each([
    ["a socket", treeFrom({ "/s": special(attributes, "socket") }), { timeSeconds: 0 }, "unsupported"],
    ["a boot file that is missing", tree, boot("/none"), "not-found"],
    ["a boot file that is a directory", tree, boot("/dir"), "wrong-type"],
    ["an empty boot file", tree, boot("/zero"), "limit"],
    ["a boot file without room for its table", tree, boot("/file", { bootInfoTable: true }), "limit"],
    ["a diskette of one byte", tree, boot("/file", { emulation: "1.44M" }), "limit"],
    ["a load size of 17 bits", tree, boot("/file", { loadSectors: 65536 }), "invalid-argument"],
    ["a catalog over a file", tree, { ...boot("/file"), bootCatalogPath: "/dir/file" }, "conflict"],
    ["a catalog nowhere", tree, { ...boot("/file"), bootCatalogPath: "/none/catalog" }, "not-found"],
    ["a volume id of 33 bytes", tree, { timeSeconds: 0, volumeId: "x".repeat(33) }, "limit"],
    ["a volume id that is text", tree, { timeSeconds: 0, volumeId: "€" }, "invalid-argument"],
    ["half a second", tree, { timeSeconds: 0.5 }, "invalid-argument"],
    ["a big system area", tree, { timeSeconds: 0, systemArea: memoryContent(new Uint8Array(32769)) }, "limit"],
    ["a last file that is missing", tree, { timeSeconds: 0, lastPath: "/none" }, "not-found"],
    [
      "relocation without Rock Ridge",
      tree,
      { timeSeconds: 0, rockRidge: false, deepDirectories: "relocate" },
      "invalid-argument",
    ],
    ["device 0,300", treeFrom({ "/d": device(attributes, "block", 0, 300) }), { timeSeconds: 0 }, "limit"],
    [
      "a file of the year 10000",
      treeFrom({ "/f": file({ ...attributes, mtimeSeconds: 253402300800 }, textContent("")) }),
      { timeSeconds: 0 },
      "limit",
    ],
  ] as [string, Directory, IsoOptions, string][])("%s", (_, root, options, code) => {
    expect(codeOf(() => planIso(root, options))).toBe(code);
  });

  test("a boot image over 65,535 sectors needs a load size", () => {
    const image = { sizeBytes: 2 ** 25, read: () => Promise.resolve() };
    const big = treeFrom({ "/esp": file(attributes, image) });
    expect(codeOf(() => planIso(big, boot("/esp")))).toBe("limit");
    expect(planIso(big, boot("/esp", { loadSectors: 0 })).bootEntries[0]?.loadSectors).toBe(0);
  });
});

test("an empty tree is a volume with an empty root", async () => {
  const { nodes } = await seen(directory(directoryAttributes));
  expect([...nodes.keys()]).toEqual(["/"]);
  expect(bytesOf("")).toHaveLength(0);
});
