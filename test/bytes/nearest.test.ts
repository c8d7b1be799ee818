import { expect, test } from "vitest";
import { didYouMean, fromText, nearestNames } from "../../src/bytes/index.ts";

const names = ["system/kernel", "system/kernel/dtrace", "system/zones", "SUNWcs", "driver/usb"];

test("nearest names", () => {
  expect(nearestNames("system/kernle", names)).toEqual(["system/kernel"]);
  expect(nearestNames("kernel", names)).toEqual(["system/kernel", "system/kernel/dtrace"]);
  expect(nearestNames("SUNWcsr", names)).toEqual(["SUNWcs"]);
  expect(nearestNames("nothing-like-it", names)).toEqual([]);
  expect(nearestNames("x".repeat(100_000), names)).toEqual([]);
});

test("of short names only one letter may be wrong: two would be half of another word", () => {
  expect(nearestNames("lss", ["ls", "cat", "map"])).toEqual(["ls"]);
  expect(nearestNames("foo", ["fat", "fob", "f"])).toEqual(["fob"]);
  expect(nearestNames("a", ["map", "stat", "b"])).toEqual(["b"]);
});

test("what may be meant, as a message says it", () => {
  expect(didYouMean("buidl", ["build", "ls"])).toBe("; did you mean build?");
  expect(didYouMean("etc1", ["etc2", "etc3", "etc4", "usr"])).toBe("; did you mean etc2, etc3 or etc4?");
  expect(didYouMean("zonenamen", ["system"])).toBe("");
  expect(didYouMean(fromText("Grün"), [fromText("Grünn")])).toBe("; did you mean Grünn?");
});
