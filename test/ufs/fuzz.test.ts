// Whatever the bytes: a result or an ImageError, soon.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Content, ImageError, memoryContent, readAll, readBytes } from "../../src/bytes/index.ts";
import { makeLayout } from "../../src/layout/index.ts";
import { layoutContent } from "../../src/layout/layout.ts";
import { type Directory, walk } from "../../src/tree/index.ts";
import { checkUfs, fsckReport, layoutOf, openUfs, type Ufs } from "../../src/ufs/index.ts";
import { TIMES } from "../fuzz/times.ts";
import { goodSample } from "./damage.ts";
import { FAILED } from "./failed.ts";
import { type Mutation, mutate, mutation } from "./mutations.ts";

const sample = await goodSample();
const MANY_BYTES = 2 ** 23;
/** Far more than any takes, and far less than one that hangs. */
const SOON_MS = 10_000;
const TIMEOUT_MS = 60_000 * TIMES;

/** What the work gives, or undefined when it ends in an ImageError. */
async function attempt<Value>(work: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    expect(error.message).not.toMatch(/undefined|NaN|\[object/);
    return undefined;
  }
}

async function readSome(content: Content): Promise<void> {
  if (content.sizeBytes <= MANY_BYTES) await readAll(content);
  else for (const offset of [0, 99_000, content.sizeBytes - 10_000]) await readBytes(content, offset, 10_000);
}

async function readEverything(ufs: Ufs, tree: Directory): Promise<void> {
  for (const { path, node } of walk(tree)) {
    if (node.type === "file") await attempt(() => readSome(node.content));
    if (node.type === "directory") await attempt(() => ufs.list(path));
    await attempt(() => ufs.read(path, 0, 1));
  }
}

/** Opens, reads, lists and checks it all. */
async function examine(bytes: Uint8Array): Promise<void> {
  const image = memoryContent(bytes);
  const start = performance.now();
  for (const superblock of [16, 32]) {
    const ufs = await attempt(() => openUfs(image, { superblock }));
    if (!ufs) continue;
    const tree = await attempt(() => ufs.tree());
    if (tree) await readEverything(ufs, tree);
    const extras = (await attempt(() => ufs.extras())) ?? [];
    for (const { attributes } of extras) {
      for (const content of attributes?.values() ?? []) await attempt(() => readSome(content));
    }
    await attempt(() => layoutOf(image, { superblock }));
  }
  const result = await checkUfs(image);
  expect(fsckReport(result, "IMG").join("\n")).not.toMatch(/undefined|NaN|\[object/);
  await checkUfs(image, { superblock: 32 });
  expect(performance.now() - start).toBeLessThan(SOON_MS);
}

describe("damaged images", () => {
  test(
    "one to a few fields",
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 8 }), (mutations: readonly Mutation[]) =>
          examine(mutate(sample(), mutations)),
        ),
        { numRuns: 100 * TIMES, examples: FAILED.map((mutations) => [mutations]) },
      );
    },
    TIMEOUT_MS,
  );
  test(
    "what the check finds nothing wrong with, can be read",
    async () => {
      await fc.assert(
        fc.asyncProperty(mutation, async (one) => {
          const bytes = mutate(sample(), [one]);
          const image = memoryContent(bytes);
          const { findings } = await checkUfs(image);
          if (findings.some(({ severity }) => severity !== "note")) return;
          const ufs = await openUfs(image);
          await ufs.extras();
          for (const { node } of walk(await ufs.tree())) if (node.type === "file") await readSome(node.content);
          await layoutOf(image);
        }),
        { numRuns: 60 * TIMES },
      );
    },
    TIMEOUT_MS,
  );
  test(
    "cut off anywhere",
    async () => {
      const { bytes } = sample();
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes.length - 1), (length) => examine(bytes.subarray(0, length))),
        { numRuns: 30 * TIMES },
      );
    },
    TIMEOUT_MS,
  );
});

test(
  "no UFS at all",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40_000 }), async (bytes) => {
        await examine(bytes);
        await expect(openUfs(memoryContent(bytes))).rejects.toBeInstanceOf(ImageError);
      }),
      { numRuns: 30 * TIMES },
    );
  },
  TIMEOUT_MS,
);

test(
  "a superblock of random figures on an image of 1 TiB without data",
  async () => {
    const { bytes } = sample();
    const sizes = fc.constantFrom(2 ** 31, 2 ** 33, 2 ** 40);
    const fields: fc.Arbitrary<Mutation> = mutation
      .filter((one) => one.kind === "field")
      .map((one) => ({ ...one, structure: "fs" }));
    await fc.assert(
      fc.asyncProperty(sizes, fc.array(fields, { maxLength: 3 }), async (sizeBytes, mutations) => {
        const head = memoryContent(mutate({ ...sample(), bytes: bytes.slice(0, 2 ** 20) }, mutations));
        const layout = makeLayout(sizeBytes, [
          { offset: 0, length: head.sizeBytes, owner: { what: "head" }, content: head, contentOffset: 0 },
        ]);
        const image = layoutContent(layout);
        const start = performance.now();
        const ufs = await attempt(() => openUfs(image));
        await attempt(async () => ufs?.tree());
        await attempt(async () => layoutOf(image));
        await checkUfs(image);
        expect(performance.now() - start).toBeLessThan(SOON_MS);
      }),
      { numRuns: 40 * TIMES },
    );
  },
  TIMEOUT_MS,
);
