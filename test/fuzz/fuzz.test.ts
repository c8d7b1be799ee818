// Damaged images of every kind, through everything that looks into images. What fails is kept in kept.ts.

import { describe, expect, test } from "vitest";
import { corpus } from "./corpus.ts";
import { examine } from "./examine.ts";
import { KEPT } from "./kept.ts";
import { mutate } from "./mutate.ts";
import { TIMES } from "./times.ts";

const samples = await corpus();
const CASES = 8 * TIMES;
/** Far more than any takes, and far less than one that hangs. */
const SOON_MS = 20_000;
/** What a case may take of memory beyond what all before it took. */
const MAX_GROWTH_KIB = 400 << 10;

async function tryCase(name: string, seed: number): Promise<void> {
  const sample = samples.find((one) => one.name === name);
  if (sample === undefined) throw new Error(`no sample ${name}`);
  const before = process.resourceUsage().maxRSS;
  const start = performance.now();
  try {
    await examine(mutate(sample.bytes, sample.fields, seed), sample.bytes);
  } catch (error) {
    throw new Error(`["${name}", ${seed}]`, { cause: error });
  }
  const ms = performance.now() - start;
  if (ms > SOON_MS) throw new Error(`["${name}", ${seed}] took ${Math.round(ms)} ms`);
  const growthKib = process.resourceUsage().maxRSS - before;
  if (growthKib > MAX_GROWTH_KIB) throw new Error(`["${name}", ${seed}] took ${growthKib} KiB of memory`);
}

test("the samples are good, and have fields", async () => {
  for (const { bytes, fields, name } of samples) {
    await examine(bytes, bytes);
    if (!["tar.gz", "cpio odc", "cpio newc", "zip", "datastream"].includes(name)) {
      expect(fields.length, name).toBeGreaterThan(5);
    }
  }
});

test.each(KEPT)("kept: %s %i", async (name, seed) => tryCase(name, seed));

describe.each(samples.map(({ name }) => [name]))("%s", (name) => {
  test(
    `${CASES} times damaged`,
    async () => {
      for (let seed = 1; seed <= CASES; seed++) await tryCase(name, seed);
    },
    60_000 * TIMES,
  );
});
