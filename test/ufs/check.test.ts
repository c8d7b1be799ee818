// The check finds nothing in good images, and in a damaged one exactly what is damaged.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryContent } from "../../src/bytes/index.ts";
import { layoutBytes, layoutContent, makeLayout } from "../../src/layout/index.ts";
import { checkUfs, fsckReport } from "../../src/ufs/check.ts";
import { fitUfs } from "../../src/ufs/fit.ts";
import { FSACTIVE, FSLOG, FSSTABLE, fs, SBOFF } from "../../src/ufs/format.ts";
import { emptyRoot, planUfs } from "../../src/ufs/plan.ts";
import { openUfs } from "../../src/ufs/read.ts";
import { ACL_BYTES, damages, goodSample } from "./damage.ts";
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
  test("damaged: the check by a copy finds only that", async () => {
    const { bytes } = sample();
    fs.patch({ fs_ncg: 99 }, bytes, SBOFF);
    expect((await check(bytes)).findings).toHaveLength(1);
    const result = await checkUfs(memoryContent(bytes), { superblock: 32 });
    expect(result.findings).toEqual([]);
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
    { numRuns: 60 },
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
