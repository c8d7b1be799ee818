import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Content, ImageError, memoryContent, readAll, toText } from "../../src/bytes/index.ts";
import { layoutBytes, layoutContent } from "../../src/layout/index.ts";
import { type TarHeader, tarHeader, USTAR_MAGIC } from "../../src/source/format-tar.ts";
import { readTar } from "../../src/source/tar.ts";
import { formatPaxRecords, parsePaxRecords } from "../../src/source/tar-pax.ts";
import { planTar } from "../../src/source/tar-plan.ts";
import { directory, file, lookup, pathsOf, special, treeOf } from "../../src/tree/index.ts";
import { attributes, bytes, describeTree, text, treeArbitrary } from "./samples.ts";

interface Part extends Partial<TarHeader> {
  readonly body?: string;
}

/** An archive put together by hand, so that it can be as wrong as one likes. Sizes follow the body unless given. */
function archive(...parts: Part[]): Content {
  const blocks: Uint8Array[] = [];
  for (const { body = "", ...fields } of parts) {
    const block = new Uint8Array(512);
    const values = { mode: 0o644, magic: USTAR_MAGIC, typeflag: "0", size: body.length, mtime: 5, ...fields };
    tarHeader.encode(values, block);
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.set(bytes(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    const data = new Uint8Array(Math.ceil(body.length / 512) * 512);
    data.set(bytes(body));
    blocks.push(block, data);
  }
  blocks.push(new Uint8Array(1024));
  return memoryContent(new Uint8Array(Buffer.concat(blocks)));
}

const pax = (...records: [string, string][]): Part => ({ name: "x", typeflag: "x", body: formatPaxRecords(records) });
const failure = (content: Content) =>
  readTar(content).then(
    () => "read",
    (error: unknown) => error,
  );

describe("what is written is read", () => {
  test("any tree", async () => {
    await fc.assert(
      fc.asyncProperty(treeArbitrary({ extremes: true }), async (tree) => {
        const layout = planTar(tree);
        const { tree: back, warnings } = await readTar(layoutContent(layout));
        expect(await describeTree(back)).toEqual(await describeTree(tree));
        expect(warnings).toEqual([]);
        expect(layout.sizeBytes % 10240).toBe(0);
        expect(Buffer.compare(await layoutBytes(planTar(back)), await layoutBytes(layout))).toBe(0);
      }),
      { numRuns: 80 },
    );
  });
  test("names around the borders of the two name fields", async () => {
    for (let length = 95; length <= 262; length++) {
      const path = `/${"d".repeat(length - 98 > 0 ? length - 98 : 3)}/${"n".repeat(96)}`;
      const tree = treeOf(
        [
          [path, text("x")],
          [`${path}d/`, directory(attributes)],
        ],
        attributes,
      );
      expect(pathsOf((await readTar(layoutContent(planTar(tree)))).tree)).toEqual(pathsOf(tree));
    }
  });
  test("a file of 9 GiB needs a pax header, and nothing of it is read", async () => {
    let reads = 0;
    const huge: Content = { sizeBytes: 9 * 2 ** 30, read: async () => void reads++ };
    const layout = planTar(
      treeOf(
        [
          ["/huge", file(attributes, huge)],
          ["/next", text("n")],
        ],
        attributes,
      ),
    );
    const { tree } = await readTar(layoutContent(layout));
    expect(lookup(tree, "/huge")).toMatchObject({ content: { sizeBytes: 9 * 2 ** 30 } });
    expect(pathsOf(tree)).toEqual(["/", "/huge", "/next"]);
    expect(reads).toBeLessThan(3); // the windows around the headers
  });
  test("sockets cannot be written", () => {
    const tree = treeOf([["/s", special(attributes, "socket")]], attributes);
    expect(() => planTar(tree)).toThrow(expect.objectContaining({ code: "unsupported", path: "/s" }));
  });
});

describe("dialects", () => {
  test("V7: no magic, directories by their slash, a blank-padded checksum", async () => {
    const { tree } = await readTar(
      archive(
        { name: "d/", typeflag: "", magic: "", mode: 0o755 },
        { name: "d/f", typeflag: "", magic: "", body: "v7" },
        { name: "d/l", typeflag: "1", magic: "", linkname: "d/f" },
      ),
    );
    expect(await describeTree(tree)).toMatchObject({
      "/d": { type: "directory", mode: 0o755 },
      "/d/f": { content: "v7", mtimeSeconds: 5 },
      "/d/l": { sameAs: "/d/f" },
    });
  });
  test("Solaris: X headers with SUN.dev*, A and E members left out with a warning", async () => {
    const { tree, warnings } = await readTar(
      archive(
        { name: "acl", typeflag: "A", body: "user:rwx" },
        { ...pax(["path", "dev/long"], ["SUN.devmajor", "300000"], ["SUN.devminor", "7"]), typeflag: "X" },
        { name: "short", typeflag: "3" },
        { name: "/dev/null/attr.hdr", typeflag: "E", body: "header" },
        { name: "/dev/null/attr.", typeflag: "E", body: "attribute" },
        { name: "last", body: "end" },
      ),
    );
    expect(await describeTree(tree)).toMatchObject({
      "/dev/long": { type: "character", device: [300000, 7] },
      "/last": { content: "end" },
    });
    expect(warnings.map(({ code, count }) => [code, count])).toEqual([
      ["attributes-dropped", 1],
      ["attributes-dropped", 2],
    ]);
  });
  test("pax: global values, values that a member takes back, fractions, deletion", async () => {
    const { tree } = await readTar(
      archive(
        {
          name: "g",
          typeflag: "g",
          body: formatPaxRecords([
            ["uid", "77"],
            ["mtime", "12.9"],
          ]),
        },
        { name: "a", body: "a", uid: 5 },
        pax(["uid", "88"], ["gid", "9"], ["mtime", "-1.5"]),
        { name: "b", body: "b" },
        pax(["uid", ""]),
        { name: "c", uid: 6 },
      ),
    );
    expect(await describeTree(tree)).toMatchObject({
      "/a": { uid: 77, mtimeSeconds: 12 },
      "/b": { uid: 88, gid: 9, mtimeSeconds: -2 },
      "/c": { uid: 6 },
    });
  });
  test("GNU: long names and links, base 256, sparse S, dump directories", async () => {
    const long = `${"n".repeat(120)}/${"m".repeat(120)}`;
    const sparse = archive({ name: "holes", typeflag: "S", magic: "ustar  ", body: "headTAIL" });
    const block = await readAll(sparse);
    // Two pieces, 512 apart, of a file of 600 bytes (offsets of the old GNU header: 386, 12 digits each, real size 483).
    for (const [at, value] of [
      [386, 0],
      [398, 4],
      [410, 512],
      [422, 4],
      [483, 600],
    ] as const) {
      block.set(bytes(`${value.toString(8).padStart(11, "0")}\0`), at);
    }
    block.fill(0x20, 148, 156);
    block.set(
      bytes(
        `${block
          .subarray(0, 512)
          .reduce((a, b) => a + b, 0)
          .toString(8)
          .padStart(6, "0")}\0 `,
      ),
      148,
    );
    const first = await readAll(
      archive(
        { name: "././@LongLink", typeflag: "L", body: `${long}\0` },
        { name: "n", body: "long", mtime: -7, uid: 2 ** 21 },
        { name: "././@LongLink", typeflag: "K", body: `${long}\0` },
        { name: "link", typeflag: "2", linkname: "n" },
        { name: "dump", typeflag: "D", body: "Yfile\0\0" },
      ),
    );
    const { tree, warnings } = await readTar(
      memoryContent(new Uint8Array(Buffer.concat([first.subarray(0, -1024), block]))),
    );
    const described = await describeTree(tree);
    expect(described).toMatchObject({
      [`/${long}`]: { content: "long", mtimeSeconds: -7, uid: 2 ** 21 },
      "/link": { target: long },
      "/dump": { type: "directory" },
      "/holes": { content: `head${"\0".repeat(508)}TAIL${"\0".repeat(84)}` },
    });
    expect(warnings).toEqual([]);
    const holes = lookup(tree, "/holes");
    expect(holes?.type === "file" && holes.content.dataRanges).toEqual([
      { offset: 0, length: 4 },
      { offset: 512, length: 4 },
    ]);
  });
  test("GNU sparse in pax: formats 0.0, 0.1 and 1.0", async () => {
    const map10 = "2\n0\n4\n1000\n4\n".padEnd(512, "\0");
    const { tree } = await readTar(
      archive(
        pax(
          ["GNU.sparse.size", "1004"],
          ["GNU.sparse.numblocks", "2"],
          ...(
            [
              ["offset", "0"],
              ["numbytes", "4"],
              ["offset", "1000"],
              ["numbytes", "4"],
            ] as const
          ).map(([key, value]): [string, string] => [`GNU.sparse.${key}`, value]),
        ),
        { name: "v00", body: "headTAIL" },
        pax(["GNU.sparse.size", "1004"], ["GNU.sparse.map", "0,4,1000,4"], ["GNU.sparse.name", "v01"]),
        { name: "GNUSparseFile.0/v01", body: "headTAIL" },
        pax(
          ["GNU.sparse.major", "1"],
          ["GNU.sparse.minor", "0"],
          ["GNU.sparse.name", "v10"],
          ["GNU.sparse.realsize", "1004"],
        ),
        { name: "GNUSparseFile.0/v10", body: `${map10}headTAIL` },
      ),
    );
    const content = `head${"\0".repeat(996)}TAIL`;
    expect(await describeTree(tree)).toMatchObject({ "/v00": { content }, "/v01": { content }, "/v10": { content } });
  });
  test("hard links: to what comes later, to links, with the content repeated", async () => {
    const { tree } = await readTar(
      archive(
        { name: "early", typeflag: "1", linkname: "chain" },
        { name: "chain", typeflag: "1", linkname: "./real" },
        { name: "real", body: "data" },
        { name: "again", typeflag: "1", linkname: "real", body: "data" },
        { name: "old", typeflag: "1", linkname: "real", size: 4 },
        { name: "after", body: "x" },
      ),
    );
    const real = lookup(tree, "/real");
    for (const path of ["/early", "/chain", "/again", "/old"]) expect(lookup(tree, path)).toBe(real);
    expect(lookup(tree, "/after")).toBeDefined();
  });
  test("user names count when somebody knows them", async () => {
    const accounts = { users: new Map([["lp", 71]]), groups: new Map() };
    const content = archive({ name: "a", uname: "lp", uid: 7, gid: 7 }, { name: "b", uname: "me", uid: 1001 });
    const uids = async (options: Parameters<typeof readTar>[1]) =>
      [...(await readTar(content, options)).tree.entries.values()].map(({ uid, gid }) => [uid, gid]);
    expect(await uids({ accounts })).toEqual([
      [71, 7],
      [1001, 0],
    ]);
    expect(await uids({})).toEqual([
      [7, 7],
      [1001, 0],
    ]);
  });
});

describe("hostile archives", () => {
  const cases: readonly [string, Content, string][] = [
    ["..", archive({ name: "../../etc/passwd" }), "bad-format"],
    [".. inside", archive({ name: "a/../../b" }), "bad-format"],
    [".. in pax", archive(pax(["path", "x/../../../b"]), { name: "b" }), "bad-format"],
    ["NUL in pax", archive(pax(["path", "a\0b"]), { name: "b" }), "bad-format"],
    [
      "a file below a symbolic link",
      archive({ name: "l", typeflag: "2", linkname: "/etc" }, { name: "l/passwd" }),
      "wrong-type",
    ],
    ["a file below a file", archive({ name: "f" }, { name: "f/g" }), "wrong-type"],
    ["a file over a full directory", archive({ name: "d/f" }, { name: "d" }), "conflict"],
    ["a hard link to nowhere", archive({ name: "l", typeflag: "1", linkname: "none" }), "not-found"],
    ["a hard link out", archive({ name: "l", typeflag: "1", linkname: "../../etc/shadow" }), "bad-format"],
    ["a hard link to itself", archive({ name: "l", typeflag: "1", linkname: "l" }), "not-found"],
    [
      "hard links in a ring",
      archive({ name: "a", typeflag: "1", linkname: "b" }, { name: "b", typeflag: "1", linkname: "a" }),
      "not-found",
    ],
    [
      "a hard link to a directory",
      archive({ name: "d/", typeflag: "5" }, { name: "l", typeflag: "1", linkname: "d" }),
      "not-found",
    ],
    ["more than there is", archive({ name: "f", size: 8 ** 11 - 1 }), "truncated"],
    ["more than a number holds", archive(pax(["size", "99999999999999999999"]), { name: "f" }), "bad-format"],
    ["a negative size", archive(pax(["size", "-1"]), { name: "f" }), "bad-format"],
    ["a file as the root", archive({ name: "./", typeflag: "2" }), "wrong-type"],
    ["endless depth", archive(pax(["path", "a/".repeat(300_000)]), { name: "f" }), "limit"],
    [
      "an endless extended header",
      archive({ name: "x", typeflag: "x", body: `1048600 path=${"a".repeat(2 ** 20)}` }),
      "limit",
    ],
    [
      "a record that is longer than its header",
      archive({ name: "x", typeflag: "x", body: "99 path=a\n" }, { name: "f" }),
      "bad-format",
    ],
    ["a part of several volumes", archive({ name: "f", typeflag: "M", body: "x" }), "unsupported"],
    [
      "a sparse map out of order",
      archive(pax(["GNU.sparse.map", "8,4,0,4"], ["GNU.sparse.size", "100"]), { name: "f", body: "12345678" }),
      "bad-format",
    ],
    [
      "a sparse map beyond its data",
      archive(pax(["GNU.sparse.map", "0,900000000"], ["GNU.sparse.size", "900000000"]), { name: "f", body: "1" }),
      "bad-format",
    ],
    [
      "a sparse map without an end",
      archive(pax(["GNU.sparse.major", "1"]), { name: "f", body: "9000\n1\n" }),
      "truncated",
    ],
  ];
  test.each(cases)("%s is an error", async (_, content, code) => {
    const error = await failure(content);
    expect(error).toBeInstanceOf(ImageError);
    expect(error).toMatchObject({ code });
  });
  test("an absolute name is taken as relative, links out are only text", async () => {
    const { tree, warnings } = await readTar(
      archive(
        { name: "/etc/passwd", body: "x" },
        { name: "/etc/group" },
        { name: "out", typeflag: "2", linkname: "../../../etc/shadow" },
      ),
    );
    expect(pathsOf(tree)).toEqual(["/", "/etc", "/etc/group", "/etc/passwd", "/out"]);
    expect(lookup(tree, "/out")).toMatchObject({ target: "../../../etc/shadow" });
    expect(warnings).toEqual([
      { code: "absolute-name", path: "/etc/passwd", message: expect.stringContaining("and 1 more"), count: 2 },
    ]);
  });
  test("a name that comes twice: the last one counts, with a warning", async () => {
    const { tree, warnings } = await readTar(archive({ name: "f", body: "1" }, { name: "f", body: "22" }));
    expect(await describeTree(tree)).toMatchObject({ "/f": { content: "22" } });
    expect(warnings.map(({ code }) => code)).toEqual(["replaced"]);
  });
  test("members after the end mark are reported", async () => {
    const one = await readAll(archive({ name: "a" }));
    const joined = memoryContent(new Uint8Array(Buffer.concat([one, await readAll(archive({ name: "b" }))])));
    const at512 = memoryContent(
      new Uint8Array(Buffer.concat([one.subarray(0, -512), await readAll(archive({ name: "b" }))])),
    );
    expect((await readTar(joined)).warnings).toEqual([]); // two blocks of zeros: a true end
    expect((await readTar(at512)).warnings.map(({ code }) => code)).toEqual(["trailing-data"]);
  });
  test("five thousand links in a chain, backwards, in linear time", async () => {
    const count = 5000;
    const parts = Array.from(
      { length: count },
      (_, i): Part => ({ name: `l${i}`, typeflag: "1", linkname: `l${i + 1}` }),
    );
    const { tree } = await readTar(archive(...parts, { name: `l${count}`, body: "end" }));
    expect(lookup(tree, "/l0")).toBe(lookup(tree, `/l${count}`));
  }, 10_000);
});

describe("any bytes give a tree or an ImageError", () => {
  const settle = async (content: Content): Promise<void> => {
    try {
      const { tree } = await readTar(content);
      for (const path of pathsOf(tree)) expect(path).not.toMatch(/(^|\/)\.\.(\/|$)/);
      await describeTree(tree);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
    }
  };
  test("random blocks with right checksums", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            name: fc.stringMatching(/^[a-c./]{0,20}$/),
            typeflag: fc.constantFrom(..."01234567xXgLKSDAEMVN?", ""),
            linkname: fc.stringMatching(/^[a-c./]{0,10}$/),
            body: fc.oneof(
              fc.stringMatching(/^[0-9a-z =\n]{0,600}$/),
              fc.constant("22 GNU.sparse.major=1\n30 GNU.sparse.map=0,1,2,1,9,9\n"),
            ),
            size: fc.oneof(fc.nat(700), fc.constant(2 ** 40)),
            magic: fc.constantFrom(USTAR_MAGIC, "ustar  ", ""),
          }),
          { maxLength: 8 },
        ),
        async (parts) => settle(archive(...parts)),
      ),
      { numRuns: 400 },
    );
  });
  test("a good archive with bytes changed or cut off", async () => {
    await fc.assert(
      fc.asyncProperty(
        treeArbitrary({ extremes: true }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
        fc.boolean(),
        async (tree, changes, cut, fixChecksums) => {
          const image = await layoutBytes(planTar(tree));
          for (const [at, value] of changes) image[at % image.length] = value;
          if (fixChecksums) {
            for (let at = 0; at < image.length; at += 512) {
              const block = image.subarray(at, at + 512);
              if (block[257] !== 0x75) continue;
              block.fill(0x20, 148, 156);
              block.set(
                bytes(
                  `${block
                    .reduce((a, b) => a + b, 0)
                    .toString(8)
                    .padStart(6, "0")}\0 `,
                ),
                148,
              );
            }
          }
          await settle(memoryContent(image.subarray(0, image.length - (cut % 1500))));
        },
      ),
      { numRuns: 100 },
    );
  });
});

test("pax records count their own length", () => {
  for (const length of [1, 5, 85, 86, 87, 88, 89, 985, 986, 987, 988, 9983, 9984, 9985]) {
    const records: [string, string][] = [
      ["path", "p".repeat(length)],
      ["a", ""],
    ];
    expect(parsePaxRecords(bytes(formatPaxRecords(records)), "x")).toEqual(records);
  }
  expect(formatPaxRecords([["path", "a"]])).toBe("9 path=a\n");
  expect(formatPaxRecords([["path", "ab"]])).toBe("11 path=ab\n"); // ten bytes with one digit, so two digits
});

test("toText of a warning's path is safe for terminals", () => {
  expect(toText("a\x1b[2J")).toBe("a\\x1b[2J");
});
