import { defineConfig } from "vitest/config";

/** `unit` needs Node alone; `oracles` asks programs that nobody here wrote (see test/oracles/). */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/**/*.test.ts"], exclude: ["test/oracles/**"], testTimeout: 60_000 } },
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
