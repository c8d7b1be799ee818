// Bitmaps, counts and links of images, counted again by other code than the writer's; and every byte zero that has no meaning.

import fc from "fast-check";
import { expect, test } from "vitest";
import { layoutBytes } from "../../src/layout/index.ts";
import { fitUfs, planUfs } from "../../src/ufs/index.ts";
import { recount } from "./recount.ts";
import { everything, geometry, tree } from "./trees.ts";

test("random trees in random geometries", async () => {
  await fc.assert(
    fc.asyncProperty(tree, geometry, fc.boolean(), fc.boolean(), async (planned, chosen, lostAndFound, holes) => {
      const { layout } = planUfs(planned, { geometry: chosen, timeSeconds: 1_000_000_000, lostAndFound, holes });
      expect(recount(await layoutBytes(layout))).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test.each([
  [8192, 1024],
  [4096, 512],
])("a tree with everything in it, block size %i, frag size %i", async (bsize, fsize) => {
  const planned = everything(bsize, fsize);
  const newfs = fitUfs(planned, { newfs: { bsize, fsize } });
  const { layout } = planUfs(planned, { geometry: { newfs }, timeSeconds: 1 });
  expect(recount(await layoutBytes(layout))).toEqual([]);
});

test("a wrong count is found", async () => {
  const { layout } = planUfs(everything(8192, 1024), {
    geometry: { newfs: fitUfs(everything(8192, 1024)) },
    timeSeconds: 1,
  });
  const bytes = await layoutBytes(layout);
  for (const at of [8192 + 192, bytes.length - 1, 8192 + 1200]) {
    bytes[at] = (bytes[at] ?? 0) + 1;
    expect(recount(bytes)).toHaveLength(1);
    bytes[at] = (bytes[at] ?? 0) - 1;
  }
});
