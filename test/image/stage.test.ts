// Staging as a whole: what becomes of a proto area's tree before it is written.

import { describe, expect, test } from "vitest";
import { type ExpectedPath, GROUP, gateEntries, generateManifests, PASSWD } from "../../fixtures/generate-manifests.ts";
import { fromText, readText, textContent } from "../../src/bytes/index.ts";
import { DEFAULT_OPTIONS, directoryLayer, type Edit, type Layer, stage } from "../../src/image/index.ts";
import {
  type Directory,
  directory,
  file,
  findFile,
  lookup,
  type Node,
  pathsOf,
  symlink,
  treeOf,
  walk,
} from "../../src/tree/index.ts";

const user = { mode: 0o644, uid: 1000, gid: 1000, mtimeSeconds: 500 };
const text = (value: string, mode = 0o644): Node => file({ ...user, mode }, textContent(value));
const options = { ...DEFAULT_OPTIONS, loader: "none" as const };

const proto = treeOf(
  [
    ["/etc/inittab", text("ap::sysinit:/x\nsmf::sysinit:/lib/svc/bin/svc.startd\n")],
    ["/etc/system", text("* system\n")],
    ["/etc/passwd", text(PASSWD)],
    ["/etc/group", text(GROUP)],
    ["/usr/bin/ksh93", text("shell", 0o555)],
    ["/usr/bin/su", text("su", 0o4755)],
    ["/platform/i86pc/boot_archive", text("old")],
    ["/platform/i86pc/amd64/boot_archive.hash", text("old")],
    ["/platform/i86pc/kernel/amd64/unix", text("unix")],
    ["/boot/grub/stage2_eltorito", text("stage")],
    ["/boot/grub/menu.lst", text("old menu")],
    ["/boot/grub/stage2", text("stage2")],
  ],
  { ...user, mode: 0o755 },
);

async function staged(edits: readonly Edit[] = [], layers: readonly Directory[] = []): ReturnType<typeof stage> {
  const [first, ...rest] = [proto, ...layers].map((tree) => directoryLayer(tree));
  return stage([first as Layer, ...rest], { ...options, edits });
}

async function textAt(tree: Directory, path: string): Promise<string | undefined> {
  const found = findFile(tree, path);
  return found && readText(found.content);
}

describe("staging", () => {
  test("owners become root's, set-id bits stay, nothing is newer than the epoch", async () => {
    const { ramdisk, epochSeconds } = await stage([directoryLayer(proto)], { ...options, epochSeconds: 400 });
    expect(epochSeconds).toBe(400);
    for (const { node } of walk(ramdisk)) {
      expect([node.uid, node.gid]).toEqual([0, 0]);
      expect(node.mtimeSeconds).toBeLessThanOrEqual(400);
    }
    expect(lookup(ramdisk, "/usr/bin/su")?.mode).toBe(0o4755);
  });

  test("init runs our script, which ends in ksh93", async () => {
    const { ramdisk, init } = await staged();
    expect(init).toBe("shell");
    expect(await textAt(ramdisk, "/etc/inittab")).toBe("ap::sysinit:/x\nsmf::sysinit:/etc/pureboot.rc\n");
    expect(await textAt(ramdisk, "/etc/pureboot.rc")).toMatch(/\nexec \/usr\/bin\/ksh93 -i\n$/);
    expect(lookup(ramdisk, "/etc/pureboot.rc")?.mode).toBe(0o755);
    expect(await textAt(ramdisk, "/etc/system")).toContain("apic_kmdb_on_nmi=1");
  });

  test("old archives are nowhere, what only a medium uses is only on the medium", async () => {
    const { ramdisk, medium } = await staged();
    const inside = pathsOf(ramdisk);
    const outside = pathsOf(medium.tree);
    for (const paths of [inside, outside]) expect(paths.filter((path) => path.includes("boot_archive"))).toEqual([]);
    expect(inside).not.toContain("/boot/grub/stage2_eltorito");
    expect(inside).toContain("/boot/grub/stage2");
    expect(outside).toContain("/boot/grub/stage2_eltorito");
    expect(outside.filter((path) => !/^\/(boot|platform)?(\/|$)/.test(path))).toEqual([]);
    expect(await textAt(medium.tree, "/boot/grub/menu.lst")).toMatch(/^default 0\n/);
    expect(inside).toContain("/dev/console");
    expect(inside).toContain("/reconfigure");
  });

  test("with SMF's libraries in an adjunct, init is left alone", async () => {
    const adjunct = treeOf(
      [
        ...["/usr/lib/libxml2.so.2", "/lib/libz.so.1", "/lib/libcrypto.so.3"].map((path) => [path, text("")] as const),
        ["/lib/svc/seed/global.db", text("seed")],
        ["/etc/vfstab", text("# device\n")],
      ],
      { ...user, mode: 0o755 },
    );
    const { ramdisk, init } = await staged([], [adjunct]);
    expect(init).toBe("smf");
    expect(await textAt(ramdisk, "/etc/inittab")).toContain("svc.startd");
    expect(lookup(ramdisk, "/etc/pureboot.rc")).toBeUndefined();
    expect(await textAt(ramdisk, "/etc/svc/profile/site/pureboot.xml")).toMatch(
      /system\/console-login[\s\S]*enabled='true'/,
    );
    expect(await textAt(ramdisk, "/etc/vfstab")).toBe("# device\n/devices/ramdisk:a\t-\t/\tufs\t-\tno\tnologging\n");
    expect(await textAt(ramdisk, "/etc/svc/repository.db")).toBe("seed");
    expect(lookup(ramdisk, "/etc/svc/repository.db")?.mode).toBe(0o600);
  });

  test("names that differ only by case are noted, and files that a folding file system lost are told", async () => {
    const pair = treeOf(
      [
        ["/usr/ucb/Mail", text("M")],
        ["/usr/ucb/mail", text("m")],
      ],
      { ...user, mode: 0o755 },
    );
    const { findings } = await staged([], [pair]);
    expect(findings.find(({ code }) => code === "case-groups")?.message).toContain("/usr/ucb/Mail and /usr/ucb/mail");
    const manifest =
      "set name=pkg.fmri value=pkg:/a@1\nfile path=usr/bin/SU mode=0555\nfile path=usr/bin/su mode=0555\n";
    const manifests = {
      files: [{ name: "a.p5m", text: manifest }],
      packages: [],
      variants: {},
      facets: {},
      strict: false,
    };
    const lost = await stage([directoryLayer(proto)], { ...options, manifests });
    expect(lost.findings.find(({ code }) => code === "case-lost")?.message).toMatch(/1 files .*usr\/bin\/SU/);
  });

  test("edits come last and in order", async () => {
    const { ramdisk, edits, findings } = await staged([
      { kind: "add", path: "etc/motd", content: textContent("hi"), mode: 0o600 },
      { kind: "chmod", pattern: "etc/motd", mode: 0o444 },
      { kind: "chown", pattern: "etc/motd", user: "uucp", group: "lp" },
      { kind: "remove", pattern: "etc/pureboot.rc" },
      { kind: "symlink", path: "bin", target: "./usr/bin" },
      { kind: "mkdir", path: "data", mode: 0o1777 },
      { kind: "keep", name: "list", list: { files: ["usr/bin/ksh93", "usr/none"], dirs: ["usr/new"] } },
      { kind: "remove", pattern: "nothing/*" },
    ]);
    expect(lookup(ramdisk, "/etc/motd")).toMatchObject({ mode: 0o444, uid: 5, gid: 8 });
    expect(lookup(ramdisk, "/etc/pureboot.rc")).toBeUndefined();
    expect(lookup(ramdisk, "/bin")).toMatchObject({ type: "symlink", target: "./usr/bin" });
    expect(lookup(ramdisk, "/data")).toMatchObject({ type: "directory", mode: 0o1777 });
    expect(pathsOf(ramdisk).filter((path) => path.startsWith("/usr"))).toEqual([
      "/usr",
      "/usr/bin",
      "/usr/bin/ksh93",
      "/usr/new",
    ]);
    expect(edits.map(({ matched }) => matched)).toEqual([1, 1, 1, 1, 1, 1, 4, 0]);
    expect(findings.filter(({ code }) => code === "no-match").map(({ message }) => message)).toEqual([
      "--keep-only list: /usr/none: not there",
      "--remove nothing/*: matches nothing",
    ]);
  });

  test("layers lie over each other, and what they replace is reported", async () => {
    const overlay = treeOf([["/etc/system", text("* overlaid\n")]], { ...user, mode: 0o755 });
    const { ramdisk, overridden } = await staged([], [overlay]);
    expect(await textAt(ramdisk, "/etc/system")).toMatch(/^\* overlaid\n/);
    expect(overridden).toEqual(["/etc/system"]);
  });

  test("an overlay's directories leave those that are there as they are; a source's own count", async () => {
    const base = { ...user, uid: 0, gid: 3 };
    const lower: Layer = {
      ...directoryLayer(
        treeOf(
          [
            ["/etc/passwd", text("root:x:0:0::/:\n")],
            ["/tmp", directory({ ...base, mode: 0o1777 })],
          ],
          { ...base, mode: 0o755 },
        ),
      ),
      ownersKnown: true,
    };
    const upper = treeOf(
      [
        ["/tmp/note", text("note", 0o600)],
        ["/etc/new/file", text("new")],
      ],
      { ...user, mode: 0o775 },
    );
    const attributesIn = async (layer: Layer) => {
      const { ramdisk } = await stage([lower, layer], options);
      const shown = (path: string) => {
        const { mode, uid, gid } = lookup(ramdisk, path) ?? { mode: 0, uid: -1, gid: -1 };
        return `${mode.toString(8)} ${uid}:${gid}`;
      };
      return ["/tmp", "/etc", "/etc/new", "/tmp/note"].map(shown);
    };
    expect(await attributesIn(directoryLayer(upper, "overlay", true))).toEqual([
      "1777 0:3",
      "755 0:3",
      "775 0:0",
      "600 0:0",
    ]);
    expect(await attributesIn(directoryLayer(upper))).toEqual(["775 0:0", "775 0:0", "775 0:0", "600 0:0"]);
  });

  test("an empty input and bad options are refused", async () => {
    const empty = directory({ ...user, mode: 0o755 });
    await expect(stage([directoryLayer(empty)], options)).rejects.toMatchObject({ code: "input-missing" });
    await expect(stage([directoryLayer(proto)], { ...options, console: "x" })).rejects.toMatchObject({
      code: "invalid-argument",
    });
    await expect(stage([directoryLayer(proto)], { ...options, hybrid: "yes" })).rejects.toMatchObject({
      code: "conflict",
    });
    await expect(stage([directoryLayer(proto)], { ...options, epochSeconds: 2 ** 31 })).rejects.toMatchObject({
      code: "invalid-argument",
    });
    await expect(stage([directoryLayer(proto)], { ...options, loader: "illumos" })).rejects.toMatchObject({
      code: "requirement",
    });
  });
});

describe("package manifests in a build", () => {
  const entries = gateEntries(1500);
  const gate = generateManifests(entries, { manifests: 40, drivers: 60, aliases: 200 });

  /** The tree of the generated gate, as an unprivileged build leaves it: owners meaningless, modes plain. */
  function gateTree(): Directory {
    const nodes = new Map<string, Node>();
    for (const { path, type } of entries) {
      if (type === "dir") nodes.set(path, directory({ ...user, mode: 0o755 }));
    }
    for (const { path, type, target = "" } of entries) {
      if (type === "link") nodes.set(path, symlink({ ...user, mode: 0o777 }, fromText(target)));
      else if (type === "file")
        nodes.set(path, text(path === "etc/passwd" ? PASSWD : path === "etc/group" ? GROUP : path));
    }
    for (const { path, type, target = "" } of entries) {
      const node = nodes.get(target);
      if (type === "hardlink" && node) nodes.set(path, node);
    }
    for (const [name, value] of Object.entries(gate.stateBefore)) nodes.set(`etc/${name}`, text(value));
    return treeOf(
      [...nodes].map(([path, node]) => [`/${path}`, node] as const),
      { ...user, mode: 0o755 },
    );
  }

  test("give owners, modes and kernel state files, as the generator decided beforehand", async () => {
    const manifests = { files: gate.files, packages: [], variants: {}, facets: {}, strict: false };
    const {
      ramdisk,
      drivers,
      manifests: report,
    } = await stage([directoryLayer(gateTree())], { ...options, manifests });
    const wrong: string[] = [];
    for (const [path, wanted] of gate.expected) {
      const node = lookup(ramdisk, `/${path}`);
      if (!node || !agrees(node, wanted)) wrong.push(path);
    }
    expect(wrong).toEqual([]);
    for (const [name, value] of Object.entries(gate.stateAfter)) {
      expect([name, await textAt(ramdisk, `/etc/${name}`)]).toEqual([name, value]);
    }
    expect(drivers?.added.length).toBeGreaterThan(50);
    expect(report?.droppedPackages.length).toBe(gate.foreign);
  });
});

function agrees(node: Node, { type, mode, uid, gid, target }: ExpectedPath): boolean {
  if (node.uid !== uid || node.gid !== gid) return false;
  if (type === "link") return node.type === "symlink" && node.target === target;
  return node.mode === mode && node.type === (type === "dir" ? "directory" : "file");
}
