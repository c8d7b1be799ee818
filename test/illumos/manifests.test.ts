import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageError, textContent } from "../../src/bytes/index.ts";
import {
  type Action,
  compareVersions,
  interpreterMacros,
  type ManifestText,
  parseFmri,
  readManifests,
} from "../../src/illumos/index.ts";
import { directory, file, treeOf } from "../../src/tree/index.ts";

type Golden = [name: string, hash: string | null, attributes: Record<string, readonly string[]>];
const golden: {
  macros: Record<string, string>;
  files: ManifestText[];
  expected: Record<string, Golden[] | null>;
} = JSON.parse(readFileSync(path.resolve(import.meta.dirname, "../../fixtures/illumos/mogrify.json"), "utf8"));

const plain = (action: Action): Golden => [action.name, action.hash ?? null, Object.fromEntries(action.attributes)];
const one = (text: string, others: ManifestText[] = []) => readManifests([{ name: "m.p5m", text }, ...others]);
const actionsOf = (text: string, others: ManifestText[] = []) => one(text, others).packages[0]?.actions ?? [];
const paths = (text: string, others: ManifestText[] = []) =>
  actionsOf(text, others).flatMap(({ attributes }) => attributes.get("path") ?? []);

describe("a gate's manifests", () => {
  const set = readManifests(golden.files, { macros: golden.macros });

  test.each(Object.keys(golden.expected))("%s comes out of every transform as from pkgmogrify", (name) => {
    const expected = golden.expected[name];
    const found = set.packages.find((candidate) => candidate.file === name);
    if (expected === null) expect(set.dropped.map((dropped) => dropped.file)).toContain(name);
    expect(found?.actions.map(plain) ?? null).toEqual(expected ?? null);
  });

  test("the reason of a package that is not for this build", () => {
    expect(set.dropped.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
      "sparc: variant.arch=sparc",
      "unpublished: osnet.publish=false",
    ]);
  });

  test("without transforms the gate's defaults hold", () => {
    const modes = (text: string) =>
      actionsOf(text).map(({ attributes }) =>
        ["owner", "group", "mode"].map((key) => attributes.get(key)?.[0]).join(" "),
      );
    expect(modes("dir path=usr/share\ndir path=usr/share/lib\ndir path=usr/share/lib/x\ndir path=a group=lp")).toEqual([
      "root sys 0755",
      "root sys 0755",
      "root bin 0755",
      "root lp 0755",
    ]);
    const files: Record<string, string> = {
      "kernel/drv/asy.conf": "0644",
      "platform/i86pc/kernel/drv/amd64/rootnex": "0755",
      "usr/lib/libc.so.1": "0755",
      "usr/lib/locale/x": "0644",
      "usr/lib/help/x": "0444",
      "usr/share/x": "0444",
      "usr/share/doc/ksh/x": "0644",
      "usr/share/doc/other": "0444",
      "usr/share/lib/terminfo/v/vt100": "0644",
      "usr/share/lib/zoneinfo/UTC": "0644",
      "usr/share/lib/locale/com/sun/x": "0644",
      "usr/share/lib/locale/com/sun/dhcpmgr/x": "0444",
      "usr/share/lib/locale/com/sun/dhcpmgr/x.properties": "0644",
      "usr/share/lib/dict/words": "0444",
      "etc/x": "0644",
      "usr/bin/ls": "0644",
    };
    expect(
      modes(
        Object.keys(files)
          .map((name) => `file path=${name}`)
          .join("\n"),
      ),
    ).toEqual(Object.values(files).map((mode) => `root bin ${mode}`));
  });

  test("zone variants of components for the global zone, __NODEFAULT taken away", () => {
    const zones = actionsOf(
      "<include global_zone_only_component>\nfile path=usr/sbin/x\nfile path=usr/share/man/man1/x.1\n" +
        "file path=usr/sbin/y variant.opensolaris.zone=__NODEFAULT\nfile path=kernel/fs/z",
    ).map(({ attributes }) => attributes.get("variant.opensolaris.zone")?.[0]);
    expect(zones).toEqual(["global", undefined, undefined, "global"]);
  });

  test("other architectures", () => {
    const text = "$(i386_ONLY)file path=a/$(ARCH64)\n$(sparc_ONLY)file path=b/$(ARCH64)/$(ARCH32)\n";
    expect(paths(text)).toEqual(["a/amd64"]);
    const sparc = readManifests([{ name: "m.mf", text }], { architecture: "sparc" });
    expect(sparc.packages[0]?.actions.map(({ attributes }) => attributes.get("path")?.[0])).toEqual([
      "b/sparcv9/sparcv7",
    ]);
  });

  test("macros without a value keep their text and are named once; lines that begin with one are kept", () => {
    const set = one("$(WHAT_ONLY)file path=a\nfile path=b/$(WHERE)\nfile path=c/$(WHERE)\n# $(IN_COMMENT)\n");
    expect(set.undefinedMacros).toEqual([
      { macro: "WHAT_ONLY", file: "m.p5m", line: 1 },
      { macro: "WHERE", file: "m.p5m", line: 2 },
    ]);
    expect(set.packages[0]?.actions.map(({ attributes }) => attributes.get("path")?.[0])).toEqual([
      "a",
      "b/$(WHERE)",
      "c/$(WHERE)",
    ]);
  });

  test("a last line that is continued is not lost", () => {
    expect(paths("file path=a \\")).toEqual(["a"]);
  });

  test("which files are manifests", () => {
    const names = (files: string[]) =>
      readManifests(files.map((name) => ({ name, text: "file path=x\n" }))).packages.map((found) => found.file);
    expect(names(["a.p5m", "b.mf", "c.manifest", "README", "d.inc"])).toEqual(["a.p5m", "b.mf", "c.manifest"]);
    expect(names(["manifests/a.p5m", "top.p5m", "transforms/other"])).toEqual(["manifests/a.p5m"]);
    expect(names(["system%2Fkernel", "SUNWcs"])).toEqual(["SUNWcs", "system%2Fkernel"]);
  });

  test("packages by name, of several versions the newest", () => {
    const manifest = (name: string, version: string): ManifestText => ({
      name: `${name}${version.replace(/\W/g, "_")}.p5m`,
      text: `set name=pkg.fmri value=pkg://omnios/${name}@${version}\nfile path=${version}\n`,
    });
    const set = readManifests([
      manifest("z/b", "0.5.11,5.11-151.9:20200101T000000Z"),
      manifest("z/b", "0.5.11,5.11-151.10:20190101T000000Z"),
      manifest("a", "1.2.3"),
    ]);
    expect(set.packages.map(({ name, version }) => [name, version])).toEqual([
      ["a", "1.2.3"],
      ["z/b", "0.5.11,5.11-151.10:20190101T000000Z"],
    ]);
    expect(set.dropped.map(({ reason }) => reason)).toEqual([
      expect.stringContaining("older than z/b0_5_11_5_11_151_10"),
    ]);
    const twice = readManifests([manifest("a", "1"), { ...manifest("a", "1"), name: "other.p5m" }]);
    expect(twice.packages.map((found) => found.file)).toEqual(["a1.p5m"]);
    expect(twice.dropped).toEqual([{ name: "a", file: "other.p5m", reason: "same package and version as a1.p5m" }]);
  });

  test.each([
    ["<transform file path=[ -> drop>", /m\.p5m:1: transform: .* no regular expression/],
    ["<transform file path=a>", /m\.p5m:1: transform without ->/],
    ["<transform file -> hurl>", /unknown operation "hurl"/],
    ["<transform file -> set mode>", /set takes 2 operands, not 1/],
    ["<transform file -> set mode '0>", /a quote has no end/],
    ["<include nowhere>", /m\.p5m:1: <include nowhere>: no such file/],
    ["<something>", /m\.p5m:1: unknown directive/],
    ["\nfile mode=0644", /m\.p5m:2: file without path=/],
    ["<transform file -> set mode %(none)>\nfile path=a", /m\.p5m:2: a transform wants %\(none\)/],
    ["<transform file path=a -> emit file path=a>\nfile path=a", /emits an action that it matches itself/],
    ["<transform file path=a -> exit 1 bad %(path)>\nfile path=a", /m\.p5m:2: bad a/],
    ["file path=$(A)\n", /macros that stand for each other/],
  ])("%s", (text, message) => {
    const read = () => readManifests([{ name: "m.p5m", text }], { macros: { A: "$(B)x", B: "$(A)" } });
    expect(read).toThrow(message);
    expect(read).toThrow(ImageError);
  });

  test("files that include each other", () => {
    expect(() =>
      one("<include a>", [
        { name: "a", text: "<include b>" },
        { name: "b", text: "<include a>" },
      ]),
    ).toThrow(/files include each other/);
  });

  test("nothing multiplies without end: includes, emitted actions, macros", () => {
    const doubling = Array.from({ length: 40 }, (_, i) => ({
      name: `d${i}`,
      text: i === 39 ? "\n" : `<include d${i + 1}>\n<include d${i + 1}>\n`,
    }));
    expect(() => one("<include d0>", doubling)).toThrow(/more than 100000 lines with all that is included/);
    const emitting = "<transform unknown -> emit unknown x=%(x)y>\n".repeat(20);
    expect(() => one(`${emitting}unknown x=a`)).toThrow(/emits an action that it matches itself/);
    const macros = { A: "$(B)$(B)", B: "$(A)$(A)" };
    expect(() => readManifests([{ name: "m.p5m", text: "file path=$(A)" }], { macros })).toThrow(
      /stand for each other/,
    );
  });

  test("exit 0 drops a package as abort does", () => {
    expect(one("<transform file path=a -> exit 0>\nfile path=a").dropped).toHaveLength(1);
  });

  test("any text is read or refused as an ImageError", () => {
    const piece = fc.constantFrom(
      ..."<transform ,<include m.p5m>,file path=, -> ,set a b,default,edit path ,%(,path),>,\n,(,),*,$(ARCH),$(X),\\,\",', ,a,dir path=b,emit ,delete ,%<1>,%{x},[,?P<n>".split(
        ",",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        try {
          one(pieces.join(""));
        } catch (error) {
          if (!(error instanceof ImageError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("FMRIs", () => {
  test("stem and version", () => {
    expect(parseFmri("pkg://omnios/system/kernel@0.5.11,5.11-1:T")).toEqual({
      name: "system/kernel",
      version: "0.5.11,5.11-1:T",
    });
    expect(parseFmri("pkg:/system/kernel")).toEqual({ name: "system/kernel", version: "" });
    expect(parseFmri("/system/kernel")).toEqual({ name: "system/kernel", version: "" });
  });

  test("versions compare part by part, as numbers", () => {
    const ascending = ["", "1.0", "1.0,5.11-1", "1.0,5.11-1.1:1", "1.0.1,5.11-1", "1.2,5.11-0", "1.10,5.10-0", "2"];
    for (const [i, version] of ascending.entries()) {
      for (const [j, other] of ascending.entries()) {
        expect(Math.sign(compareVersions(version, other))).toBe(Math.sign(i - j));
      }
    }
  });
});

test("interpreters by the directories of the proto area", () => {
  const attributes = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0 };
  const tree = treeOf(
    ["usr/perl5/5.10.0/lib/i86pc-solaris-64int/Sun.pm", "usr/lib/python3.5/a", "usr/lib/python3.10/a"].map((name) => [
      `/${name}`,
      file(attributes, textContent("")),
    ]),
    attributes,
  );
  expect(interpreterMacros(tree)).toEqual({
    PERL_VERSION: "5.10.0",
    PERL_PKGVERS: "-510",
    PERL_ARCH: "i86pc-solaris-64int",
    BUILDPERL32: "",
    PYTHON3_VERSION: "3.10",
    PYTHON3_PKGVERS: "-310",
    python3_ONLY: "",
    PYTHON3b_VERSION: "3.5",
    PYTHON3b_PKGVERS: "-35",
    python3b_ONLY: "",
  });
  expect(interpreterMacros(directory(attributes))).toEqual({});
});
