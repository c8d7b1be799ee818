// Runs a command in this process: what it prints, and the status it ends with. A process of its own, with the sources
// compiled, would take a hundred times as long.

import { Command } from "commander";
import type { CommandModule } from "../../src/cli/command-module.ts";
import { exitStatusOf } from "../../src/cli/errors.ts";
import { wholeProgram } from "./whole-program.ts";

export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** One at a time: what is printed is caught globally. */
export async function runCommand(module: CommandModule, ...words: string[]): Promise<Run> {
  const out: Buffer[] = [];
  const err: string[] = [];
  const { write } = process.stdout;
  const { log, error } = console;
  const command = new Command("test").exitOverride().configureOutput({ writeErr: (text) => err.push(text) });
  process.exitCode = 0;
  process.stdout.write = ((chunk: Uint8Array | string, callback?: () => void) => {
    out.push(Buffer.from(chunk as Uint8Array));
    callback?.();
    return true;
  }) as typeof process.stdout.write;
  console.log = (...texts) => void out.push(Buffer.from(`${texts.join(" ")}\n`));
  console.error = (...texts) => void err.push(`${texts.join(" ")}\n`);
  try {
    module.define(command, wholeProgram);
    await command.parseAsync(words, { from: "user" });
    return done(Number(process.exitCode ?? 0));
  } catch (failure) {
    if (failure instanceof Error) err.push(`${failure.message}\n`);
    return done(exitStatusOf(failure));
  } finally {
    process.stdout.write = write;
    Object.assign(console, { log, error });
    process.exitCode = 0;
  }

  function done(status: number): Run {
    return { stdout: Buffer.concat(out).toString("utf8"), stderr: err.join(""), status };
  }
}
