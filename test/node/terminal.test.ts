import { describe, expect, test } from "vitest";
import { createProgress, type ProgressMode } from "../../src/node/index.ts";

const MIB = 2 ** 20;

/** Reports every 100 ms for `seconds`, 10 MiB a second; what was written. */
function run(mode: ProgressMode, seconds: number, isTTY: boolean, environment: Record<string, string> = {}): string[] {
  const written: string[] = [];
  let time = 0;
  const progress = createProgress(mode, {
    stream: { isTTY, columns: 60, write: (text) => written.push(text) },
    now: () => time,
    environment,
  });
  for (; time <= seconds * 1000; time += 100) progress.report("compressing", (time / 1000) * 10 * MIB, 100 * MIB);
  progress.end();
  return written;
}

describe("createProgress", () => {
  test("says nothing about work of less than a second, or when told to be quiet", () => {
    for (const mode of ["auto", "plain", "tty", "json"] as const) expect(run(mode, 0.9, true)).toEqual([]);
    expect(run("quiet", 20, true)).toEqual([]);
  });

  test("a line every five seconds where nobody looks", () => {
    const text = "compressing: 50.0 MiB of 100.0 MiB (50 %), 10.0 MiB/s, 5 s left\n";
    expect(run("plain", 9, false)).toEqual([text]);
    expect(run("auto", 9, false)).toEqual([text]);
    expect(run("auto", 9, true, { TERM: "dumb" })).toEqual([text]);
  });

  test("one line that is rewritten on a terminal, cut to its width, cleared in the end", () => {
    const written = run("auto", 2, true, { NO_COLOR: "1" });
    expect(written[0]).toBe("\r\x1b[Kcompressing: 10.0 MiB of 100.0 MiB (10 %), 10.0 MiB/s, 9 s ");
    expect(written).toHaveLength(12);
    expect(written.at(-1)).toBe("\r\x1b[K");
  });

  test("color only where it is welcome", () => {
    expect(run("tty", 2, true)[0]).toContain("\x1b[2m");
    expect(run("tty", 2, true, { NO_COLOR: "1" })[0]).not.toContain("\x1b[2m");
  });

  test("JSON lines for programs", () => {
    const states = run("json", 2.5, false).map((line): unknown => JSON.parse(line));
    expect(states).toEqual([
      { stage: "compressing", doneBytes: 10 * MIB, totalBytes: 100 * MIB, bytesPerSecond: 10 * MIB, secondsLeft: 9 },
      { stage: "compressing", doneBytes: 20 * MIB, totalBytes: 100 * MIB, bytesPerSecond: 10 * MIB, secondsLeft: 8 },
    ]);
  });

  test("without a total it says what is done; a new stage has its own rate", () => {
    const written: string[] = [];
    let time = 0;
    const progress = createProgress("json", { stream: { write: (text) => written.push(text) }, now: () => time });
    progress.report("reading", 0, undefined);
    time = 2000;
    progress.report("reading", 4 * MIB, undefined);
    time = 4000;
    progress.report("writing", 0, 8 * MIB);
    time = 6000;
    progress.report("writing", 2 * MIB, 8 * MIB);
    expect(written.map((line): unknown => JSON.parse(line))).toEqual([
      { stage: "reading", doneBytes: 4 * MIB, bytesPerSecond: 2 * MIB },
      { stage: "writing", doneBytes: 0, totalBytes: 8 * MIB },
      { stage: "writing", doneBytes: 2 * MIB, totalBytes: 8 * MIB, bytesPerSecond: MIB, secondsLeft: 6 },
    ]);
  });

  test("where names are looked at, how many; no rate, since nothing is read", () => {
    const written: string[] = [];
    let time = 0;
    const progress = createProgress("plain", { stream: { write: (text) => written.push(text) }, now: () => time });
    for (; time <= 5000; time += 1000) progress.report("looking for files", time * MIB, undefined, time / 10);
    expect(written).toEqual(["looking for files: 500 paths, 4.9 GiB\n"]);
  });

  test("bytes that are read are told while no stage says more", () => {
    const written: string[] = [];
    let time = 0;
    const progress = createProgress("json", { stream: { write: (text) => written.push(text) }, now: () => time });
    for (; time <= 2000; time += 500) progress.reading(time * 1000);
    progress.report("hashing", 5, 10);
    time += 900;
    progress.report("hashing", 6, 10);
    progress.reading(3_000_000); // a stage is on
    time += 1500;
    progress.reading(4_000_000); // it has said nothing for long
    expect(written.map((line): unknown => JSON.parse(line))).toEqual([
      { stage: "reading", doneBytes: 1_000_000, bytesPerSecond: 1_000_000 },
      { stage: "reading", doneBytes: 2_000_000, bytesPerSecond: 1_000_000 },
      expect.objectContaining({ stage: "hashing", doneBytes: 6 }),
      { stage: "reading", doneBytes: 4_000_000 },
    ]);
  });
});
