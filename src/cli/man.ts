// pureboot man: the manual page.

import type { Command } from "commander";
import type { WholeProgram } from "./command-module.ts";
import { teach } from "./help.ts";
import { manualPage } from "./mdoc.ts";
import { programModel } from "./model.ts";
import { writeOut } from "./output.ts";

export function define(command: Command, wholeProgram: WholeProgram): void {
  teach(command, {
    about: "Prints the manual page of pureboot, with all commands, in mdoc(7).",
    examples: [
      ["pureboot man | mandoc -l - | less", "to read it"],
      ["pureboot man > /usr/local/share/man/man1/pureboot.1", "to install it, as root"],
    ],
  });
  command.action(async () => {
    await writeOut(manualPage(programModel(await wholeProgram())));
  });
}
