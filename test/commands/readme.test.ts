// README.md stays true: its TypeScript compiles and runs against the package as it is installed, its commands parse, and those
// that write or look into images are run, in the order in which they stand, on a small proto area.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { writeExampleProto } from "../../fixtures/example.ts";
import { writeManifests } from "../../fixtures/write-manifests.ts";
import { readAll } from "../../src/bytes/index.ts";
import { expandRecipes } from "../../src/cli/recipe.ts";
import { runCommand } from "../cli/in-process.ts";
import { wholeProgram } from "../cli/whole-program.ts";
import { p5p } from "../source/repositories.ts";

const top = path.resolve(import.meta.dirname, "../..");
const readme = readFileSync(path.join(top, "README.md"), "utf8");
const manifest = JSON.parse(readFileSync(path.join(top, "package.json"), "utf8"));
const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-readme-"));
const at = (name: string): string => path.join(scratch, name);
const home = process.cwd();

type CommandModule = Parameters<typeof runCommand>[0];

interface Block {
  readonly language: string;
  readonly text: string;
}

const blocks: Block[] = Array.from(readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm), ([, language = "", text = ""]) => ({
  language,
  text,
}));
const inline: string[] = Array.from(
  readme.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/`([^`\n]+)`/g),
  (match) => match[1] ?? "",
);

/** Command lines of the blocks, with lines that end in "\" joined. */
const blockLines = blocks
  .filter(({ language }) => language === "")
  .flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"))
  .filter((line) => line !== "");
/** Of ours, with a command's name and not a word that stands for one. */
const ours = (line: string): boolean => /^(npx )?pureboot [a-z]/.test(line);

beforeAll(() => {
  writeExampleProto(at("proto/root_i386"), "illumos");
  for (const large of ["usr/share/lib/double-indirect", "usr/share/man"]) {
    rmSync(at(`proto/root_i386/${large}`), { recursive: true });
  }
  mkdirSync(at("proto/adjunct"));
  writeManifests(at("proto/root_i386"), at("usr/src/pkg"), { manifests: 20 });
  mkdirSync(at("overlay/etc"), { recursive: true });
  writeFileSync(at("overlay/etc/motd"), "overlaid\n");
  writeFileSync(at("motd.txt"), "Hello\n");
  mkdirSync(at("node_modules"));
  symlinkSync(top, at("node_modules/pureboot"));
  process.chdir(scratch);
}, 120_000);
afterAll(() => {
  process.chdir(home);
  rmSync(scratch, { recursive: true, force: true });
});

/** Words as a shell takes them, up to what it would do with the output; the file that `>` names. */
function shellWords(line: string): { words: string[]; into: string | undefined } {
  const words = Array.from(line.matchAll(/'([^']*)'|"([^"]*)"|[^\s'"]+/g), (m) => m[1] ?? m[2] ?? m[0]);
  const end = words.findIndex((word) => [">", "|", "#", "&&"].includes(word));
  return end === -1
    ? { words, into: undefined }
    : { words: words.slice(0, end), into: words[end] === ">" ? words[end + 1] : undefined };
}

/** What a shell does with `> file`; the home directory is the scratch one. */
function writeInto(name: string, text: string): void {
  const file = at(name.replace(/^~\//, ""));
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

async function moduleOf(name: string): Promise<CommandModule> {
  return import(`../../src/cli/${name === "recipe" ? "recipe-command" : name}.ts`);
}

interface Line {
  readonly name: string;
  readonly module: CommandModule;
  /** Behind the name, recipes read. */
  readonly words: string[];
  readonly into: string | undefined;
}

async function commandOf(line: string): Promise<Line> {
  const { words: all, into } = shellWords(line.replace(/^npx /, ""));
  const [, name = "", ...rest] = all;
  const module = await moduleOf(name);
  const command = new Command(name);
  module.define(command, wholeProgram);
  return {
    name,
    module,
    words: rest.some((word) => word.startsWith("--recipe")) ? expandRecipes(rest, command) : rest,
    into,
  };
}

async function options(name: string): Promise<string[]> {
  const command = new Command(name);
  (await moduleOf(name)).define(command, wholeProgram);
  return command.options.flatMap(({ long }) => long ?? []);
}

const COMMANDS =
  "build archive recipe verify diff map inspect ls cat stat dump extract manifest newfs mkfs fsck mkisofs demo".split(
    " ",
  );

describe("commands", () => {
  test("those of the blocks do what they say, one after the other", async () => {
    const site = spawnSync("tar", ["-C", at("proto/root_i386"), "-cf", at("site.tar"), "."]);
    expect(site.status).toBe(0);
    writeFileSync(
      at("base.p5p"),
      await readAll(p5p({ packages: { "base@1.0,5.11-1:20200101T000000Z": [] }, payloads: [] })),
    );
    const ran: string[] = [];
    for (const line of blockLines.filter(ours)) {
      const { name, module, words, into } = await commandOf(line);
      if (name === "build" && words.includes("illumos.iso")) rmSync(at("illumos.iso"), { force: true });
      const { status, stdout, stderr } = await runCommand(module, ...words);
      expect({ line, status, stderr: status === 0 ? "" : stderr }).toEqual({ line, status: 0, stderr: "" });
      if (into !== undefined) writeInto(into, stdout);
      ran.push(name);
    }
    expect([...new Set(ran)]).toEqual(expect.arrayContaining(["build", "inspect", "ls", "cat", "extract", "manifest"]));
    for (const file of ["illumos.iso", "small.iso", "ramdisk/etc/inittab", "netboot/platform/i86pc/boot_archive"]) {
      expect(existsSync(at(file)), file).toBe(true);
    }
    expect(readFileSync(at("ramdisk.mtree"), "utf8")).toMatch(/^\.\/etc\/inittab type=file/m);
  }, 300_000);

  test("those in the text parse, and the recipe it makes is one", async () => {
    const lines = inline.filter(ours);
    expect(lines.length).toBeGreaterThan(8);
    for (const line of lines) {
      if (/ recipe init/.test(line)) {
        const { module, words, into } = await commandOf(line);
        writeInto(into ?? "", (await runCommand(module, ...words)).stdout);
      }
      const { name, module, words } = await commandOf(line);
      if (words.length === 0) continue; // a command that is only mentioned
      const command = new Command(name).exitOverride();
      module.define(command, wholeProgram);
      command.action(() => {}); // only parsed
      await expect(command.parseAsync(words, { from: "user" }), line).resolves.toBeDefined();
    }
  });

  test("options in the text are options of a command", async () => {
    const known = new Set((await Promise.all(COMMANDS.map(options))).flat());
    const named = inline.filter((code) => code.startsWith("--")).map((code) => code.split(/[ =]/)[0] ?? "");
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((option) => !known.has(option))).toEqual([]);
  });

  test("scripts of npm are in package.json", () => {
    const scripts = Array.from(readme.matchAll(/npm run ([\w:]+)/g), (match) => match[1] ?? "");
    expect(scripts.filter((name) => !(name in manifest.scripts))).toEqual([]);
    expect(scripts).toContain("demo");
  });

  test("subpaths of the package are its exports", () => {
    const subpaths = inline.filter((code) => /^pureboot\/[\w-]+$/.test(code));
    expect(subpaths).toContain("pureboot/ufs");
    expect(subpaths.filter((name) => !(name.replace("pureboot", ".") in manifest.exports))).toEqual([]);
  });
});

test("TypeScript compiles with the package's types, and runs", () => {
  const sources = blocks.filter(({ language }) => language === "ts");
  expect(sources.length).toBeGreaterThan(2);
  const folder = at("typescript");
  mkdirSync(folder);
  writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
  sources.forEach(({ text }, i) => {
    writeFileSync(path.join(folder, `block-${i}.ts`), text);
  });
  const settings = {
    strict: true,
    module: "NodeNext",
    target: "ES2022",
    types: ["node"],
    typeRoots: [path.join(top, "node_modules/@types")],
  };
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: settings, include: ["*.ts"] }));
  const tsc = spawnSync(process.execPath, [path.join(top, "node_modules/typescript/bin/tsc"), "-p", folder], {
    encoding: "utf8",
  });
  expect(tsc.stdout + tsc.stderr).toBe("");
  rmSync(at("illumos.iso"), { force: true });
  // The block that builds comes first: the others look at what it makes.
  const order = sources.map((_, i) => i).sort((a, b) => Number(builds(sources[b])) - Number(builds(sources[a])));
  for (const i of order) {
    const run = spawnSync(process.execPath, [path.join(folder, `block-${i}.js`)], { cwd: scratch, encoding: "utf8" });
    expect({ text: sources[i]?.text, status: run.status, stderr: run.stderr }).toMatchObject({ status: 0, stderr: "" });
  }
  expect(existsSync(at("illumos.iso"))).toBe(true);
});

const builds = (block: Block | undefined): boolean => block?.text.includes("buildIsoFile") ?? false;

describe("the GitHub action", () => {
  const folder = path.join(top, ".github/actions/pureboot");
  const action = parse(readFileSync(path.join(folder, "action.yml"), "utf8"));

  test("is what the workflow in README uses", () => {
    const [workflow] = blocks.filter(({ language }) => language === "yaml").map(({ text }) => parse(text));
    const steps: { uses?: string; id?: string; with?: object; run?: string }[] = workflow.jobs.image.steps;
    const used = steps.find(({ uses }) => uses?.includes("pureboot/.github"));
    expect(used?.uses).toMatch(/^OWNER\/pureboot\/\.github\/actions\/pureboot@/);
    expect(Object.keys(used?.with ?? {}).filter((input) => !(input in action.inputs))).toEqual([]);
    const outputs = Array.from(JSON.stringify(steps).matchAll(/steps\.(\w+)\.outputs\.(\w+)/g));
    expect(outputs.map(([, id, name]) => [id, name])).toEqual([
      [used?.id, "iso"],
      [used?.id, "sha256"],
    ]);
    expect(Object.keys(action.outputs)).toEqual(["iso", "sha256"]);
  });

  test("is a composite one, whose scripts hold no text of its inputs", () => {
    expect(action).toMatchObject({
      name: expect.any(String),
      description: expect.any(String),
      runs: { using: "composite" },
    });
    for (const step of action.runs.steps) {
      expect(step).toMatchObject({ shell: "bash", run: expect.any(String) });
      expect(step.run).not.toContain("${{");
    }
    for (const { value } of Object.values<{ value: string }>(action.outputs)) {
      const [, id, name] = /^\$\{\{ steps\.(\w+)\.outputs\.(\w+) \}\}$/.exec(value) ?? [];
      const step = action.runs.steps.find((one: { id?: string }) => one.id === id);
      expect(step.run).toContain(`"${name}=$`);
    }
  });

  /** Runs its steps as the runner does. */
  function run(actionPath: string, inputs: Record<string, string>, extra: Record<string, string> = {}) {
    const temporary = mkdtempSync(at("runner-"));
    const files = { GITHUB_OUTPUT: path.join(temporary, "output"), GITHUB_PATH: path.join(temporary, "path") };
    for (const file of Object.values(files)) writeFileSync(file, "");
    let status: number | null = 0;
    let log = "";
    for (const step of action.runs.steps) {
      const env: Record<string, string> = {};
      for (const [name, value] of Object.entries<string>(step.env ?? {})) {
        const [, input = ""] = /^\$\{\{ inputs\.(\w+) \}\}$/.exec(value) ?? [];
        env[name] = inputs[input] ?? action.inputs[input].default;
      }
      const script = path.join(temporary, "script.sh");
      writeFileSync(script, step.run);
      const result = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
        cwd: scratch,
        encoding: "utf8",
        env: { ...process.env, ...files, RUNNER_TEMP: temporary, GITHUB_ACTION_PATH: actionPath, ...env, ...extra },
      });
      status = result.status;
      log += result.stdout + result.stderr;
      if (status !== 0) break;
    }
    const output = readFileSync(files.GITHUB_OUTPUT, "utf8");
    return { status, log, output, paths: readFileSync(files.GITHUB_PATH, "utf8").trim() };
  }

  test("builds, says where and with which digest, and leaves the command", () => {
    const args = "--remove 'usr/share/*' --message \"Hello   there\"\n--console ttya";
    const { status, log, output, paths } = run(folder, {
      proto: "proto/root_i386\noverlay\n",
      output: "action.iso",
      args,
    });
    expect({ status, log: status === 0 ? "" : log }).toEqual({ status: 0, log: "" });
    const sum = createHash("sha256")
      .update(readFileSync(at("action.iso")))
      .digest("hex");
    expect(output).toBe(`iso=action.iso\nsha256=${sum}\n`);
    const cat = (file: string): string =>
      spawnSync(path.join(paths, "pureboot"), ["cat", "-a", at("action.iso"), file], { encoding: "utf8" }).stdout;
    expect(cat("/etc/motd")).toBe("overlaid\n");
    expect(cat("/etc/pureboot.rc")).toContain("Hello   there");
  });

  test("fails when the build fails, and a value is never a command", () => {
    const { status, log, output } = run(folder, {
      proto: "$(touch owned)",
      args: "--message '`touch owned`' ; touch owned",
    });
    expect(status).not.toBe(0);
    expect(log).toMatch(/\$\(touch owned\)/);
    expect([output, existsSync(at("owned"))]).toEqual(["", false]);
    expect(run(folder, { proto: "proto/root_i386", args: "--message 'no end" }).status).not.toBe(0);
  });

  test("a fresh checkout is installed first", () => {
    cpSync(folder, at("checkout/.github/actions/pureboot"), { recursive: true });
    mkdirSync(at("bin"));
    writeFileSync(at("bin/npm"), '#!/bin/sh\necho "$PWD: npm $*" >> npm.log\n', { mode: 0o755 });
    const PATH = `${at("bin")}${path.delimiter}${process.env["PATH"]}`;
    run(at("checkout/.github/actions/pureboot"), { proto: "proto/root_i386" }, { PATH });
    expect(readFileSync(at("checkout/npm.log"), "utf8")).toMatch(/checkout: npm ci /);
  });
});
