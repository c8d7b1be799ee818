// cpio, zip, package datastreams, package archives and mtree against programs that nobody here wrote: GNU cpio, bsdtar,
// Info-ZIP, Python's tarfile (which is what pkg5 writes package archives with), NetBSD's mtree.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { byteString, memoryContent } from "../../src/bytes/index.ts";
import { gunzipContent } from "../../src/gzip/index.ts";
import { layoutBytes } from "../../src/layout/index.ts";
import { createHasher, readDirectoryTree } from "../../src/node/index.ts";
import {
  applyMtree,
  formatMtree,
  openSource,
  parseMtree,
  planTar,
  readCpio,
  readTar,
  readZip,
  type SourceOptions,
} from "../../src/source/index.ts";
import { directory, lookup, mapTree, pathsOf } from "../../src/tree/index.ts";
import { fileAction, type RepositoryParts, repositoryFiles } from "../source/repositories.ts";
import { attributes } from "../source/samples.ts";
import { ALL_FIELDS, compareListings, type Field, listDirectory, listTree } from "./harness/listing.ts";
import { oracle, testWith } from "./harness/programs.ts";
import { run, runText } from "./harness/run.ts";

const OPTIONS: SourceOptions = { decompressors: { gzip: gunzipContent }, hashing: createHasher };
const isRoot = process.getuid?.() === 0;
const without = (...fields: Field[]): Field[] => ALL_FIELDS.filter((field) => !fields.includes(field));

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "pureboot-archives-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let number = 0;
const path = (name: string) => join(scratch, `${number++}-${name}`);
const hostFile = (name: string) => memoryContent(new Uint8Array(readFileSync(name)));
const shell = (script: string, ...args: string[]) =>
  execFileSync("bash", ["-ec", script, "bash", ...args], { env: { ...process.env, TZ: "UTC", LC_ALL: "C" } });

function hostTree(): string {
  const top = path("tree");
  mkdirSync(top);
  shell(
    `cd "$1"; mkdir -p d/e/f; head -c 300000 /dev/zero | tr '\\0' x > d/big; printf hello > d/e/hello; : > empty
     printf x > 'odd *?[x]#\\ name'; printf y > $'bytes\\377'; ln d/big d/second; ln d/big third; ln -s ../../out d/out; ln -s long/"$(printf 'x%.0s' {1..150})" long
     mkfifo fifo; chmod 4755 d/e/hello; chmod 1777 d/e; chmod 0600 empty; touch -d @1234567890 d/e/hello empty d/big
     if [ "$(id -u)" = 0 ]; then mknod c c 13 12; mknod b b 7 3; chown 71:8 empty; fi
     find . -exec touch -h -d @1400000000 {} +`,
    top,
  );
  return top;
}

describe("cpio", () => {
  for (const format of ["newc", "crc", "odc"]) {
    testWith(["cpio"], `GNU cpio -H ${format}`, async () => {
      const top = hostTree();
      const out = path("cpio");
      shell('cd "$1"; find . | cpio -o -H "$2" > "$3" 2>/dev/null', top, format, out);
      const { tree } = await readCpio(hostFile(out));
      // odc keeps a device number of Linux in 18 bits, minor first.
      const fields = format === "odc" ? without("device") : ALL_FIELDS;
      expect(compareListings(listDirectory(top), await listTree(tree), { fields })).toEqual([]);
    });
  }
  for (const format of ["newc", "odc"]) {
    testWith(["bsdtar"], `bsdtar --format=${format}`, async () => {
      const top = hostTree();
      const out = path("cpio");
      await runText(oracle("bsdtar"), [`--format=${format}`, "-C", top, "-cf", out, "."]);
      const { tree } = await readCpio(hostFile(out));
      const fields = format === "odc" ? without("device") : ALL_FIELDS;
      expect(compareListings(listDirectory(top), await listTree(tree), { fields })).toEqual([]);
    });
  }
});

describe("zip", () => {
  // A zip archive has no hard links, no fifos and no devices.
  const kept = without("nlink", "hardLinks", "device");
  const fifos = (name: string) => ["/fifo", "/b", "/c", "/"].includes(name);
  testWith(["zip"], "Info-ZIP", async () => {
    const top = hostTree();
    const out = path("x.zip");
    shell('cd "$1"; rm -f fifo b c; zip -q -r -y "$2" .', top, out);
    const { tree } = await readZip(hostFile(out), gunzipContent);
    expect(compareListings(listDirectory(top), await listTree(tree), { fields: kept, ignore: fifos })).toEqual([]);
  });
  testWith(["zip"], "Info-ZIP: stored, and streamed with sizes after the data", async () => {
    const top = hostTree();
    const out = path("x.zip");
    shell('cd "$1"; rm -f fifo b c; zip -q -0 -r -y "$2" .; zip -q -r - d | cat > "$2.2"', top, out);
    const { tree } = await readZip(hostFile(out), gunzipContent);
    expect(compareListings(listDirectory(top), await listTree(tree), { fields: kept, ignore: fifos })).toEqual([]);
    const streamed = await readZip(hostFile(`${out}.2`), gunzipContent);
    expect((await listTree(streamed.tree)).get("/d/e/hello")?.digest).toBe(
      listDirectory(top).get("/d/e/hello")?.digest,
    );
  });
  testWith(["bsdtar"], "bsdtar --format=zip", async () => {
    const top = hostTree();
    const out = path("x.zip");
    shell('cd "$1"; rm -f fifo b c', top);
    await runText(oracle("bsdtar"), ["--format=zip", "-C", top, "-cf", out, "."]);
    const { tree } = await readZip(hostFile(out), gunzipContent);
    expect(compareListings(listDirectory(top), await listTree(tree), { fields: kept, ignore: fifos })).toEqual([]);
  });
  testWith(["python3"], "Python's zipfile, as zaps are made", async () => {
    const top = hostTree();
    const out = path("x.zip");
    shell(`cd "$1"; rm -f fifo b c bytes*; python3 -m zipfile -c "$2" d empty`, top, out);
    const { tree } = await readZip(hostFile(out), gunzipContent);
    expect((await listTree(tree)).get("/d/e/hello")?.digest).toBe(listDirectory(top).get("/d/e/hello")?.digest);
    expect(pathsOf(tree)).toContain("/d/e/f");
  });
});

/** A package directory whose pkgmap's sums and times come from sum(1) and stat(1). */
function packageDirectory(): string {
  const top = path("spool");
  shell(
    `mkdir -p "$1/SUNWx/reloc/usr/bin" "$1/SUNWx/root/etc" "$1/SUNWx/install"; cd "$1/SUNWx"
     head -c 70000 /dev/zero | tr '\\0' '\\377' > reloc/usr/bin/prog; echo motd > root/etc/motd
     printf 'PKG=SUNWx\\nNAME=x\\nBASEDIR=/\\nCLASSES=none\\n' > pkginfo; printf '#!/bin/sh\\nadd_drv -n x\\n' > install/postinstall
     about() { echo "$(stat -c %s "$1") $(sum -s "$1" | cut -d' ' -f1) $(stat -c %Y "$1")"; }
     { echo ': 1 300'; echo "1 i pkginfo $(about pkginfo)"; echo "1 i postinstall $(about install/postinstall)"
       echo "1 f none /etc/motd 0644 root sys $(about root/etc/motd)"; echo '1 d none usr/bin 0755 root bin'
       echo "1 f none usr/bin/prog 4555 root sys $(about reloc/usr/bin/prog)"; echo '1 l none usr/bin/p=prog'; } > pkgmap`,
    top,
  );
  return top;
}

describe("SVR4 packages", () => {
  const paths = ["/", "/etc", "/etc/motd", "/usr", "/usr/bin", "/usr/bin/p", "/usr/bin/prog"];
  for (const format of ["newc", "odc"]) {
    testWith(["cpio"], `a datastream of GNU cpio -H ${format} archives, put together as pkgtrans does`, async () => {
      const top = packageDirectory();
      const out = path("x.pkg");
      shell(
        `cd "$1"; printf '# PaCkAgE DaTaStReAm\\nSUNWx 1 300\\n# end of header\\n' | dd bs=512 conv=sync of="$3" status=none
         printf 'SUNWx/pkginfo\\nSUNWx/pkgmap\\n' | cpio -o -H "$2" -C 512 >> "$3" 2>/dev/null
         cd SUNWx; find pkginfo pkgmap install reloc root | cpio -o -H "$2" -C 512 >> "$3" 2>/dev/null`,
        top,
        format,
        out,
      );
      const source = await openSource(hostFile(out), OPTIONS);
      expect(source.formats).toEqual(["datastream", "svr4"]);
      expect(pathsOf(source.tree)).toEqual(paths);
      const listing = await listTree(source.tree); // reads every file, so every sum is checked
      expect(listing.get("/usr/bin/prog")).toMatchObject({ mode: 0o4555, gid: 3, size: 70000, nlink: 2 });
      expect(source.actions).toHaveLength(1);
    });
  }
  testWith(["zip"], "a zap", async () => {
    const top = packageDirectory();
    const out = path("x.zap");
    shell('cd "$1"; zip -q -9 -r "$2" SUNWx', top, out);
    const source = await openSource(hostFile(out), OPTIONS);
    expect(source.formats).toEqual(["zip", "svr4"]);
    expect(pathsOf(source.tree)).toEqual(paths);
    await listTree(source.tree);
  });
});

describe("package archives", () => {
  const parts: RepositoryParts = {
    packages: {
      "system/x@1,5.11:20210101T000000Z": [
        fileAction("usr/a", "A"),
        fileAction("usr/big", "b".repeat(70_000)),
        "dir path=usr owner=root group=sys mode=0755",
      ],
    },
    payloads: ["A", "b".repeat(70_000)],
  };
  /** As p5p.py does it: entries are measured by TarInfo.tobuf, the index is added first, with its comment. */
  const SCRIPT = `
import gzip, io, os, sys, tarfile
top, out = sys.argv[1:]
def info(path, name):
    ti = tar.gettarinfo(path, arcname=name); ti.uid = ti.gid = 0; ti.uname = ti.gname = "root"; ti.mtime = 1600000000.25
    return ti
tar = tarfile.open(out, "w:", format=tarfile.PAX_FORMAT)
queue, index, offset = [], b"", 0
for folder, folders, files in os.walk(top):
    folders.sort()
    for name in ([] if folder == top else [folder]) + [os.path.join(folder, f) for f in sorted(files)]:
        ti = info(name, os.path.relpath(name, top))
        size = len(ti.tobuf(tar.format, tar.encoding, tar.errors)) + -(-ti.size // 512) * 512
        index += ("{0}\\0{1:d}\\0{2:d}\\0{3:d}\\0{4}\\0\\n".format(ti.name, offset, size, ti.size, ti.type)).encode()
        offset += size; queue.append((name, ti))
first = tarfile.TarInfo("pkg5.index.0.gz"); packed = gzip.compress(index); first.size = len(packed)
first.pax_headers["comment"] = "pkg5.archive.version.0"
tar.addfile(first, io.BytesIO(packed))
for name, ti in queue:
    tar.addfile(ti, open(name, "rb") if ti.isreg() else None)
tar.close()
`;
  testWith(["python3"], "as pkg5 writes them", async () => {
    const top = path("repository");
    for (const [name, content] of repositoryFiles(parts)) {
      mkdirSync(join(top, name, ".."), { recursive: true });
      writeFileSync(join(top, name), content);
    }
    const out = path("x.p5p");
    await runText(oracle("python3"), ["-c", SCRIPT, top, out]);
    const source = await openSource(hostFile(out), OPTIONS);
    expect(source.formats).toEqual(["tar", "p5p", "ips"]);
    expect(source.warnings).toEqual([]);
    expect(pathsOf(source.tree)).toEqual(["/", "/usr", "/usr/a", "/usr/big"]);
    expect((await listTree(source.tree)).get("/usr/big")?.size).toBe(70_000);
  });
});

describe("mtree", () => {
  const accounts = { users: new Map([["root", 0]]), groups: new Map([["root", 0]]) };
  const manifest = async (tree: Parameters<typeof formatMtree>[0]) => {
    const lines: string[] = [];
    for await (const line of formatMtree(tree, createHasher)) lines.push(line);
    return lines.join("");
  };
  const check = (spec: string, top: string) =>
    run(oracle("mtree"), ["-f", spec, "-p", top]).then(({ status, stdout }) => ({
      status,
      text: stdout.toString("latin1"),
    }));

  testWith(["mtree"], "NetBSD's mtree finds our manifest of a folder true, and sees each change", async () => {
    const top = hostTree();
    const spec = path("spec");
    writeFileSync(spec, Buffer.from(await manifest((await readDirectoryTree(top)).tree), "latin1"));
    expect(await check(spec, top)).toEqual({ status: 0, text: "" });
    for (const [change, complaint] of [
      ["chmod 0711 d/e/hello", "permissions"],
      ["printf HELLO > d/e/hello; touch -d @1400000000 d/e/hello", "sha256"],
      ["touch -d @99 empty", "modification time"],
      ["ln -sf elsewhere d/out; touch -h -d @1400000000 d/out", "link ref"],
      ["rm 'odd *?[x]#\\ name'", "missing"],
    ] as const) {
      shell(`cd "$1"; ${change}`, top);
      const { status, text } = await check(spec, top);
      expect(status).not.toBe(0);
      expect(text).toContain(complaint);
    }
  });
  testWith(["bsdtar"], "bsdtar makes our tree from our manifest and its files", async () => {
    const top = hostTree();
    const { tree } = await readDirectoryTree(top);
    const spec = path("spec");
    writeFileSync(spec, Buffer.from(await manifest(tree), "latin1"));
    const out = path("x.tar");
    await runText(oracle("bsdtar"), ["-C", top, "--format=pax", "-cf", out, `@${spec}`]);
    const back = await readTar(hostFile(out));
    expect(
      compareListings(await listTree(tree), await listTree(back.tree), { fields: without("nlink", "hardLinks") }),
    ).toEqual([]);
  });
  testWith(["bsdtar"], "a manifest that bsdtar wrote says the same as ours", async () => {
    const top = hostTree();
    const { tree } = await readDirectoryTree(top);
    const text = await runText(oracle("bsdtar"), [
      "--format=mtree",
      "--options=!all,type,mode,uid,gid,time,link,device,size,sha256",
      "-C",
      top,
      "-cf",
      "-",
      ".",
    ]);
    const fields = [
      "path",
      "type",
      "mode",
      "uid",
      "gid",
      "mtimeSeconds",
      "link",
      "device",
      "size",
      "sha256digest",
    ] as const;
    const facts = (spec: string) =>
      new Map(
        parseMtree(spec, "x").entries.map((entry) => [
          entry.path,
          Object.fromEntries(
            fields.map((field) => [field, field === "size" && entry.type !== "file" ? undefined : entry[field]]),
          ),
        ]),
      );
    expect(facts(text)).toEqual(facts(await manifest(tree)));
  });
  for (const style of [[], ["-C"], ["-D"]]) {
    testWith(
      ["mtree"],
      `a specification of NetBSD's mtree -c ${style.join(" ")} gives a bare tree its metadata`,
      async () => {
        const top = hostTree();
        const { tree } = await readDirectoryTree(top);
        const keywords = "type,mode,uid,gid,time,link";
        const made = await runText(oracle("mtree"), ["-c", "-k", keywords, "-p", top]);
        const spec =
          style.length === 0
            ? made
            : await runText(oracle("mtree"), [...style, "-k", keywords], { input: Buffer.from(made, "latin1") });
        const bare = mapTree(tree, (node) => ({ ...node, mode: 0, uid: 1, gid: 1, mtimeSeconds: 1 }));
        const { tree: restored, warnings } = await applyMtree(
          bare,
          parseMtree(style[0] === "-D" ? swapped(spec) : spec, "spec"),
          { accounts },
        );
        expect(warnings).toEqual([]);
        expect(compareListings(await listTree(tree), await listTree(restored))).toEqual([]);
      },
    );
  }
  /** -D puts the path last. */
  const swapped = (spec: string) => spec.replace(/^(.*) (\S+)$/gm, "$2 $1");

  testWith(["mtree", "tar"], "a tree written as tar and unpacked is true to its manifest", async () => {
    const top = hostTree();
    const tree = directory({ ...attributes, mode: 0o755 }, (await readDirectoryTree(top)).tree.entries);
    const into = path("into");
    mkdirSync(into);
    await runText(oracle("tar"), ["--numeric-owner", "-C", into, "-xpf", "-"], {
      input: await layoutBytes(planTar(tree)),
    });
    const spec = path("spec");
    writeFileSync(spec, Buffer.from(await manifest(tree), "latin1"));
    expect(await check(spec, into)).toEqual({ status: 0, text: "" });
    expect(lookup(tree, "/d/big")).toBe(lookup(tree, "/third"));
    expect(isRoot || byteString(readFileSync(spec)).includes(`uid=${process.getuid?.()}`)).toBe(true);
  });
});
