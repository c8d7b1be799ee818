import { describe, expect, test } from "vitest";
import { textContent } from "../../src/bytes/index.ts";
import {
  type Attributes,
  device,
  directory,
  draft,
  file,
  globMatcher,
  lookup,
  mapTree,
  mergeTrees,
  pathsOf,
  prune,
  resolve,
  summarize,
  symlink,
  treeOf,
} from "../../src/tree/index.ts";

const base: Attributes = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 100 };
const text = (value: string) => file(base, textContent(value));

describe("draft", () => {
  test("edits give a new tree and leave the old one alone", () => {
    const before = treeOf([["/etc/a", text("a")]], base);
    const edit = draft(before);
    edit.put("/etc/b", text("b"));
    edit.put("/usr/lib/c", text("c"), base);
    expect(edit.remove("/etc/a")).toBe(true);
    expect(edit.remove("/etc/none")).toBe(false);
    expect(pathsOf(edit.tree())).toEqual(["/", "/etc", "/etc/b", "/usr", "/usr/lib", "/usr/lib/c"]);
    expect(pathsOf(before)).toEqual(["/", "/etc", "/etc/a"]);
  });
  test("untouched directories are shared", () => {
    const before = treeOf(
      [
        ["/etc/a", text("a")],
        ["/usr/b", text("b")],
      ],
      base,
    );
    const edit = draft(before);
    edit.put("/etc/c", text("c"));
    expect(lookup(edit.tree(), "/usr")).toBe(lookup(before, "/usr"));
  });
  test("a file on the way is an error that names it", () => {
    const edit = draft(treeOf([["/etc/a", text("a")]], base));
    expect(() => edit.put("/etc/a/b", text("b"), base)).toThrow(expect.objectContaining({ code: "wrong-type" }));
    expect(() => edit.put("/none/b", text("b"))).toThrow(expect.objectContaining({ code: "not-found" }));
    expect(() => edit.put("/etc/../b", text("b"))).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});

describe("hard links", () => {
  const shared = text("x");
  const tree = treeOf(
    [
      ["/a", shared],
      ["/d/b", shared],
    ],
    base,
  );
  test("count once as an inode", () => {
    expect(summarize(tree)).toMatchObject({ paths: 4, inodes: 3, files: 1, hardLinks: 1, contentBytes: 1 });
  });
  test("stay hard links when the node changes", () => {
    const changed = mapTree(tree, (node) => ({ ...node, uid: 7 }));
    expect(lookup(changed, "/a")).toBe(lookup(changed, "/d/b"));
    expect(lookup(changed, "/a")).toMatchObject({ uid: 7 });
  });
  test("one name can go while the other stays", () => {
    expect(pathsOf(prune(tree, (path) => path === "/a"))).toEqual(["/", "/d", "/d/b"]);
  });
});

test("layers: directories merge, everything else is replaced and reported", () => {
  const lower = treeOf(
    [
      ["/etc/a", text("1")],
      ["/etc/b", text("1")],
      ["/x", text("1")],
    ],
    base,
  );
  const upper = treeOf(
    [
      ["/etc/b", text("2")],
      ["/x/y", text("2")],
    ],
    { ...base, mode: 0o700 },
  );
  const { tree, overridden } = mergeTrees([lower, upper]);
  expect(pathsOf(tree)).toEqual(["/", "/etc", "/etc/a", "/etc/b", "/x", "/x/y"]);
  expect(overridden).toEqual(["/etc/b", "/x"]);
  expect(lookup(tree, "/etc")?.mode).toBe(0o700);
});

test("links are followed inside the tree, and loops end", () => {
  const tree = treeOf(
    [
      ["/usr/bin/sh", text("sh")],
      ["/bin", symlink(base, "./usr/bin")],
      ["/sbin/sh", symlink(base, "../bin/sh")],
      ["/abs", symlink(base, "/../../bin/sh")],
      ["/loop", symlink(base, "loop")],
    ],
    base,
  );
  expect(resolve(tree, "/sbin/sh")?.path).toBe("/usr/bin/sh");
  expect(resolve(tree, "/abs")?.path).toBe("/usr/bin/sh");
  expect(resolve(tree, "/loop")).toBeUndefined();
  expect(resolve(tree, "/usr/bin/sh/x")).toBeUndefined();
});

test("walking is in bytewise order, whatever the order of insertion", () => {
  const names = ["b", "a", "\xff", "B", "a.b", "a0"];
  const one = treeOf(
    names.map((name) => [`/${name}`, device(base, "character", 1, 2)]),
    base,
  );
  expect(pathsOf(one)).toEqual(["/", "/B", "/a", "/a.b", "/a0", "/b", "/\xff"]);
});

test("globs", () => {
  const paths = ["/usr/share/man/man1/ls.1", "/usr/share", "/etc/.login", "/a.pyc", "/usr/lib/b.pyc"];
  const matching = (pattern: string) => paths.filter(globMatcher(pattern));
  expect(matching("*.pyc")).toEqual(["/a.pyc", "/usr/lib/b.pyc"]);
  expect(matching("usr/share/man/**")).toEqual(["/usr/share/man/man1/ls.1"]);
  expect(matching("/usr/*")).toEqual(["/usr/share"]);
  expect(matching("etc/*")).toEqual(["/etc/.login"]);
  expect(() => globMatcher("/")).toThrow(expect.objectContaining({ code: "invalid-argument" }));
});

test("a directory's own attributes are its own", () => {
  expect(directory({ ...base, mode: 0o1777 })).toEqual({
    type: "directory",
    ...base,
    mode: 0o1777,
    entries: new Map(),
  });
});
