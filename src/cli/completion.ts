// pureboot completion: what shells need to complete pureboot's words.

import { Argument, type Command } from "commander";
import type { WholeProgram } from "./command-module.ts";
import { bashCompletion } from "./completion-bash.ts";
import { fishCompletion } from "./completion-fish.ts";
import { zshCompletion } from "./completion-zsh.ts";
import { teach } from "./help.ts";
import { type ProgramModel, programModel } from "./model.ts";
import { writeOut } from "./output.ts";

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } satisfies Readonly<
  Record<string, (program: ProgramModel) => string>
>;

export function define(command: Command, wholeProgram: WholeProgram): void {
  teach(command, {
    about: "Prints a script by which a shell completes pureboot's commands, options, values and file names.",
    examples: [
      ['eval "$(pureboot completion bash)"', "in ~/.bashrc"],
      ["pureboot completion zsh > ~/.zfunc/_pureboot", "in a directory of zsh's fpath"],
      "pureboot completion fish > ~/.config/fish/completions/pureboot.fish",
    ],
  });
  command
    .addArgument(new Argument("<shell>", "the shell that will read it").choices(Object.keys(SHELLS)))
    .action(async (shell: keyof typeof SHELLS) => {
      await writeOut(SHELLS[shell](programModel(await wholeProgram())));
    });
}
