#!/usr/bin/env node
// The command line. Of the commands only the one that is asked for is loaded: `--help` must not cost the time of loading
// formats that it does not use.

import { type Command, CommanderError } from "commander";
import { COMMANDS, loadCommand } from "./commands.ts";
import { exitStatusOf, reportError, USAGE_STATUS } from "./errors.ts";
import { ignoreClosedPipes } from "./output.ts";
import { createProgram } from "./program.ts";
import { usageError } from "./usage.ts";

/** `pureboot help build` is `pureboot build --help`. */
function helpWords(words: readonly string[]): readonly string[] {
  if (words[0] !== "help") return words;
  const isKnown = words[1] === undefined || COMMANDS.some(({ name }) => name === words[1]);
  return isKnown ? [...words.slice(1), "--help"] : words.slice(1);
}

async function main(words: readonly string[]): Promise<void> {
  const program = createProgram();
  if (words.length === 0) {
    program.outputHelp({ error: true });
    process.exitCode = USAGE_STATUS;
    return;
  }
  const asked = words.find((word) => !word.startsWith("-"));
  const command = asked === undefined ? undefined : await loadCommand(program, asked);
  try {
    await program.parseAsync(await expanded(words, command), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw usageError(error, (words[0] === asked && command) || program);
  }
}

/** The words, with what recipes say in the place of their names. */
async function expanded(words: readonly string[], command: Command | undefined): Promise<readonly string[]> {
  if (command === undefined || !words.some((word) => /^--recipe(=|$)/.test(word))) return words;
  return (await import("./recipe.ts")).expandRecipes(words, command);
}

ignoreClosedPipes();
try {
  await main(helpWords(process.argv.slice(2)));
} catch (error) {
  reportError(error, process.argv.includes("--json"));
  process.exitCode = exitStatusOf(error);
}
