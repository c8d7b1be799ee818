// The manual page and the completions, judged by the programs that will read them: mandoc, bash, zsh, fish.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { oracle, testWith } from "./harness/programs.ts";
import { run, runText } from "./harness/run.ts";

const MAIN = path.resolve(import.meta.dirname, "../../dist/cli/main.js");
const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-manners-"));
const at = (name: string): string => path.join(scratch, name);
/** How a terminal of old was made to print bold. */
const OVERSTRIKE = new RegExp(`.${String.fromCharCode(8)}`, "g");
const SHELLS = ["bash", "zsh", "fish"] as const;

beforeAll(async () => {
  for (const shell of SHELLS) {
    writeFileSync(at(`completion.${shell}`), await runText(process.execPath, [MAIN, "completion", shell]));
  }
  writeFileSync(at("pureboot.1"), await runText(process.execPath, [MAIN, "man"]));
  mkdirSync(at("here/sub dir"), { recursive: true });
  for (const name of ["medium.iso", "a b.iso"]) writeFileSync(at(`here/${name}`), "");
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("the manual page", () => {
  testWith(["mandoc"], "mandoc has nothing to say against it", async () => {
    const { status, stdout, stderr } = await run(oracle("mandoc"), ["-Tlint", "-Wall", at("pureboot.1")]);
    expect([status, stdout.toString(), stderr.toString()]).toEqual([0, "", ""]);
  });
  testWith(["mandoc"], "and shows what a reader looks for", async () => {
    const shown = (await runText(oracle("mandoc"), ["-Tascii", at("pureboot.1")])).replaceAll(OVERSTRIKE, "");
    expect(shown).toMatch(/^ {5}pureboot build \[options\] \[source \.\.\.\]$/m);
    expect(shown).toMatch(/^ {5}--init kind\n +What init starts: auto, shell, smf, keep; default: auto\.$/m);
    expect(shown).toMatch(/^ {5}3 +A check found something\.$/m);
    expect(shown).toMatch(/^ {11}pureboot ls -l illumos\.iso \/boot$/m);
  });
});

/** Words as typed, the last to be completed; what is offered. */
const CASES: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ["pureboot arch", ["archive"]],
  ["pureboot ls --recurs", ["--recursive"]],
  ["pureboot build --init ", ["auto", "keep", "shell", "smf"]],
  ["pureboot build --init s", ["shell", "smf"]],
  ["pureboot recipe ", ["init", "schema"]],
  ["pureboot verify --explain loader-conf-s", ["loader-conf-syntax"]],
  ["pureboot mkisofs -no-emul", ["-no-emul-boot"]],
  ["pureboot ls -l med", ["medium.iso"]],
  ["pureboot extract medium.iso -o s", ["sub dir"]],
];

describe("completion", () => {
  for (const shell of SHELLS) {
    testWith([shell], `${shell} parses it`, async () => {
      const { status, stderr } = await run(oracle(shell), ["-n", at(`completion.${shell}`)]);
      expect([status, stderr.toString()]).toEqual([0, ""]);
    });
  }

  testWith(["bash"], "bash offers what fits", async () => {
    const script = `source "$1"; shift
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pureboot; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const offered = async (words: readonly string[]): Promise<string[]> => {
      const args = ["--norc", "-c", script, "bash", at("completion.bash"), ...words];
      const { status, stdout, stderr } = await run(oracle("bash"), args, { cwd: at("here") });
      expect([status, stderr.toString()]).toEqual([0, ""]);
      return stdout.toString().split("\n").filter(Boolean).sort();
    };
    for (const [line, expected] of CASES) expect([line, await offered(line.split(" "))]).toEqual([line, expected]);
    // as bash takes --init=sh apart
    expect(await offered(["pureboot", "build", "--init", "=", "sh"])).toEqual(["shell"]);
    // the second operand of recipe is none
    expect(await offered(["pureboot", "recipe", "init", ""])).toEqual([]);
    expect(await offered(["pureboot", "ls", "medium.iso", ""])).toEqual([]);
  });

  testWith(["fish"], "fish offers what fits", async () => {
    for (const [line, expected] of CASES) {
      const script = `source ${at("completion.fish")}; complete -C '${line}'`;
      const told = await runText(oracle("fish"), ["--no-config", "-c", script], {
        cwd: at("here"),
        env: { HOME: scratch },
      });
      const offered = told.split("\n").flatMap((one) => one.split("\t")[0]?.replace(/\/$/, "") || []);
      expect([line, offered.sort()]).toEqual([line, expected]);
    }
  });

  testWith(["zsh"], "zsh completes what is typed", async () => {
    // a zsh of its own on a terminal of its own: completion is there only where lines are edited
    const lines = ["pureboot arch\t", "pureboot build --ini\tsh\t", "pureboot recipe sc\t", "pureboot ls med\t"];
    const typist = `zmodload zsh/zpty
      zpty z 'zsh -f -i'
      zpty -w z "PROMPT= RPROMPT=; pureboot() { print -r -- \\"GOT:\\$*:\\" }; autoload -Uz compinit; compinit -u -D; source $1; cd $2; echo REA''DY"
      zpty -r -m z out '*READY*'
      for typed in "\${@:3}"; do
        zpty -w -n z "$typed"$'\\n'
        zpty -r -m z out '*GOT:*:*'
        print -r -- "\${\${out##*GOT:}%%:*}"
      done`;
    const args = ["-f", "-c", typist, "zsh", at("completion.zsh"), at("here"), ...lines];
    const told = await runText(oracle("zsh"), args, { timeoutMilliseconds: 60_000 });
    expect(
      told
        .trim()
        .split("\n")
        .map((line) => line.trim()),
    ).toEqual(["archive", "build --init=shell", "recipe schema", "ls medium.iso"]);
  });
});

test("the page is the same whoever asks", async () => {
  const env = { COLUMNS: "40", LC_ALL: "de_DE.UTF-8", TZ: "Asia/Tokyo" };
  expect(await runText(process.execPath, [MAIN, "man"], { env })).toBe(await runText(process.execPath, [MAIN, "man"]));
});
