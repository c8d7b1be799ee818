import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageError, textContent } from "../../src/bytes/index.ts";
import { createHasher } from "../../src/node/hashing.ts";
import { applyMtree, type MtreeOptions } from "../../src/source/mtree-apply.ts";
import { parseMtree } from "../../src/source/mtree-parse.ts";
import { formatMtree } from "../../src/source/mtree-write.ts";
import { visDecode, visEncode } from "../../src/source/vis.ts";
import {
  type Directory,
  device,
  directory,
  lookup,
  mapTree,
  type Node,
  special,
  symlink,
  treeOf,
} from "../../src/tree/index.ts";
import { attributes, describeTree, text, treeArbitrary } from "./samples.ts";

const accounts = { users: new Map([["lp", 71]]), groups: new Map([["sys", 3]]) };
async function format(tree: Directory): Promise<string> {
  let lines = "";
  for await (const line of formatMtree(tree, createHasher)) lines += line;
  return lines;
}
const apply = (tree: Directory, spec: string, options: Partial<MtreeOptions> = {}) =>
  applyMtree(tree, parseMtree(spec, "spec"), { accounts, ...options });

describe("vis(3)", () => {
  test("any name comes back, in ASCII without blanks", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (raw) => {
        const name = Buffer.from(raw).toString("latin1");
        const encoded = visEncode(name);
        expect(encoded).toMatch(/^[!-~]*$/);
        expect(encoded).not.toMatch(/[#*?[]/);
        expect(visDecode(encoded)).toBe(name);
      }),
    );
  });
  test("as other programs write it", () => {
    expect(visEncode("a b#\\\xff")).toBe("a\\040b\\043\\134\\377");
    expect(visDecode("\\a\\b\\f\\n\\r\\s\\t\\v\\\\\\#\\^A\\M-a\\M^A\\^?\\7\\")).toBe(
      "\x07\b\f\n\r \t\v\\#\x01\xe1\x81\x7f\x07\\",
    );
  });
});

describe("the canonical form", () => {
  test("every keyword, one line a path", async () => {
    const shared = text("hello", { mode: 0o4755, uid: 71, gid: 8 });
    const tree = treeOf(
      [
        ["/dir/sub", directory({ ...attributes, mode: 0o755 })],
        ["/dir/a b", shared],
        ["/dir/second", shared],
        ["/link", symlink({ ...attributes, mode: 0o777 }, "to #1")],
        ["/null", device({ ...attributes, mode: 0o666 }, "character", 13, 2)],
        ["/pipe", special({ ...attributes, mtimeSeconds: -1 }, "fifo")],
        ["/socket", special(attributes, "socket")],
      ],
      { ...attributes, mode: 0o755 },
    );
    const digest = createHash("sha256").update("hello").digest("hex");
    expect(await format(tree)).toBe(`#mtree v2.0
. type=dir mode=0755 uid=0 gid=0 nlink=3 time=1000000000.0
./dir type=dir mode=0755 uid=0 gid=0 nlink=3 time=1000000000.0
./dir/a\\040b type=file mode=04755 uid=71 gid=8 nlink=2 size=5 time=1000000000.0 sha256digest=${digest}
./dir/second type=file mode=04755 uid=71 gid=8 nlink=2 size=5 time=1000000000.0 sha256digest=${digest}
./dir/sub type=dir mode=0755 uid=0 gid=0 nlink=2 time=1000000000.0
./link type=link mode=0777 uid=0 gid=0 nlink=1 time=1000000000.0 link=to\\040\\0431
./null type=char mode=0666 uid=0 gid=0 nlink=1 time=1000000000.0 device=native,13,2
./pipe type=fifo mode=0644 uid=0 gid=0 nlink=1 time=-1.0
./socket type=socket mode=0644 uid=0 gid=0 nlink=1 time=1000000000.0
`);
  });
  test("applied to a tree without metadata it gives the metadata back; to an empty one all but the files", async () => {
    const plain = { mode: 0o600, uid: 1, gid: 1, mtimeSeconds: 7 };
    await fc.assert(
      fc.asyncProperty(treeArbitrary({ extremes: true }), async (tree) => {
        const spec = await format(tree);
        const blank = mapTree(tree, (node): Node => ({ ...node, ...plain }));
        const { tree: restored, warnings } = await apply(blank, spec);
        expect(await describeTree(restored)).toEqual(await describeTree(tree));
        expect(warnings).toEqual([]);
        const rebuilt = await apply(directory(plain), spec);
        const withoutFiles = spec.replace(/^.* type=file .*\n/gm, "");
        const unlinked = (lines: string) => lines.replace(/ nlink=[0-9]+ /g, " "); // a specification knows no inodes
        expect(unlinked(await format(rebuilt.tree))).toBe(unlinked(withoutFiles));
      }),
      { numRuns: 60 },
    );
  });
});

describe("specifications", () => {
  const parsed = (spec: string) => parseMtree(spec, "spec").entries.map(({ file: _, line: __, ...entry }) => entry);
  test("nested, as mtree(8) -c writes them", () => {
    expect(
      parsed(`#	   user: root
# .
/set type=file uid=0 gid=0 mode=0644
.               type=dir mode=0755 nlink=3 \\
                time=1425168000.000000001
    file        size=3 uname=lp
    sub         type=dir
        deep    mode=0600
    # ./sub
    ..
/unset uid mode
    after\\040x  link=y type=link
`),
    ).toEqual([
      { path: "/", type: "directory", uid: 0, gid: 0, mode: 0o755, nlink: 3, mtimeSeconds: 1425168000 },
      { path: "/file", type: "file", uid: 0, gid: 0, mode: 0o644, size: 3, uname: "lp" },
      { path: "/sub", type: "directory", uid: 0, gid: 0, mode: 0o644 },
      { path: "/sub/deep", type: "file", uid: 0, gid: 0, mode: 0o600 },
      { path: "/after x", type: "symlink", gid: 0, link: "y" },
    ]);
  });
  test("full paths, which do not change the directory that others are in", () => {
    expect(parsed(". type=dir\nusr type=dir\n./etc/motd mode=0600\nbin type=dir\n").map(({ path }) => path)).toEqual([
      "/",
      "/usr",
      "/etc/motd",
      "/usr/bin",
    ]);
    expect(parsed("a type=file\nb type=file\n").map(({ path }) => path)).toEqual(["/a", "/b"]);
  });
  test("devices", () => {
    expect(parsed("c type=char device=native,13,0x2\nb type=block device=solaris,5,6")).toMatchObject([
      { device: [13, 2] },
      { device: [5, 6] },
    ]);
  });
  test.each([
    ["a mode=rwx", "spec:1: mode=rwx is no number"],
    ["#\n\na type=door", "spec:3: type=door is not one of"],
    ["a uid=-1", "spec:1: uid=-1"],
    ["a time=x", "spec:1: time=x"],
    ["..", 'spec:1: ".." above'],
    [". type=dir\n..", 'spec:2: ".." above'],
    ["/sett x", 'spec:1: unknown command "/sett"'],
    ["./../x mode=0644", "spec:1: "],
    ["a device=1234", "spec:1: device=1234 does not tell"],
    ["a\\000b mode=0644", "NUL"],
    ["a \\\n b \\\n mode=8", "spec:1: mode=8"],
  ])("%j is an error with file and line", (spec, message) => {
    expect(() => parseMtree(spec, "spec")).toThrow(
      expect.objectContaining({ code: "bad-format", message: expect.stringContaining(message) }),
    );
  });
  test("any text is a specification or an error", () => {
    const word = fc.oneof(
      fc.constantFrom(
        "/set",
        "/unset",
        "..",
        ".",
        "./a",
        "type=dir",
        "mode=0644",
        "\\",
        "\n",
        "#",
        "uname=x",
        "time=1.5",
        "all",
      ),
      fc.string({ maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        try {
          parseMtree(Buffer.from(words.join(" ")).toString("latin1"), "spec");
        } catch (error) {
          if (!(error instanceof ImageError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("applied to a tree", () => {
  const shared = text("x");
  const tree = () =>
    treeOf(
      [
        ["/usr/bin/lp", shared],
        ["/usr/bin/lpr", shared],
        ["/link", symlink(attributes, "old")],
        ["/null", device(attributes, "character", 1, 1)],
      ],
      attributes,
    );
  test("owners by name, modes, times, targets, numbers; all names of an inode together", async () => {
    const { tree: changed, warnings } = await apply(
      tree(),
      "./usr/bin/lpr mode=4755 uname=lp gname=sys time=5.9\n./link link=new\n./null device=native,13,2\n./usr/bin mode=0711\n",
    );
    expect(lookup(changed, "/usr/bin/lp")).toBe(lookup(changed, "/usr/bin/lpr"));
    expect(await describeTree(changed)).toMatchObject({
      "/usr/bin": { mode: 0o711 },
      "/usr/bin/lp": { mode: 0o4755, uid: 71, gid: 3, mtimeSeconds: 5, content: "x" },
      "/link": { target: "new" },
      "/null": { device: [13, 2] },
    });
    expect(warnings).toEqual([]);
  });
  test("what is missing is made, files from elsewhere", async () => {
    const spec =
      "./var/log type=dir mode=0700\n./dev type=dir\n./dev/c type=char device=native,1,2 mode=0600\n./l type=link link=x\n./p type=fifo\n./new type=file contents=else\\040where\n./lost type=file\n./may type=file optional\n";
    const { tree: made, warnings } = await apply(tree(), spec, {
      contents: async (path) => (path === "else where" ? textContent("from there") : undefined),
    });
    expect(await describeTree(made)).toMatchObject({
      "/var": { mode: 0o755, mtimeSeconds: attributes.mtimeSeconds },
      "/var/log": { mode: 0o700 },
      "/dev/c": { device: [1, 2] },
      "/l": { target: "x" },
      "/p": { type: "fifo" },
      "/new": { content: "from there" },
    });
    expect(warnings.map(({ code, path }) => `${code} ${path}`)).toEqual(["missing-file /lost"]);
  });
  test("where the two differ in type, the tree stays; unknown keywords are named", async () => {
    const { tree: same, warnings } = await apply(tree(), "./link type=file mode=0600 colour=red\n");
    expect(await describeTree(same)).toEqual(await describeTree(tree()));
    expect(warnings.map(({ code, path }) => `${code} ${path}`)).toEqual([
      "unknown-keyword colour",
      "type-differs /link",
    ]);
  });
  test.each([
    ["./a type=dir uname=nobody_here", "not-found"],
    ["./link/below type=dir", "wrong-type"],
    ["./a type=link", "bad-format"],
    ["./a type=char", "bad-format"],
  ])("%s is an error", async (spec, code) => {
    await expect(apply(tree(), spec)).rejects.toMatchObject({ code });
  });
});
