// Identifiers: characters and lengths of each set of rules, collisions, order.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageError } from "../../src/bytes/index.ts";
import {
  identifiers,
  identifierText,
  JOLIET,
  LEVEL_1,
  LEVEL_2,
  LEVEL_4,
  type NameRules,
  orderKey,
  RELAXED,
} from "../../src/iso9660-writer-ts/names.ts";
import { nameArbitrary } from "./trees.ts";

const name = (text: string, rules: NameRules, isDirectory = false): string | undefined =>
  identifiers([{ name: text, path: `/${text}`, isDirectory }], rules)[0];
const names = (texts: readonly string[], rules: NameRules): string[] =>
  identifiers(
    texts.map((text) => ({ name: text, path: `/${text}`, isDirectory: false })),
    rules,
  );

describe("one name", () => {
  test.each([
    ["readme.txt", LEVEL_1, "README.TXT;1"],
    ["longer-than-eight.extension", LEVEL_1, "LONGER_T.EXT;1"],
    ["noextension", LEVEL_1, "NOEXTENS.;1"],
    [".profile", LEVEL_1, "_PROFILE.;1"],
    ["a.b.c", LEVEL_1, "A_B.C;1"],
    ["ß~#.x", LEVEL_1, "___.X;1"],
    ["longer-than-eight.extension", LEVEL_2, "LONGER_THAN_EIGHT.EXTENSION;1"],
    ["a".repeat(40), LEVEL_2, `${"A".repeat(30)}.;1`],
    [`a.${"x".repeat(40)}`, LEVEL_2, `A.${"X".repeat(22)};1`],
    ["loader32.efi", RELAXED, "loader32.efi"],
    [".catalog", RELAXED, ".catalog"],
    ["a.tar.gz", RELAXED, "a.tar.gz"],
    ["x;1", RELAXED, "x_1"],
    ["ä\x01b", RELAXED, "__b"],
    [`${"n".repeat(50)}.c`, RELAXED, `${"n".repeat(35)}.c`],
    ["ä;\x01b", LEVEL_4, "ä__b"],
    ["n".repeat(255), LEVEL_4, "n".repeat(207)],
    [".profile", { ...LEVEL_2, leadingDot: true }, ".PROFILE;1"],
    ["a-b#~c", { ...LEVEL_2, extraCharacters: "#~-" }, "A-B#~C.;1"],
    ["Abc", { ...LEVEL_2, upperCase: false, trailingDot: false, version: false }, "Abc"],
  ])("%j", (text, rules, expected) => {
    expect(name(text, rules)).toBe(expected);
  });

  test.each([
    ["dir.name", LEVEL_1, "DIR_NAME"],
    ["directory.long", LEVEL_1, "DIRECTOR"],
    ["dir.name", RELAXED, "dir.name"],
  ])("directory %j", (text, rules, expected) => {
    expect(name(text, rules, true)).toBe(expected);
  });

  test("Joliet counts UTF-16, decodes UTF-8, and leaves surrogate pairs whole", () => {
    const utf8 = (text: string): string => Buffer.from(text).toString("latin1");
    const shown = (text: string): string => identifierText(name(text, JOLIET) ?? "", true);
    expect(shown(utf8("Ordner*?/ä"))).toBe("Ordner___ä;1");
    expect(shown("\xff.txt")).toBe("\xff.txt;1");
    expect(shown(utf8(`${"x".repeat(63)}😀`))).toBe(`${"x".repeat(63)};1`);
    expect(shown(utf8(`${"x".repeat(62)}😀`))).toBe(`${"x".repeat(62)}😀;1`);
  });
});

describe("several names", () => {
  test("one that fits as it is keeps itself; the others get numbers in bytewise order", () => {
    const long = "n".repeat(40);
    expect(names([`${long}b`, `${long}a`, "n".repeat(37)], RELAXED)).toEqual([
      `${"n".repeat(34)}001`,
      `${"n".repeat(34)}000`,
      "n".repeat(37),
    ]);
    expect(names(["read me", "read-me", "README"], LEVEL_1)).toEqual(["READ_ME.;1", "READ_000.;1", "README.;1"]);
    expect(names(["foo.", "foo"], LEVEL_1)).toEqual(["FOO000.;1", "FOO.;1"]);
  });

  test("numbers grow beyond three digits", () => {
    const many = Array.from({ length: 1500 }, (_, i) => `longfile${String(i).padStart(4, "0")}.txt`);
    const made = names(many, LEVEL_1);
    expect(new Set(made).size).toBe(1500);
    expect([0, 1, 1000, 1001].map((i) => made[i])).toEqual([
      "LONGFILE.TXT;1",
      "LONGF000.TXT;1",
      "LONGF999.TXT;1",
      "LONG1000.TXT;1",
    ]);
  });

  test("a name without room for a number is refused", () => {
    const rules: NameRules = { ...LEVEL_1, maxStemLength: 2 };
    expect(() => names(["aaa", "aab"], rules)).toThrow(ImageError);
  });

  const allRules = fc.constantFrom(LEVEL_1, LEVEL_2, LEVEL_4, RELAXED, JOLIET);
  test("identifiers are different, short enough, and do not depend on the order of names", () => {
    fc.assert(
      fc.property(fc.uniqueArray(nameArbitrary, { maxLength: 40 }), allRules, (texts, rules) => {
        const made = names(texts, rules);
        expect(new Set(made.map((one) => one.replace(/;1$/, ""))).size).toBe(texts.length);
        const unit = rules.characters === "ucs2" ? 2 : 1;
        const version = rules.version ? 2 : 0;
        for (const one of made) expect(one.length).toBeLessThanOrEqual((rules.maxFileLength + version) * unit);
        const backward = names([...texts].reverse(), rules).reverse();
        expect(backward).toEqual(made);
      }),
    );
  });
});

describe("order (ECMA-119 9.3)", () => {
  test("name, then extension, then version; the shorter first", () => {
    const sorted = ["A.;1", "A.B;1", "A.B;2", "A.C;1", "A-B.A;1", "AA.;1", "B"];
    const shuffled = [...sorted].reverse();
    expect(shuffled.sort((a, b) => (orderKey(a, false) < orderKey(b, false) ? -1 : 1))).toEqual(sorted);
  });

  test("of UCS-2 identifiers it is that of characters, not of bytes", () => {
    const ucs2 = (text: string): string => Buffer.from(text, "utf16le").swap16().toString("latin1");
    const sorted = ["a.b;1", "a-b;1", "⸮"].map(ucs2);
    expect([...sorted].reverse().sort((a, b) => (orderKey(a, true) < orderKey(b, true) ? -1 : 1))).toEqual(sorted);
  });
});
