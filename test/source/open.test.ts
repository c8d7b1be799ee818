import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Content, ImageError, memoryContent, readAll } from "../../src/bytes/index.ts";
import { gunzipContent } from "../../src/gzip/index.ts";
import { layoutContent } from "../../src/layout/index.ts";
import { createHasher } from "../../src/node/hashing.ts";
import {
  isPackageDirectory,
  openPackageDirectory,
  openSource,
  planTar,
  recognizeArchive,
  type SourceOptions,
  treeFiles,
} from "../../src/source/index.ts";
import { pathsOf, treeOf } from "../../src/tree/index.ts";
import { fileAction, p5p, type RepositoryParts, repositoryTree } from "./repositories.ts";
import { attributes, bytes, text } from "./samples.ts";
import { cpio, join, zip } from "./writers.ts";

const OPTIONS: SourceOptions = { decompressors: { gzip: gunzipContent }, hashing: createHasher };
const gzip = async (content: Content) => memoryContent(new Uint8Array(gzipSync(await readAll(content))));

const tree = treeOf([["/usr/f", text("f")]], attributes);
const tar = () => layoutContent(planTar(tree));
const PARTS: RepositoryParts = { packages: { "a@1": [fileAction("usr/f", "f"), "driver name=d"] }, payloads: ["f"] };
const svr4Tree = treeOf(
  [
    ["/PKG/pkgmap", text("1 d none usr 0755 root sys\n1 f none usr/f 0644 root sys 1 102 5\n")],
    ["/PKG/pkginfo", text("PKG=PKG\n")],
    ["/PKG/reloc/usr/f", text("f")],
  ],
  attributes,
);
const datastream = () => {
  const pad = (part: Uint8Array) => join(part, new Uint8Array((512 - (part.length % 512)) % 512));
  const members = [
    { name: "pkgmap", body: "1 f none usr/f 0644 root sys 1 102 5\n" },
    { name: "reloc/usr/f", body: "f" },
  ];
  return memoryContent(
    join(
      pad(bytes("# PaCkAgE DaTaStReAm\nPKG 1 1\n# end of header\n")),
      pad(cpio("newc")),
      pad(cpio("newc", ...members)),
    ),
  );
};

describe("a source is known by its content", () => {
  test.each([
    ["tar", tar, ["tar"], 0],
    ["tar.gz", () => gzip(tar()), ["gzip", "tar"], 0],
    ["tar.gz.gz", async () => gzip(await gzip(tar())), ["gzip", "gzip", "tar"], 0],
    ["cpio.gz", () => gzip(memoryContent(cpio("newc", { name: "usr/f", body: "f" }))), ["gzip", "cpio"], 0],
    ["zip", () => zip({ name: "usr/f", body: "f" }), ["zip"], 0],
    ["p5p", () => p5p(PARTS), ["tar", "p5p", "ips"], 1],
    ["a repository in a tar", () => layoutContent(planTar(repositoryTree(PARTS))), ["tar", "ips"], 1],
    [
      "zap",
      () =>
        zip(
          { name: "PKG/pkgmap", body: "1 f none usr/f 0644 root sys 1 102 5\n" },
          { name: "PKG/reloc/usr/f", body: "f" },
        ),
      ["zip", "svr4"],
      1,
    ],
    ["a package in a tar", () => layoutContent(planTar(svr4Tree)), ["tar", "svr4"], 1],
    ["datastream", datastream, ["datastream", "svr4"], 1],
  ] as const)("%s", async (_, make, formats, packages) => {
    const source = await openSource(await make(), OPTIONS);
    expect(source.formats).toEqual(formats);
    expect(source.packages).toHaveLength(packages);
    expect(pathsOf(source.tree)).toContain("/usr/f");
  });
  test("directories: repositories and packages, or neither", async () => {
    expect((await openPackageDirectory(treeFiles(repositoryTree(PARTS)), OPTIONS)).formats).toEqual(["ips"]);
    expect((await openPackageDirectory(treeFiles(svr4Tree), OPTIONS)).formats).toEqual(["svr4"]);
    expect(await isPackageDirectory(treeFiles(svr4Tree))).toBe(true);
    expect(await isPackageDirectory(treeFiles(tree))).toBe(false);
  });
});

describe("what cannot be read", () => {
  const failure = (content: Content, options: Partial<SourceOptions> = {}): Promise<unknown> =>
    openSource(content, { ...OPTIONS, name: "base.tar", ...options }).catch((error: unknown) => error);
  test.each([
    ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "xz -dk base.tar"],
    ["bzip2", [0x42, 0x5a, 0x68, 0x39], "bzip2 -dk base.tar"],
    ["zstd", [0x28, 0xb5, 0x2f, 0xfd], "zstd -d base.tar"],
    ["compress", [0x1f, 0x9d, 0x90], "gzip -dk base.tar"],
  ])("%s: decompress first, and how", async (format, magic, command) => {
    const content = memoryContent(join(Uint8Array.from(magic), new Uint8Array(600)));
    expect(await recognizeArchive(content)).toBe(format);
    const error = await failure(content);
    expect(error).toBeInstanceOf(ImageError);
    expect(error).toMatchObject({
      code: "unsupported",
      message: expect.stringContaining(`decompress first: ${command}`),
    });
  });
  test("a decompressor that is handed down is used", async () => {
    const content = memoryContent(join(Uint8Array.of(0x42, 0x5a, 0x68), new Uint8Array(600)));
    const source = await openSource(content, {
      ...OPTIONS,
      decompressors: { gzip: gunzipContent, bzip2: () => tar() },
    });
    expect(source.formats).toEqual(["bzip2", "tar"]);
  });
  test.each([
    ["text", memoryContent(bytes("just text\n".repeat(100)))],
    ["nothing", memoryContent(new Uint8Array(0))],
    ["zeros", memoryContent(new Uint8Array(10240))],
  ])("%s", async (_, content) => {
    expect(await failure(content)).toMatchObject({
      code: "bad-format",
      message: expect.stringContaining("base.tar: no archive"),
    });
    expect(await failure(await gzip(content))).toMatchObject({ message: expect.stringContaining("(inside gzip)") });
  });
  test("compression in compression in compression", async () => {
    expect(await failure(await gzip(await gzip(await gzip(tar()))))).toMatchObject({ code: "bad-format" });
  });
});
