// Trees for the tests of sources: by hand, and arbitrary ones for properties.

import fc from "fast-check";
import { bytesOf, memoryContent, readAll, textContent } from "../../src/bytes/index.ts";
import {
  type Attributes,
  type Directory,
  device,
  directory,
  file,
  type Node,
  special,
  symlink,
  walk,
} from "../../src/tree/index.ts";

export const attributes: Attributes = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 1_000_000_000 };
export const text = (value: string, changes: Partial<Attributes> = {}) =>
  file({ ...attributes, ...changes }, textContent(value));

/** What a tree says, as plain data: contents as byte strings, hard links as the first path of their inode. */
export async function describeTree(tree: Directory): Promise<Record<string, unknown>> {
  const description: Record<string, unknown> = {};
  const firstPaths = new Map<Node, string>();
  for (const { path, node } of walk(tree)) {
    const { type, mode, uid, gid, mtimeSeconds } = node;
    const same = firstPaths.get(node);
    if (node.type !== "directory" && same === undefined) firstPaths.set(node, path);
    description[path] = {
      ...{ type, mode, uid, gid, mtimeSeconds },
      ...(same !== undefined && { sameAs: same }),
      ...(node.type === "symlink" && { target: node.target }),
      ...("major" in node && { device: [node.major, node.minor] }),
      ...(node.type === "file" && { content: Buffer.from(await readAll(node.content)).toString("latin1") }),
    };
  }
  return description;
}

export interface TreeLimits {
  /** Numbers that only pax headers hold, sockets never. */
  readonly extremes: boolean;
}

const nameArbitrary = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9_+,.@%~=:-]{0,11}$/),
  fc.stringMatching(/^[a-z]{90,255}$/),
  fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x5f : byte))).toString("latin1"))
    .filter((name) => name !== "." && name !== ".."),
);

function attributesArbitrary({ extremes }: TreeLimits): fc.Arbitrary<Attributes> {
  return fc.record({
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: extremes ? fc.oneof(fc.nat(70_000), fc.integer({ min: 0, max: 0xffff_ffff })) : fc.nat(60_000),
    gid: extremes ? fc.oneof(fc.nat(70_000), fc.integer({ min: 0, max: 0xffff_ffff })) : fc.nat(60_000),
    mtimeSeconds: extremes ? fc.integer({ min: -(2 ** 31), max: 2 ** 33 + 5 }) : fc.nat(2 ** 31 - 1),
  });
}

/** Trees of up to some dozens of nodes with every type but sockets, hard links, long and odd names, deep paths. */
export function treeArbitrary(limits: TreeLimits): fc.Arbitrary<Directory> {
  const attribute = attributesArbitrary(limits);
  const target = fc.oneof(nameArbitrary, fc.stringMatching(/^[a-z/.]{1,300}$/));
  const leaf: fc.Arbitrary<Node> = fc.oneof(
    {
      arbitrary: fc.tuple(attribute, fc.uint8Array({ maxLength: 1500 })).map(([a, b]) => file(a, memoryContent(b))),
      weight: 4,
    },
    { arbitrary: fc.tuple(attribute, target).map(([a, t]) => symlink(a, t)), weight: 2 },
    fc
      .tuple(attribute, fc.constantFrom("character" as const, "block" as const), fc.nat(4095), fc.nat(2 ** 18 - 1))
      .map(([a, type, major, minor]) => device(a, type, major, minor)),
    attribute.map((a) => special(a, "fifo")),
  );
  const { tree } = fc.letrec<{ tree: Directory; node: Node }>((tie) => ({
    tree: fc
      .tuple(attribute, fc.array(fc.tuple(nameArbitrary, tie("node")), { maxLength: 6 }))
      .map(([a, entries]) => directory(a, new Map(entries))),
    node: fc.oneof({ depthSize: "small", withCrossShrink: true }, leaf, tie("tree")),
  }));
  return fc.tuple(tree, fc.array(fc.tuple(fc.nat(), nameArbitrary), { maxLength: 3 })).map(addHardLinks);
}

/** Second names, in the root, for some of the tree's files. */
function addHardLinks([tree, links]: [Directory, [number, string][]]): Directory {
  const leaves = [...walk(tree)].filter(({ node }) => node.type !== "directory");
  const entries = new Map(tree.entries);
  for (const [index, name] of links) {
    const leaf = leaves[index % Math.max(1, leaves.length)];
    if (leaf && !entries.has(name)) entries.set(name, leaf.node);
  }
  return directory(tree, entries);
}

/** The bytes of a string with one character a byte. */
export const bytes = (latin1: string): Uint8Array => bytesOf(latin1);
