// UFS images judged by readers that nobody here wrote: Linux' driver for the Sun dialect, GRUB's, and the boot probe, which
// reads as illumos' boot-time reader does. And images of other kinds of UFS, which must be told apart.

import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { memoryContent, textContent } from "../../src/bytes/index.ts";
import { emit } from "../../src/layout/index.ts";
import { type Directory, directory, file, mapTree, treeOf } from "../../src/tree/index.ts";
import { checkUfs, fitUfs, openUfs, planUfs, type UfsOptions } from "../../src/ufs/index.ts";
import { withLostAndFound } from "../../src/ufs/numbering.ts";
import { goodSample } from "../ufs/damage.ts";
import { ATTRIBUTES, DIRECTORY, everything, geometry, patternContent, tree } from "../ufs/trees.ts";
import { compareWithGrub } from "./harness/grub.ts";
import { mountInLinux } from "./harness/linux.ts";
import { compareListings, listTree } from "./harness/listing.ts";
import { probeImage } from "./harness/probe.ts";
import { oracle, testWith } from "./harness/programs.ts";
import { runText } from "./harness/run.ts";

let folder = "";
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pureboot-ufs-oracle-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Written {
  readonly image: string;
  /** The tree as it must be read, with lost+found. */
  readonly tree: Directory;
}

async function writeImage(name: string, planned: Directory, options: UfsOptions): Promise<Written> {
  const { layout } = planUfs(planned, options);
  const descriptor = openSync(at(name), "w");
  try {
    ftruncateSync(descriptor, layout.sizeBytes);
    await emit(layout, {
      async write(bytes, offset) {
        writeSync(descriptor, bytes, 0, bytes.length, offset);
      },
    });
  } finally {
    closeSync(descriptor);
  }
  const isWith = options.lostAndFound ?? true;
  return { image: at(name), tree: isWith ? withLostAndFound(planned, options.timeSeconds) : planned };
}

/** Linux counts 2^32-1 as no user, and its times as unsigned in places: what it is asked for stays below. */
function plain(planned: Directory): Directory {
  return mapTree(planned, (node) => ({
    ...node,
    uid: Math.min(node.uid, 0x7fffffff),
    gid: Math.min(node.gid, 0x7fffffff),
  }));
}

/** GRUB takes times as unsigned, and of the seconds before 1970 it shows others. */
function since1970(planned: Directory): Directory {
  return mapTree(planned, (node) => ({ ...node, mtimeSeconds: node.mtimeSeconds & 0x7fffffff }));
}

/** What GRUB reads otherwise. It shows the free entries that newfs puts into lost+found, as one without a name. */
async function grubDifferences({ image, tree: planned }: Written): Promise<string[]> {
  const differences = await compareWithGrub(image, await listTree(planned));
  return differences.filter((line) => line !== "/lost+found/: unexpected");
}

const timeSeconds = 1_000_000_000;

const SIZES = [
  [8192, 1024],
  [4096, 512],
  [4096, 2048],
] as const;
/** Linux' driver takes fragments of up to 4096 bytes. */
const SIZES_BEYOND_LINUX = [[8192, 8192]] as const;

type Sizes = ReadonlyArray<readonly [bsize: number, fsize: number]>;

async function writeEverything(sizes: Sizes, change = plain): Promise<Written[]> {
  const written: Written[] = [];
  for (const [bsize, fsize] of sizes) {
    const planned = change(everything(bsize, fsize));
    const newfs = fitUfs(planned, { newfs: { bsize, fsize } });
    const lostAndFound = fsize !== 2048;
    written.push(await writeImage(`everything-${fsize}`, planned, { geometry: { newfs }, timeSeconds, lostAndFound }));
  }
  return written;
}

describe("a tree with everything in it", () => {
  testWith(["linux", "qemu-system-x86_64", "gcc"], "Linux reads it", async () => {
    const written = await writeEverything(SIZES);
    const mounted = await mountInLinux(
      written.map(({ image }) => ({ image, type: "ufs" })),
      { digest: "crc32" },
    );
    for (const [i, { listing, complaints }] of mounted.entries()) {
      const { tree: planned } = written[i] as Written; // one mount for each
      expect(complaints).toEqual([]);
      expect(compareListings(await listTree(planned), listing)).toEqual([]);
    }
  });
  testWith(["grub-fstest"], "GRUB reads it", async () => {
    for (const written of await writeEverything([...SIZES, ...SIZES_BEYOND_LINUX], since1970)) {
      expect(await grubDifferences(written)).toEqual([]);
    }
  });
  testWith(["qemu-system-x86_64"], "the boot-time reader reads it", async () => {
    const { image, tree: planned } = (await writeEverything(SIZES))[0] as Written;
    const { modules } = await probeImage(image, { memoryMiB: 512 });
    const [module] = modules;
    expect(module?.superblock.get("fs_state+fs_time")).toBe("0x7c269d38");
    if (module?.listing === undefined) throw new Error("the probe found no UFS");
    expect(compareListings(await listTree(planned), module.listing)).toEqual([]);
  });
});

describe("random trees in random geometries", () => {
  const samples = fc.sample(fc.tuple(tree, geometry, fc.boolean(), fc.boolean()), { numRuns: 20, seed: 20_240_601 });
  const writeAll = async (change = plain): Promise<Written[]> => {
    const written: Written[] = [];
    for (const [i, [planned, chosen, lostAndFound, holes]] of samples.entries()) {
      const options = { geometry: chosen, timeSeconds, lostAndFound, holes };
      written.push(await writeImage(`random-${i}`, change(planned), options));
    }
    return written;
  };
  testWith(["linux", "qemu-system-x86_64", "gcc"], "Linux agrees", async () => {
    const written = await writeAll();
    const mounted = await mountInLinux(
      written.map(({ image }) => ({ image, type: "ufs" })),
      { digest: "crc32" },
    );
    for (const [i, { listing, complaints }] of mounted.entries()) {
      const { tree: planned } = written[i] as Written; // one mount for each
      expect(complaints).toEqual([]);
      expect(compareListings(await listTree(planned), listing), `sample ${i}`).toEqual([]);
    }
  });
  testWith(["grub-fstest"], "GRUB agrees", async () => {
    for (const [i, written] of (await writeAll(since1970)).entries()) {
      expect(await grubDifferences(written), `sample ${i}`).toEqual([]);
    }
  });
});

describe("what boot archives are", () => {
  const planned = treeOf(
    [
      ...Array.from(
        { length: 3000 },
        (_, i) => [`/d${i % 40}/e${i % 7}/f${i}`, file(ATTRIBUTES, patternContent((i * 997) % 30_000, i))] as const,
      ),
      ["/platform/i86pc/kernel/amd64/unix", file(ATTRIBUTES, patternContent(3_000_000, 1))],
      ["/devices", directory(DIRECTORY)],
    ],
    DIRECTORY,
  );
  const options = () => {
    const newfs = fitUfs(planned, { newfs: { minfree: 0, opt: "space" }, freeBytes: 2 ** 20 });
    return { geometry: { newfs }, timeSeconds };
  };
  testWith(["qemu-system-x86_64"], "the boot-time reader finds every file", async () => {
    const { image, tree: whole } = await writeImage("archive", planned, options());
    const { modules } = await probeImage(image, { memoryMiB: 512 });
    const listing = modules[0]?.listing;
    if (listing === undefined) throw new Error("the probe found no UFS");
    expect(compareListings(await listTree(whole), listing)).toEqual([]);
  });
});

describe("holes, ACLs, attributes", () => {
  testWith(["linux", "qemu-system-x86_64", "gcc"], "Linux sees the files as we do", async () => {
    const bytes = new Uint8Array(2_000_000);
    bytes.fill(5, 100_000, 120_000);
    bytes.fill(6, 1_999_000);
    const dataRanges = [
      { offset: 100_000, length: 20_000 },
      { offset: 1_999_000, length: 1000 },
    ];
    const sparse = treeOf([["/sparse", file(ATTRIBUTES, { ...memoryContent(bytes), dataRanges })]], DIRECTORY);
    const written = await writeImage("sparse", sparse, {
      geometry: { newfs: { imageBytes: 8 * 2 ** 20 } },
      timeSeconds,
      holes: true,
    });
    const { bytes: withAcl } = (await goodSample())();
    writeFileSync(at("acl"), withAcl);
    const ours = await (await openUfs(memoryContent(withAcl))).tree();
    const [first, second] = await mountInLinux(
      [
        { image: written.image, type: "ufs" },
        { image: at("acl"), type: "ufs" },
      ],
      { digest: "crc32" },
    );
    expect(compareListings(await listTree(written.tree), first?.listing ?? new Map())).toEqual([]);
    expect(second?.complaints).toEqual([]);
    expect(compareListings(await listTree(ours), second?.listing ?? new Map())).toEqual([]);
  });
});

describe("BSD's UFS, as makefs writes it", () => {
  testWith(["makefs"], "is recognised and named", async () => {
    const source = mkdtempSync(join(folder, "source-"));
    writeFileSync(join(source, "a"), "a\n");
    for (const [version, order, name] of [
      ["1", "le", /a BSD UFS1/],
      ["1", "be", /a big-endian BSD UFS1/],
      ["2", "le", /a BSD UFS2/],
      ["2", "be", /a big-endian BSD UFS2/],
    ] as const) {
      const words = ["-t", "ffs", "-B", order, "-o", `version=${version}`, "-s", "4m", at("bsd"), source];
      await runText(oracle("makefs"), words);
      const image = memoryContent(readFileSync(at("bsd")));
      await expect(openUfs(image)).rejects.toMatchObject({ code: "unsupported", message: expect.stringMatching(name) });
      expect((await checkUfs(image)).findings).toMatchObject([
        { code: "unsupported", message: expect.stringMatching(name) },
      ]);
    }
    await expect(openUfs(textContent("x".repeat(20_000)))).rejects.toMatchObject({ code: "bad-format" });
  });
});
