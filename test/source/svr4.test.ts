import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageError } from "../../src/bytes/index.ts";
import { treeFiles } from "../../src/source/files.ts";
import { parsePkginfo, parsePkgmap } from "../../src/source/pkgmap.ts";
import { readSvr4Packages, type Svr4Options } from "../../src/source/svr4.ts";
import { systemVSum } from "../../src/source/verified.ts";
import { type Directory, lookup, treeOf } from "../../src/tree/index.ts";
import { attributes, bytes, describeTree, text } from "./samples.ts";

type Contents = Record<string, string>;

/** A directory of packages: "PKG/pkgmap" → its text. */
const packages = (contents: Contents): Directory =>
  treeOf(
    Object.entries(contents).map(([path, value]) => [`/${path}`, text(value)] as const),
    attributes,
  );
const read = (contents: Contents, options: Svr4Options = {}) =>
  readSvr4Packages(treeFiles(packages(contents)), options);
const sum = (content: string) => systemVSum(bytes(content).reduce((total, byte) => total + byte, 0));
/** What pkgmk would say of a file. */
const about = (content: string, modtime = 1000) => `${content.length} ${sum(content)} ${modtime}`;

const SHELL = "#!/bin/sh\n";
const BASE: Contents = {
  "SUNWbase/pkginfo": 'PKG="SUNWbase"\nBASEDIR=/\nCLASSES="none preserve"\nETCDIR=/etc\n',
  "SUNWbase/pkgmap": `: 1 200
1 i pkginfo 30 100 900
1 i depend 10 10 900
1 i postinstall 30 100 900
1 i i.preserve 30 100 900
1 d none /etc 0755 root sys
1 e preserve $ETCDIR/passwd 0644 root sys ${about("root:x:0:0::/:\nlp:x:71:8::/:\n")}
1 f none /etc/group 0644 root sys ${about("root::0:\nsys::3:\nlp::8:\n")}
1 d none usr/bin 0755 root bin
1 f none usr/bin/lp 4555 lp lp ${about("LP", 5000)}
1 l none usr/bin/lpr=../bin/lp
1 l none usr/bin/early=./later
1 s none usr/bin/link=../../etc/passwd
1 x none usr/private 0700 ? ?
1 v none usr/bin/later 0644 root bin ${about("later")}
1 p none dev/fifo 0600 root sys
1 c none dev/null 13 2 0666 root sys
1 b none dev/sd0 32 0 0640 root sys
1 f sed etc/made 0644 root sys ${about("s/a/b/")}
1 f other usr/other 0644 root sys ${about("x")}
`,
  "SUNWbase/install/depend": "P SUNWmore More things\nP SUNWnone Not here\nI SUNWbad\n",
  "SUNWbase/install/postinstall": `${SHELL}add_drv -b "$BASEDIR" -m '* 0666 root sys' foo\nadd_drv $(cat x)\n`,
  "SUNWbase/install/i.preserve": SHELL,
  "SUNWbase/reloc/$ETCDIR/passwd": "root:x:0:0::/:\nlp:x:71:8::/:\n",
  "SUNWbase/root/etc/group": "root::0:\nsys::3:\nlp::8:\n",
  "SUNWbase/reloc/usr/bin/lp": "LP",
  "SUNWbase/reloc/usr/bin/later": "later",
};
const MORE: Contents = {
  "SUNWmore/pkginfo": "PKG=SUNWmore\nBASEDIR=/opt\n",
  "SUNWmore/pkgmap": `: 2 200\n1 i pkginfo\n1 f none more/a 0644 lp lp ${about("A")}\n2 f none more/b=other/place 0600 root sys ${about("B")}\n1 d none /usr/bin ? ? ?\n`,
  "SUNWmore/reloc.1/more/a": "A",
  "SUNWmore/reloc.2/other/place": "B",
};
const OTHER: Contents = { "SUNWother/pkginfo": "", "SUNWother/pkgmap": "1 d none other 0755 root sys\n" };

describe("SVR4 packages", () => {
  test("objects of every type, with the metadata of the pkgmap", async () => {
    const {
      tree,
      packages: names,
      actions,
      warnings,
    } = await read({ ...BASE, ...MORE, ...OTHER }, { packages: ["SUNWbase"] });
    expect(await describeTree(tree)).toMatchObject({
      "/etc": { mode: 0o755, uid: 0, gid: 3, mtimeSeconds: 5000 },
      "/etc/passwd": { mode: 0o644, gid: 3, mtimeSeconds: 1000 },
      "/usr/bin/lp": { mode: 0o4555, uid: 71, gid: 8, content: "LP", mtimeSeconds: 5000 },
      "/usr/bin/lpr": { sameAs: "/usr/bin/lp" },
      "/usr/bin/later": { sameAs: "/usr/bin/early" },
      "/usr/bin/link": { target: "../../etc/passwd", mode: 0o777 },
      "/usr/private": { type: "directory", mode: 0o700, uid: 0, gid: 0 },
      "/dev/fifo": { type: "fifo", mode: 0o600 },
      "/dev/null": { type: "character", device: [13, 2], mode: 0o666, gid: 3 },
      "/dev/sd0": { type: "block", device: [32, 0] },
      "/opt/more/a": { content: "A", uid: 71, gid: 8 },
      "/opt/more/b": { content: "B", mode: 0o600 },
      "/usr/bin": { mode: 0o755, gid: 2 }, // "?" leaves what is there
    });
    for (const path of ["/usr/other", "/etc/made", "/other"]) expect(lookup(tree, path)).toBeUndefined();
    expect(names).toEqual(["SUNWbase", "SUNWmore"]);
    expect(actions).toMatchObject([{ name: "driver", file: "SUNWbase/install/postinstall", line: 2 }]);
    expect(warnings.map(({ code, path }) => `${code} ${path}`).sort()).toEqual([
      "missing-dependency SUNWbase",
      "not-selected /etc/made",
      "script-not-run SUNWbase/install/i.preserve",
      "script-not-run SUNWbase/install/postinstall",
      "script-not-understood SUNWbase/install/postinstall",
    ]);
    expect(warnings.find(({ code }) => code === "not-selected")?.count).toBe(2);
  });
  test("a package directory by itself; accounts of the layers below", async () => {
    const alone = Object.fromEntries(
      Object.entries(MORE).map(([path, value]) => [path.replace("SUNWmore/", ""), value]),
    );
    await expect(read(alone)).rejects.toMatchObject({
      code: "not-found",
      message: expect.stringContaining('unknown user "lp"'),
    });
    const accountFiles = { passwd: "lp:x:9:9::/:", group: "lp::10:", shadow: "" };
    const { tree, packages: names } = await read(alone, { accountFiles });
    expect(names).toEqual(["SUNWmore"]);
    expect(lookup(tree, "/opt/more/a")).toMatchObject({ uid: 9, gid: 10 });
  });
  test.each([
    ["a damaged file", { ...BASE, "SUNWbase/reloc/usr/bin/lp": "PL!" }, "bad-format", "usr/bin/lp", "3 bytes"],
    [
      "a file of the right size but another sum",
      { ...BASE, "SUNWbase/reloc/usr/bin/lp": "PM" },
      "bad-format",
      "usr/bin/lp",
      "damaged",
    ],
    [
      "a missing file",
      { ...OTHER, "SUNWother/pkgmap": "1 f none x/y 0644 root sys 1 1 1" },
      "not-found",
      "x/y",
      "reloc/x/y",
    ],
    [
      "a class archive",
      { ...OTHER, "SUNWother/pkgmap": "1 f none x/y 0644 root sys 1 1 1", "SUNWother/archive/none.bz2": "x" },
      "unsupported",
      "",
      "class archive",
    ],
    ["..", { ...OTHER, "SUNWother/pkgmap": "1 d none ../../etc 0755 root sys" }, "bad-format", "../../etc", ".."],
    [
      "a file from outside",
      { ...OTHER, "SUNWother/pkgmap": "1 f none f=../../../etc/shadow 0644 root sys 1 1 1" },
      "bad-format",
      "",
      "..",
    ],
    ["a hard link out", { ...OTHER, "SUNWother/pkgmap": "1 l none f=../../../etc/shadow" }, "bad-format", "", ".."],
    ["a hard link to nowhere", { ...OTHER, "SUNWother/pkgmap": "1 l none f=g" }, "not-found", "f", "hard link"],
    [
      "an unknown parameter",
      { ...OTHER, "SUNWother/pkgmap": "1 d none $WHERE/x 0755 root sys" },
      "bad-format",
      "",
      "SUNWother/pkgmap:1",
    ],
    [
      "an unknown group",
      { ...OTHER, "SUNWother/pkgmap": "\n1 d none x 0755 root syss" },
      "not-found",
      "",
      "SUNWother/pkgmap:2",
    ],
    ["no package at all", { "a/b": "" }, "bad-format", "", "no directory holds a pkgmap"],
  ] as const)("%s is an error", async (_, contents, code, path, message) => {
    const error: unknown = await read(contents, { packages: [] })
      .then(({ tree }) => describeTree(tree))
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ImageError);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect((error as ImageError).message).toContain(path);
  });
  test("a package that is not there: the nearest names", async () => {
    await expect(read({ ...BASE, ...MORE }, { packages: ["SUNWmoer"] })).rejects.toMatchObject({
      code: "not-found",
      message: expect.stringContaining("SUNWmore"),
    });
  });
  test.each([
    ["1 q none a 0644 root sys", "unknown type"],
    ["1 f", "class or path"],
    ["1 f none", "class or path"],
    ["1 s none a", "no target"],
    ["1 d none a 9999 root sys", "not octal"],
    ["1 c none a 1 x 0644 root sys", "no number"],
    ["1 b none a ? 1 0644 root sys", "no numbers"],
    ["1 f none a 0644 root sys many 1 1", "no number"],
  ])("pkgmap: %s", (line, message) => {
    expect(() => parsePkgmap(`: 1 1\n# comment\n${line}\n`, "P/pkgmap")).toThrow(
      expect.objectContaining({ code: "bad-format", message: expect.stringMatching(`^P/pkgmap:3: .*${message}`) }),
    );
  });
  test("pkginfo", () => {
    expect(parsePkginfo("A=1\nB=\"two words\"\n C='3' \nA=again\n# D=4\nE=\n")).toEqual(
      new Map([
        ["A", "1"],
        ["B", "two words"],
        ["C", "3"],
        ["E", ""],
      ]),
    );
  });
  test("any pkgmap gives a tree or an ImageError", async () => {
    const word = fc.oneof(
      fc.constantFrom(
        "1",
        "2",
        "f",
        "d",
        "l",
        "s",
        "i",
        "c",
        "x",
        "none",
        "a=b",
        "../a",
        "/a",
        "$X",
        "?",
        "0644",
        "root",
        ":",
        "\n",
        "\n1",
      ),
      fc.string({ maxLength: 5 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 30 }), async (words) => {
        const pkgmap = Buffer.from(words.join(" ")).toString("latin1");
        await read({ "P/pkginfo": "", "P/pkgmap": pkgmap, "P/reloc/a": "" })
          .then(({ tree }) => describeTree(tree))
          .catch((error: unknown) => expect(error).toBeInstanceOf(ImageError));
      }),
      { numRuns: 400 },
    );
  });
});
