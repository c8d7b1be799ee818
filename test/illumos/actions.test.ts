import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageError } from "../../src/bytes/index.ts";
import { type Action, attribute, attributeValues, logicalLines, parseActions } from "../../src/illumos/actions.ts";

const one = (text: string): Action => {
  const [action, ...rest] = parseActions(text, "m");
  if (!action || rest.length > 0) throw new Error(`not one action: ${text}`);
  return action;
};
const plain = ({ name, hash, attributes }: Action): unknown => ({
  name,
  hash,
  attributes: Object.fromEntries(attributes),
});

describe("the action language", () => {
  test("a published file action", () => {
    expect(
      plain(one("file 23ab path=usr/bin/ls mode=0555 owner=root group=bin pkg.content-hash=a:1 pkg.content-hash=b:2")),
    ).toEqual({
      name: "file",
      hash: "23ab",
      attributes: {
        path: ["usr/bin/ls"],
        mode: ["0555"],
        owner: ["root"],
        group: ["bin"],
        "pkg.content-hash": ["a:1", "b:2"],
      },
    });
  });

  test("quotes, escapes, and quoted values that join", () => {
    const action = one(`driver name=x alias='a "b"' alias="c \\"d\\" \\\\ \\n" perms="" class="one " "two"'three'`);
    expect(attributeValues(action, "alias")).toEqual(['a "b"', 'c "d" \\ \\n']);
    expect(attributeValues(action, "perms")).toEqual([""]);
    expect(attributeValues(action, "class")).toEqual(["one twothree"]);
  });

  test("a quote inside an unquoted value is a character", () => {
    expect(attribute(one(`set name=a value=it's"so"`), "value")).toBe(`it's"so"`);
  });

  test("the short form of set, and hash= as an attribute", () => {
    expect(plain(one('set pkg.summary="x y"'))).toEqual({
      name: "set",
      hash: undefined,
      attributes: { name: ["pkg.summary"], value: ["x y"] },
    });
    expect(one("license license=CDDL hash=ab").hash).toBe("ab");
    expect(one("file NOHASH hash=NOHASH path=a").hash).toBe("NOHASH");
  });

  test("continuation, comments, blank lines; the place is where the action begins", () => {
    const actions = parseActions(
      "# c\n\n  dir path=a \\\n\n   mode=0755\n\t# more\nlink path=b \\  \r\n target=c\r\n",
      "f",
    );
    expect(actions.map(({ line }) => line)).toEqual([3, 7]);
    expect(actions.map((action) => Object.fromEntries(action.attributes))).toEqual([
      { path: ["a"], mode: ["0755"] },
      { path: ["b"], target: ["c"] },
    ]);
    expect(logicalLines("dir path=a \\")).toEqual([{ line: 1, text: "dir path=a " }]);
  });

  test("a byte that is a blank only in Unicode stays in its name", () => {
    expect(attribute(one("dir path=caf\xc3\xa0"), "path")).toBe("caf\xc3\xa0");
  });

  test("an action type of the future is kept", () => {
    expect(one("firmware abc path=x").name).toBe("firmware");
  });

  test.each([
    ["dir", /no attributes/],
    ["file abc", /no attributes/],
    ["dir abc path=x", /no payload/],
    ["dir path=x abc", /neither key=value/],
    ["file one two path=x", /neither key=value/],
    ["dir path=", /no value/],
    ["dir path= mode=1", /no value/],
    ["dir =x", /without a key/],
    ['dir path="x', /no end/],
    ['dir path="x\\"', /no end/],
    ['dir pa"th=x', /quote in the key/],
    ["dir path=x 'y'", /quote in the key/],
    ["dir hash=1 path=x", /no hash/],
    ["file a hash=b path=x", /two hashes/],
    ["dir mode=0755", /dir without path=/],
    ["driver alias=x", /driver without name=/],
    ["file path=a path=b", /more than once/],
    ["set name=a other=b", /name or value is missing/],
  ])("%s", (text, message) => {
    const bad = () => parseActions(`\n${text}`, "bad.p5m");
    expect(bad).toThrow(message);
    expect(bad).toThrow(/^bad\.p5m:2: /);
    expect(bad).toThrow(ImageError);
  });

  const key = fc.stringMatching(/^[a-z][a-z.-]{0,8}$/).filter((text) => text !== "hash");
  const value = fc.string({ unit: fc.constantFrom(..."ab =\"'\\#\t/\xa0\xe4$("), maxLength: 12 });

  test("whatever is written with quotes is read back", () => {
    const quote = (text: string, mark: string) =>
      mark + text.replaceAll("\\", "\\\\").replaceAll(mark, `\\${mark}`) + mark;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(key, value, fc.constantFrom('"', "'")), { minLength: 1, maxLength: 8 }),
        (pairs) => {
          const expected: Record<string, string[]> = {};
          for (const [name, text] of pairs) expected[name] = [...(expected[name] ?? []), text];
          const line = `unknown ${pairs.map(([name, text, mark]) => `${name}=${quote(text, mark)}`).join(" ")}`;
          expect(Object.fromEntries(one(line).attributes)).toEqual(expected);
        },
      ),
    );
  });

  test("any text is read or refused with file and line", () => {
    const piece = fc.constantFrom("file", "dir ", "path=", "a", '"', "'", "\\", "\n", " ", "=", "#", "set ", "hash=x ");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          parseActions(pieces.join(""), "any");
        } catch (error) {
          expect(error).toBeInstanceOf(ImageError);
          expect(String(error)).toMatch(/any:\d+: /);
        }
      }),
      { numRuns: 500 },
    );
  });
});
