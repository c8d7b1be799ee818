// The commands: one table, from which the help, the completions and the manual page are made. Each command is a file of its
// own, loaded only when it is asked for.

import type { Command } from "commander";
import type { CommandModule } from "./command-module.ts";

export interface CommandEntry {
  readonly name: string;
  /** Half a line, for lists. */
  readonly summary: string;
  readonly group: string;
  readonly load: () => Promise<CommandModule>;
}

const GROUPS = {
  build: "Build:",
  trust: "Check and compare:",
  look: "Look inside:",
  formats: "File systems and ISOs of their own:",
  program: "This program:",
} as const;

/** In the order in which the help shows them. */
export const COMMANDS: readonly CommandEntry[] = [
  entry("build", "build", "make a bootable ISO of a proto area", () => import("./build.ts")),
  entry("build", "archive", "make only the ramdisk (boot archive)", () => import("./archive.ts")),
  entry("build", "recipe", "print a recipe to begin with, or its schema", () => import("./recipe-command.ts")),
  entry("build", "demo", "build, and boot, the embedded example", () => import("./demo.ts")),
  entry("trust", "verify", "check an image in every way, and whether it will boot", () => import("./verify.ts")),
  entry("trust", "diff", "what changed between two images or directories", () => import("./diff.ts")),
  entry("trust", "fsck", "check a UFS, changing nothing", () => import("./fsck.ts")),
  entry("trust", "manifest", "print mtree(5) text of an image or directory", () => import("./manifest.ts")),
  entry("look", "inspect", "say what a file is, layer by layer", () => import("./inspect.ts")),
  entry("look", "ls", "list what is in an image", () => import("./ls.ts")),
  entry("look", "cat", "print files of an image", () => import("./cat.ts")),
  entry("look", "extract", "write an image, or parts of it, to a directory", () => import("./extract.ts")),
  entry("look", "map", "draw where every byte of an image lies", () => import("./map.ts")),
  entry("look", "stat", "show the inode or directory record of a path", () => import("./stat.ts")),
  entry("look", "dump", "say what the bytes at an offset mean", () => import("./dump.ts")),
  entry("formats", "newfs", "make an empty UFS as newfs makes it", () => import("./newfs.ts")),
  entry("formats", "mkfs", "the same, with mkfs' operands", () => import("./mkfs.ts")),
  entry("formats", "mkisofs", "make an ISO, with the options of mkisofs", () => import("./mkisofs.ts")),
  entry("program", "doctor", "say which programs are here, and what each is good for", () => import("./doctor.ts")),
  entry("program", "completion", "print completions for bash, zsh or fish", () => import("./completion.ts")),
  entry("program", "man", "print the manual page", () => import("./man.ts")),
];

function entry(group: keyof typeof GROUPS, name: string, summary: string, load: CommandEntry["load"]): CommandEntry {
  return { name, summary, group: GROUPS[group], load };
}

/** Adds the commands to the program, none of them loaded: with name and summary only. */
export function addCommands(program: Command): void {
  for (const { name, summary, group } of COMMANDS) {
    program
      .command(name)
      .summary(summary)
      .description(summary)
      .helpGroup(group)
      .helpOption("-h, --help", "print this help");
  }
}

/** Loads what the command of this name is made of; undefined where there is none. */
export async function loadCommand(program: Command, name: string): Promise<Command | undefined> {
  const found = COMMANDS.find((one) => one.name === name);
  const command = program.commands.find((one) => one.name() === name);
  if (found === undefined || command === undefined) return undefined;
  (await found.load()).define(command, () => loadOthers(program, name));
  return command;
}

async function loadOthers(program: Command, loaded: string): Promise<Command> {
  for (const { name } of COMMANDS) if (name !== loaded) await loadCommand(program, name);
  return program;
}
