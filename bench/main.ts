// npm run bench: the cases of cases.ts, in turn, in one run, as a table and as JSON.
//
//   node dist/bench/main.js [--rounds 5] [--tree DIR] [--only NAME …] [--json FILE]

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { formatSize } from "../src/bytes/index.ts";
import { cases, type Peer } from "./cases.ts";
import { type Compared, compare } from "./measure.ts";
import { treeAt } from "./trees.ts";

function isInstalled(program: string): boolean {
  return spawnSync("/bin/sh", ["-c", `command -v ${program}`]).status === 0;
}

/** What a contender was measured to take, and what was hoped for. */
interface Row extends Compared {
  readonly most: number | undefined;
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ name, wallSeconds, cpuSeconds, peakBytes, wallRatio, most }, i) => {
    const figures = [
      `${wallSeconds.toFixed(2)} s`,
      `${cpuSeconds.toFixed(2)} s`,
      formatSize(peakBytes),
      i === 0 ? "" : (1 / wallRatio).toFixed(2),
      most === undefined ? "" : `${most}`,
    ];
    return `| ${[name, ...figures].join(" | ")} |`;
  });
  const first = rows[0]?.name ?? "";
  const head = `| command | wall | processor | peak memory | ${first} / this | at most |`;
  return [head, "|---|---|---|---|---|---|", ...lines].join("\n");
}

/** Those contenders whose programs are here; the others are named. */
function present(name: string, contenders: readonly Peer[]): Peer[] {
  return contenders.filter((contender) => {
    const missing = (contender.needs ?? []).filter((program) => !isInstalled(program));
    if (missing.length > 0) console.log(`${name}: ${contender.name} is left out: ${missing.join(", ")} not installed`);
    return missing.length === 0;
  });
}

function main(): void {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      tree: { type: "string" },
      only: { type: "string", multiple: true },
      json: { type: "string" },
    },
  });
  const folder = mkdtempSync(path.join(tmpdir(), "pureboot-bench-"));
  const given = values.tree && path.resolve(values.tree);
  try {
    const results: Record<string, Row[]> = {};
    for (const one of cases((name) => given ?? treeAt(folder, name), values.only)) {
      process.env["TREE"] = given ?? treeAt(folder, one.tree);
      if (one.prepare) spawnSync("/bin/sh", ["-ec", one.prepare], { cwd: folder, stdio: "inherit" });
      const contenders = present(one.name, one.contenders);
      const rows = compare(contenders, Number(values.rounds), folder).map((row) => ({
        ...row,
        most: contenders.find(({ name }) => name === row.name)?.most,
      }));
      results[one.name] = rows;
      if (values.json) writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
      console.log(`\n**${one.name}**: ${one.what}\n\n${table(rows)}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main();
