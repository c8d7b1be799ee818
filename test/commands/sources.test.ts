// Sources beside a directory, lists and recipes, as a user of the command line meets them.

import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeExampleProto } from "../../fixtures/example.ts";
import { fileAction, repositoryFiles } from "../source/repositories.ts";

const MAIN = path.resolve(import.meta.dirname, "../../dist/cli/main.js");
const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-sources-"));
const at = (name: string): string => path.join(scratch, name);

beforeAll(() => {
  writeExampleProto(at("proto"));
  mkdirSync(at("here"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function pureboot(words: readonly string[], cwd = scratch): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [MAIN, ...words], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, SOURCE_DATE_EPOCH: "" },
  });
}

function archive(words: readonly string[], output: string): string {
  const result = pureboot(["archive", ...words, "-o", output, "--force"]);
  expect(result.stderr.replace(/^.*warning:.*\n/gm, "")).toBe("");
  expect(result.status).toBe(0);
  return createHash("sha256")
    .update(readFileSync(at(output)))
    .digest("hex");
}

describe("archives", () => {
  test("a tar, gzip'd or not, is a source; layers over it are laid and reported", () => {
    const tar = ["-C", at("proto"), "--owner=0", "--group=0", "--numeric-owner", "-cf"];
    expect(spawnSync("tar", [...tar, at("proto.tar"), "."]).status).toBe(0);
    expect(spawnSync("tar", ["-z", ...tar, at("proto.tar.gz"), "."]).status).toBe(0);
    const folder = archive(["proto"], "folder.gz");
    expect(archive(["proto.tar"], "tar.gz")).toBe(folder);
    expect(archive(["proto.tar.gz"], "targz.gz")).toBe(folder);
    mkdirSync(at("overlay/etc"), { recursive: true });
    writeFileSync(at("overlay/etc/system"), "* site\n");
    const layered = pureboot(["archive", "proto.tar", "overlay", "-o", "layered.gz"]);
    expect(layered.stdout).toContain("layers: 1 path replaced by a later layer");
  });

  test("other compressions are named, with what undoes them", () => {
    writeFileSync(at("proto.tar.xz"), Buffer.from("fd377a585a000004e6d6b446", "hex"));
    const { status, stderr } = pureboot(["archive", "proto.tar.xz", "-o", "xz.gz"]);
    expect(stderr).toMatch(/proto\.tar\.xz: is compressed with xz.*xz -dk/);
    expect(status).toBe(1);
  });

  test("packages cannot be chosen where there are none", () => {
    const { status, stderr } = pureboot(["archive", "proto", "--package", "SUNWcs", "-o", "none.gz"]);
    expect(stderr).toMatch(/--package: no source holds packages; give --manifests/);
    expect(status).toBe(2);
  });
});

describe("packages of several sources", () => {
  const put = (name: string, fmri: string, lines: readonly string[], payload: string): void => {
    for (const [file, content] of repositoryFiles({ packages: { [fmri]: lines }, payloads: [payload] })) {
      mkdirSync(path.dirname(at(`${name}/${file}`)), { recursive: true });
      writeFileSync(at(`${name}/${file}`), content);
    }
  };
  const dirs = ["dir path=etc owner=root group=root mode=0755"];
  beforeAll(() => {
    const accounts = [fileAction("etc/passwd", "root:x:0:0::/:\n", "owner=0 group=0 mode=0644")];
    put("base", "system/core@1.0,5.11-1:20200101T000000Z", [...dirs, ...accounts], "root:x:0:0::/:\n");
    const man = fileAction("etc/site", "site", "owner=0 group=0 mode=0644 facet.doc.man=all");
    put("site", "site/config@1.0,5.11-1:20200101T000000Z", [...dirs, man], "site");
  });
  const plan = (...words: string[]) => pureboot(["archive", "base", "site", "--dry-run", ...words, "-o", "p.gz"]);

  test("each may have some of the packages asked for", () => {
    const both = plan("--package", "core", "--package", "site/config");
    expect(both.stderr).not.toMatch(/holds none/);
    expect(both.stdout).toMatch(/\b4 paths/);
    const one = plan("--package", "core");
    expect(one.stderr).toMatch(/warning: site: holds none of the packages that were asked for/);
    const none = plan("--package", "core", "--package", "site/confg");
    expect(none.stderr).toMatch(/no package "site\/confg" among/);
    expect(none.status).toBe(1);
  });

  test("a variant or facet that no source knows is told", () => {
    expect(plan("--facet", "doc.man=false").stderr).not.toMatch(/doc\.man/);
    expect(plan("--facet", "doc.mna=false").stderr).toMatch(/warning: --facet doc\.mna=false: no package has such/);
    expect(plan("--variant", "debug.osnet=true").stderr).toMatch(/--variant debug\.osnet=true: no package has such/);
  });
});

describe("manifests", () => {
  test("a syntax error is named with file and line", () => {
    mkdirSync(at("pkg"), { recursive: true });
    writeFileSync(at("pkg/a.p5m"), 'set name=pkg.fmri value=pkg:/a@1\nfile path=etc/system owner="root\n');
    const { status, stderr } = pureboot(["archive", "proto", "--manifests", "pkg", "-o", "m.gz"]);
    expect(stderr).toMatch(/^pureboot: a\.p5m:2: /);
    expect(status).toBe(1);
  });
});

describe("recipes", () => {
  const options = { size: "48m", message: "It's a recipe", remove: ["usr/share/man", "*.1"], rw: true };
  const words = ["--size", "48m", "--message", "It's a recipe", "--remove", "usr/share/man", "--remove", "*.1", "--rw"];

  test("mean what the same words on the command line mean; file names are relative to the recipe", () => {
    const recipe = { sources: ["../proto"], overlay: "../proto", ...options, add: "etc/extra=list.txt" };
    writeFileSync(at("here/list.txt"), "extra\n");
    writeFileSync(at("here/r.json"), `// a comment\n${JSON.stringify(recipe).replace("}", ",}")}`);
    const byRecipe = archive(["--recipe", "here/r.json"], "recipe.gz");
    expect(archive(["proto", "--overlay", "proto", ...words, "--add", "etc/extra=here/list.txt"], "words.gz")).toBe(
      byRecipe,
    );
    expect(archive(["--recipe=here/r.json", "--size", "64m"], "other.gz")).not.toBe(byRecipe);
  });

  test("errors name the key", () => {
    const refused = (text: string): string => {
      writeFileSync(at("bad.json"), text);
      const { status, stderr } = pureboot(["build", "--recipe", "bad.json"]);
      expect(status).toBe(2);
      return stderr;
    };
    expect(refused('{"sizze": "1m"}')).toMatch(/bad\.json: "sizze" is no key.*did you mean size\?/);
    expect(refused('{"rw": "yes"}')).toMatch(/"rw" must be true or false/);
    expect(refused('{"size": {}}')).toMatch(/"size" must be a text, a number/);
    expect(refused('{\n"size": "1m"\n"rw": true}')).toMatch(/bad\.json:3:1: comma expected; a recipe is JSON/);
    expect(refused("[]")).toMatch(/a recipe is an object/);
    expect(pureboot(["build", "--recipe", "none.json"]).status).toBe(4);
  });

  test("init prints one that is read, schema one that editors know", () => {
    writeFileSync(at("init.json"), pureboot(["recipe", "init"]).stdout);
    expect(pureboot(["build", "--recipe", "init.json"]).stderr).toMatch(/proto\/root_i386/);
    const schema = JSON.parse(pureboot(["recipe", "schema"]).stdout);
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(["sources", "output", "size", "remove", "manifests"]),
    );
    expect(schema.properties.init.anyOf[0].enum).toEqual(["auto", "shell", "smf", "keep"]);
  });
});
