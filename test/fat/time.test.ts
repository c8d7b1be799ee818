import fc from "fast-check";
import { expect, test } from "vitest";
import { fromFatTime, roundedToFat, toFatTime } from "../../src/fat/time.ts";
import { fatSeconds } from "./trees.ts";

const at = (text: string) => Date.parse(text) / 1000;

test("the bits are where the standard has them", () => {
  // 2024-02-29 13:37:59: (2024-1980)<<9 | 2<<5 | 29, 13<<11 | 37<<5 | 29, and the odd second as 100 units of 10 ms
  expect(toFatTime(at("2024-02-29T13:37:59Z"))).toEqual({ date: 0x585d, time: 0x6cbd, tenth: 100 });
  expect(toFatTime(at("1980-01-01T00:00:00Z"))).toEqual({ date: 0x0021, time: 0, tenth: 0 });
});

test("what FAT has no date for becomes its first or last", () => {
  expect(fromFatTime(toFatTime(0).date, toFatTime(0).time)).toBe(at("1980-01-01T00:00:00Z"));
  expect(roundedToFat(at("2200-01-01T00:00:00Z"))).toBe(at("2107-12-31T23:59:58Z"));
  expect(roundedToFat(-1e12)).toBe(at("1980-01-01T00:00:00Z"));
});

test("back and forth loses at most a second", () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e9, max: 6e9 }), (seconds) => roundedToFat(seconds) === fatSeconds(seconds)),
  );
});

test("fields that are no date are told apart", () => {
  expect(fromFatTime(0, 0)).toBeUndefined(); // no month, no day
  expect(fromFatTime((13 << 5) | 1, 0)).toBeUndefined();
  expect(fromFatTime((2 << 5) | 30, 0)).toBeUndefined(); // February 30
  expect(fromFatTime((1 << 5) | 1, 24 << 11)).toBeUndefined();
  expect(fromFatTime((1 << 5) | 1, 60 << 5)).toBeUndefined();
  expect(fromFatTime((1 << 5) | 1, 30)).toBeUndefined(); // 60 seconds
});
