import { describe, expect, test } from "vitest";
import { fromText } from "../../src/bytes/index.ts";
import {
  assignShortNames,
  foldCase,
  isLongNameText,
  longNameText,
  packLabel,
  plainShortName,
  shortNameChecksum,
  shortNameText,
} from "../../src/fat/names.ts";

describe("short names", () => {
  test.each([
    ["EFI", "EFI"],
    ["BOOTX64.EFI", "BOOTX64 EFI"],
    ["A", "A"],
    ["A.B", "A       B"],
    ["12345678.123", "12345678123"],
    ["$%'-_@~`.!()", "$%'-_@~`!()"],
  ])("%s is one by itself", (text, packed) => {
    expect(plainShortName(text)).toBe(packed);
    expect(shortNameText(packed, 0)).toBe(text);
  });
  test.each(["efi", "A.B.C", "123456789", "A.1234", ".A", "A B", "A+B", "É", "A.", ""])("%j is none", (text) => {
    expect(plainShortName(text)).toBeUndefined();
  });

  test("the checksum is that of the standard's routine", () => {
    // Worked by hand from the C routine in the standard for "A          ": ((sum & 1) << 7) + (sum >> 1) + byte, eleven times.
    let sum = 0;
    for (const byte of Buffer.from("README  TXT")) sum = ((sum % 2) * 128 + Math.floor(sum / 2) + byte) % 256;
    expect(shortNameChecksum("README  TXT")).toBe(sum);
    expect(shortNameChecksum("README  TXT")).toBe(0x73);
  });

  test("aliases follow the standard's rules", () => {
    const aliases: Record<string, string> = {
      "The quick brown.fox": "THEQUI~1FOX",
      "readme.txt": "README  TXT",
      ".profile": "PROFIL~1",
      "a.b.c.d": "ABC~1   D",
      "+,;=[].txt": "______~1TXT",
      "grub.config": "GRUB~1  CON",
      日本語: "___~1",
      "x😀": "X_~1",
      "  spaced": "SPACED~1",
      "ends.in dot.x": "ENDSIN~1X",
    };
    expect(assignShortNames(Object.keys(aliases), "/")).toEqual(Object.values(aliases));
  });

  test("names alike in their beginning are counted, and avoid names that are there", () => {
    const texts = ["same name 1", "SAMENA~1", "same name 2", "same name 3", "SameNa~3"];
    expect(assignShortNames(texts, "/")).toEqual(["SAMENA~2", "SAMENA~1", "SAMENA~4", "SAMENA~5", "SAMENA~3"]);
    const many = assignShortNames(
      Array.from({ length: 12_000 }, (_, i) => `same beginning ${i}`),
      "/",
    );
    expect(many[8]).toBe("SAMEBE~9");
    expect(many[9]).toBe("SAMEB~10");
    expect(many[99]).toBe("SAME~100");
    expect(many[9999]).toBe("SA~10000");
    expect(new Set(many).size).toBe(many.length);
  });

  test("bytes above ASCII are code page 437; 0x05 stands for 0xE5; NT's lower-case bits count", () => {
    expect(shortNameText("\x81BER", 0)).toBe("üBER");
    expect(shortNameText("\x05XY", 0)).toBe("σXY");
    expect(shortNameText("README  TXT", 0x08)).toBe("readme.TXT");
    expect(shortNameText("README  TXT", 0x18)).toBe("readme.txt");
  });
});

describe("long names", () => {
  test.each([
    ["a:b", /forbids/],
    ["a\\b", /forbids/],
    ['a"b', /forbids/],
    ["a\x1fb", /forbids/],
    ["dot.", /dot or a space/],
    ["space ", /dot or a space/],
    ["\xff\xfe", /not UTF-8/],
    ["\xed\xa0\x80", /not UTF-8/], // a lone surrogate in the manner of UTF-8
    ["n".repeat(256), /256 UTF-16 units/],
  ])("%j is refused", (name, message) => {
    expect(() => longNameText(name, `/x/${name}`)).toThrow(
      expect.objectContaining({ code: "limit", path: `/x/${name}` }),
    );
    expect(() => longNameText(name, "/x")).toThrow(message);
  });
  test("255 units are allowed, however many bytes they are", () => {
    expect(longNameText(fromText("中".repeat(255)), "/").length).toBe(255);
    expect(longNameText(fromText("😀".repeat(127)), "/").length).toBe(254);
  });
  test("from an image", () => {
    expect(isLongNameText("good name.txt")).toBe(true);
    for (const bad of ["", ".", "..", "a/b", "a\0b", "\ud800x", "x".repeat(256)])
      expect(isLongNameText(bad)).toBe(false);
  });
  test("case is folded unit by unit", () => {
    expect(foldCase("Straße é ж")).toBe("STRAßE É Ж");
  });
});

describe("labels", () => {
  test("are put into upper case", () => expect(packLabel("my esp")).toBe("MY ESP"));
  test.each(["twelve chars", " lead", "a.b", "é", "a\nb"])("%j is refused", (label) => {
    expect(() => packLabel(label)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});
