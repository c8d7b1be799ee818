import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageError, memoryContent, readAll } from "../../src/bytes/index.ts";
import { gunzipContent } from "../../src/gzip/index.ts";
import { createHasher } from "../../src/node/hashing.ts";
import { treeFiles } from "../../src/source/files.ts";
import { type IpsOptions, readIpsPackages } from "../../src/source/ips.ts";
import { openP5p } from "../../src/source/p5p.ts";
import { lookup, pathsOf } from "../../src/tree/index.ts";
import { fileAction, p5p, type RepositoryParts, repositoryTree, sha1 } from "./repositories.ts";
import { bytes, describeTree } from "./samples.ts";

const PASSWD = "root:x:0:0::/:\nlp:x:71:8::/:\n";
const GROUP = "root::0:\nbin::2:\nlp::8:\n";
const BIG = "0123456789abcdef".repeat(10_000);

const PARTS: RepositoryParts = {
  packages: {
    "system/core@1.0,5.11-2020.0.0:20200101T000000Z": [fileAction("etc/old", "old version")],
    "system/core@1.0,5.11-2021.0.0:20210331T123456Z": [
      "set name=variant.arch value=i386 value=sparc",
      "dir path=etc owner=root group=sys mode=0755",
      fileAction("etc/passwd", PASSWD),
      fileAction("etc/group", GROUP),
      fileAction("usr/bin/lp", "lp", "owner=lp group=lp mode=4555"),
      "hardlink path=usr/bin/lpr target=lp",
      "link path=usr/bin/print target=../bin/lp",
      fileAction("kernel/arch", "i386", "owner=root group=bin mode=0755 variant.arch=i386"),
      fileAction("kernel/arch", "sparc", "owner=root group=bin mode=0755 variant.arch=sparc"),
      fileAction("kernel/debug", "debug", "owner=root group=bin mode=0755 variant.debug.illumos=true"),
      fileAction("usr/share/man/lp.1", "manual", "owner=root group=bin mode=0444 facet.doc.man=true"),
      fileAction("etc/empty", "", "owner=root group=bin mode=0600 timestamp=19700101T000010Z"),
      "group groupname=mail gid=6",
      "user username=postfix uid=50 group=mail",
      fileAction("var/mail", "m", "owner=postfix group=mail mode=0600"),
      'driver name=lp alias="pci1,2" perms="* 0666 root sys"',
      "depend type=require fmri=pkg:/library/needed@1.0",
      "depend type=require fmri=pkg:/not/there",
      "legacy pkg=SUNWcore",
      "license cr_core license=x",
    ],
    "library/needed@2.0,5.11:20210101T000000Z": [
      "set name=pkg.renamed value=true",
      "depend type=require fmri=library/renamed",
    ],
    "library/renamed@3,5.11:20210101T000001Z": [
      fileAction("usr/lib/big", BIG),
      "link path=usr/bin/x target=x-1 mediator=x mediator-version=1",
    ],
    "library/other@1,5.11:20210101T000000Z": [
      fileAction("usr/lib/other", "other"),
      "link path=usr/bin/x target=x-2 mediator=x mediator-version=2",
    ],
    "gone@1,5.11:20210101T000000Z": ["set name=pkg.obsolete value=true"],
    "sparc/only@1,5.11:20210101T000000Z": ["set name=variant.arch value=sparc", fileAction("sparc", "sparc")],
  },
  payloads: [PASSWD, GROUP, "lp", "i386", "sparc", "manual", "", "m", BIG, "other", "debug", "old version"],
};
const OPTIONS: IpsOptions = { gunzip: gunzipContent, hashing: createHasher };
const read = (parts: RepositoryParts, options: Partial<IpsOptions> = {}) =>
  readIpsPackages(treeFiles(repositoryTree(parts)), { ...OPTIONS, ...options });

describe("a repository", () => {
  test("one package, with what it needs", async () => {
    const { tree, packages, actions, warnings, report } = await read(PARTS, { packages: ["core"] });
    expect(packages).toEqual([
      "pkg:/library/needed@2.0,5.11:20210101T000000Z",
      "pkg:/library/renamed@3,5.11:20210101T000001Z",
      "pkg:/system/core@1.0,5.11-2021.0.0:20210331T123456Z",
    ]);
    const published = Date.UTC(2021, 2, 31, 12, 34, 56) / 1000;
    expect(await describeTree(tree)).toMatchObject({
      "/etc": { mode: 0o755, uid: 0, gid: 3 },
      "/etc/group": { mode: 0o644, gid: 2, mtimeSeconds: published },
      "/etc/empty": { mode: 0o600, content: "", mtimeSeconds: 10 },
      "/usr/bin/lp": { mode: 0o4555, uid: 71, gid: 8, content: "lp" },
      "/usr/bin/lpr": { sameAs: "/usr/bin/lp" },
      "/usr/bin/print": { target: "../bin/lp", mode: 0o777, mtimeSeconds: published },
      "/usr/bin/x": { target: "x-1" },
      "/kernel/arch": { content: "i386" },
      "/usr/share/man/lp.1": { content: "manual", mode: 0o444 },
      "/var/mail": { uid: 50, gid: 6 },
      "/usr/lib/big": { content: BIG },
    });
    expect(pathsOf(tree).filter((path) => /old|other|debug|sparc|[0-9a-f]{40}/.test(path))).toEqual([]);
    expect(actions.map(({ name }) => name).sort()).toEqual(["driver", "group", "user"]);
    expect(warnings.map(({ code, path }) => `${code} ${path}`)).toEqual(["missing-dependency system/core"]);
    expect(report.removed).toEqual([]);
    expect(report.accountsAdded).toEqual(["mail", "postfix"]);
  });
  test("everything: mediators choose, obsolete packages are named", async () => {
    const { tree, warnings, report } = await read(PARTS);
    expect(lookup(tree, "/usr/bin/x")).toMatchObject({ target: "x-2" });
    expect(lookup(tree, "/usr/lib/other")).toBeDefined();
    expect(lookup(tree, "/sparc")).toBeUndefined();
    expect(warnings.map(({ code, path }) => `${code} ${path}`)).toContain("obsolete gone");
    expect(report.mediated).toHaveLength(1);
  });
  test("variants and facets", async () => {
    const { tree } = await read(PARTS, {
      packages: ["system/core"],
      architecture: "sparc",
      facets: { "doc.man": false },
      variants: { "debug.illumos": "true" },
    });
    expect(await describeTree(tree)).toMatchObject({
      "/kernel/arch": { content: "sparc" },
      "/kernel/debug": { content: "debug" },
    });
    expect(lookup(tree, "/usr/share/man/lp.1")).toBeUndefined();
  });
  test("accounts of the layers below serve, and stay there", async () => {
    const parts: RepositoryParts = {
      packages: { "a@1": [fileAction("a", "a", "owner=lp group=lp mode=0644"), "user username=me group=lp uid=7"] },
      payloads: ["a"],
    };
    await expect(read(parts)).rejects.toMatchObject({ code: "not-found", message: expect.stringContaining('"lp"') });
    const { tree, actions } = await read(parts, { accountFiles: { passwd: PASSWD, group: GROUP, shadow: "x" } });
    expect(pathsOf(tree)).toEqual(["/", "/a"]);
    expect(lookup(tree, "/a")).toMatchObject({ uid: 71, gid: 8 });
    expect(actions).toHaveLength(1);
  });
  test.each(["V0", "V1"] as const)("files in the layout %s, the repository of version 3", async (layout) => {
    const { tree } = await read({ ...PARTS, layout, version: "3" }, { packages: ["library/other"] });
    expect(await describeTree(tree)).toMatchObject({ "/usr/lib/other": { content: "other" } });
  });
  test("of two publishers with one package the default one's is taken, or the one asked for", async () => {
    const of = (publisher: string): RepositoryParts => ({
      publisher,
      packages: { "a@1": [fileAction("a", publisher)] },
      payloads: [publisher],
    });
    const both = new Map([...repositoryTree(of("zzz")).entries, ...repositoryTree(of("aaa")).entries]);
    const merged = repositoryTree(of("zzz"));
    const publishers = merged.entries.get("publisher");
    const other = both.get("publisher");
    if (publishers?.type !== "directory" || other?.type !== "directory") throw new Error("no publishers");
    const files = treeFiles({
      ...merged,
      entries: new Map([
        ...merged.entries,
        ["publisher", { ...publishers, entries: new Map([...publishers.entries, ...other.entries]) }],
      ]),
    });
    const content = async (publisher?: string) =>
      (await describeTree((await readIpsPackages(files, { ...OPTIONS, publisher })).tree))["/a"];
    expect(await content()).toMatchObject({ content: "zzz" });
    expect(await content("aaa")).toMatchObject({ content: "aaa" });
    await expect(content("bbb")).rejects.toMatchObject({ code: "not-found", message: expect.stringContaining("zzz") });
  });
  test("a payload without pkg.size: the gzip trailer knows", async () => {
    const line = fileAction("a", "twelve bytes").replace(/ pkg\.size=\d+/, "");
    const { tree } = await read({ packages: { "a@1": [line] }, payloads: ["twelve bytes"] });
    expect(await describeTree(tree)).toMatchObject({ "/a": { content: "twelve bytes" } });
  });
  test("the SHA-1 is checked where there is no better hash", async () => {
    const line = fileAction("a", "good").replace(/ pkg\.content-hash=\S+/, "");
    const bad = await read({ packages: { "a@1": [line] }, payloads: [["good", new Uint8Array(gzipSync("evil"))]] });
    await expect(describeTree(bad.tree)).rejects.toMatchObject({
      code: "bad-format",
      message: expect.stringContaining("sha1"),
    });
  });
});

describe("bad input", () => {
  const one = (line: string, payloads: RepositoryParts["payloads"] = ["good"]): RepositoryParts => ({
    packages: { "some/pkg@1": [line] },
    payloads,
  });
  const good = fileAction("usr/good", "good");
  test.each([
    [
      "another content",
      one(good, [["good", new Uint8Array(gzipSync("evil"))]]),
      "bad-format",
      "package some/pkg: /usr/good: its payload",
    ],
    [
      "another size",
      one(good, [["good", new Uint8Array(gzipSync("better"))]]),
      "bad-format",
      "package some/pkg: /usr/good: unpacks to 6",
    ],
    [
      "no gzip",
      one(good, [["good", bytes("good, but not packed at all, and longer")]]),
      "bad-format",
      "package some/pkg: /usr/good: ",
    ],
    [
      "a payload cut off",
      one(good, [["good", new Uint8Array(gzipSync("good")).subarray(0, 15)]]),
      "bad-format",
      "package some/pkg: /usr/good: ",
    ],
    ["no payload", one(good, []), "not-found", `/usr/good: its payload ${sha1("good")} is not in the repository`],
    [
      "a manifest of a gate",
      one("file path=usr/good owner=root group=bin mode=0644"),
      "bad-format",
      ":2: file without the hash",
    ],
    [
      "a hash that is a path",
      one("file ../../../../etc/shadow path=x owner=root group=bin mode=0644"),
      "bad-format",
      ":2: file without the hash",
    ],
    ["a syntax error", one("file path=usr/good owner"), "bad-format", "publisher/test/pkg/some%2Fpkg/1:2: "],
    ["a path out", one(fileAction("../../etc/passwd", "good")), "bad-format", ".."],
    [
      "an endless path",
      one(`dir path=${"a/".repeat(100_000)} owner=root group=bin mode=0755`),
      "limit",
      "at most 4096",
    ],
    [
      "an unknown owner",
      one(fileAction("a", "good", "owner=nobody_here group=bin mode=0644")),
      "not-found",
      "nobody_here",
    ],
    ["another version", { ...one(good), version: "5" }, "unsupported", "version 5"],
    ["no package", { packages: {}, payloads: [] }, "bad-format", "no package"],
  ])("%s", async (_, parts, code, message) => {
    const error: unknown = await read(parts)
      .then(({ tree }) => describeTree(tree))
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ImageError);
    expect((error as ImageError).message).toContain(message);
    expect(error).toMatchObject({
      code:
        message.includes("/usr/good: ") && code === "bad-format"
          ? expect.stringMatching(/bad-format|truncated|unsupported/)
          : code,
    });
  });
  test("a package that is not there: the nearest names; one for another architecture", async () => {
    await expect(read(PARTS, { packages: ["library/othre"] })).rejects.toMatchObject({
      code: "not-found",
      message: expect.stringContaining("library/other"),
    });
    await expect(read(PARTS, { packages: ["sparc/only"] })).rejects.toMatchObject({
      code: "not-found",
      message: expect.stringContaining("not for this image"),
    });
  });
  test("no repository", async () => {
    await expect(readIpsPackages({ read: async () => undefined, list: async () => [] }, OPTIONS)).rejects.toMatchObject(
      { code: "bad-format" },
    );
  });
});

describe("package archives", () => {
  test("with their index, only what is wanted is read", async () => {
    const whole = p5p(PARTS);
    let bytesRead = 0;
    const counted = {
      sizeBytes: whole.sizeBytes,
      read: (target: Uint8Array, offset: number) => {
        bytesRead += target.length;
        return whole.read(target, offset);
      },
    };
    const { files, tree: readWhole, warnings } = await openP5p(counted, gunzipContent);
    expect({ readWhole, warnings }).toEqual({ readWhole: undefined, warnings: [] });
    const { tree } = await readIpsPackages(files, { ...OPTIONS, packages: ["system/core"] });
    expect(await describeTree(tree)).toEqual(
      await describeTree((await read(PARTS, { packages: ["system/core"] })).tree),
    );
    const before = bytesRead;
    await readIpsPackages(files, { ...OPTIONS, packages: ["gone"] });
    expect(bytesRead - before).toBeLessThan(20_000);
  });
  test("without index, or with one that is damaged, from end to end", async () => {
    const expected = await describeTree((await read(PARTS)).tree);
    for (const change of [
      (index: string) => `${index}half`,
      (index: string) => index.replace(/\0(\d+)\0/, "\0$17\0"),
    ]) {
      const { files, tree, warnings } = await openP5p(p5p(PARTS, change), gunzipContent);
      expect(tree).toBeDefined();
      expect(warnings.map(({ code }) => code)).toEqual(["damaged-index"]);
      expect(await describeTree((await readIpsPackages(files, OPTIONS)).tree)).toEqual(expected);
    }
    const image = await readAll(p5p(PARTS));
    const firstMember = 1024 + 512 + Math.ceil(gzipSyncLength(image) / 512) * 512;
    const bare = await openP5p(memoryContent(image.subarray(firstMember)), gunzipContent);
    expect(bare.tree).toBeDefined();
    expect(await describeTree((await readIpsPackages(bare.files, OPTIONS)).tree)).toEqual(expected);
  });
  test("an index that lies is an error that names the member", async () => {
    const shifted = p5p(PARTS, (index) =>
      index.replace(/(pkg5\.repository)\0(\d+)/, (_, name, offset) => `${name}\0${Number(offset) + 512}`),
    );
    const { files } = await openP5p(shifted, gunzipContent);
    await expect(readIpsPackages(files, OPTIONS)).rejects.toMatchObject({
      code: "bad-format",
      message: expect.stringContaining("pkg5.repository"),
    });
  });
  test("changed bytes give packages or an ImageError", async () => {
    const good = await readAll(
      p5p({
        packages: { "a@1": [fileAction("a", "good"), "dir path=d owner=root group=bin mode=0755"] },
        payloads: ["good"],
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat(), async (changes, cut) => {
        const image = good.slice(0, good.length - (cut % 3 === 0 ? cut % 5000 : 0));
        for (const [at, value] of changes) image[at % image.length] = value;
        try {
          const { files } = await openP5p(memoryContent(image), gunzipContent);
          await describeTree((await readIpsPackages(files, OPTIONS)).tree);
        } catch (error) {
          if (!(error instanceof ImageError)) throw error;
        }
      }),
      { numRuns: 200 },
    );
  });
});

/** The size in the header of the first member: after its pax header and that one's data. */
function gzipSyncLength(image: Uint8Array): number {
  return Number.parseInt(Buffer.from(image.subarray(1024 + 124, 1024 + 135)).toString(), 8);
}
