// Trees and geometries for tests, random ones and such as have everything in them.

import { crc32 } from "node:zlib";
import fc from "fast-check";
import { type Content, readAll } from "../../src/bytes/index.ts";
import {
  type Attributes,
  type Directory,
  device,
  directory,
  file,
  joinPath,
  type Node,
  special,
  symlink,
  treeOf,
  walk,
} from "../../src/tree/index.ts";
import type { GeometryOption } from "../../src/ufs/geometry.ts";
import { lofiCylinderBytes } from "../../src/ufs/newfs.ts";

export const ATTRIBUTES: Attributes = { mode: 0o644, uid: 0, gid: 3, mtimeSeconds: 1_000_000_000 };
export const DIRECTORY: Attributes = { ...ATTRIBUTES, mode: 0o755 };

const PIECE = 8192;
const NOISE = Uint8Array.from({ length: 8 * PIECE }, (_, i) => 1 + ((Math.imul(i + 1, 0x9e3779b1) >>> 24) % 255));

/** Bytes that depend on their place and on `seed`, so that a block in the wrong place is seen. None is 0. */
export function patternContent(sizeBytes: number, seed: number): Content {
  return {
    sizeBytes,
    async read(target, offset) {
      for (let done = 0; done < target.length; ) {
        const at = offset + done;
        const piece = Math.floor(at / PIECE);
        const start = ((piece * 977 + seed * 131) % (7 * PIECE)) + (at % PIECE);
        const length = Math.min(PIECE - (at % PIECE), target.length - done);
        target.set(NOISE.subarray(start, start + length), done);
        done += length;
      }
    },
  };
}

export interface Listed {
  readonly path: string;
  readonly type: Node["type"];
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly size?: number;
  readonly sum?: number;
  readonly target?: string;
  readonly device?: string;
  /** The first path of the same inode. */
  readonly sameAs?: string;
}

/** Everything a tree says, contents as checksums. */
export async function listing(root: Directory): Promise<Listed[]> {
  const first = new Map<Node, string>();
  const list: Listed[] = [];
  for (const { path, node } of walk(root)) {
    const { type, mode, uid, gid, mtimeSeconds } = node;
    const sameAs = type === "directory" ? undefined : first.get(node);
    first.set(node, sameAs ?? path);
    list.push({
      path,
      type,
      mode,
      uid,
      gid,
      mtimeSeconds,
      ...(type === "file" && { size: node.content.sizeBytes, sum: sameAs ? 0 : await sumOf(node.content) }),
      ...(type === "symlink" && { target: node.target }),
      ...("major" in node && { device: `${node.major},${node.minor}` }),
      ...(sameAs !== undefined && { sameAs }),
    });
  }
  return list;
}

async function sumOf(content: Content): Promise<number> {
  return crc32(await readAll(content));
}

/** A tree with one of everything: each size class, each type, hard links, long names, odd ids. */
export function everything(bsize: number, fsize: number): Directory {
  const sizes = [0, 1, fsize - 1, fsize, fsize + 1, bsize - 1, bsize, bsize + 1, 11 * bsize + 1];
  for (const blocks of [12, 12 + bsize / 4]) sizes.push(blocks * bsize - 1, blocks * bsize, blocks * bsize + 1);
  const nodes: [string, Node][] = sizes.map((size, i) => [`/sizes/${size}`, file(ATTRIBUTES, patternContent(size, i))]);
  const linked = file({ ...ATTRIBUTES, uid: 70_000, gid: 65_536 }, patternContent(777, 1));
  nodes.push(
    ["/a/first", linked],
    ["/b/second", linked],
    ["/b/third", linked],
    ["/dev/null", device({ ...ATTRIBUTES, mode: 0o666 }, "character", 13, 2)],
    ["/dev/big", device(ATTRIBUTES, "block", 200, 70_000)],
    ["/dev/zero", device(ATTRIBUTES, "character", 0, 0)],
    ["/fifo", special(ATTRIBUTES, "fifo")],
    ["/socket", special(ATTRIBUTES, "socket")],
    ["/link", symlink({ ...ATTRIBUTES, mode: 0o777 }, "sizes/../a/first")],
    ["/longlink", symlink({ ...ATTRIBUTES, mode: 0o777 }, "x".repeat(1023))],
    ["/emptylink", symlink({ ...ATTRIBUTES, mode: 0o777 }, "")],
    [`/${"n".repeat(255)}`, file({ ...ATTRIBUTES, mode: 0o7777, uid: 65_535, gid: 65_535 }, patternContent(3, 3))],
    ["/\xff\xfe bytes", file({ ...ATTRIBUTES, mtimeSeconds: -1 }, patternContent(5, 4))],
    ["/empty", directory(DIRECTORY)],
  );
  for (let i = 0; i < 300; i++)
    nodes.push([`/many/${"m".repeat(i % 200)}${i}`, file(ATTRIBUTES, patternContent(i, i))]);
  return treeOf(nodes, DIRECTORY);
}

const attributes: fc.Arbitrary<Attributes> = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.oneof(fc.nat(100), fc.constantFrom(65_534, 65_535, 65_536, 0x7fffffff, 0xffffffff)),
  gid: fc.oneof(fc.nat(100), fc.constantFrom(65_535, 65_536)),
  mtimeSeconds: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
});

const size: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.nat(20_000) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, 511, 512, 513, 1023, 1024, 4096, 8191, 8192, 8193) },
  { weight: 1, arbitrary: fc.constantFrom(12 * 4096, 12 * 4096 + 1, 12 * 8192 - 1, 12 * 8192, 12 * 8192 + 1, 250_000) },
);

const leaf: fc.Arbitrary<Node> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(attributes, size, fc.nat(250)).map(([a, s, n]) => file(a, patternContent(s, n))) },
  { weight: 1, arbitrary: fc.tuple(attributes, fc.string({ maxLength: 300 })).map(([a, t]) => symlink(a, latin(t))) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(attributes, fc.constantFrom("character" as const, "block" as const), fc.nat(300), fc.nat(255))
      .map(([a, type, major, minor]) => device(a, type, major, minor)),
  },
  { weight: 1, arbitrary: attributes.map((a) => special(a, "fifo")) },
);

/** Any text as a byte string without NUL. */
function latin(text: string): string {
  return Array.from(text, (c) => String.fromCharCode((c.charCodeAt(0) % 255) + 1)).join("");
}

/** Pieces are put at random paths, some twice (hard links). */
export const tree: fc.Arbitrary<Directory> = fc
  .tuple(
    fc.array(fc.tuple(leaf, fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }), fc.nat(250)), { maxLength: 60 }),
    fc.array(fc.tuple(fc.nat(59), fc.array(fc.nat(5), { minLength: 1, maxLength: 3 })), { maxLength: 5 }),
    attributes,
  )
  .map(([leaves, links, rootAttributes]) => {
    const nodes: [string, Node][] = [];
    const used = new Set<string>();
    const put = (node: Node, folders: readonly number[], name: string): void => {
      const path = joinPath(
        folders.reduce((at, n) => joinPath(at, `d${n}`), "/"),
        name,
      );
      if (used.has(path)) return;
      used.add(path);
      nodes.push([path, node]);
    };
    leaves.forEach(([node, folders, length], i) => {
      put(node, folders.slice(1), `f${i}${"x".repeat(length)}`);
    });
    links.forEach(([i, folders], n) => {
      const node = leaves[i]?.[0];
      if (node) put(node, folders, `link${n}`);
    });
    const made = treeOf(nodes, DIRECTORY);
    return directory({ ...rootAttributes, mode: 0o755 }, made.entries);
  });

/** Geometries of a few MiB that mkfs accepts, of all kinds. */
export const geometry: fc.Arbitrary<GeometryOption> = fc.oneof(
  fc
    .record({
      cylinders: fc.integer({ min: 14, max: 40 }),
      bsize: fc.constantFrom(4096, 8192),
      shift: fc.nat(3),
      nbpi: fc.constantFrom(1024, 2048, 4096, 8192),
      cpg: fc.constantFrom(16, 16, 8, 32),
    })
    .map(({ cylinders, bsize, shift, nbpi, cpg }) => ({
      newfs: { imageBytes: cylinders * lofiCylinderBytes(1e9), bsize, fsize: bsize >> shift, nbpi, cpg },
    })),
  fc.constantFrom(
    { mkfs: { size: 20_000, nsect: 63, ntrack: 16 } },
    { mkfs: { size: 20_011, nsect: 17, ntrack: 5, nbpi: 4096 } },
    { mkfs: { size: 24_000, nsect: 36, ntrack: 16, bsize: 4096, fragsize: 512, nbpi: 4096, apc: 4 } },
    { mkfs: { size: 24_000, nsect: 128, ntrack: 48, nrpos: 1 } },
  ),
);
