// Recognising layers, their figures, and paths that go through them.

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type Content, ImageError, memoryContent, textContent } from "../../src/bytes/index.ts";
import {
  bootArchive,
  bootArchivePaths,
  directoryLayer,
  type Inspected,
  inodeNumbers,
  inspectLayer,
  type Layer,
  locate,
  openImage,
  recognize,
  treeLayer,
} from "../../src/inspect/index.ts";
import { type Directory, directory, file, lookup, pathsOf, treeOf, walk } from "../../src/tree/index.ts";
import {
  base,
  fatBytes,
  gzip,
  host,
  latin1,
  mbrDisk,
  numbered,
  sampleIso,
  sampleNodes,
  sampleTree,
  tarBytes,
  text,
  ufsBytes,
} from "./images.ts";

let ufs: Uint8Array<ArrayBuffer>;
let iso: Content;
beforeAll(async () => {
  ufs = await ufsBytes(sampleTree());
  ({ iso } = await sampleIso());
});

const open = (bytes: Uint8Array): Promise<Layer> => openImage(memoryContent(bytes), host);
const withoutLostAndFound = (paths: string[]) => paths.filter((path) => path !== "/lost+found");

describe("recognising", () => {
  test("each kind by its bytes", async () => {
    const fat = await fatBytes(sampleFat());
    const kinds: [Awaited<ReturnType<typeof recognize>>, Content][] = [
      ["iso", iso],
      ["ufs", memoryContent(ufs)],
      ["gzip", memoryContent(gzip(ufs))],
      ["fat", memoryContent(fat)],
      ["disk", memoryContent(mbrDisk(fat))],
      ["archive", memoryContent(await tarBytes(sampleTree()))],
      ["plain", textContent("some words\n")],
      ["plain", memoryContent(new Uint8Array(0))],
      ["plain", memoryContent(new Uint8Array(100_000))],
      ["plain", memoryContent(numbered(100_000))],
    ];
    for (const [kind, content] of kinds) expect(await recognize(content)).toBe(kind);
  });

  test("a UFS of another system is a UFS, and named when it is opened", async () => {
    const other = ufs.slice();
    new DataView(other.buffer).setUint32(8192 + 1372, 0x00decade, true);
    expect(await recognize(memoryContent(other))).toBe("ufs");
    await expect(open(other)).rejects.toMatchObject({ code: "unsupported" });
  });

  test("whatever the bytes are, opening gives a layer or an ImageError", async () => {
    const seeds = [ufs.subarray(0, 200_000), gzip(ufs), await fatBytes(sampleFat()), await tarBytes(sampleTree())];
    const isoBytes = new Uint8Array(120_000);
    await iso.read(isoBytes, 0);
    seeds.push(isoBytes);
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.nat(seeds.length - 1), flips, fc.nat(), async (which, changes, cut) => {
        const seed = seeds[which] ?? new Uint8Array(0);
        const bytes = seed.slice(0, cut % 3 === 0 ? cut % seed.length : seed.length);
        // Most damage goes where the structures are.
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % Math.min(bytes.length, 70_000)] = value;
        try {
          await inspectLayer(await open(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(ImageError);
        }
      }),
      { numRuns: 150 },
    );
  });
});

const sampleFat = (): Directory => treeOf([["/EFI/BOOT/BOOTX64.EFI", text("loader")]], { ...base, mode: 0o755 });

describe("inspect", () => {
  test("an ISO, its archive, the file system in it, and the EFI image", async () => {
    const inspected = await inspectLayer(await openImage(iso, host));
    const outline = ({ kind, role, path, parts }: Inspected): unknown => ({
      kind,
      role,
      path,
      parts: parts.map(outline),
    });
    expect(outline(inspected)).toEqual({
      kind: "iso",
      role: undefined,
      path: undefined,
      parts: [
        {
          kind: "gzip",
          role: "boot archive",
          path: "/platform/i86pc/boot_archive",
          parts: [{ kind: "ufs", role: "uncompressed", path: undefined, parts: [] }],
        },
        { kind: "fat", role: "EFI boot image", path: "/boot/efiboot.img", parts: [] },
      ],
    });
    const figures = new Map(inspected.figures.map(({ name, value }) => [name, value]));
    expect(figures.get("Volume Identifier")).toBe("sample");
    expect(figures.get("boot entry 1")).toMatch(/BIOS.*4 sectors at block \d+: \/boot\/grub\/stage2_eltorito$/);
    expect(figures.get("boot entry 2")).toMatch(/EFI.*: \/boot\/efiboot.img$/);
    const inner = new Map(inspected.parts[0]?.parts[0]?.figures.map(({ name, value }) => [name, value]));
    expect(inner.get("state")).toBe("clean");
    expect(inner.get("size")).toBe(8 << 20);
  });

  test("what is damaged inside is told, not thrown", async () => {
    const packed = gzip(ufs);
    packed.fill(0xff, 30, 60);
    const inspected = await inspectLayer(await open(packed));
    expect([inspected.kind, inspected.parts[0]?.kind]).toEqual(["gzip", "unreadable"]);
    expect(inspected.parts[0]?.error).toMatch(/deflate/);
  });
});

describe("trees of layers", () => {
  test("a gzip'd file system, read in one pass, is the file system", async () => {
    const raw = await (await treeLayer(await open(ufs))).tree();
    const packed = await (await treeLayer(await open(gzip(ufs)))).tree();
    expect(withoutLostAndFound(pathsOf(raw))).toEqual(pathsOf(sampleTree()));
    expect(pathsOf(packed)).toEqual(pathsOf(raw));
    for (const { path, node } of walk(raw)) {
      const { ...other } = lookup(packed, path);
      const strip = (one: object): object => ({ ...one, content: undefined, entries: undefined });
      expect(strip(other)).toEqual(strip(node));
      if (node.type === "file" && other.type === "file") {
        expect(await latin1(other.content)).toBe(await latin1(node.content));
      }
    }
    expect(lookup(packed, "/usr/bin/one")).toBe(lookup(packed, "/usr/bin/two"));
  });

  test("one pass: nothing is inflated a second time for the metadata", async () => {
    const packed = memoryContent(gzip(ufs));
    let readBytes = 0;
    const counted: Content = {
      sizeBytes: packed.sizeBytes,
      read(target, offset) {
        readBytes += target.length;
        return packed.read(target, offset);
      },
    };
    await (await treeLayer(await openImage(counted, host))).tree();
    expect(readBytes).toBeLessThan(packed.sizeBytes * 1.1 + 4 * 65536);
  });

  test("directories that are nested too deep are refused", async () => {
    let tree = directory(base);
    for (let i = 0; i < 3000; i++) tree = directory(base, new Map([["d", tree]]));
    await expect(directoryLayer(tree, host).tree()).rejects.toMatchObject({ code: "limit" });
  });
});

describe("paths through layers", () => {
  const content = async (layer: Layer, path: string): Promise<string> => {
    const { node } = await locate(layer, path, { follow: true });
    return node.type === "file" ? latin1(node.content) : node.type;
  };

  test("from the medium into the archive, links followed within each", async () => {
    const layer = await openImage(iso, host);
    expect(await content(layer, "/platform/i86pc/boot_archive/etc/motd")).toBe("Welcome\n");
    expect(await content(layer, "link/boot_archive/bin/one")).toBe("one inode, two names\n");
    expect(await content(layer, "/boot/efiboot.img/EFI/BOOT")).toBe("directory");
    const place = await locate(layer, "/link/boot_archive/bin", { follow: false });
    expect(place.node.type).toBe("symlink");
    expect(place.shown).toBe("/link/boot_archive/bin");
    expect(place.path).toBe("/bin");
  });

  test("through a compressed tar and a partition", async () => {
    const disk = mbrDisk(await fatBytes(sampleFat()));
    const tree = treeOf([["/images/disk", file(base, memoryContent(disk))]], base);
    const layer = await open(gzip(await tarBytes(tree)));
    expect(await content(layer, "images/disk/1/EFI/BOOT/BOOTX64.EFI")).toBe("loader");
  });

  test("what is not there is told with what was meant", async () => {
    const layer = await openImage(iso, host);
    await expect(locate(layer, "/platform/i86pc/boot_archive/etc/motdd", { follow: true })).rejects.toMatchObject({
      code: "not-found",
      message: "/platform/i86pc/boot_archive/etc/motdd: no such path; did you mean motd?",
    });
    await expect(locate(layer, "/boot/grub/menu.lst/x", { follow: true })).rejects.toMatchObject({
      code: "wrong-type",
    });
    const archive = await open(ufs);
    await expect(locate(archive, "/dangling", { follow: true })).rejects.toThrow(/leads nowhere/);
    await expect(locate(archive, "/dev/null/x", { follow: true })).rejects.toMatchObject({ code: "wrong-type" });
    await expect(locate(archive, "/../x", { follow: true })).rejects.toMatchObject({ code: "invalid-argument" });
  });

  test("a file that decompresses to itself is not followed for ever", async () => {
    // gzip of gzip of … deep enough
    let bytes = gzip(new Uint8Array(10));
    for (let i = 0; i < 20; i++) bytes = gzip(bytes);
    await expect(treeLayer(await open(bytes))).rejects.toMatchObject({ code: "limit" });
    expect((await inspectLayer(await open(bytes))).kind).toBe("gzip");
  });
});

describe("the boot archive", () => {
  const folder = { ...base, mode: 0o755 };
  const medium = (nodes: [string, string][]): Directory =>
    treeOf(
      nodes.map(([path, content]) => [path, text(content)]),
      folder,
    );

  test("the one that the loader's configuration names, in its order of files", async () => {
    const files: [string, string][] = [
      ["/boot/loader", "x"],
      [
        "/boot/defaults/loader.conf",
        'boot_archive_load="YES"\nboot_archive_type="rootfs"\nboot_archive_name="/platform/i86pc/${ISADIR}/boot_archive"\n',
      ],
      ["/platform/i86pc/amd64/boot_archive", "default"],
      ["/other/archive.gz", "configured"],
    ];
    expect(await bootArchivePaths(medium(files))).toEqual(["/platform/i86pc/amd64/boot_archive"]);
    files.push(["/boot/conf.d/later", 'boot_archive_name="/other/archive"\n']);
    expect((await bootArchivePaths(medium(files)))[0]).toBe("/other/archive.gz");
    files.push(["/boot/conf.d/earlier", "this is no assignment\n"]); // the loader gives up there
    expect((await bootArchivePaths(medium(files)))[0]).toBe("/platform/i86pc/amd64/boot_archive");
  });

  test("the one that GRUB's default entry loads", async () => {
    const menu =
      "default=1\ntitle a\nkernel$ /k/$ISADIR/unix\nmodule$ /a/$ISADIR/archive\ntitle b\nkernel /k\nmodule (cd)/b\n";
    const tree = medium([
      ["/boot/grub/menu.lst", menu],
      ["/a/amd64/archive", "a"],
      ["/b", "b"],
    ]);
    expect(await bootArchivePaths(tree)).toEqual(["/b", "/a/amd64/archive"]);
  });

  test("opened", async () => {
    const { layer, path } = await bootArchive(await openImage(iso, host));
    expect(path).toBe("/platform/i86pc/boot_archive");
    expect(lookup(await layer.tree(), "/etc/motd")?.type).toBe("file");
    const { layer: itself } = await bootArchive(await open(gzip(ufs)));
    expect(itself.kind).toBe("ufs");
  });
});

test("inode numbers: UFS' own, else one a file", async () => {
  const ufsNumbers = await inodeNumbers(await treeLayer(await open(ufs)));
  expect(ufsNumbers.get("/")).toBe(2);
  expect(ufsNumbers.get("/lost+found")).toBe(3);
  for (const numbers of [ufsNumbers, await inodeNumbers(await treeLayer(await open(await tarBytes(sampleTree()))))]) {
    expect(numbers.get("/usr/bin/one")).toBe(numbers.get("/usr/bin/two"));
    for (const [path] of sampleNodes()) expect(numbers.get(path)).toBeGreaterThan(0);
    const paths = [...numbers.keys()];
    expect(new Set(numbers.values()).size).toBe(paths.length - 1);
  }
});
