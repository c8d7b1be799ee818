// What people see of the command line before it does anything: help, examples, mistakes, completions, the manual page.

import { readFileSync } from "node:fs";
import path from "node:path";
import { CommanderError } from "commander";
import { beforeAll, describe, expect, test } from "vitest";
import { ImageError } from "../../src/bytes/index.ts";
import * as archive from "../../src/cli/archive.ts";
import * as build from "../../src/cli/build.ts";
import { COMMANDS, loadCommand } from "../../src/cli/commands.ts";
import * as completion from "../../src/cli/completion.ts";
import * as demo from "../../src/cli/demo.ts";
import * as doctor from "../../src/cli/doctor.ts";
import { exampleParts } from "../../src/cli/help.ts";
import * as man from "../../src/cli/man.ts";
import * as mkfs from "../../src/cli/mkfs.ts";
import { parseMkisofs } from "../../src/cli/mkisofs-options.ts";
import { type ProgramModel, programModel } from "../../src/cli/model.ts";
import * as newfs from "../../src/cli/newfs.ts";
import { createProgram } from "../../src/cli/program.ts";
import { usageError } from "../../src/cli/usage.ts";
import { runCommand } from "./in-process.ts";
import { shellCommands } from "./shell-words.ts";
import { wholeProgram } from "./whole-program.ts";

const top = path.resolve(import.meta.dirname, "../..");
let model: ProgramModel;
beforeAll(async () => {
  model = programModel(await wholeProgram());
});

/** Parses a command line by the definitions, runs nothing; what it was told. Files that are named need not be there. */
async function parsed(words: readonly string[]): Promise<string> {
  const program = createProgram();
  const command = await loadCommand(program, words[0] ?? "");
  for (const one of [program, ...program.commands]) one.configureOutput({ writeOut() {}, outputError() {} });
  command?.action((operands: unknown) => {
    if (command.name() === "mkisofs") parseMkisofs(operands as string[]);
  });
  for (const option of command?.options ?? []) {
    const { parseArg } = option;
    if (parseArg) option.argParser((value, previous) => withoutFiles(() => parseArg.call(option, value, previous)));
  }
  try {
    await program.parseAsync([...words], { from: "user" });
    return "";
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const told = usageError(error, command ?? program);
    return told.exitCode === 0 ? "" : told.message;
  }
}

function withoutFiles<Value>(parse: () => Value): Value | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ImageError && error.code === "input-missing") return undefined;
    throw error;
  }
}

/** The command lines of pureboot in some lines of shell. */
const purebootLines = (text: string): string[][] =>
  shellCommands(text.replaceAll(/\$\(([^)]*)\)/g, "; $1 ;").replaceAll(/"; | ;"/g, " ; "))
    .filter(([program]) => program === "pureboot")
    .map((words) => words.slice(1));

describe("examples", () => {
  test("each command has some, and their words are what the command takes", async () => {
    for (const { name, examples } of model.commands) {
      const lines = examples.flatMap((example) => purebootLines(exampleParts(example)[0]));
      expect(
        lines.filter(([command]) => command === name),
        name,
      ).not.toHaveLength(0);
      for (const words of lines) expect([words, await parsed(words)]).toEqual([words, ""]);
    }
    for (const words of model.examples.flatMap((example) => purebootLines(exampleParts(example)[0]))) {
      expect([words, await parsed(words)]).toEqual([words, ""]);
    }
  });
  test("those of README too", async () => {
    const text = readFileSync(path.join(top, "README.md"), "utf8");
    const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, language, block = ""]) =>
      language === "" ? block.replaceAll(/\\\n\s*/g, " ").split("\n") : [],
    );
    const spans = [...text.replaceAll(/^```.*?^```/gms, "").matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span);
    const inline = spans.filter((span) => /^pureboot \S+ ./.test(span));
    const lines = [...blocks, ...inline].flatMap(purebootLines);
    expect(lines.length).toBeGreaterThan(15);
    for (const words of lines) expect([words, await parsed(words)]).toEqual([words, ""]);
  });
  test("an example that names an option that is not there would be told", async () => {
    expect(await parsed(["build", "x", "--no-such"])).toMatch(/unknown option --no-such/);
    await expect(parsed(["mkisofs", "-no-such", "-o", "x", "y"])).rejects.toThrow(/unknown option -no-such/);
  });
});

async function helpOf(name: string): Promise<string> {
  const printed: string[] = [];
  const command = await loadCommand(createProgram(), name);
  command?.configureOutput({ writeOut: (text) => void printed.push(text), getOutHelpWidth: () => 80 }).outputHelp();
  return printed.join("");
}

describe("help", () => {
  test("names all commands, in groups", () => {
    const help = createProgram().helpInformation();
    for (const { name, summary, group } of COMMANDS) {
      expect(help).toContain(`\n${group}\n`);
      expect(help.replaceAll(/ +/g, " ")).toContain(`\n ${name} ${summary}\n`);
    }
  });
  test("of each command: whole sentences, no line wider than 80 but examples, options described", async () => {
    for (const { name, about, notes, options, operands } of model.commands) {
      const printed = await helpOf(name);
      const [before = "", examples = ""] = printed.split("\nExamples:\n");
      expect(examples, name).toContain("  pureboot ");
      for (const line of before.split("\n"))
        expect(line.length, line).toBeLessThanOrEqual(name === "mkisofs" ? 88 : 80);
      expect(about, name).toMatch(/^[A-Z].*[.?]$/s);
      if (notes !== undefined) expect(notes, name).toMatch(/^[A-Z].*\.$/s);
      for (const { description, long } of [...options, ...operands.map((one) => ({ ...one, long: one.name }))]) {
        expect(description, `${name} ${long}`).toMatch(/^[\w"].{4}/);
      }
    }
  });
});

describe("mistakes are told in one line, with what was meant and where the help is", () => {
  const hint = (name: string): string => `(pureboot ${name} --help says how it is used)`;
  test.each([
    [["bild"], 'there is no command "bild"; did you mean build? (pureboot --help lists the commands)'],
    [["frobnicate"], 'there is no command "frobnicate" (pureboot --help lists the commands)'],
    [
      ["--jsn"],
      "unknown option --jsn: options stand behind the name of the command (pureboot --help lists the commands)",
    ],
    [["ls"], `IMAGE is missing: ls <image> [path...] ${hint("ls")}`],
    [["ls", "x", "--recursiv"], `unknown option --recursiv; did you mean --recursive? ${hint("ls")}`],
    [["ls", "x", "--recursiv=3"], `unknown option --recursiv; did you mean --recursive? ${hint("ls")}`],
    [["ls", "x", "-Z"], `unknown option -Z ${hint("ls")}`],
    [["diff", "a"], `B is missing: diff <a> <b> ${hint("diff")}`],
    [["demo", "x"], `too many operands: demo takes none ${hint("demo")}`],
    [["inspect", "x", "y"], `too many operands: inspect takes at most 1 ${hint("inspect")}`],
    [["build", "-o"], `-o, --output <file>: its value is missing ${hint("build")}`],
    [["extract", "x"], `-o, --output <dir> is missing, and is needed ${hint("extract")}`],
    [["build", "--level", "12"], `--level 12: must be a whole number from 0 to 9 ${hint("build")}`],
    [["build", "--level=x"], `--level x: must be a whole number from 0 to 9 ${hint("build")}`],
    [["build", "--free", "3q"], `--free 3q: must be a size: bytes, or a number with k, m or g (512m) ${hint("build")}`],
    [
      ["build", "--init", "shel"],
      `--init shel: must be auto, shell, smf or keep; did you mean shell? ${hint("build")}`,
    ],
    [["build", "--add", "etc"], `--add etc: it must be DEST=FILE ${hint("build")}`],
    [["build", "--chmod", "etc=888"], `--chmod etc=888: "888" is not an octal mode such as 0755 ${hint("build")}`],
    [["recipe", "inti"], `WHAT inti: must be init or schema; did you mean init? ${hint("recipe")}`],
    [["completion", "it's"], `SHELL it's: must be bash, zsh or fish ${hint("completion")}`],
  ])("%j", async (words, message) => {
    expect(await parsed(words)).toBe(message);
  });
});

describe("what is made of the definitions", () => {
  test.each(["bash", "zsh", "fish"])("completion for %s names every command, option and choice", async (shell) => {
    const { stdout, status } = await runCommand(completion, shell);
    expect(status).toBe(0);
    for (const { name, options, operands } of model.commands) {
      expect(stdout).toContain(name);
      for (const { long = "", choices } of options) {
        expect(stdout).toContain(shell === "fish" ? `-l ${long.slice(2)}` : long);
        expect(stdout).toContain(choices.join(" "));
      }
      for (const { choices } of operands)
        for (const choice of choices) expect(stdout).toContain(choice.replace(/^-/, ""));
    }
  });
  test("the manual page names every command and option, and escapes what roff would take for its own", async () => {
    const { stdout, status } = await runCommand(man);
    expect(status).toBe(0);
    for (const { name, options } of model.commands) {
      expect(stdout).toContain(`\n.Ss pureboot ${name}\n`);
      for (const { long = "" } of options) expect(stdout).toContain(`Fl \\-${long.slice(2).replaceAll("-", "\\-")}`);
    }
    expect(stdout).not.toMatch(/[^\x20-\x7e\n]/);
    for (const line of stdout.split("\n")) if (/^[.']/.test(line)) expect(line).toMatch(/^\.[A-Z][a-z] ?|^\.Bl /);
  });
});

describe("standard output takes what is written from front to back once, and nothing beside it", () => {
  test.each([
    [build, ["proto", "-o", "-", "--json"], /--json and -o - both want standard output/],
    [archive, ["proto", "-o", "-", "--hash"], /--hash writes OUTPUT\.hash/],
    [build, ["-", "-", "-o", "x"], /"-" was named twice/],
    [newfs, ["-", "--image-size", "8m"], /"-": an empty file system is made in a file/],
    [mkfs, ["-", "16400"], /"-": an empty file system is made in a file/],
    [demo, ["-o", "-"], /the demo writes a file/],
  ])("%#", async (module, words, message) => {
    const refused = await runCommand(module, ...words);
    expect(refused.stderr).toMatch(message);
    expect([refused.status, refused.stdout]).toEqual([2, ""]);
  });
});

test("doctor: what is here and what is not, each with what it is good for", async () => {
  const { stdout, status } = await runCommand(doctor, "--json");
  expect(status).toBe(0);
  const told = JSON.parse(stdout) as {
    node: { version: string; least: number; isGood: boolean };
    zlib: { isReference: boolean };
    threads: number;
    tools: { name: string; goodFor: string; found: string | null; version: string | null }[];
  };
  expect(told.node).toMatchObject({ version: process.versions.node, least: 20, isGood: true });
  expect(typeof told.zlib.isReference).toBe("boolean");
  expect(told.threads).toBeGreaterThan(0);
  const dd = told.tools.find(({ name }) => name === "dd");
  expect(dd?.found).toMatch(/\/dd$/);
  for (const { goodFor } of told.tools) expect(goodFor).toMatch(/.{10}/);

  const { PATH } = process.env;
  process.env["PATH"] = "/nowhere";
  try {
    const without = await runCommand(doctor);
    expect(without.stdout).toMatch(/^ {2}QEMU +missing +boots images/m);
    expect(without.stdout).toMatch(/^What is missing, on Debian: apt install .*qemu-system-x86/m);
  } finally {
    process.env["PATH"] = PATH;
  }
});
