// Differences between images: exactly those that were made, by path and by field, and nothing that only follows.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryContent, readAll, textContent } from "../../src/bytes/index.ts";
import { type Diff, diffLayers, directoryLayer, type Layer, openImage } from "../../src/inspect/index.ts";
import { layoutBytes } from "../../src/layout/index.ts";
import {
  type Directory,
  directory,
  draft,
  file,
  mapTree,
  type Node,
  symlink,
  treeOf,
  walk,
} from "../../src/tree/index.ts";
import { planUfs } from "../../src/ufs/index.ts";
import {
  base,
  fatBytes,
  gzip,
  host,
  numbered,
  sampleIso,
  sampleNodes,
  sampleTree,
  sha1,
  TIME,
  tarBytes,
  text,
  ufsBytes,
} from "./images.ts";

const open = (bytes: Uint8Array): Promise<Layer> => openImage(memoryContent(bytes), host);
const layer = (tree: Directory): Layer => directoryLayer(tree, host);

/** A diff as lines. */
function lines({ paths, fields, timeShift, firstByte }: Diff): string[] {
  return [
    ...paths.map(({ path, kind, changes }) => `${kind} ${path}${changes.map(({ aspect }) => ` ${aspect}`).join("")}`),
    ...(timeShift ? [`time ${timeShift.seconds} ${timeShift.paths} ${timeShift.fields}`] : []),
    ...fields.map(({ layer: at, structure, field }) => `field ${at} ${structure} ${field}`),
    ...(firstByte === undefined ? [] : [`byte ${firstByte}`]),
  ];
}

const changed = (edit: (tree: ReturnType<typeof draft>) => void): Directory => {
  const tree = draft(sampleTree());
  edit(tree);
  return tree.tree();
};
const folder = { ...base, mode: 0o755 };

describe("by path", () => {
  test("each aspect is told by its name", async () => {
    const after = changed((tree) => {
      tree.put("/etc/motd", text("Welcomf\n"));
      tree.put("/usr/bin/su", text("set-user-id\n", { mode: 0o755 }));
      tree.put("/etc/adm-owned", text("x", { uid: 4, gid: 4, mode: 0o640 }));
      tree.put("/bin", symlink({ ...base, mode: 0o777 }, "usr/sbin"));
      tree.put("/usr/bin/two", text("one inode, two names\n", { mode: 0o755 }));
      tree.put("/tmp/sub/deep", text("deep\n", { mtimeSeconds: TIME + 5 }));
      tree.put("/usr/lib/empty", directory(folder));
      tree.put("/new/file", text("new"), folder);
      tree.remove("/dangling");
    });
    expect(lines(await diffLayers(layer(sampleTree()), layer(after)))).toEqual([
      "changed /bin target",
      "removed /dangling",
      "changed /etc/adm-owned owner",
      "changed /etc/motd content",
      "added /new",
      "added /new/file",
      "changed /tmp/sub/deep time",
      "changed /usr/bin/one links",
      "changed /usr/bin/su mode",
      "changed /usr/bin/two links",
      "changed /usr/lib/empty type mode",
    ]);
  });

  test("where a content begins to differ", async () => {
    const { paths } = await diffLayers(
      layer(sampleTree()),
      layer(changed((tree) => tree.put("/etc/motd", text("Wel")))),
    );
    expect(paths).toEqual([
      {
        path: "/etc/motd",
        kind: "changed",
        changes: [{ aspect: "content", before: 8, after: 3, firstDifference: undefined }],
      },
    ]);
  });

  test("any edits are found, and no others", async () => {
    const isAlone = ([path, node]: [string, Node]): boolean => node.type === "file" && !path.startsWith("/usr/bin");
    const files = sampleNodes().filter(isAlone);
    const edits = fc.uniqueArray(fc.constantFrom(...files.map(([path]) => path)));
    await fc.assert(
      fc.asyncProperty(edits, fc.constantFrom("ufs", "tar", "gzip", "tree"), async (paths, how) => {
        const after = changed((tree) => {
          for (const path of paths) tree.put(path, text(`changed ${path}`));
        });
        const as = async (tree: Directory): Promise<Layer> => {
          if (how === "tree") return layer(tree);
          return open(
            how === "ufs" ? await ufsBytes(tree) : how === "tar" ? await tarBytes(tree) : gzip(await ufsBytes(tree)),
          );
        };
        const found = await diffLayers(await as(sampleTree()), await as(after));
        expect(found.paths.map(({ path }) => path).sort()).toEqual([...paths].sort());
        expect(found.isEmpty).toBe(paths.length === 0);
      }),
      { numRuns: 15 },
    );
  });
});

describe("images of different kinds", () => {
  test("a tree, its tar, its file system, compressed or not", async () => {
    const ufs = await ufsBytes(sampleTree());
    const layers = [
      layer(sampleTree()),
      await open(await tarBytes(sampleTree())),
      await open(ufs),
      await open(gzip(ufs)),
    ];
    for (const a of layers) {
      for (const b of layers) {
        const found = (await diffLayers(a, b)).paths.filter(({ path }) => path !== "/lost+found");
        expect(found).toEqual([]);
      }
    }
  });

  test("FAT has no modes and even seconds only", async () => {
    const tree = treeOf([["/EFI/X", text("x", { mode: 0o600, mtimeSeconds: TIME + 1 })]], folder);
    const found = await diffLayers(await open(await fatBytes(tree)), layer(tree));
    expect(lines(found)).toEqual([]);
    expect(found.isEmpty).toBe(true);
  });
});

describe("times", () => {
  const shifted = (tree: Directory, seconds: number): Directory =>
    mapTree(tree, (node) => ({ ...node, mtimeSeconds: node.mtimeSeconds + seconds }));

  test("a second more everywhere is one line, through all layers", async () => {
    const before = await sampleIso();
    const after = await sampleIso(shifted(sampleTree(), 1), TIME + 1);
    const found = await diffLayers(await openImage(before.iso, host), await openImage(after.iso, host));
    const inIso = Array.from(walk(sampleTree())).length;
    expect(lines(found)).toEqual([expect.stringMatching(/^time 1 \d+ \d+$/)]);
    expect(found.timeShift?.paths).toBeGreaterThan(inIso);
    const each = await diffLayers(await openImage(before.iso, host), await openImage(after.iso, host), {
      eachTime: true,
    });
    expect(each.paths.length).toBeGreaterThan(inIso);
  });

  test("what changed besides is still told", async () => {
    const tree = draft(shifted(sampleTree(), 60));
    tree.put("/etc/motd", text("other\n", { mtimeSeconds: TIME + 60 }));
    expect(lines(await diffLayers(layer(sampleTree()), layer(tree.tree())))).toEqual([
      "changed /etc/motd content",
      expect.stringMatching(/^time 60 \d+ 0$/),
    ]);
  });

  test("a few times that changed are told by path", async () => {
    const tree = changed((edit) => edit.put("/etc/motd", text("Welcome\n", { mtimeSeconds: 1 })));
    expect(lines(await diffLayers(layer(sampleTree()), layer(tree)))).toEqual(["changed /etc/motd time"]);
  });
});

describe("structures", () => {
  test("the same bytes are no difference, and nothing is read twice to say so", async () => {
    const { iso } = await sampleIso();
    const same = { ...iso };
    expect(lines(await diffLayers(await openImage(iso, host), await openImage(same, host)))).toEqual([]);
  });

  test("fields of the volume descriptor and of the superblock", async () => {
    const { iso } = await sampleIso();
    const bytes = await readAll(iso);
    bytes.set(Buffer.from("another   "), 16 * 2048 + 40);
    expect(lines(await diffLayers(await openImage(iso, host), await open(bytes)))).toEqual([
      "field  Primary Volume Descriptor Volume Identifier",
    ]);
    const geometry = (minfree: number) => ({ newfs: { imageBytes: 8 << 20, minfree } });
    const made = async (minfree: number) =>
      layoutBytes(planUfs(sampleTree(), { geometry: geometry(minfree), timeSeconds: TIME }).layout);
    expect(lines(await diffLayers(await open(await made(0)), await open(await made(5))))).toEqual([
      "field  fs fs_minfree",
    ]);
  });

  test("what follows from a changed file is not told: sizes, places, hash, table, catalog", async () => {
    const before = await sampleIso();
    const after = await sampleIso(
      changed((tree) => tree.put("/usr/lib/big", file(base, memoryContent(numbered(310_000))))),
    );
    const found = await diffLayers(await openImage(before.iso, host), await openImage(after.iso, host));
    expect(lines(found)).toEqual(["changed /platform/i86pc/boot_archive/usr/lib/big content"]);
  });

  test("a hash file that changed alone is told", async () => {
    const { iso } = await sampleIso();
    const bytes = Buffer.from(await readAll(iso));
    const { ramdisk } = await sampleIso();
    bytes.write("f".repeat(40), bytes.indexOf(sha1(ramdisk)));
    expect(lines(await diffLayers(await openImage(iso, host), await open(bytes)))).toEqual([
      "changed /platform/i86pc/boot_archive.hash content",
    ]);
  });

  test("bytes that neither path nor field accounts for", async () => {
    const ufs = await ufsBytes(sampleTree());
    const other = ufs.slice();
    other[other.length - 1] = 1;
    expect(lines(await diffLayers(await open(ufs), await open(other)))).toEqual([`byte ${ufs.length - 1}`]);
    const packed = await diffLayers(await open(gzip(ufs)), await open(ufs));
    expect(packed.isEmpty).toBe(true);
  });

  test("what cannot be compared is said", async () => {
    await expect(diffLayers(await openImage(textContent("a"), host), layer(sampleTree()))).rejects.toMatchObject({
      code: "wrong-type",
    });
    const plain = await diffLayers(await openImage(textContent("a"), host), await openImage(textContent("b"), host));
    expect(lines(plain)).toEqual(["changed / content"]);
  });
});
