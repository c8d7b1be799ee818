import { describe, expect, test } from "vitest";
import { parseMkfsOperands } from "../../src/ufs/operands.ts";

describe("mkfs' operands", () => {
  test("a whole command line", () => {
    const words = "8388600 600 1 8192 1024 96 0 120 16384 s 0 -1 8 1 n".split(" ");
    const { operands, warnings } = parseMkfsOperands(words);
    expect(operands).toEqual({
      size: 8388600,
      nsect: 600,
      ntrack: 1,
      bsize: 8192,
      fragsize: 1024,
      cgsize: 96,
      free: 0,
      rps: 120,
      nbpi: 16384,
      opt: "s",
      apc: 0,
      gap: -1,
      nrpos: 8,
      maxcontig: 1,
      mtb: "n",
    });
    expect(warnings).toEqual([]);
  });
  test.each([
    ["64k", 65_536],
    ["2kk", 2_097_152],
    ["63*16*132", 133_056],
    ["63x16x132", 133_056],
    ["2x1k", 2048],
    ["-1", -1],
    ["99999999999999999999", Number.MAX_SAFE_INTEGER],
  ])("%s", (word, value) => {
    expect(parseMkfsOperands([word]).operands.size).toBe(value);
  });
  test("what is no number becomes the default, with mkfs' words", () => {
    const { operands, warnings } = parseMkfsOperands(["16400", "abc", "1x", "8192", "1024", "16", "10%"]);
    expect(operands).toMatchObject({ nsect: 32, ntrack: 16, free: 10 });
    expect(warnings).toEqual([
      'mkfs: bad numeric arg for ntrack: "1x"',
      "mkfs: ntrack reset to default 16",
      'mkfs: bad numeric arg for nsect: "abc"',
      "mkfs: nsect reset to default 32",
    ]);
  });
  test("no size, and too many", () => {
    expect(() => parseMkfsOperands(["12m"])).toThrow(/bad numeric arg for size: "12m"/);
    expect(() => parseMkfsOperands(["10%"])).toThrow(/size/);
    expect(() => parseMkfsOperands(Array(16).fill("1"))).toThrow(/16 operands; there are 15 at most/);
  });
});
