// Texts that images and packages bring along, damaged by a seed: a result or an ImageError.

import { expect, test } from "vitest";
import { ImageError, memoryContent } from "../../src/bytes/index.ts";
import { gunzipContent } from "../../src/gzip/index.ts";
import { ramdiskFindings } from "../../src/illumos/index.ts";
import { loaderFindings } from "../../src/illumos/loader.ts";
import { readLoaderConfiguration } from "../../src/illumos/read-loader.ts";
import { readGrubMenu } from "../../src/illumos/read-menu.ts";
import { accountNames } from "../../src/inspect/index.ts";
import { layoutContent } from "../../src/layout/layout.ts";
import { applyMtree, formatMtree, openSource, parseMtree, planTar } from "../../src/source/index.ts";
import { type Directory, file, type Node, treeOf } from "../../src/tree/index.ts";
import { base, host, sampleTree } from "../inspect/images.ts";
import { grubParts, loaderParts, ramdiskNodes } from "../inspect/media.ts";
import { fileAction, repositoryTree } from "../source/repositories.ts";
import { bytes } from "../source/samples.ts";
import { mutate } from "./mutate.ts";
import { TIMES } from "./times.ts";

const CASES = 40 * TIMES;
const SOON_MS = 5000;
const hashing = host.createHasher;
const accounts = { users: new Map([["root", 0]]), groups: new Map([["sys", 3]]) };

/** Runs work on damaged forms of a text; what it throws must be an ImageError. */
async function damaged(original: string, work: (text: string) => Promise<unknown>): Promise<void> {
  for (let seed = 1; seed <= CASES; seed++) {
    const text = Buffer.from(mutate(bytes(original), [], seed)).toString("latin1");
    const start = performance.now();
    try {
      await work(text);
    } catch (error) {
      if (!(error instanceof ImageError)) throw new Error(`seed ${seed}: ${JSON.stringify(text)}`, { cause: error });
      expect(error.message).not.toMatch(/undefined|NaN|\[object/);
    }
    expect(performance.now() - start).toBeLessThan(SOON_MS);
  }
}

const node = (text: string): Node => file({ ...base, mode: 0o755 }, memoryContent(bytes(text)));
const treeWith = (nodes: Iterable<readonly [string, Node]>, path: string, text: string): Directory =>
  treeOf([...new Map([...nodes, [path, node(text)] as const])], { ...base, mode: 0o755 });

const openPackages = (tree: Directory): Promise<unknown> =>
  openSource(layoutContent(planTar(tree)), { decompressors: { gzip: gunzipContent }, hashing });

const CONF = [
  'boot_archive_load="YES"',
  'boot_archive_type="rootfs"',
  'boot_archive_name="/platform/${ISADIR}/x" # where',
  "exec=ls",
  'loader_conf_files="/boot/loader.conf /boot/loader.conf.local"',
  "",
].join("\n");

test("the loader's configuration", async () => {
  const { nodes } = await loaderParts();
  await damaged(CONF, async (text) => {
    const tree = treeWith(nodes, "/boot/conf.d/one", text);
    await readLoaderConfiguration(tree);
    await loaderFindings(tree);
  });
});

test("GRUB's menu", async () => {
  const { nodes } = grubParts();
  const menu = "default 1\ntimeout=10\ntitle a\nkernel$ /k/$ISADIR/unix -B x=y\nmodule$ /m\n#c\ntitle b\n root (hd0)\n";
  await damaged(menu, (text) => readGrubMenu(treeWith(nodes, "/boot/grub/menu.lst", text)));
});

test.each([
  [
    "/etc/inittab",
    "ap::sysinit:/sbin/autopush -f /etc/iu.ap\nsmf::sysinit:/lib/svc/bin/svc.startd >/dev/msglog 2<>1\n",
  ],
  ["/etc/name_to_major", "cn 0\nramdisk 3 # three\npseudo\t7\n"],
  ["/etc/driver_aliases", 'ahci "pci8086,2922"\nasy "pci11c1,480"\n'],
  ["/etc/path_to_inst", "#path_to_inst_bootstrap_1\n"],
])("%s", async (path, text) => {
  const nodes = ramdiskNodes();
  await damaged(text, (changed) => ramdiskFindings(treeWith(nodes, path, changed)));
});

test("passwd", async () => {
  const text = "root:x:0:0:Super-User:/root:/bin/sh\nadm:x:4:4::/var/adm:\n+@netgroup\n";
  await damaged(text, (changed) => accountNames(treeWith([], "/etc/passwd", changed)));
});

test("mtree", async () => {
  const tree = sampleTree();
  let text = "/set type=file uname=root\n";
  for await (const line of formatMtree(tree, hashing)) text += line;
  await damaged(text, async (changed) => applyMtree(tree, parseMtree(changed, "spec"), { accounts }));
});

test("package manifests and pkgmaps", async () => {
  const lines = [
    fileAction("etc/motd", "hello"),
    "dir group=sys mode=0755 owner=root path=etc",
    "link path=usr/bin/vi target=vim mediator=vi facet.doc=true variant.arch=i386",
    'driver name=ahci alias=pci8086,2922 perms="* 0600 root sys" clone_perms="x 0666 root sys"',
    'set name=description value="with \\"quotes\\" and \'others\'"',
  ];
  const fmri = "system/core@1.0,5.11-1:20200101T000000Z";
  await damaged(lines.join("\n"), async (changed) => {
    const tree = repositoryTree({ packages: { [fmri]: changed.split("\n") }, payloads: ["hello"] });
    await openPackages(tree);
  });
  const pkgmap =
    ": 1 10\n1 d none /etc 0755 root sys\n1 f none /etc/motd 0644 root sys 6 542 0\n1 l none b=a\n1 i pkginfo 20 1 0\n";
  await damaged(pkgmap, async (changed) => {
    const nodes: [string, Node][] = [
      ["/PKG/pkginfo", node("PKG=PKG\nNAME=a\n")],
      ["/PKG/pkgmap", node(changed)],
      ["/PKG/root/etc/motd", node("hello\n")],
    ];
    await openPackages(treeOf(nodes, base));
  });
});
