// The program as commander sees it: what stands above the commands.

import { Command } from "commander";
import { addCommands } from "./commands.ts";
import { EXIT_STATUSES, teach } from "./help.ts";
import { VERSION } from "./version.ts";

/** The program with its commands, none of them loaded. Mistakes are thrown, not printed (usage.ts says them). */
export function createProgram(): Command {
  const program = new Command("pureboot")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help; `pureboot COMMAND --help` for one command")
    .helpCommand(false)
    .enablePositionalOptions() // behind a command, options are the command's: mkisofs has a -V of its own
    .showSuggestionAfterError(false)
    .exitOverride()
    .configureOutput({ outputError() {} })
    .configureHelp({ showGlobalOptions: false });
  teach(program, {
    about: "Makes bootable illumos images, and looks into them: no illumos host, no root, the same bytes every time.",
    examples: [
      "pureboot build proto/root_i386 -o illumos.iso",
      "pureboot verify illumos.iso",
      "pureboot ls -alR illumos.iso /etc",
      "pureboot build --help",
    ],
    notes: `Exit status: ${EXIT_STATUSES.map(([status, what]) => `${status} ${what}`).join(", ")}.`,
  });
  addCommands(program);
  return program;
}
