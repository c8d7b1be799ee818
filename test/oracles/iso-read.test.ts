// ISO images of other writers in our reader: genisoimage and xorriso make them of random trees on disk, with all kinds of
// options; the tree that is read must be the one on disk.

import {
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { checkIso, layoutOf, openIso } from "../../src/iso9660-writer-ts/index.ts";
import { openFileContent } from "../../src/node/index.ts";
import { type Directory, mapTree, type Node, walk } from "../../src/tree/index.ts";
import { treesOf } from "../iso9660-writer-ts/trees.ts";
import { compareListings, type Field, listDirectory, listTree } from "./harness/listing.ts";
import { oracle, testWith } from "./harness/programs.ts";
import { run } from "./harness/run.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pureboot-iso-read-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Makes a tree on disk. Devices and fifos become files: making them takes a privilege that a test may not have. */
function makeOnDisk(root: Directory, host: string): void {
  const known = new Map<Node, Buffer>();
  const visits = [...walk(root)];
  const hostPath = (path: string): Buffer => Buffer.from(join(host, "/") + path.slice(1), "latin1");
  for (const { path, node } of visits) {
    const at = hostPath(path);
    const first = known.get(node);
    if (node.type === "directory") mkdirSync(at, { recursive: true });
    else if (first) linkSync(first, at);
    else if (node.type === "symlink") symlinkSync(Buffer.from(node.target, "latin1"), at);
    else writeFileSync(at, path);
    if (node.type !== "directory") known.set(node, at);
  }
  for (const { path, node } of visits.reverse()) {
    const at = hostPath(path);
    if (process.getuid?.() === 0 && node.type !== "symlink") chownSync(at, node.uid % 60_000, node.gid % 60_000);
    if (node.type !== "symlink") chmodSync(at, (node.mode & 0o777) | 0o600);
    lutimesSync(at, 0, node.mtimeSeconds);
  }
}

/** What these writers and a disk can both hold. */
function tame(tree: Directory): Directory {
  return mapTree(tree, (node) => {
    const mtimeSeconds = Math.min(Math.max(node.mtimeSeconds, 10), 2 ** 31 - 1);
    const mode = node.type === "directory" ? 0o755 : node.mode;
    if (node.type !== "symlink") return { ...node, mode, mtimeSeconds };
    const target = node.target.replaceAll(/\/+/g, "/").replace(/(.)\/$/, "$1") || "x";
    return { ...node, mtimeSeconds, target };
  });
}

const NAMES = fc
  .oneof(
    fc.stringMatching(/^[a-zA-Z0-9._~ -]{1,20}$/),
    fc.integer({ min: 30, max: 180 }).map((length) => `${length} n`.padEnd(length, "x")),
  )
  .filter((name) => name !== "." && name !== "..");
const TARGETS = fc.array(NAMES, { minLength: 1, maxLength: 3 }).map((names) => names.join("/").slice(0, 200));
/** Longer links make genisoimage run for ever, and xorriso stop. */
const TREES = fc.sample(treesOf(NAMES, TARGETS), { numRuns: 8, seed: 7 }).map(tame);

interface Writer {
  readonly program: "genisoimage" | "xorriso";
  readonly args: readonly string[];
  /** Fields that it cannot keep. */
  readonly without?: readonly Field[];
  /** Findings that its images are known to have. */
  readonly findings?: readonly string[];
}

/** Each is what the standard or the illumos loader has against these writers' images. */
const COMMON = ["name-split", "unsorted"];
const GENISOIMAGE_FINDINGS = [...COMMON, "path-table-order"];
const WRITERS: readonly Writer[] = [
  {
    program: "genisoimage",
    args: ["-R", "-N", "-l", "-U", "-d", "-D", "-allow-multidot", "-no-iso-translate"],
    findings: GENISOIMAGE_FINDINGS,
  },
  { program: "genisoimage", args: ["-R", "-J", "-joliet-long"], findings: GENISOIMAGE_FINDINGS },
  { program: "genisoimage", args: ["-R", "-iso-level", "4"], findings: GENISOIMAGE_FINDINGS },
  { program: "xorriso", args: ["-as", "mkisofs", "-R"], findings: COMMON },
  {
    program: "xorriso",
    args: ["-as", "mkisofs", "-R", "-J", "-iso-level", "3"],
    findings: [...COMMON, "parent-differs"],
  },
];

const FIELDS: readonly Field[] = ["type", "mode", "uid", "gid", "size", "mtimeSeconds", "target", "digest"];

describe("the tree of an image of", () => {
  for (const { program, args, findings = [], without = [] } of WRITERS) {
    testWith([program], `${program} ${args.join(" ")}`, async () => {
      for (const [i, tree] of TREES.entries()) {
        const host = join(folder, `${i}`);
        rmSync(host, { recursive: true, force: true });
        makeOnDisk(tree, host);
        const image = join(folder, "image.iso");
        rmSync(image, { force: true });
        const made = await run(oracle(program), [...args, "-o", image, host]);
        expect([i, made.status, made.stderr.toString("latin1").slice(-1000)]).toEqual([i, 0, expect.anything()]);
        const content = await openFileContent(image);
        try {
          const iso = await openIso(content);
          const expected = listDirectory(host, "sha256");
          const found = await listTree(await iso.tree(), "sha256");
          const fields = FIELDS.filter((field) => !without.includes(field));
          // A link's mode is 0777 on disk.
          const ignore = (path: string): boolean => path === "/rr_moved";
          expect([i, compareListings(expected, found, { fields, ignore })]).toEqual([i, []]);
          await layoutOf(content);
          const unknown = (await checkIso(content)).filter(
            ({ code, severity }) => severity !== "note" && !findings.includes(code),
          );
          expect([i, unknown]).toEqual([i, []]);
        } finally {
          await content.close();
        }
      }
    });
  }
});
