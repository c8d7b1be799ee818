// Tar in both directions against GNU tar and bsdtar: what they write we read, what we write they read. Needs root for
// owners and device nodes; without it both sides are compared without them.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { memoryContent } from "../../src/bytes/index.ts";
import { layoutBytes } from "../../src/layout/index.ts";
import { readTar } from "../../src/source/tar.ts";
import { planTar } from "../../src/source/tar-plan.ts";
import { type Directory, directory, draft, file, lookup, mapTree, symlink, treeOf } from "../../src/tree/index.ts";
import { attributes, text, treeArbitrary } from "../source/samples.ts";
import { ALL_FIELDS, compareListings, type Field, listDirectory, listTree } from "./harness/listing.ts";
import { oracle, testWith } from "./harness/programs.ts";
import { run, runText } from "./harness/run.ts";

const isRoot = process.getuid?.() === 0;
const FIELDS: readonly Field[] = isRoot ? ALL_FIELDS : ALL_FIELDS.filter((field) => field !== "uid" && field !== "gid");

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "pureboot-tar-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let folders = 0;
const folder = (): string => {
  const path = join(scratch, String(folders++));
  mkdirSync(path);
  return path;
};

/** A folder with every kind of node that a disk can hold, with odd, long and deep names, holes and hard links. */
function hostTree(): string {
  const top = folder();
  const at = (name: string) => join(top, name);
  mkdirSync(at(`deep/${"d".repeat(80)}/${"e".repeat(80)}/${"f".repeat(80)}`), { recursive: true });
  writeFileSync(at(`deep/${"d".repeat(80)}/${"e".repeat(80)}/${"f".repeat(80)}/${"n".repeat(255)}`), "deep");
  writeFileSync(Buffer.concat([Buffer.from(`${top}/`), Buffer.from([0xff, 0xfe, 0x41])]), "not UTF-8");
  writeFileSync(at("ümlaut*?[x] \\n"), "odd");
  writeFileSync(at("empty"), "");
  writeFileSync(at("setuid"), "x");
  writeFileSync(at("big"), Buffer.alloc(700_001, "0123456789"));
  const holes = openSync(at("holes"), "w");
  for (const place of [0, 1_000_000, 2_500_000]) writeSync(holes, "data", place);
  writeSync(holes, "\0", 4_999_999);
  execFileSync("sh", [
    "-c",
    `cd "$1" && chmod 4755 setuid && ln big second && mkdir d && ln big d/third &&
    ln -s ../../etc/passwd out && ln -s "$2" long-link && ln -s /abs abs && mkfifo fifo && chmod 1777 d &&
    touch -h -d @0 empty && touch -h -d @-5 abs && touch -h -d @4294967296 second`,
    "sh",
    top,
    "t/".repeat(150),
  ]);
  if (isRoot) {
    execFileSync("sh", [
      "-c",
      `cd "$1" && mknod c c 13 12 && mknod b b 7 300 && chown 71:8 setuid && chmod 4755 setuid &&
      chown 3000000:4000000 d && chown -h 60001:60002 out`,
      "sh",
      top,
    ]);
  }
  return top;
}

const hostFile = (path: string) => memoryContent(new Uint8Array(readFileSync(path)));

describe("what tar programs write, we read", () => {
  for (const format of ["v7", "ustar", "gnu", "oldgnu", "pax"]) {
    testWith(["tar"], `GNU tar --format=${format}`, async () => {
      const top = hostTree();
      const limited = format === "v7" || format === "ustar"; // cannot hold long names, times before 1970, big owners
      if (limited) execFileSync("rm", ["-r", `${top}/deep`, `${top}/long-link`, `${top}/abs`]);
      if (limited) execFileSync("sh", ["-c", `cd "$1" && touch -d @7 second && { chown 5:6 d || :; }`, "sh", top]);
      if (format === "v7") execFileSync("sh", ["-c", `cd "$1" && rm -f c b fifo`, "sh", top]);
      const out = join(scratch, `${format}.tar`);
      await runText(oracle("tar"), ["--numeric-owner", `--format=${format}`, "-C", top, "-cf", out, "."]);
      const { tree, warnings } = await readTar(hostFile(out));
      expect(compareListings(listDirectory(top), await listTree(tree), { fields: FIELDS })).toEqual([]);
      expect(warnings).toEqual([]);
    });
  }
  for (const [format, version] of [
    ["gnu", ""],
    ["pax", "0.0"],
    ["pax", "0.1"],
    ["pax", "1.0"],
  ]) {
    testWith(["tar"], `GNU tar --sparse ${format} ${version}`, async () => {
      const top = hostTree();
      const out = join(scratch, `sparse-${format}-${version}.tar`);
      const args = ["-S", `--format=${format}`, "-C", top, "-cf", out, "."];
      await runText(oracle("tar"), version ? [`--sparse-version=${version}`, ...args] : args);
      expect(hostFile(out).sizeBytes).toBeLessThan(3_000_000);
      const { tree } = await readTar(hostFile(out));
      expect(compareListings(listDirectory(top), await listTree(tree), { fields: FIELDS })).toEqual([]);
      const holes = lookup(tree, "/holes");
      expect(holes?.type === "file" && holes.content.dataRanges?.length).toBeGreaterThan(2);
    });
  }
  testWith(["tar"], "GNU tar: a sparse file of a hundred pieces has extension headers", async () => {
    const top = folder();
    const descriptor = openSync(join(top, "many"), "w");
    for (let i = 0; i < 100; i++) writeSync(descriptor, `piece ${i}`, i * 65536);
    const out = join(scratch, "many.tar");
    await runText(oracle("tar"), ["-S", "--format=gnu", "-C", top, "-cf", out, "."]);
    const { tree } = await readTar(hostFile(out));
    expect(compareListings(listDirectory(top), await listTree(tree))).toEqual([]);
  });
  for (const format of ["ustar", "pax", "gnutar", "v7tar"]) {
    testWith(["bsdtar"], `bsdtar --format=${format}`, async () => {
      const top = hostTree();
      const limited = format === "ustar" || format === "v7tar";
      if (limited) execFileSync("rm", ["-r", `${top}/deep`, `${top}/long-link`, `${top}/abs`]);
      if (limited) execFileSync("sh", ["-c", `cd "$1" && touch -d @7 second && { chown 5:6 d || :; }`, "sh", top]);
      if (format === "v7tar") execFileSync("sh", ["-c", `cd "$1" && rm -f c b fifo`, "sh", top]);
      if (format === "gnutar") execFileSync("sh", ["-c", `touch -h -d @7 "$1/abs"`, "sh", top]);
      const out = join(scratch, `bsd-${format}.tar`);
      await runText(oracle("bsdtar"), ["--numeric-owner", `--format=${format}`, "-C", top, "-cf", out, "."]);
      const { tree } = await readTar(hostFile(out));
      expect(compareListings(listDirectory(top), await listTree(tree), { fields: FIELDS })).toEqual([]);
    });
  }
});

/** Whoever unpacks as root sets owners; the root directory's time is touched by unpacking into it. */
const unpack = async (program: "tar" | "bsdtar", archive: string): Promise<string> => {
  const into = folder();
  await runText(oracle(program), ["--numeric-owner", "-C", into, "-xpf", archive]);
  return into;
};

const unpackBytes = (bytes: Uint8Array): Promise<string> => {
  const archive = join(scratch, `${folders++}.tar`);
  writeFileSync(archive, bytes);
  return unpack("tar", archive);
};

/** bsdtar leaves the folder that it unpacks into as it is. */
const comparison = (program: "tar" | "bsdtar") => ({
  fields: FIELDS,
  ignore: (path: string) => program === "bsdtar" && path === "/",
});

/** What Linux cannot keep: a mode of its own for symbolic links. */
const asOnLinux = (tree: Directory): Directory =>
  mapTree(tree, (node) => (node.type === "symlink" ? symlink({ ...node, mode: 0o777 }, node.target) : node));

describe("what we write, tar programs read", () => {
  const decades = { min: 1, max: 2 ** 31 - 1 };
  for (const program of ["tar", "bsdtar"] as const) {
    testWith([program], `${program}: the host's tree comes back`, async () => {
      const top = hostTree();
      const source = join(scratch, `${program}-source.tar`);
      await runText(oracle("tar"), ["--numeric-owner", "--format=pax", "-C", top, "-cf", source, "."]);
      const { tree } = await readTar(hostFile(source));
      const ours = join(scratch, `${program}-ours.tar`);
      writeFileSync(ours, await layoutBytes(planTar(tree)));
      const back = await unpack(program, ours);
      expect(compareListings(listDirectory(top), listDirectory(back), comparison(program))).toEqual([]);
    });
    testWith([program], `${program}: random trees`, async () => {
      let number = 0;
      await fc.assert(
        fc.asyncProperty(treeArbitrary({ extremes: false }), fc.integer(decades), async (random, time) => {
          const tree = asOnLinux(directory({ ...attributes, mode: 0o755, mtimeSeconds: time }, random.entries));
          const ours = join(scratch, `${program}-${number++}.tar`);
          writeFileSync(ours, await layoutBytes(planTar(tree)));
          const back = await unpack(program, ours);
          expect(compareListings(await listTree(tree), listDirectory(back), comparison(program))).toEqual([]);
        }),
        { numRuns: 25 },
      );
    });
  }
  testWith(["tar"], "GNU tar reads our pax headers", async () => {
    const tree = treeOf(
      [
        ["/big-owner", text("x", { uid: 4_000_000_000, gid: 3_000_000_000 })],
        ["/old", text("x", { mtimeSeconds: -100 })],
        ["/late", text("x", { mtimeSeconds: 2 ** 33 + 1 })],
        [`/${"p".repeat(200)}/${"q".repeat(200)}`, text("x")],
      ],
      attributes,
    );
    const ours = join(scratch, "pax.tar");
    writeFileSync(ours, await layoutBytes(planTar(tree)));
    const listed = await runText(oracle("tar"), ["--numeric-owner", "--full-time", "-tvf", ours], {
      env: { TZ: "UTC" },
    });
    expect(listed).toContain("4000000000/3000000000");
    expect(listed).toContain("1969-12-31 23:58:20");
    expect(listed).toContain("2242-03-16 12:56:33");
    expect(listed).toContain(`${"p".repeat(200)}/${"q".repeat(200)}`);
  });
});

describe("hostile archives made by GNU tar", () => {
  testWith(["tar"], "names above and outside are errors or become relative", async () => {
    const top = folder();
    writeFileSync(join(top, "f"), "x");
    const make = async (transform: string): Promise<string> => {
      const out = join(scratch, `hostile-${folders++}.tar`);
      await runText(oracle("tar"), ["-P", "-C", top, `--transform=${transform}`, "-cf", out, "f"]);
      return out;
    };
    await expect(readTar(hostFile(await make("s,^,../../,")))).rejects.toMatchObject({
      code: "bad-format",
    });
    const absolute = await readTar(hostFile(await make("s,^,/etc/,")));
    expect(lookup(absolute.tree, "/etc/f")).toBeDefined();
    expect(absolute.warnings.map(({ code }) => code)).toEqual(["absolute-name"]);
  });
  testWith(["tar"], "an archive cut off anywhere is an error wherever GNU tar says so", async () => {
    const tree = treeOf(
      [
        ["/a", text("a".repeat(2000))],
        ["/b", file(attributes, memoryContent(new Uint8Array(3000)))],
      ],
      attributes,
    );
    const whole = await layoutBytes(planTar(tree));
    for (let length = 512; length < 8000; length += 512) {
      const cut = whole.subarray(0, length);
      const gnu = await run(oracle("tar"), ["-tf", "-"], { input: cut });
      const ours = await readTar(memoryContent(cut)).then(
        () => 0,
        () => 1,
      );
      expect(`${length}: ${ours}`).toBe(`${length}: ${gnu.status === 0 ? 0 : 1}`);
    }
  });
  testWith(["tar"], "a member below a symbolic link", async () => {
    const evil = draft(treeOf([["/l/passwd", text("x")]], attributes)).tree();
    const below = await layoutBytes(planTar(evil));
    const link = await layoutBytes(
      planTar(treeOf([["/l", { ...attributes, type: "symlink", target: "elsewhere" }]], attributes)),
    );
    // Root and link of the one, then the other without its root: the directory takes the link's place, as with GNU tar.
    const replaced = new Uint8Array(Buffer.concat([link.subarray(0, 1024), below.subarray(512)]));
    const into = await unpackBytes(replaced);
    expect(compareListings(listDirectory(into), await listTree((await readTar(memoryContent(replaced))).tree))).toEqual(
      [],
    );
    // Without the directory: GNU tar would follow a harmless link; a tree is not followed into, so it is an error.
    const through = new Uint8Array(Buffer.concat([link.subarray(0, 1024), below.subarray(1024)]));
    await expect(readTar(memoryContent(through))).rejects.toMatchObject({ code: "wrong-type" });
  });
});
