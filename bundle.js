// The command line in few files, in dist/cli: loading some hundred and fifty modules takes as long as walking through the input. Packages
// stay where npm puts them: what is installed is what runs. Threads are entries of their own, which are found beside the file
// that starts them (compiledModule in src/node/thread-pool.ts).

import { readFileSync } from "node:fs";
import { build } from "rolldown";

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));

await build({
  input: ["cli/main", "node/deflate-thread", "node/hash-thread", "node/read-thread"].map((name) => `src/${name}.ts`),
  platform: "node",
  external: Object.keys(dependencies),
  output: { dir: "dist/cli", cleanDir: true },
});
