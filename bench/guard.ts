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
const ROUNDS = 3;
/** How much larger a ratio may be than the committed one. */
const BOUND = 1.6;
/** Relative to the project's folder, where npm runs scripts. */
const RATIOS = "bench/ratios.json";

type Ratios = Record<string, Record<string, number>>;

/** pureboot's time by each peer's, in the cases of these names. */
function measured(names: readonly string[]): Ratios {
  const folder = mkdtempSync(path.join(tmpdir(), "pureboot-bench-"));
  try {
    const tree = treeAt(folder, "guard");
    process.env["TREE"] = tree;
    const ratios: Ratios = {};
    for (const { name, contenders } of cases(() => tree, names)) {
      const [, ...peers] = compare(contenders, ROUNDS, folder);
      if (peers.length < contenders.length - 1) throw new Error(`${name}: all of its peers must run`);
      ratios[name] = Object.fromEntries(
        peers.map((peer) => [peer.name, Number((1 / peer.wallRatio).toFixed(2))] as const),
      );
    }
    return ratios;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The ratios that are too large, as lines for people. */
function slow(committed: Ratios, ratios: Ratios): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [name, peers] of Object.entries(ratios)) {
    for (const [peer, now] of Object.entries(peers)) {
      const before = committed[name]?.[peer];
      if (before !== undefined && now <= before * BOUND) continue;
      const line = `${name}: ${now} of ${peer}'s time; committed is ${before}, the bound ${BOUND} times that`;
      found.set(name, [...(found.get(name) ?? []), line]);
    }
  }
  return found;
}

function main(): void {
  const ratios = measured(GUARDED);
  console.log(JSON.stringify(ratios, undefined, 2));
  if (process.argv.includes("--write")) {
    writeFileSync(RATIOS, `${JSON.stringify(ratios, undefined, 2)}\n`);
    return;
  }
  const committed = JSON.parse(readFileSync(RATIOS, "utf8")) as Ratios;
  const suspects = [...slow(committed, ratios).keys()];
  if (suspects.length === 0) return;
  // Once more: a machine may have been busy with something else.
  for (const line of [...slow(committed, measured(suspects)).values()].flat()) {
    console.error(line);
    process.exitCode = 1;
  }
}

main();
