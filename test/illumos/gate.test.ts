// A gate's worth of manifests over a gate's worth of proto area; what must come of them is said by the generator.

import { beforeAll, describe, expect, test } from "vitest";
import {
  type GeneratedGate,
  GROUP,
  gateEntries,
  generateManifests,
  PASSWD,
  type ProtoEntry,
} from "../../fixtures/generate-manifests.ts";
import { byteString, readAll, textContent } from "../../src/bytes/index.ts";
import {
  type AppliedManifests,
  applyDrivers,
  applyManifests,
  type DriverReport,
  type DriverStateTexts,
  driverFiles,
  type PackageSet,
  readManifests,
} from "../../src/illumos/index.ts";
import {
  type Attributes,
  type Directory,
  directory,
  draft,
  type File,
  file,
  lookup,
  type Node,
  symlink,
  walk,
} from "../../src/tree/index.ts";

/** What a build by an unprivileged user leaves: its own owner and modes that say little. */
const BUILDER: Attributes = { mode: 0o640, uid: 1000, gid: 1000, mtimeSeconds: 1000 };
const OPTIONS = { timeSeconds: 2000 };

function protoArea(entries: readonly ProtoEntry[], leftOut: (entry: ProtoEntry) => boolean): Directory {
  const edit = draft(directory(BUILDER));
  const inodes = new Map<string, Node>();
  const parent = { ...BUILDER, mode: 0o755 };
  const texts: Record<string, string> = { "etc/passwd": PASSWD, "etc/group": GROUP };
  for (const entry of entries) {
    if (entry.type !== "file" || leftOut(entry)) continue;
    const node = file(BUILDER, textContent(texts[entry.path] ?? entry.path));
    inodes.set(entry.path, node);
    edit.put(`/${entry.path}`, node, parent);
  }
  for (const entry of entries) {
    const { path, type, target = "" } = entry;
    if (leftOut(entry)) continue;
    const node = inodes.get(target);
    if (type === "link") edit.put(`/${path}`, symlink(BUILDER, target), parent);
    else if (type === "hardlink" && node) edit.put(`/${path}`, node, parent);
    else if (type === "dir" && edit.get(`/${path}`) === undefined) edit.put(`/${path}`, directory(parent), parent);
  }
  return edit.tree();
}

const describeNode = (node: Node): string =>
  `${node.type} 0${node.mode.toString(8)} ${node.uid}:${node.gid}${node.type === "symlink" ? ` -> ${node.target}` : ""}`;

describe("600 manifests, 25,000 files", () => {
  const entries = gateEntries();
  // Not in the proto area: one file, one link in a thousand, directories that hold nothing else.
  const isLeftOut = ({ path, type }: ProtoEntry): boolean =>
    path === "usr/bin/command7" ||
    (type === "link" && path.endsWith("77")) ||
    path === "opt/tests/suite3" ||
    path.startsWith("opt/tests/suite3/");
  let gate: GeneratedGate;
  let set: PackageSet;
  let applied: AppliedManifests;
  let before: Directory;

  beforeAll(async () => {
    gate = generateManifests(entries);
    set = readManifests(gate.files);
    const edit = draft(protoArea(entries, isLeftOut));
    edit.put("/usr/include/unpackaged.h", file({ ...BUILDER, mode: 0o604 }, textContent("")));
    edit.put("/licenses/all", file({ ...BUILDER, mode: 0o600 }, textContent("")), { ...BUILDER, mode: 0o750 });
    edit.put("/usr/bin/other-name", lookup(edit.tree(), "/usr/bin/command1") as Node);
    before = edit.tree();
    applied = await applyManifests(before, set, OPTIONS);
  });

  test("the generator is of the gate's size", () => {
    const count = (type: string) => entries.filter((entry) => entry.type === type).length;
    expect(count("file")).toBeGreaterThan(24_900);
    expect(gate.files).toHaveLength(600);
    expect([...gate.expected.values()].filter(({ mode }) => (mode & 0o6000) !== 0).length).toBeGreaterThan(500);
  });

  test("packages for another architecture are dropped, with the reason", () => {
    expect(set.packages).toHaveLength(540);
    expect(set.dropped).toHaveLength(gate.foreign);
    expect(new Set(set.dropped.map(({ reason }) => reason))).toEqual(new Set(["variant.arch=sparc"]));
    expect(set.undefinedMacros).toEqual([]);
  });

  test("every path has the owner, group, mode, type and target that it shall have", () => {
    const missingFiles = new Set(applied.report.missing.map(({ path }) => path));
    const wrong: string[] = [];
    for (const [path, { type, mode, uid, gid, target }] of gate.expected) {
      const node = lookup(applied.tree, `/${path}`);
      const nodeType = { file: "file", dir: "directory", link: "symlink", hardlink: "file" }[type];
      const want = `${nodeType} 0${mode.toString(8)} ${uid}:${gid}${type === "link" ? ` -> ${target}` : ""}`;
      if (missingFiles.has(`/${path}`)) continue;
      if (node === undefined || describeNode(node) !== want) {
        wrong.push(`${path}: ${node ? describeNode(node) : "absent"}, wanted ${want}`);
      }
      if (type === "hardlink" && node !== lookup(applied.tree, `/${target}`)) wrong.push(`${path}: not ${target}`);
    }
    expect(wrong.slice(0, 5)).toEqual([]);
  });

  test("the report names what only one side has", () => {
    const { report } = applied;
    expect(report.unpackaged).toEqual([
      "/licenses",
      "/licenses/all",
      "/usr/bin/other-name",
      "/usr/include/unpackaged.h",
    ]);
    const files = entries.filter((entry) => isLeftOut(entry) && entry.type === "file").map(({ path }) => `/${path}`);
    const alsoLinks = ["/usr/xpg4/bin/command7"];
    expect(report.missing.map(({ path }) => path).sort()).toEqual([...files, ...alsoLinks].sort());
    const made = entries.filter((entry) => isLeftOut(entry) && ["dir", "link"].includes(entry.type));
    expect(report.made).toEqual(made.map(({ path }) => `/${path}`).sort());
    expect(made.length).toBeGreaterThan(20);
    expect(report.conflicts).toEqual([]);
    expect(report.mismatches).toEqual([]);
    expect(report.removed).toEqual([]);
    expect(report.unprovided).toEqual([]);
    expect(report.packages).toBe(540);
    expect(report.actions["file"]).toBe(entries.filter(({ type }) => type === "file").length);
  });

  test("what no manifest names keeps its mode and is root's; a further name of a packaged file follows it", () => {
    const at = (path: string) => lookup(applied.tree, path) as Node;
    expect(describeNode(at("/licenses"))).toBe("directory 0750 0:0");
    expect(describeNode(at("/licenses/all"))).toBe("file 0600 0:0");
    expect(describeNode(at("/usr/include/unpackaged.h"))).toBe("file 0604 0:0");
    expect(at("/usr/bin/other-name")).toBe(at("/usr/bin/command1"));
    expect(describeNode(at("/"))).toBe("directory 0755 0:0");
  });

  test("contents and times stay; the tree that came in is as it was", () => {
    const node = lookup(applied.tree, "/usr/bin/command5") as File;
    expect(node.content).toBe((lookup(before, "/usr/bin/command5") as File).content);
    expect(node.mtimeSeconds).toBe(1000);
    for (const { node: old } of walk(before)) if (old.uid !== 1000) throw new Error("the input changed");
  });

  test("strict refuses it and says why", async () => {
    await expect(applyManifests(before, set, { ...OPTIONS, strict: true })).rejects.toThrow(
      /4 in no manifest: \/licenses; .*in a manifest, but not in the tree: .*p5m:\d+/,
    );
  });

  test("the kernel state files are those of add_drv", async () => {
    const texts = Object.fromEntries(
      Object.entries(gate.stateBefore).map(([name, text]) => [name.replace("security/", ""), text]),
    ) as DriverStateTexts;
    const { files, report } = driverFiles(texts, applied.drivers);
    for (const [name, text] of Object.entries(gate.stateAfter)) {
      expect(files[name.replace("security/", "") as keyof DriverStateTexts]).toBe(text);
    }
    expectCounts(report);

    const edit = draft(applied.tree);
    for (const [name, text] of Object.entries(gate.stateBefore))
      edit.put(`/etc/${name}`, file(BUILDER, textContent(text)), BUILDER);
    const inTree = await applyDrivers(edit.tree(), applied.drivers, 3000);
    for (const [name, text] of Object.entries(gate.stateAfter)) {
      const node = lookup(inTree.tree, `/etc/${name}`) as File;
      expect(byteString(await readAll(node.content))).toBe(text);
      expect(describeNode(node)).toBe("file 0640 1000:1000");
    }
    expectCounts(inTree.report);
  });

  const expectCounts = (report: DriverReport): void => {
    expect(report.added).toHaveLength(338);
    expect(report.updated).toEqual(["asy", "devinfo"]);
    expect(report.majors).toBe(342);
    expect(report.aliases).toBe(1701);
    expect(report.clashes).toEqual([]);
  };
});

describe("any small gate", () => {
  test.each([1, 2, 3, 4])("seed %i", async (seed) => {
    const entries = gateEntries(300);
    const gate = generateManifests(entries, { manifests: 20, drivers: 30, aliases: 70, seed });
    const { tree, report, drivers } = await applyManifests(
      protoArea(entries, () => false),
      readManifests(gate.files),
      OPTIONS,
    );
    for (const [path, { mode, uid, gid }] of gate.expected) {
      expect(describeNode(lookup(tree, `/${path}`) as Node)).toContain(` 0${mode.toString(8)} ${uid}:${gid}`);
    }
    expect([...report.unpackaged, ...report.missing, ...report.made]).toEqual([]);
    expect(drivers).toHaveLength(30);
    // Nothing is left to say the second time: applying is idempotent.
    const again = await applyManifests(tree, readManifests(gate.files), OPTIONS);
    expect([...walk(again.tree)].map(({ path, node }) => `${path} ${describeNode(node)}`)).toEqual(
      [...walk(tree)].map(({ path, node }) => `${path} ${describeNode(node)}`),
    );
  });
});
