// What the file of a command exports.

import type { Command } from "commander";

/** The program with every command loaded: for what is made of all of them. */
export type WholeProgram = () => Promise<Command>;

export interface CommandModule {
  /** Adds operands, options, what the help teaches, and the action. */
  readonly define: (command: Command, wholeProgram: WholeProgram) => void;
}
