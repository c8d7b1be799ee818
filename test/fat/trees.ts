// Trees for FAT, and what is left of a tree after a round through FAT.

import fc from "fast-check";
import { fromText, memoryContent, readAll } from "../../src/bytes/index.ts";
import { type Attributes, type Directory, directory, file, type Node } from "../../src/tree/index.ts";

export const base: Attributes = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 1_700_000_000 };

/** `length` bytes that differ from place to place and from seed to seed. */
export function patternBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, i) => (i * 31 + (i >> 8) * 7 + seed) & 0xff);
}

export function patternFile(length: number, seed = 1, attributes: Attributes = base): Node {
  return file(attributes, memoryContent(patternBytes(length, seed)));
}

/** Names of every kind: short, lower case, long, with dots and spaces, alike at their beginning, not ASCII. */
export const nameArbitrary: fc.Arbitrary<string> = fc
  .oneof(
    fc.constantFrom("A", "README.TXT", "boot.efi", "Mixed.Case", ".profile", "..two", "a.b.c.d", "+,;=[]", "x y z"),
    fc.stringMatching(/^[a-z]{1,12}(\.[a-z]{1,5})?$/),
    fc.stringMatching(/^same beginning [0-9]{1,3}$/),
    fc.stringMatching(/^[A-Z0-9]{1,8}(\.[A-Z0-9]{1,3})?$/),
    fc.string({ unit: "binary", minLength: 1, maxLength: 30 }),
    fc.string({ unit: fc.constantFrom("é", "Ж", "中", "😀", "ß", "ı"), minLength: 1, maxLength: 40 }),
  )
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what FAT forbids is made harmless
  .map((text) => text.replace(/[\x00-\x1f"*/:<>?\\|]|\p{Cs}/gu, "-").replace(/[. ]+$/, "_"))
  .map(fromText);

const attributesArbitrary: fc.Arbitrary<Attributes> = fc.record({
  mode: fc.constantFrom(0o644, 0o444, 0o755, 0o600),
  uid: fc.nat(9),
  gid: fc.nat(9),
  mtimeSeconds: fc.integer({ min: -1000, max: 5_000_000_000 }),
});

/** What makes two names one to FAT, for these tests: written anew, whole text at a time. */
const folded = (name: string) => [...Buffer.from(name, "latin1").toString("utf8")].map(upper).join("");
const upper = (character: string) =>
  character.toUpperCase().length === character.length ? character.toUpperCase() : character;

function withoutDoubles(entries: readonly (readonly [string, Node])[]): Map<string, Node> {
  const seen = new Set<string>();
  return new Map(entries.filter(([name]) => !seen.has(folded(name)) && seen.add(folded(name))));
}

export const treeArbitrary: fc.Arbitrary<Directory> = fc.letrec<{ node: Node; directory: Directory; file: Node }>(
  (tie) => ({
    file: fc
      .tuple(attributesArbitrary, fc.oneof(fc.nat(30), fc.nat(5000)), fc.nat(255))
      .map(([attributes, length, seed]) => patternFile(length, seed, attributes)),
    directory: fc
      .tuple(attributesArbitrary, fc.array(fc.tuple(nameArbitrary, tie("node")), { maxLength: 8 }))
      .map(([attributes, entries]) => directory(attributes, withoutDoubles(entries))),
    node: fc.oneof({ depthSize: "small", withCrossShrink: true }, tie("file"), tie("directory")),
  }),
).directory;

/** Seconds to what FAT keeps of them, by the calendar's own arithmetic and not by that of src/. */
export function fatSeconds(seconds: number): number {
  const [first, last] = [Date.parse("1980-01-01T00:00:00Z") / 1000, Date.parse("2107-12-31T23:59:58Z") / 1000];
  return Math.min(Math.max(seconds - (seconds % 2 === 0 ? 0 : 1), first), last);
}

/** A tree as text: what FAT must bring back of it. */
export async function canonical(root: Directory, kept: "as read" | "expected"): Promise<string[]> {
  const lines: string[] = [];
  const visit = async (node: Node, path: string): Promise<void> => {
    const time = kept === "expected" ? fatSeconds(node.mtimeSeconds) : node.mtimeSeconds;
    if (node.type === "directory") {
      lines.push(
        `${path} directory ${kept === "expected" ? "755" : node.mode.toString(8)} ${path === "/" ? "" : time}`,
      );
      for (const [name, child] of [...node.entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
        await visit(child, `${path === "/" ? "" : path}/${name}`);
      }
    } else if (node.type === "file") {
      const mode = kept === "expected" ? ((node.mode & 0o222) === 0 ? "444" : "644") : node.mode.toString(8);
      lines.push(`${path} file ${mode} ${time} ${Buffer.from(await readAll(node.content)).toString("base64")}`);
    } else lines.push(`${path} ${node.type}`);
  };
  await visit(root, "/");
  return lines;
}
