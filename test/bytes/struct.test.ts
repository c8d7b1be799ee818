import { expect, test } from "vitest";
import {
  array,
  dumpStruct,
  field,
  i16,
  paddedString,
  struct,
  structTable,
  u8,
  u16both,
  u32,
  u32be,
  u64,
} from "../../src/bytes/index.ts";

const sample = struct("sample", 40, {
  one: field(0, u8, "a byte"),
  two: field(2, i16, "signed"),
  three: field(4, u32be, "big endian"),
  four: field(8, u64, "wide"),
  five: field(16, array(u32, 2), "two words"),
  six: field(24, paddedString(6, 0x20), "name"),
  seven: field(32, u16both, "both orders"),
});

test("fields lie where they are declared, in their byte order", () => {
  const bytes = new Uint8Array(40).fill(0xff);
  sample.encode({ one: 1, two: -2, three: 0x01020304, four: 2 ** 40 + 5, five: [7], six: "ab", seven: 0x0102 }, bytes);
  expect([...bytes]).toEqual([
    1, 0, 0xfe, 0xff, 1, 2, 3, 4, 5, 0, 0, 0, 0, 1, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0x61, 0x62, 0x20, 0x20, 0x20, 0x20, 0,
    0, 2, 1, 1, 2, 0, 0, 0, 0,
  ]);
  expect(sample.decode(bytes)).toEqual({
    one: 1,
    two: -2,
    three: 0x01020304,
    four: 2 ** 40 + 5,
    five: [7, 0],
    six: "ab",
    seven: 0x0102,
  });
});

test("a value that does not fit names its field", () => {
  expect(() => sample.encode({ one: 256 }, new Uint8Array(40))).toThrow(/sample.one: 256 .* 0..255/);
  expect(() => sample.encode({ six: "seven b" }, new Uint8Array(40))).toThrow(/sample.six/);
  expect(() => sample.encode({ two: 1.5 }, new Uint8Array(40))).toThrow(/whole number/);
});

test("bytes that end too early are an ImageError", () => {
  expect(() => sample.decode(new Uint8Array(39))).toThrow(expect.objectContaining({ code: "truncated" }));
  expect(() => sample.decode(new Uint8Array(50), 11)).toThrow(expect.objectContaining({ code: "truncated" }));
});

test("patch leaves other bytes alone", () => {
  const bytes = new Uint8Array(40).fill(9);
  sample.patch({ one: 1 }, bytes);
  expect(bytes.slice(0, 3)).toEqual(Uint8Array.of(1, 9, 9));
});

test("a declaration with overlapping fields is refused", () => {
  expect(() => struct("bad", 8, { a: field(0, u32, ""), b: field(2, u32, "") })).toThrow(/overlaps/);
  expect(() => struct("bad", 4, { a: field(2, u32, "") })).toThrow(/end at 6/);
});

test("dump and table show every field", () => {
  expect(dumpStruct(sample, new Uint8Array(40), 0, 100).map(({ offset, name }) => `${offset} ${name}`)).toEqual([
    "100 one",
    "102 two",
    "104 three",
    "108 four",
    "116 five",
    "124 six",
    "132 seven",
  ]);
  expect(structTable(sample)).toContain("| 4 | 4 | three | u32be | big endian |");
});
