// The check finds nothing in good images, and in a damaged one exactly what is damaged.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryContent } from "../../src/bytes/index.ts";
import { layoutBytes, layoutContent, makeLayout } from "../../src/layout/index.ts";
import { checkUfs, fsckReport } from "../../src/ufs/check.ts";
import { fitUfs } from "../../src/ufs/fit.ts";
import { cg, extentBlock, FSACTIVE, FSLOG, FSSTABLE, fs, logExtent, SBOFF } from "../../src/ufs/format.ts";
import { emptyRoot, planUfs } from "../../src/ufs/plan.ts";
import { openUfs } from "../../src/ufs/read.ts";
import { ACL_BYTES, damages, goodSample, type Sample } from "./damage.ts";
import { geometryOf, goldens } from "./goldens.ts";
import { everything, geometry, tree } from "./trees.ts";

const sample = await goodSample();
const check = (bytes: Uint8Array) => checkUfs(memoryContent(bytes));

describe("good images", () => {
  test.each(goldens.map((golden) => [golden.name, golden] as const))(
    "%s, with fsck's own last line",
    async (_, golden) => {
      const { layout } = planUfs(emptyRoot(0), { geometry: geometryOf(golden), timeSeconds: 0 });
      const result = await checkUfs(layoutContent(layout));
      expect(result.findings).toEqual([]);
      expect(fsckReport(result, "IMG")).toEqual([
        "** IMG (NO WRITE)",
        "** Last Mounted on ",
        "** Phase 1 - Check Blocks and Sizes",
        "** Phase 2 - Check Pathnames",
        "** Phase 3a - Check Connectivity",
        "** Phase 3b - Verify Shadows/ACLs",
        "** Phase 4 - Check Reference Counts",
        "** Phase 5 - Check Cylinder Groups",
        golden.fsckSummary,
      ]);
    },
  );
  test("a tree with everything in it", async () => {
    for (const [bsize, fsize] of [
      [8192, 1024],
      [4096, 4096],
    ] as const) {
      const planned = everything(bsize, fsize);
      const newfs = fitUfs(planned, { newfs: { bsize, fsize } });
      const { layout } = planUfs(planned, { geometry: { newfs }, timeSeconds: 1, lostAndFound: bsize === 8192 });
      expect((await checkUfs(layoutContent(layout))).findings).toEqual([]);
    }
  });
  test("random trees in random geometries", async () => {
    await fc.assert(
      fc.asyncProperty(tree, geometry, fc.boolean(), async (planned, chosen, lostAndFound) => {
        const { layout } = planUfs(planned, { geometry: chosen, timeSeconds: 1_000_000_000, lostAndFound });
        expect((await checkUfs(layoutContent(layout))).findings).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
  test("with an ACL and extended attributes, which the reader shows", async () => {
    const { bytes } = sample();
    expect((await check(bytes)).findings).toEqual([]);
    const extras = await (await openUfs(memoryContent(bytes))).extras();
    expect(extras.map(({ path }) => path)).toEqual(["/d1", "/one"]);
    expect(extras[0]?.acl?.slice(0, 3)).toEqual([
      { tag: "user", id: undefined, permissions: 5, isDefault: false },
      { tag: "user", id: 101, permissions: 5, isDefault: false },
      { tag: "group", id: undefined, permissions: 5, isDefault: false },
    ]);
    expect(extras[0]?.acl).toHaveLength(10);
    expect(extras[1]?.attributes?.get("colour")?.sizeBytes).toBe(10);
    expect(ACL_BYTES).toHaveLength(136);
  });
});

describe("damaged images", () => {
  test("there are enough of them, all different", () => {
    expect(new Set(damages.map(({ name }) => name)).size).toBe(damages.length);
    expect(damages.filter(({ expected }) => expected.length > 0).length).toBeGreaterThan(150);
  });
  test.each(damages.map((damage) => [damage.name, damage] as const))("%s", async (_, { damage, expected }) => {
    const damaged = sample();
    damage(damaged);
    const { findings } = await check(damaged.bytes);
    const sorted = <T extends { code: string; path?: string | undefined }>(list: readonly T[]): T[] =>
      [...list].sort((a, b) => (`${a.code} ${a.path}` < `${b.code} ${b.path}` ? -1 : 1));
    expect(sorted(findings).map(({ code }) => code)).toEqual(sorted(expected).map(({ code }) => code));
    for (const one of expected) expect(findings).toContainEqual(expect.objectContaining(one));
    for (const { message } of findings) expect(message).not.toMatch(/undefined|NaN|\[object/);
  });
});

describe("the superblock", () => {
  test("damaged: the check by a copy finds only that its totals are old", async () => {
    const { bytes } = sample();
    fs.patch({ fs_ncg: 99 }, bytes, SBOFF);
    expect((await check(bytes)).findings).toHaveLength(1);
    const result = await checkUfs(memoryContent(bytes), { superblock: 32 });
    expect(result.findings.map(({ code }) => code)).toEqual(["global-summary"]);
    expect(result.summary?.files).toBe(15);
  });
  test.each([
    [FSSTABLE, []],
    [FSACTIVE, ["clean"]],
    [0xff, ["clean"]],
    [FSLOG, ["clean"]], // logging, but there is no log
  ])("fs_clean %i", async (fs_clean, codes) => {
    const { bytes } = sample();
    fs.patch({ fs_clean }, bytes, SBOFF);
    expect((await check(bytes)).findings.map(({ code }) => code)).toEqual(codes);
  });
  test("not there at all", async () => {
    const { findings } = await checkUfs(layoutContent(makeLayout(2 ** 20, [])));
    expect(findings).toMatchObject([{ code: "bad-format", severity: "error", phase: "setup" }]);
  });
  test("of an image that is cut off", async () => {
    const { bytes } = sample();
    for (const length of [0, 100, 8192, 9000, 20_000, 100_000, 3_000_000, bytes.length - 65_536]) {
      const { findings } = await check(bytes.subarray(0, length));
      expect(findings, `${length} bytes`).toHaveLength(1);
      expect(findings[0]?.severity).toBe("error");
    }
  });
});

describe("the log", () => {
  /** Takes whole free blocks from group 0 for a log: one for its extents, and `blocks` for what it holds. */
  function withLog(blocks: number): Sample & { readonly at: number } {
    const damaged = sample();
    const { bytes, sb } = damaged;
    const head = damaged.groupAt(0);
    const { cg_freeoff } = cg.decode(bytes, head);
    const first = Array.from({ length: sb.fs_fpg / 8 }, (_, i) => i).find((i) => bytes[head + cg_freeoff + i] === 0xff);
    if (first === undefined) throw new Error("no free block");
    for (let block = first; block <= first + blocks; block++) bytes[head + cg_freeoff + block] = 0;
    const at = first * sb.fs_bsize;
    const sector = at / 512;
    const sectors = (blocks * sb.fs_bsize) / 512;
    extentBlock.encode({ nextents: 1, nbytes: blocks * sb.fs_bsize }, bytes, at);
    logExtent.encode({ pbno: sector + sb.fs_bsize / 512, nbno: sectors }, bytes, at + extentBlock.sizeBytes);
    fs.patch({ fs_logbno: sector, fs_clean: FSLOG, fs_rolled: 1 }, bytes, SBOFF);
    setChecksum(bytes.subarray(at, at + sb.fs_bsize));
    return { ...damaged, at };
  }
  function setChecksum(block: Uint8Array): void {
    extentBlock.patch({ chksum: 0 }, block);
    let chksum = 0;
    const view = new DataView(block.buffer, block.byteOffset, block.length);
    for (let i = 0; i < block.length; i += 4) chksum = (chksum + view.getInt32(i, true)) | 0;
    extentBlock.patch({ chksum }, block);
  }
  const codes = async (bytes: Uint8Array): Promise<string[]> => (await check(bytes)).findings.map(({ code }) => code);

  test("has its blocks without an inode", async () => {
    const { findings } = await check(withLog(3).bytes);
    // The frag map is as it must be with the log; the counts are still those without it.
    expect(findings.map(({ code }) => code)).not.toContain("frag-map");
    expect(findings.map(({ code }) => code)).not.toContain("log");
    const cgCounts = findings.find(({ code }) => code === "cg-cs");
    expect(cgCounts?.message).toMatch(/cs_nbfree is 262, should be 258/);
  });
  test("that was not rolled is noted", async () => {
    const { bytes } = withLog(1);
    fs.patch({ fs_rolled: 2 }, bytes, SBOFF);
    expect(await codes(bytes)).toContain("log-not-rolled");
  });
  test("with a wrong checksum, without extents, with too many, outside of the file system", async () => {
    for (const fields of [{ chksum: 1 }, { nextents: 0 }, { nextents: 700 }, { type: 1 }]) {
      const { bytes, at, sb } = withLog(1);
      extentBlock.patch(fields, bytes, at);
      if (!("chksum" in fields)) setChecksum(bytes.subarray(at, at + sb.fs_bsize));
      expect(await codes(bytes)).toContain("log");
    }
    const { bytes } = sample();
    for (const fs_logbno of [1, -5, 2 ** 31 - 1]) {
      fs.patch({ fs_logbno }, bytes, SBOFF);
      expect(await codes(bytes)).toContain("log");
    }
  });
  test("of extents that lie anywhere", async () => {
    const { bytes, at, sb } = withLog(1);
    const extents = { pbno: 0xfffffff0, nbno: 0xffffffff };
    logExtent.encode(extents, bytes, at + extentBlock.sizeBytes);
    setChecksum(bytes.subarray(at, at + sb.fs_bsize));
    expect((await codes(bytes)).length).toBeGreaterThan(0);
  });
});

test("a check of noise comes to an end, with findings", async () => {
  const { bytes } = sample();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255), fc.integer({ min: 1, max: 64 })), {
        minLength: 1,
        maxLength: 20,
      }),
      async (changes) => {
        const noisy = bytes.slice();
        for (const [at, value, length] of changes) noisy.fill(value, at, at + length);
        await check(noisy);
      },
    ),
    { numRuns: 40 },
  );
});

test("the same image gives the same findings", async () => {
  const damaged = sample();
  damaged.setInode("/one", { ic_nlink: 5 });
  const bytes = await layoutBytes(makeLayout(damaged.bytes.length, [])); // an unrelated image in between
  const first = await check(damaged.bytes);
  await check(bytes);
  expect(await check(damaged.bytes)).toEqual(first);
});
