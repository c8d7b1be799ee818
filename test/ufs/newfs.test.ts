import { describe, expect, test } from "vitest";
import { emptyRoot, planUfs } from "../../src/ufs/plan.ts";
import { geometryOf, goldens } from "./goldens.ts";
import { sha256 } from "./hash.ts";

const empty = (golden: (typeof goldens)[number], timeSeconds = 0, fsirand: "zero" | "illumos" = "zero") =>
  planUfs(emptyRoot(timeSeconds), { geometry: geometryOf(golden), timeSeconds, fsirand });

describe.each(goldens.map((golden) => [golden.name, golden] as const))("%s", (_, golden) => {
  test("the superblock has illumos' figures", () => {
    expect(empty(golden).superblock).toMatchObject(golden.superblock);
  });
  test("the image has illumos' bytes", async () => {
    if (golden.imageBytes <= 2 ** 29) expect(await sha256(empty(golden).layout)).toBe(golden.sha256.zeroed);
  });
});
