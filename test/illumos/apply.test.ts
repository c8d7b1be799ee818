import { describe, expect, test } from "vitest";
import { byteString, readAll, textContent } from "../../src/bytes/index.ts";
import {
  type AppliedManifests,
  applyManifests,
  imageChoice,
  isChosen,
  type ManifestOptions,
  parseActions,
  readManifests,
  selectPackages,
} from "../../src/illumos/index.ts";
import {
  type Directory,
  device,
  directory,
  type File,
  file,
  lookup,
  type Node,
  symlink,
  treeOf,
  walk,
} from "../../src/tree/index.ts";

const BUILDER = { mode: 0o644, uid: 1000, gid: 1000, mtimeSeconds: 500 };
const text = (content = "x") => file(BUILDER, textContent(content));
const tree = (nodes: Record<string, Node>): Directory => treeOf(Object.entries(nodes), { ...BUILDER, mode: 0o755 });

/** Manifests by package name. */
const set = (manifests: Record<string, string>) =>
  readManifests(
    Object.entries(manifests).map(([name, body]) => ({
      name: `${name.replaceAll("/", "-")}.p5m`,
      text: `set name=pkg.fmri value=pkg:/${name}@1\n${body}\n`,
    })),
  );
const apply = (
  nodes: Record<string, Node>,
  manifests: Record<string, string>,
  options: Partial<ManifestOptions> = {},
) => applyManifests(tree(nodes), set(manifests), { timeSeconds: 900, ...options });
const show = ({ tree: root }: AppliedManifests): string[] =>
  [...walk(root)].map(({ path, node }) => {
    const target = node.type === "symlink" ? ` -> ${node.target}` : "";
    return `${path} ${node.type} ${node.mode.toString(8)} ${node.uid}:${node.gid} ${node.mtimeSeconds}${target}`;
  });

describe("one package", () => {
  test("files, directories, links: attributes, and what is missing is made or named", async () => {
    const applied = await apply(
      { "/bin/su": text(), "/bin/other": text(), "/etc/dev": device({ ...BUILDER, mode: 0o600 }, "character", 1, 2) },
      {
        core: `dir path=bin mode=0555 owner=sys group=adm
dir path=var/run/new mode=01777
file path=bin/su mode=04555 owner=root group=sys timestamp=20130711T145433Z
file path=bin/absent
link path=usr/bin target=../bin
hardlink path=sbin/su target=../bin/su`,
      },
    );
    expect(show(applied)).toEqual([
      "/ directory 755 0:0 500",
      "/bin directory 555 3:4 500",
      "/bin/other file 644 0:0 500",
      "/bin/su file 4555 0:3 1373554473",
      "/etc directory 755 0:0 500",
      "/etc/dev character 600 0:0 500",
      "/sbin directory 755 0:0 900",
      "/sbin/su file 4555 0:3 1373554473",
      "/usr directory 755 0:0 900",
      "/usr/bin symlink 777 0:0 900 -> ../bin",
      "/var directory 755 0:0 900",
      "/var/run directory 755 0:0 900",
      "/var/run/new directory 1777 0:2 900",
    ]);
    const { report } = applied;
    expect(report.made).toEqual(["/sbin", "/sbin/su", "/usr", "/usr/bin", "/var", "/var/run", "/var/run/new"]);
    expect(report.missing).toEqual([{ path: "/bin/absent", package: "core", file: "core.p5m", line: 5 }]);
    expect(report.unpackaged).toEqual(["/bin/other", "/etc", "/etc/dev"]);
    expect(lookup(applied.tree, "/sbin/su")).toBe(lookup(applied.tree, "/bin/su"));
  });

  test("two names of one inode part only where the manifest gives them other owners", async () => {
    const inode = text();
    const nodes = { "/a": inode, "/b": inode, "/c": inode, "/d": inode };
    const { tree: after } = await apply(nodes, { p: "file path=a\nfile path=b\nfile path=c mode=0600" });
    const at = (path: string) => lookup(after, path);
    expect(at("/a")).toBe(at("/b"));
    expect(at("/c")).not.toBe(at("/a"));
    expect(at("/c")?.mode).toBe(0o600);
    expect(at("/d")).toBe(at("/a")); // unpackaged: follows what packages know of the inode
    expect((at("/c") as File).content).toBe(inode.content);
  });

  test("hard links restore what a copy took apart, through other hard links, and never go in circles", async () => {
    const { tree: after, report } = await apply(
      {
        "/z/America/NY": text("1"),
        "/z/US/Eastern": text("copy"),
        "/z/posixrules": text("copy"),
        "/x": text(),
        "/y": text(),
      },
      {
        p: `file path=z/America/NY mode=0444
hardlink path=z/US/Eastern target=../America/NY
hardlink path=z/posixrules target=US/Eastern
hardlink path=z/absolute target=/z/posixrules
hardlink path=x target=y
hardlink path=y target=x
hardlink path=z/lost target=nowhere`,
      },
    );
    for (const path of ["/z/US/Eastern", "/z/posixrules", "/z/absolute"]) {
      expect(lookup(after, path)).toBe(lookup(after, "/z/America/NY"));
    }
    expect(report.missing.map(({ path }) => path)).toEqual(["/x", "/y", "/z/lost"]);
    expect(lookup(after, "/x")?.type).toBe("file");
  });

  test("a file action on a symbolic link delivers a file, as pkgsend does; a payload word names another path", async () => {
    const { tree: after, report } = await apply(
      {
        "/real": text("payload"),
        "/link": symlink(BUILDER, "real"),
        "/dangling": symlink(BUILDER, "gone"),
        "/src/x": text("from elsewhere"),
      },
      {
        p: "file path=real mode=0400\nfile path=link mode=0555\nfile path=dangling\nfile src/x path=dst/x\ndir path=dst",
      },
    );
    const at = (path: string) => lookup(after, path) as File;
    expect([at("/link").type, at("/link").mode]).toEqual(["file", 0o555]);
    expect(at("/link").content).toBe(at("/real").content);
    expect(byteString(await readAll(at("/dst/x").content))).toBe("from elsewhere");
    expect(at("/dangling").type).toBe("symlink");
    expect(report.mismatches).toMatchObject([{ path: "/dangling", manifest: "file", tree: "symlink" }]);
  });

  test("another type of file in the tree stays and is reported", async () => {
    const { tree: after, report } = await apply(
      { "/bin": symlink(BUILDER, "usr/bin"), "/usr/bin/ls": text(), "/dir/x": text(), "/file": text() },
      {
        p: "dir path=bin\nfile path=bin/ls2\nlink path=bin/l target=ls\nfile path=dir\nlink path=dir/x target=y\ndir path=file\nlink path=usr target=x",
      },
    );
    expect(lookup(after, "/bin")?.type).toBe("symlink");
    expect(lookup(after, "/usr/bin/ls")?.type).toBe("file");
    expect(report.mismatches.map(({ path, manifest, tree: found }) => `${path} ${manifest} ${found}`).sort()).toEqual([
      "/bin dir symlink",
      "/bin/l link a parent that is no directory",
      "/dir file directory",
      "/file dir file",
      "/usr link directory",
    ]);
    expect(lookup(after, "/dir/x")?.type).toBe("symlink"); // what a link replaces is a name only
  });

  test.each([
    ["file path=a owner=nobody4", /p\.p5m:2: unknown user "nobody4"/],
    ["dir path=a group=wheel", /p\.p5m:2: unknown group "wheel"/],
    ["file path=a mode=0888", /p\.p5m:2: mode=0888 is no octal/],
    ["file path=a mode=17777", /p\.p5m:2: mode=17777/],
    ["file path=a timestamp=yesterday", /p\.p5m:2: timestamp=yesterday/],
    ["file path=../a", /p\.p5m:2: path \.\.\/a has \. or \.\./],
    ["link path=a", /p\.p5m:2: link without target=/],
    ["hardlink path=b", /p\.p5m:2: hardlink without target=/],
  ])("%s", async (line, message) => {
    await expect(apply({ "/a": text() }, { p: line })).rejects.toThrow(message);
  });

  test("paths are byte strings; slashes around and between do not matter", async () => {
    const applied = await apply(
      { "/caf\xc3\xa9": text(), "/a/b": text() },
      { p: "file path=caf\xc3\xa9\nfile path=//a//b/\ndir path=a/" },
    );
    expect(applied.report.unpackaged).toEqual([]);
    expect(applied.report.missing).toEqual([]);
  });

  test("user and group actions reach etc/passwd and owners", async () => {
    const nodes = { "/etc/passwd": text("root:x:0:0::/:\n"), "/etc/group": text("root::0:\n"), "/x": text() };
    const { tree: after, report } = await apply(nodes, {
      p: "file path=etc/passwd\nfile path=etc/group\ndir path=etc\nfile path=x owner=dladm group=netadm\ngroup groupname=netadm gid=65\nuser username=dladm uid=15 group=netadm gcos-field=G",
    });
    expect(lookup(after, "/x")).toMatchObject({ uid: 15, gid: 65 });
    const passwd = lookup(after, "/etc/passwd") as File;
    expect(byteString(await readAll(passwd.content))).toBe("root:x:0:0::/:\ndladm:x:15:65:G:/:\n");
    expect(passwd).toMatchObject({ mode: 0o644, uid: 0, gid: 2, mtimeSeconds: 500 });
    expect(report.accountsAdded).toEqual(["netadm", "dladm"]);
  });

  test("unknown types of action are named", async () => {
    const { report } = await apply(
      {},
      { p: "firmware hash path=x\nlicense a license=b\nlegacy pkg=SUNWx\nsignature a value=b" },
    );
    expect(report.unknownActions).toEqual([{ name: "firmware", file: "p.p5m", line: 2 }]);
    expect(report.actions).toMatchObject({ firmware: 1, license: 1, legacy: 1, signature: 1 });
  });
});

describe("several packages", () => {
  test("claims that disagree: the first package by name holds, both places are named", async () => {
    const { tree: after, report } = await apply(
      { "/a": text(), "/d/x": text() },
      {
        two: "file path=a mode=0600\ndir path=d mode=0700\nlink path=l target=2\ndir path=same",
        one: "file path=a mode=0644\ndir path=d group=sys\nlink path=l target=1\ndir path=same mode=755\nfile path=d/x",
        three: "link path=d/x target=a",
      },
    );
    expect(lookup(after, "/a")?.mode).toBe(0o644);
    expect(lookup(after, "/l")).toMatchObject({ target: "1" });
    expect(
      report.conflicts.map(
        ({ path, difference, kept, other }) => `${path} ${difference} ${kept.package} ${other.package}`,
      ),
    ).toEqual([
      "/d/x type: file, link one three",
      "/a mode: 0644, 0600 one two",
      "/d mode: 0755, 0700 one two",
      "/l target: 1, 2 one two",
    ]);
    await expect(
      apply({ "/a": text() }, { one: "file path=a", two: "file path=a mode=0600" }, { strict: true }),
    ).rejects.toThrow(
      /1 claimed differently by two manifests: \/a \(one\.p5m:2\), \/a \(two\.p5m:2\): mode: 0644, 0600/,
    );
  });

  test("mediated links: version, then implementation by name; a path with one candidate keeps it", async () => {
    const { tree: after, report } = await apply(
      { "/usr/lib/sendmail": symlink(BUILDER, "proto") },
      {
        mailwrapper: "link path=usr/lib/sendmail mediator=mta mediator-implementation=mailwrapper target=mailwrapper",
        postfix: "link path=usr/lib/sendmail mediator=mta mediator-implementation=postfix target=postfix",
        sendmail:
          "link path=usr/lib/sendmail mediator=mta mediator-implementation=sendmail target=smtp/sendmail\nlink path=etc/aliases mediator=mta mediator-implementation=sendmail target=mail/aliases",
        "perl-1": "link path=usr/bin/perl mediator=perl mediator-version=5.9 target=9",
        "perl-2": "link path=usr/bin/perl mediator=perl mediator-version=5.36 target=36",
        "perl-3": "link path=usr/bin/perl mediator=perl mediator-version=5.10 mediator-priority=vendor target=10",
      },
    );
    expect(lookup(after, "/usr/lib/sendmail")).toMatchObject({ target: "mailwrapper" });
    expect(lookup(after, "/usr/bin/perl")).toMatchObject({ target: "10" });
    expect(lookup(after, "/etc/aliases")).toMatchObject({ target: "mail/aliases" });
    expect(report.conflicts).toEqual([]);
    expect(
      report.mediated.map(({ path, mediator, chosen, others }) => [path, mediator, chosen.package, others.length]),
    ).toEqual([
      ["/usr/bin/perl", "perl", "perl-3", 2],
      ["/usr/lib/sendmail", "mta", "mailwrapper", 2],
    ]);
  });

  test("overlay", async () => {
    const { tree: after, report } = await apply(
      { "/a": text(), "/b": text() },
      {
        one: "file path=a overlay=allow\nfile path=b overlay=true mode=0600",
        two: "file path=a overlay=true mode=0600\nfile path=b overlay=allow",
      },
    );
    expect([lookup(after, "/a")?.mode, lookup(after, "/b")?.mode]).toEqual([0o600, 0o600]);
    expect(report.conflicts).toEqual([]);
  });
});

describe("facets and variants", () => {
  const nodes = {
    "/usr/share/man/man1/ls.1": text(),
    "/usr/bin/ls": text(),
    "/etc/zone": text(),
    "/usr/include/a.h": text(),
    "/dbg": text(),
  };
  const manifests = {
    p: `dir path=usr
dir path=usr/bin
dir path=usr/share
dir path=usr/share/man
dir path=usr/share/man/man1
file path=usr/share/man/man1/ls.1
file path=usr/bin/ls
file path=etc/zone variant.opensolaris.zone=nonglobal
dir path=etc
dir path=usr/include facet.devel=true
file path=usr/include/a.h facet.devel=true
file path=dbg variant.debug.illumos=true`,
  };
  const left = async (options: Partial<ManifestOptions>) => {
    const { tree: after, report } = await apply(nodes, manifests, options);
    return { paths: [...walk(after)].map(({ path }) => path), removed: report.removed };
  };

  test("what no action wants any more is removed; directories that are still wanted stay", async () => {
    expect(await left({})).toEqual({
      paths: [
        "/",
        "/etc",
        "/usr",
        "/usr/bin",
        "/usr/bin/ls",
        "/usr/include",
        "/usr/include/a.h",
        "/usr/share",
        "/usr/share/man",
        "/usr/share/man/man1",
        "/usr/share/man/man1/ls.1",
      ],
      removed: ["/dbg", "/etc/zone"],
    });
    expect((await left({ facets: { "doc.man": false, devel: false } })).paths).toEqual([
      "/",
      "/etc",
      "/usr",
      "/usr/bin",
      "/usr/bin/ls",
      "/usr/share",
      "/usr/share/man",
    ]);
    expect((await left({ facets: { "doc.*": false, "facet.doc.man": true } })).removed).toEqual(["/dbg", "/etc/zone"]);
    expect(
      (await left({ variants: { "opensolaris.zone": "nonglobal", "variant.debug.illumos": "true" } })).removed,
    ).toEqual([]);
  });

  test.each<[string, boolean]>([
    ["", true],
    ["variant.arch=i386", true],
    ["variant.arch=sparc", false],
    ["variant.arch=i386 variant.opensolaris.zone=nonglobal", false],
    ["variant.debug.x=false", true],
    ["variant.debug.x=true", false],
    ["variant.arch=i386 variant.arch=sparc", true],
    ["variant.arch=arm variant.arch=sparc", false],
    ["facet.doc=true", true],
    ["facet.off=true", false],
    ["facet.off=true facet.doc=true", true],
    ["facet.off=all facet.doc=true", false],
    ["facet.locale.de=true facet.locale.fr=true", false],
    ["facet.locale.de_CH=true", true],
    ["facet.debug.x=true", false],
    ["facet.optional.x=true", false],
  ])("%s: %s", (attributes, chosen) => {
    const choice = imageChoice("i386", {}, { off: false, "locale.*": false, "locale.de_*": true });
    expect(isChosen(parseActions(`file path=x ${attributes}`, "m")[0] as never, choice)).toBe(chosen);
  });
});

describe("selecting packages", () => {
  const manifests = {
    "system/kernel":
      "file path=unix\ndepend type=require fmri=pkg:/system/library@0.5.11\ndepend type=require fmri=runtime/java",
    "system/library": "file path=libc mode=0755\ndir path=lib\ndepend type=require-any fmri=pkg:/x/b fmri=pkg:/x/a",
    "x/a": "file path=a\ndepend type=optional fmri=x/b",
    "x/b": "file path=b",
    "x/c": "file path=lib/c\ndepend type=conditional predicate=x/a fmri=x/b",
    "old/name": "set name=pkg.renamed value=true\ndepend type=require fmri=x/b",
    sparc: "set name=variant.arch value=sparc\nfile path=sparc",
  };
  const names = (packages: string[], withDependencies = false) =>
    selectPackages(set(manifests), imageChoice(), { packages, withDependencies }).packages.map(({ name }) => name);

  test("by name, by the end of a name, by pattern, with dependencies", () => {
    expect(names(["system/kernel"])).toEqual(["system/kernel"]);
    expect(names(["pkg:/system/kernel@9"])).toEqual(["system/kernel"]);
    expect(names(["library", "c"])).toEqual(["system/library", "x/c"]);
    expect(names(["x/*"])).toEqual(["x/a", "x/b", "x/c"]);
    expect(names(["system/kernel"], true)).toEqual(["system/kernel", "system/library", "x/a"]);
    expect(names(["x/c", "x/a"], true)).toEqual(["x/a", "x/b", "x/c"]);
    expect(names(["x/c"], true)).toEqual(["x/c"]);
    expect(names(["old/name"])).toEqual(["old/name", "x/b"]);
    expect(names([])).toHaveLength(6);
  });

  test("names that are not there", () => {
    expect(() => names(["system/kernal"])).toThrow(
      /no package "system\/kernal" among the 6 manifests; did you mean system\/kernel\?/,
    );
    expect(() => names(["sparc"])).toThrow(/package "sparc" is not for this image \(variant\.arch=sparc\)/);
    expect(() =>
      selectPackages(set({ "a/x": "dir path=d", "b/x": "dir path=d" }), imageChoice(), { packages: ["x"] }),
    ).toThrow(/may be any of a\/x, b\/x/);
  });

  test("dependencies that nothing provides are named with their place", async () => {
    const nodes = { "/unix": text() };
    const { report } = await apply(nodes, manifests, { packages: ["system/kernel"] });
    expect(report.unprovided).toEqual([
      { package: "system/kernel", fmris: ["runtime/java"], file: "system-kernel.p5m", line: 4 },
    ]);
    await expect(apply(nodes, manifests, { packages: ["system/kernel"], strict: true })).rejects.toThrow(
      /1 dependencies that nothing provides: runtime\/java \(system-kernel\.p5m:4\)/,
    );
  });

  test("the image holds these packages only; directories on the way are what other packages say of them", async () => {
    const applied = await apply(
      { "/lib/c": text(), "/libc": text(), "/unix": text(), "/stray/x": text(), "/lib/other": text() },
      { ...manifests, dirs: "dir path=lib owner=sys group=sys mode=0711" },
      { packages: ["x/c", "system/kernel"] },
    );
    expect(show(applied)).toEqual([
      "/ directory 755 0:0 500",
      "/lib directory 711 3:3 500",
      "/lib/c file 644 0:2 500",
      "/unix file 644 0:2 500",
    ]);
    expect(applied.report.removed).toEqual(["/lib/other", "/libc", "/stray", "/stray/x"]);
    expect(applied.report.packages).toBe(2);
  });
});

test("an empty set of manifests leaves modes and makes all root's", async () => {
  const applied = await applyManifests(directory(BUILDER, new Map([["a", text()]])), readManifests([]), {
    timeSeconds: 1,
  });
  expect(show(applied)).toEqual(["/ directory 755 0:0 500", "/a file 644 0:0 500"]);
  expect(applied.drivers).toEqual([]);
});
