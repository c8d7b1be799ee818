// Random trees for properties, and the listing of a tree that readers' listings are compared with.

import fc from "fast-check";
import { byteString, memoryContent, readAll } from "../../src/bytes/index.ts";
import type { Directory } from "../../src/tree/index.ts";
import { type Attributes, device, directory, file, type Node, special, symlink, walk } from "../../src/tree/index.ts";

export const attributes: Attributes = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 1_000_000_000 };
export const directoryAttributes: Attributes = { ...attributes, mode: 0o755 };

const byteText = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 1, max: 255 }), { minLength, maxLength }).map((bytes) => String.fromCharCode(...bytes));

const plainName = fc.stringMatching(/^[a-zA-Z0-9._;~ -]{1,20}$/);
const longName = fc
  .tuple(fc.constantFrom("n", "long.name", "ä"), fc.integer({ min: 30, max: 255 }))
  .map(([stem, length]) => stem.padEnd(length, "x"));
const wildName = byteText(1, 40);

/** Names that can be directory entries: plain ones, ones that collide when cut, all bytes. */
export const nameArbitrary: fc.Arbitrary<string> = fc
  .oneof({ arbitrary: plainName, weight: 4 }, longName, wildName)
  .map((name) => name.replaceAll("/", "%"))
  .filter((name) => name !== "." && name !== "..");

export const targetArbitrary: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("", "/", "//"),
      fc.array(fc.oneof(plainName, longName, fc.constantFrom(".", "..", "")), { minLength: 1, maxLength: 12 }),
    )
    .map(([start, parts]) => (start + parts.join("/")).slice(0, 1023))
    .filter((target) => target !== ""),
  fc.tuple(byteText(1, 30), fc.integer({ min: 1, max: 1023 })).map(([text, length]) => text.padEnd(length, text)),
);

const attributesArbitrary: fc.Arbitrary<Attributes> = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 0xffffffff })),
  gid: fc.integer({ min: 0, max: 100_000 }),
  mtimeSeconds: fc.oneof(
    fc.integer({ min: 0, max: 2 ** 31 }),
    fc.integer({ min: Date.UTC(1900, 0, 1) / 1000, max: Date.UTC(2156, 0, 1) / 1000 - 1 }),
    fc.integer({ min: Date.UTC(1000, 0, 1) / 1000, max: Date.UTC(9999, 0, 1) / 1000 }),
  ),
});

const leafArbitrary = (targets: fc.Arbitrary<string>): fc.Arbitrary<Node> =>
  fc
    .tuple(
      attributesArbitrary,
      fc.oneof(
        {
          weight: 5,
          arbitrary: fc.record({ sizeBytes: fc.oneof(fc.nat(100), fc.nat(6000)), seed: fc.nat(255) }),
        },
        { weight: 2, arbitrary: targets.map((target) => ({ target })) },
        {
          weight: 1,
          arbitrary: fc.record({
            type: fc.constantFrom("character" as const, "block" as const),
            major: fc.integer({ min: 1, max: 0x3fff }),
            minor: fc.integer({ min: 0, max: 0x3ffff }),
          }),
        },
        { weight: 1, arbitrary: fc.constant({ fifo: true }) },
      ),
    )
    .map(([values, kind]) => {
      if ("seed" in kind) {
        return file(values, memoryContent(Uint8Array.from({ length: kind.sizeBytes }, (_, i) => kind.seed + i * 7)));
      }
      if ("target" in kind) return symlink(values, kind.target);
      if ("type" in kind) return device(values, kind.type, kind.major, kind.minor);
      return special(values, "fifo");
    });

/** A tree of up to some hundred paths, with hard links between its leaves. */
export const treesOf = (anyName: fc.Arbitrary<string>, targets: fc.Arbitrary<string>): fc.Arbitrary<Directory> =>
  fc
    .record({
      leaves: fc.array(leafArbitrary(targets), { minLength: 1, maxLength: 20 }),
      directories: fc.array(fc.tuple(fc.nat(), anyName, attributesArbitrary), { maxLength: 14 }),
      names: fc.array(fc.tuple(fc.nat(), fc.nat(), anyName), { maxLength: 60 }),
      chain: fc.boolean(),
      root: attributesArbitrary,
    })
    .map(({ leaves, directories, names, chain, root }) => {
      const made: { attributes: Attributes; entries: Map<string, Node>; children: [string, number][] }[] = [
        { attributes: root, entries: new Map(), children: [] },
      ];
      for (const [at, name, values] of directories) {
        const parent = made[chain ? made.length - 1 : at % made.length];
        if (parent?.children.some(([taken]) => taken === name)) continue;
        parent?.children.push([name, made.length]);
        made.push({ attributes: values, entries: new Map(), children: [] });
      }
      for (const [at, leaf, name] of names) {
        const parent = made[at % made.length];
        const node = leaves[leaf % leaves.length];
        if (parent && node && !parent.children.some(([taken]) => taken === name)) parent.entries.set(name, node);
      }
      const finish = (index: number): Directory => {
        const { attributes: values, entries, children } = made[index] as (typeof made)[number];
        for (const [name, child] of children) entries.set(name, finish(child));
        return directory(values, entries);
      };
      return finish(0);
    });

export const treeArbitrary: fc.Arbitrary<Directory> = treesOf(nameArbitrary, targetArbitrary);

/** How many names each node of a tree has; directories count their subdirectories, as st_nlink does. */
export function linkCounts(root: Directory): Map<Node, number> {
  const counts = new Map<Node, number>();
  for (const { node } of walk(root)) {
    const subdirectories = node.type === "directory" ? [...node.entries.values()] : [];
    const links = subdirectories.filter(({ type }) => type === "directory").length;
    counts.set(node, node.type === "directory" ? 2 + links : (counts.get(node) ?? 0) + 1);
  }
  return counts;
}

/** A line for each path that says everything about it; names of one inode carry the first of its paths. */
export async function listing(root: Directory, options: { readonly links?: boolean } = {}): Promise<string[]> {
  const first = new Map<Node, string>();
  const lines: string[] = [];
  for (const { path, node } of walk(root)) {
    if (node.type !== "directory" && !first.has(node)) first.set(node, path);
    const { type, mode, uid, gid, mtimeSeconds } = node;
    let what: string = type;
    if (node.type === "file") what += ` ${byteString(await readAll(node.content))}`;
    if (node.type === "symlink") what += ` ${node.target}`;
    if (node.type === "character" || node.type === "block") what += ` ${node.major},${node.minor}`;
    // Without serial numbers only data that lies at one place shows that two names are one file.
    const linked = options.links || (node.type === "file" && node.content.sizeBytes > 0);
    const same = linked && node.type !== "directory" ? ` = ${first.get(node)}` : "";
    lines.push(`${path}: 0o${mode.toString(8)} ${uid}:${gid} ${mtimeSeconds} ${what}${same}`);
  }
  return lines;
}
