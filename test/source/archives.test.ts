import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Content, ImageError, memoryContent, readAll } from "../../src/bytes/index.ts";
import { gunzipContent } from "../../src/gzip/index.ts";
import { readCpio } from "../../src/source/cpio.ts";
import { readDatastream } from "../../src/source/datastream.ts";
import type { Source } from "../../src/source/source.ts";
import { unpackCache, unpackedContent } from "../../src/source/unpacked.ts";
import { systemVSum } from "../../src/source/verified.ts";
import { readZip } from "../../src/source/zip.ts";
import { lookup } from "../../src/tree/index.ts";
import { bytes, describeTree } from "./samples.ts";
import { type CpioMember, cpio, join, zip } from "./writers.ts";

const FIFO = 0o010644;
const CHARACTER = 0o020600;
const DIRECTORY = 0o040755;
const LINK = 0o120777;

/** Reads everything, contents too: a tree, or an ImageError; anything else fails. */
async function settle(reading: () => Promise<Source>): Promise<"read" | ImageError> {
  try {
    await describeTree((await reading()).tree);
    return "read";
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
}

describe("cpio", () => {
  const members: CpioMember[] = [
    { name: ".", mode: DIRECTORY },
    { name: "./d", mode: DIRECTORY },
    { name: "d/file", body: "content", mode: 0o104755 },
    { name: "d/link", body: "../target", mode: LINK },
    { name: "fifo", mode: FIFO },
    { name: "device", mode: CHARACTER, rdev: [13, 12] },
  ];
  test.each(["odc", "newc", "crc"] as const)("%s", async (format) => {
    const { tree, warnings, endOffset } = await readCpio(
      memoryContent(join("xxxx", cpio(format, ...members), "after")),
      4,
    );
    expect(await describeTree(tree)).toMatchObject({
      "/": { mode: 0o755, uid: 1, gid: 2, mtimeSeconds: 5 },
      "/d/file": { content: "content", mode: 0o4755, uid: 1, gid: 2, mtimeSeconds: 5 },
      "/d/link": { target: "../target" },
      "/device": { type: "character", device: [13, 12] },
      "/fifo": { type: "fifo" },
    });
    expect(warnings).toEqual([]);
    expect(endOffset).toBe(4 + cpio(format, ...members).length);
  });
  test("hard links: with the last name only (newc), with each (odc), a number used twice", async () => {
    const shared = { ino: 7, nlink: 3 };
    const names = (
      await readCpio(
        memoryContent(
          cpio("newc", { name: "a", ...shared }, { name: "b", ...shared }, { name: "c", body: "x", ...shared }),
        ),
      )
    ).tree;
    expect(lookup(names, "/a")).toBe(lookup(names, "/c"));
    expect(await describeTree(names)).toMatchObject({ "/a": { content: "x" }, "/b": { sameAs: "/a" } });
    const odc = (
      await readCpio(
        memoryContent(
          cpio(
            "odc",
            { name: "a", body: "x", ...shared },
            { name: "b", body: "x", ...shared },
            { name: "c", body: "longer", ...shared },
          ),
        ),
      )
    ).tree;
    expect(lookup(odc, "/a")).toBe(lookup(odc, "/b"));
    expect(await describeTree(odc)).toMatchObject({ "/c": { content: "longer" } });
    const empty = (await readCpio(memoryContent(cpio("newc", { name: "a", ...shared }, { name: "b", ...shared }))))
      .tree;
    expect(lookup(empty, "/a")).toBe(lookup(empty, "/b"));
  });
  test("Solaris' extended attributes are left out with a warning", async () => {
    const { tree, warnings } = await readCpio(
      memoryContent(cpio("newc", { name: "/dev/null/attr.hdr", mode: 0xb1a4, body: "x" }, { name: "f" })),
    );
    expect([...tree.entries.keys()]).toEqual(["f"]);
    expect(warnings.map(({ code }) => code)).toEqual(["member-skipped"]);
  });
  test.each([
    ["a wrong checksum", cpio("crc", { name: "f", body: "abc", checksum: 1 }), "bad-format"],
    ["no trailer", cpio("newc", { name: "f" }).subarray(0, 120), "truncated"],
    ["..", cpio("newc", { name: "../f" }), "bad-format"],
    ["more than there is", cpio("newc", { name: "f", filesize: 0xffffffff }), "truncated"],
    ["a file below a link", cpio("newc", { name: "l", mode: LINK, body: "/etc" }, { name: "l/passwd" }), "wrong-type"],
    ["digits that are none", join(cpio("odc", { name: "f" }).map((byte, i) => (i === 20 ? 0x7a : byte))), "bad-format"],
    ["old binary cpio", join(Uint8Array.of(0xc7, 0x71), new Uint8Array(200)), "bad-format"],
    ["a link of a megabyte", cpio("newc", { name: "l", mode: LINK, body: "x".repeat(1 << 20) }), "limit"],
  ])("%s is an error", async (_, image, code) => {
    expect(await settle(() => readCpio(memoryContent(image)))).toMatchObject({ code });
  });
  test("changed bytes give a tree or an ImageError", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("odc" as const, "newc" as const, "crc" as const),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
        async (format, changes, cut) => {
          const image = cpio(format, ...members);
          for (const [at, value] of changes) image[at % image.length] = value;
          await settle(() => readCpio(memoryContent(image.subarray(0, image.length - (cut % 400)))));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("zip", () => {
  const extra = (id: number, ...payload: number[]) => Uint8Array.of(id & 255, id >> 8, payload.length, 0, ...payload);
  const sample = () =>
    zip(
      { name: "PKG/", mode: DIRECTORY, method: 0 },
      { name: "PKG/deflated", body: "deflated ".repeat(1000), mode: 0o100755, extra: extra(0x5455, 1, 42, 0, 0, 0) },
      { name: "PKG/stored", body: "stored", method: 0, extra: extra(0x7875, 1, 4, 71, 0, 0, 0, 4, 8, 0, 0, 0) },
      { name: "PKG/empty", method: 0 },
      { name: "PKG/link", body: "../x", mode: LINK },
    );
  test("members, modes, times, owners", async () => {
    const { tree, warnings } = await readZip(sample(), gunzipContent);
    expect(await describeTree(tree)).toMatchObject({
      "/PKG": { type: "directory", mode: 0o755 },
      "/PKG/deflated": { content: "deflated ".repeat(1000), mode: 0o755, mtimeSeconds: 42 },
      "/PKG/stored": { content: "stored", mode: 0o644, uid: 71, gid: 8, mtimeSeconds: Date.UTC(2000, 0, 2) / 1000 },
      "/PKG/empty": { content: "" },
      "/PKG/link": { target: "../x" },
    });
    expect(warnings).toEqual([]);
  });
  test("any piece of a member can be read, also of one too big to keep", async () => {
    const body = Array.from({ length: 9500 }, (_, i) => String(i).padStart(1000)).join("");
    const { tree } = await readZip(zip({ name: "big", body }), gunzipContent);
    const node = lookup(tree, "/big");
    if (node?.type !== "file") throw new Error("no file");
    expect(node.content.sizeBytes).toBeGreaterThan(8 << 20);
    for (const offset of [9_000_000, 0, 123_456]) {
      const piece = new Uint8Array(1000);
      await node.content.read(piece, offset);
      expect(Buffer.from(piece).toString()).toBe(body.slice(offset, offset + 1000));
    }
  });
  test.each([
    ["a wrong CRC", zip({ name: "f", body: "x", crc: 1 }), "bad-format"],
    ["a wrong CRC, stored", zip({ name: "f", body: "x", crc: 1, method: 0 }), "bad-format"],
    ["a wrong size", zip({ name: "f", body: "xyz", size: 2 }), "bad-format"],
    ["a size of 20 MB", zip({ name: "f", body: "xyz", size: 20_000_000 }), "truncated"],
    ["a link of a megabyte", zip({ name: "l", body: "x".repeat(1 << 20), mode: LINK, method: 0 }), "limit"],
    ["an unknown method", zip({ name: "f", body: "x", method: 12 }), "unsupported"],
    ["encryption", zip({ name: "f", body: "x", flags: 1 }), "unsupported"],
    ["..", zip({ name: "../../f", body: "x" }), "bad-format"],
    ["no zip", memoryContent(new Uint8Array(100)), "bad-format"],
  ])("%s is an error", async (_, content, code) => {
    expect(await settle(() => readZip(content, gunzipContent))).toMatchObject({ code });
  });
  test("changed bytes give a tree or an ImageError", async () => {
    const good = await readAll(sample());
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat(), async (changes, cut) => {
        const image = good.slice(0, cut % 3 === 0 ? good.length - (cut % 100) : good.length);
        for (const [at, value] of changes) image[image.length - 1 - (at % image.length)] = value;
        await settle(() => readZip(memoryContent(image), gunzipContent));
      }),
      { numRuns: 150 },
    );
  });
});

describe("datastream", () => {
  const block = (part: Uint8Array) => join(part, new Uint8Array((512 - (part.length % 512)) % 512));
  const header = (text: string) => block(bytes(text));
  const stream = () =>
    join(
      header("# PaCkAgE DaTaStReAm\nAAA 1 10\nBBB 2 10\n# end of header\n"),
      block(
        cpio(
          "newc",
          { name: "AAA/pkginfo", body: "PKG=AAA" },
          { name: "AAA/pkgmap" },
          { name: "BBB/pkgmap", body: "m" },
        ),
      ),
      block(cpio("newc", { name: "pkginfo", body: "PKG=AAA" }, { name: "reloc/f", body: "a" })),
      block(cpio("odc", { name: "reloc.1/f", body: "b1" })),
      block(cpio("newc", { name: "reloc.2/f", body: "b2" })),
    );
  test("several packages and parts", async () => {
    expect(await describeTree((await readDatastream(memoryContent(stream()))).tree)).toMatchObject({
      "/AAA/pkginfo": { content: "PKG=AAA" },
      "/AAA/reloc/f": { content: "a" },
      "/BBB/pkgmap": { content: "m" },
      "/BBB/reloc.1/f": { content: "b1" },
      "/BBB/reloc.2/f": { content: "b2" },
    });
  });
  test.each([
    ["no header", bytes("# PaCkAgE DaTaStReAm\n"), "bad-format"],
    ["cut off", stream().subarray(0, -700), "truncated"],
    ["another volume", header("# PaCkAgE DaTaStReAm\nAAA 3 10 1 2\n# end of header\n"), "unsupported"],
    ["a package named ..", header("# PaCkAgE DaTaStReAm\n.. 1 10\n# end of header\n"), "bad-format"],
    ["garbage between", join(stream().subarray(0, 1536), new Uint8Array(512).fill(65)), "bad-format"],
  ])("%s is an error", async (_, image, code) => {
    expect(await settle(() => readDatastream(memoryContent(image)))).toMatchObject({ code });
  });
});

describe("unpacked contents", () => {
  test("small ones are unpacked once while they are kept, then again", async () => {
    let unpacked = 0;
    const cache = unpackCache(150);
    const make = (name: string) =>
      unpackedContent(cache, { path: name, text: name }, 100, async () => {
        unpacked++;
        return memoryContent(new Uint8Array(100).fill(name.charCodeAt(0)));
      });
    const [a, b] = [make("a"), make("b")];
    const piece = new Uint8Array(10);
    for (const content of [a, a, b, a] as Content[]) {
      await content.read(piece, 5);
      expect(piece[3]).toBe(content === a ? 97 : 98);
    }
    expect(unpacked).toBe(3);
  });
  test("an error is not kept", async () => {
    let attempts = 0;
    const content = unpackedContent(unpackCache(), { path: "f", text: "f" }, 1, async () => {
      if (attempts++ === 0) throw new ImageError("input-changed", "once");
      return memoryContent(Uint8Array.of(7));
    });
    await expect(content.read(new Uint8Array(1), 0)).rejects.toThrow("once");
    await expect(content.read(new Uint8Array(1), 0)).resolves.toBeUndefined();
  });
});

test("sum(1) of System V, as `sum -s` of GNU coreutils prints it", () => {
  expect(systemVSum(97 + 98 + 99 + 10)).toBe(304); // "abc\n"
  expect(systemVSum(70_000 * 255)).toBe(24480); // 70,000 bytes of 0xff
});
