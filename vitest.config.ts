import { defineConfig } from "vitest/config";

/** `unit` needs Node alone; `fuzz` is what of it damages inputs at random, with many more cases; `oracles` asks programs that nobody here wrote (see test/oracles/). */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/**/*.test.ts"], exclude: ["test/oracles/**"], testTimeout: 60_000 } },
      {
        test: {
          name: "fuzz",
          include: ["test/**/fuzz.test.ts", "test/fuzz/*.test.ts"],
          env: { PUREBOOT_FUZZ: process.env["PUREBOOT_FUZZ"] ?? "25" },
          testTimeout: 1_800_000,
        },
      },
      {
        test: {
          name: "oracles",
          include: ["test/oracles/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
