import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { defineConfig } from "vitest/config";

/** What earlier runs compressed must not hide what this one does: each run has a cache of its own. */
const cache = mkdtempSync(path.join(tmpdir(), "pureboot-cache-"));
process.on("exit", () => rmSync(cache, { recursive: true, force: true }));
const env = { XDG_CACHE_HOME: cache };

/**
 * `unit` needs Node alone, and takes two minutes; `commands` runs whole commands at length; `fuzz` is what of `unit` damages inputs at
 * random, with many more cases; `oracles` asks programs that nobody here wrote (see test/oracles/).
 */
export default defineConfig({
  test: {
    maxWorkers: "100%",
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/oracles/**", "test/commands/**"],
          testTimeout: 60_000,
          isolate: false, // half of the time would go into loading the same modules for each file
          env,
        },
      },
      {
        test: {
          name: "commands",
          include: ["test/commands/*.test.ts"],
          testTimeout: 120_000,
          env,
        },
      },
      {
        test: {
          name: "fuzz",
          include: ["test/**/fuzz.test.ts", "test/fuzz/*.test.ts"],
          testTimeout: 1_800_000,
          env: { ...env, PUREBOOT_FUZZ: process.env["PUREBOOT_FUZZ"] ?? "25" },
        },
      },
      {
        test: {
          name: "oracles",
          include: ["test/oracles/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          env,
        },
      },
    ],
  },
});
