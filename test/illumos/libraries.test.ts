import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageError, memoryContent, textContent } from "../../src/bytes/index.ts";
import { checkLibraries, readElf } from "../../src/illumos/index.ts";
import { file, type Node, symlink, treeOf } from "../../src/tree/index.ts";

interface Made {
  readonly bits?: 32 | 64;
  readonly type?: number;
  readonly machine?: number;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  readonly runpath?: string;
  readonly rpath?: string;
  readonly noDefaultDirectories?: boolean;
}

/** An ELF file, written from the gABI's tables: header, three program headers, interpreter, strings, dynamic section. */
function makeElf(made: Made): Uint8Array<ArrayBuffer> {
  const { bits = 64, type = 3, machine = bits === 64 ? 62 : 3, interpreter, needed = [] } = made;
  const wide = bits === 64;
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  const word = (at: number, value: number) => {
    view.setUint32(at, value, true);
    if (wide) view.setUint32(at + 4, 0, true);
  };
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  view.setUint16(16, type, true);
  view.setUint16(18, machine, true);
  const [headers, entry] = wide ? [64, 56] : [52, 32];
  word(wide ? 32 : 28, headers);
  view.setUint16(wide ? 54 : 42, entry, true);
  const base = 0x10000;
  const strings = 1024;
  const offsets = new Map<string, number>();
  let end = 1;
  for (const text of [...needed, made.runpath ?? made.rpath].filter((text) => text !== undefined)) {
    offsets.set(text, end);
    bytes.set(new TextEncoder().encode(text), strings + end);
    end += text.length + 1;
  }
  const dynamic: [number, number][] = needed.map((name) => [1, offsets.get(name) ?? 0]);
  if (made.runpath !== undefined) dynamic.push([29, offsets.get(made.runpath) ?? 0]);
  if (made.rpath !== undefined) dynamic.push([15, offsets.get(made.rpath) ?? 0]);
  if (made.noDefaultDirectories) dynamic.push([0x6ffffffb, 0x800 | 1]);
  dynamic.push([5, base + strings], [10, end], [0, 0], [1, 0xffff]); // nothing after DT_NULL counts
  const at = 3072;
  for (const [i, [tag, value]] of dynamic.entries()) {
    word(at + i * (wide ? 16 : 8), tag);
    word(at + i * (wide ? 16 : 8) + (wide ? 8 : 4), value);
  }
  const segments: [type: number, offset: number, size: number][] = [
    [1, 0, bytes.length],
    [2, at, dynamic.length * (wide ? 16 : 8)],
  ];
  if (interpreter !== undefined) {
    bytes.set(new TextEncoder().encode(interpreter), 768);
    segments.push([3, 768, interpreter.length + 1]);
  }
  view.setUint16(wide ? 56 : 44, segments.length, true);
  for (const [i, [kind, offset, size]] of segments.entries()) {
    const header = headers + i * entry;
    view.setUint32(header, kind, true);
    word(header + (wide ? 8 : 4), offset);
    word(header + (wide ? 16 : 8), base + offset);
    word(header + (wide ? 32 : 16), size);
  }
  return bytes;
}

const BASE = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0 };
const elf = (made: Made, mode = 0o755) => file({ ...BASE, mode }, memoryContent(makeElf(made)));
const check = (nodes: Record<string, Node>) => checkLibraries(treeOf(Object.entries(nodes), BASE));

describe("ELF", () => {
  test.each([32, 64] as const)("%i bits", async (bits) => {
    const made = {
      bits,
      type: 2,
      interpreter: "/lib/ld.so.1",
      needed: ["libc.so.1", "libm.so.2"],
      runpath: "/a:$ORIGIN/../lib::/b",
    };
    expect(await readElf(memoryContent(makeElf(made)))).toEqual({
      bits,
      type: 2,
      machine: bits === 64 ? 62 : 3,
      interpreter: "/lib/ld.so.1",
      needed: ["libc.so.1", "libm.so.2"],
      runpath: ["/a", "$ORIGIN/../lib", "/b"],
      noDefaultDirectories: false,
    });
    expect(await readElf(memoryContent(makeElf({ bits, rpath: "/r", noDefaultDirectories: true })))).toMatchObject({
      needed: [],
      runpath: ["/r"],
      noDefaultDirectories: true,
    });
  });

  test("what is no ELF file", async () => {
    for (const text of ["", "#!/bin/sh\n", "\x7fEL", "\x7fELG............"]) {
      expect(await readElf(textContent(text))).toBeUndefined();
    }
  });

  test.each<[string, (bytes: Uint8Array, view: DataView) => void, string]>([
    ["big endian", (bytes) => bytes.fill(2, 5, 6), "unsupported"],
    ["class 3", (bytes) => bytes.fill(3, 4, 5), "bad-format"],
    ["too many program headers", (_, view) => view.setUint16(56, 5000, true), "bad-format"],
    ["program headers beyond the end", (_, view) => view.setUint32(32, 100_000, true), "truncated"],
    ["a huge dynamic section", (_, view) => view.setUint32(64 + 56 + 32, 2 ** 31, true), "limit"],
    ["a dynamic section beyond the end", (_, view) => view.setUint32(64 + 56 + 8, 2 ** 31, true), "truncated"],
    ["a string table nowhere", (_, view) => view.setUint32(64 + 16, 1, true), "bad-format"],
    ["a name beyond the string table", (_, view) => view.setUint32(3072 + 8, 9999, true), "bad-format"],
    ["an interpreter beyond the end", (_, view) => view.setUint32(64 + 112 + 8, 5000, true), "truncated"],
  ])("%s", async (_, damage, code) => {
    const bytes = makeElf({ needed: ["libc.so.1"], interpreter: "/lib/ld.so.1" });
    damage(bytes, new DataView(bytes.buffer));
    await expect(readElf(memoryContent(bytes))).rejects.toThrow(expect.objectContaining({ code }));
  });

  test("any damage gives a result or an ImageError", async () => {
    const place = fc.oneof(fc.nat(300), fc.integer({ min: 1000, max: 1100 }), fc.integer({ min: 3060, max: 3200 }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(32 as const, 64 as const),
        fc.array(fc.tuple(place, fc.nat(255)), { maxLength: 6 }),
        fc.nat(4096),
        async (bits, changes, length) => {
          const bytes = makeElf({ bits, needed: ["a", "b"], interpreter: "/lib/ld.so.1", runpath: "/x" });
          for (const [at, value] of changes) bytes[at] = value;
          try {
            await readElf(memoryContent(bytes.subarray(0, length < 3000 ? 4096 : length)));
          } catch (error) {
            if (!(error instanceof ImageError)) throw error;
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("needed libraries", () => {
  test("default directories of both classes, links followed inside the tree", async () => {
    const { missing, checked } = await check({
      "/usr/bin/a": elf({ type: 2, interpreter: "/lib/amd64/ld.so.1", needed: ["libc.so.1", "libxml2.so.2"] }, 0o555),
      "/usr/bin/b": elf({ bits: 32, interpreter: "/usr/lib/ld.so.1", needed: ["libc.so.1", "libz.so.1"] }, 0o555),
      "/lib/64": symlink(BASE, "amd64"),
      "/lib/amd64/ld.so.1": elf({}),
      "/lib/amd64/libc.so.1": elf({}),
      "/lib/libc.so.1": elf({ bits: 32 }),
      "/usr/lib/64/libz.so.1": elf({}),
      "/usr/lib/libz.so.1": symlink(BASE, "../../nowhere"),
    });
    expect(checked).toBe(6);
    expect(missing).toEqual([
      { path: "/usr/bin/a", needs: "libxml2.so.2", searched: ["/lib/64", "/usr/lib/64"] },
      { path: "/usr/bin/b", needs: "/usr/lib/ld.so.1", searched: ["/usr/lib"] },
      { path: "/usr/bin/b", needs: "libz.so.1", searched: ["/lib", "/usr/lib"] },
    ]);
  });

  test("run paths with tokens; a library of the other class is not taken", async () => {
    const { missing } = await check({
      "/opt/x/bin/p": elf({
        runpath: ["$ORIGIN/../lib", "/opt/$" + "{ISALIST}/", "/usr/$PLATFORM"].join(":"),
        needed: ["liba.so", "libb.so", "libc.so", "libd.so"],
      }),
      "/opt/x/lib/liba.so": elf({ bits: 32 }),
      "/opt/i386/liba.so": elf({}),
      "/opt/x/lib/libb.so": elf({}, 0o644),
      "/usr/i86pc/libc.so": elf({}),
    });
    expect(missing).toEqual([
      {
        path: "/opt/x/bin/p",
        needs: "libd.so",
        searched: ["/opt/x/bin/../lib", "/opt/amd64", "/opt/i386", "/opt/i86", "/usr/i86pc", "/lib/64", "/usr/lib/64"],
      },
    ]);
  });

  test("no default directories; names that are paths; a directory that is called $ORIGIN", async () => {
    const { missing } = await check({
      "/a/$ORIGIN/p": elf({
        runpath: "$ORIGIN",
        noDefaultDirectories: true,
        needed: ["libx.so", "/abs/liby.so", "$ORIGIN/libz.so", "gone/q.so"],
      }),
      "/usr/lib/64/libx.so": elf({}),
      "/abs/liby.so": elf({}),
      "/a/$ORIGIN/libz.so": elf({}),
    });
    expect(missing).toEqual([
      { path: "/a/$ORIGIN/p", needs: "libx.so", searched: ["/a/$ORIGIN"] },
      { path: "/a/$ORIGIN/p", needs: "gone/q.so", searched: ["gone"] },
    ]);
  });

  test("kernel modules, boot files and scripts are not asked; damaged files are named", async () => {
    const report = await check({
      "/kernel/drv/amd64/x": elf({ needed: ["misc/none"] }),
      "/platform/i86pc/kernel/amd64/unix": elf({ type: 2, interpreter: "misc/krtld", needed: ["genunix"] }),
      "/usr/kernel/x": elf({ needed: ["y"] }),
      "/boot/loader": elf({ needed: ["z"] }),
      "/usr/lib/unix-like": elf({ type: 2, interpreter: "misc/krtld", needed: ["genunix"] }),
      "/usr/bin/script": file(BASE, textContent("#!/bin/sh\n")),
      "/usr/lib/object.o": elf({ type: 1, needed: ["w"] }),
      "/usr/lib/plain": elf({ needed: ["v"] }, 0o644),
      "/usr/lib/cut.so.1": file(BASE, memoryContent(makeElf({ needed: ["u"] }).subarray(0, 60))),
    });
    expect(report.checked).toBe(0);
    expect(report.missing).toEqual([]);
    expect(report.damaged).toMatchObject([{ path: "/usr/lib/cut.so.1" }]);
  });

  test("an error of reading is not taken for damage", async () => {
    const broken = { sizeBytes: 100, read: () => Promise.reject(new ImageError("input-changed", "changed")) };
    await expect(check({ "/usr/bin/x": file(BASE, broken) })).rejects.toThrow("changed");
  });
});
