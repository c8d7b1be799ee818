// A guard for CI: some ratios on a small tree against those that were committed last (ratios.json). Ratios of commands that run in
// turn hold on a slow or busy machine; seconds would not. The bound is generous: it is for what became slow, not for noise.
//
//   npm run bench:guard [-- --write]

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { cases } from "./cases.ts";
import { compare } from "./measure.ts";
import { treeAt } from "./trees.ts";

const GUARDED = ["iso", "ufs", "plain-iso", "help"];
const ROUNDS = 5;
/** How much larger a ratio may be than the committed one. */
const BOUND = 1.6;
/** Relative to the project's folder, where npm runs scripts. */
const RATIOS = "bench/ratios.json";

type Ratios = Record<string, Record<string, number>>;

/** pureboot's time by each peer's. */
function measured(): Ratios {
  const folder = mkdtempSync(path.join(tmpdir(), "pureboot-bench-"));
  try {
    const tree = treeAt(folder, "guard");
    process.env["TREE"] = tree;
    const ratios: Ratios = {};
    for (const { name, contenders } of cases(() => tree, GUARDED)) {
      const [, ...peers] = compare(contenders, ROUNDS, folder);
      ratios[name] = Object.fromEntries(
        peers.map((peer) => [peer.name, Number((1 / peer.wallRatio).toFixed(2))] as const),
      );
    }
    return ratios;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function main(): void {
  const ratios = measured();
  if (process.argv.includes("--write")) {
    writeFileSync(RATIOS, `${JSON.stringify(ratios, undefined, 2)}\n`);
    return;
  }
  const committed = JSON.parse(readFileSync(RATIOS, "utf8")) as Ratios;
  for (const [name, peers] of Object.entries(committed)) {
    for (const [peer, before] of Object.entries(peers)) {
      const now = ratios[name]?.[peer];
      const isGood = now !== undefined && now <= before * BOUND;
      console.log(
        `${isGood ? "good" : "SLOW"}: ${name} / ${peer}: ${now}, committed ${before}, bound ${BOUND} times that`,
      );
      if (!isGood) process.exitCode = 1;
    }
  }
}

main();
