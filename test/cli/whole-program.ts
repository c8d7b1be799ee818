// The program with every command loaded.

import type { Command } from "commander";
import { COMMANDS, loadCommand } from "../../src/cli/commands.ts";
import { createProgram } from "../../src/cli/program.ts";

export async function wholeProgram(): Promise<Command> {
  const program = createProgram();
  for (const { name } of COMMANDS) await loadCommand(program, name);
  return program;
}
