// Whole commands, timed from outside: wall and processor seconds and peak memory of the process and of all it waited for,
// as the operating system counts them (GNU time).

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** A shell command line. Peers are pipes and sequences of programs; so everything is a shell command. */
export interface Contender {
  readonly name: string;
  readonly command: string;
}

export interface Run {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Of the largest single process. */
  readonly peakBytes: number;
}

const TIME = "/usr/bin/time";

/** @throws Error when GNU time is missing or the command fails */
export function measure({ name, command }: Contender, cwd: string): Run {
  if (!existsSync(TIME)) throw new Error(`${TIME} is missing: apt-get install time`);
  const folder = mkdtempSync(path.join(tmpdir(), "pureboot-bench-"));
  try {
    const figures = path.join(folder, "time");
    const result = spawnSync(TIME, ["-o", figures, "-f", "%e %U %S %M", "/bin/sh", "-ec", command], {
      cwd,
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    if (result.status !== 0) throw new Error(`${name}: exit status ${result.status}\n${result.stderr.slice(-2000)}`);
    const [wall = 0, user = 0, system = 0, kib = 0] = readFileSync(figures, "utf8").trim().split(" ").map(Number);
    return { wallSeconds: wall, cpuSeconds: user + system, peakBytes: kib * 1024 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export interface Compared {
  readonly name: string;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  /** Median over the rounds of this contender's wall time by the first one's, in the same round. */
  readonly wallRatio: number;
}

/**
 * Runs the contenders in turn, A B C A B C …, after one round that does not count; the first is what others are compared with. One of
 * the others that fails in that round is named and left out.
 * @throws Error when the first fails, or any of them later
 */
export function compare(contenders: readonly Contender[], rounds: number, cwd: string): Compared[] {
  const able = contenders.filter((contender, i) => {
    try {
      measure(contender, cwd);
      return true;
    } catch (error) {
      if (i === 0) throw error;
      console.log(`${contender.name} is left out: ${error instanceof Error ? error.message : error}`);
      return false;
    }
  });
  const runs = able.map((): Run[] => []);
  for (let round = 0; round < rounds; round++) {
    able.forEach((contender, i) => {
      runs[i]?.push(measure(contender, cwd));
    });
  }
  const first = runs[0] ?? [];
  return able.map(({ name }, i) => {
    const own = runs[i] ?? [];
    return {
      name,
      wallSeconds: median(own.map(({ wallSeconds }) => wallSeconds)),
      cpuSeconds: median(own.map(({ cpuSeconds }) => cpuSeconds)),
      peakBytes: Math.max(...own.map(({ peakBytes }) => peakBytes)),
      wallRatio: median(own.map(({ wallSeconds }, round) => wallSeconds / (first[round]?.wallSeconds ?? Number.NaN))),
    };
  });
}
