#!/usr/bin/env node
// The command line. Each command is a file of its own, loaded only when it is asked for: `--help` must not cost the time
// of loading formats that it does not use.

import { Command } from "commander";
import { exitStatusOf, reportError, USAGE_STATUS } from "./errors.ts";
import { VERSION } from "./version.ts";

/** What a command's file exports: adds operands, options, examples and the action. */
export interface CommandModule {
  readonly define: (command: Command) => void;
}

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** In the order in which the help shows them. */
const COMMANDS: readonly Entry[] = [
  { name: "build", summary: "make a bootable ISO of a proto area", load: () => import("./build.ts") },
  { name: "archive", summary: "make only the ramdisk (boot archive)", load: () => import("./archive.ts") },
  { name: "recipe", summary: "print a recipe to begin with, or its schema", load: () => import("./recipe-command.ts") },
  {
    name: "verify",
    summary: "check an image in every way, and whether it will boot",
    load: () => import("./verify.ts"),
  },
  { name: "diff", summary: "what changed between two images or directories", load: () => import("./diff.ts") },
  { name: "map", summary: "draw where every byte of an image lies", load: () => import("./map.ts") },
  { name: "inspect", summary: "say what a file is, layer by layer", load: () => import("./inspect.ts") },
  { name: "ls", summary: "list what is in an image", load: () => import("./ls.ts") },
  { name: "cat", summary: "print files of an image", load: () => import("./cat.ts") },
  { name: "stat", summary: "show the inode or directory record of a path", load: () => import("./stat.ts") },
  { name: "dump", summary: "say what the bytes at an offset mean", load: () => import("./dump.ts") },
  { name: "extract", summary: "write an image, or parts of it, to a directory", load: () => import("./extract.ts") },
  { name: "manifest", summary: "print mtree(5) text of an image or directory", load: () => import("./manifest.ts") },
  { name: "newfs", summary: "make an empty UFS as newfs makes it", load: () => import("./newfs.ts") },
  { name: "mkfs", summary: "the same, with mkfs' operands", load: () => import("./mkfs.ts") },
  { name: "fsck", summary: "check a UFS, changing nothing", load: () => import("./fsck.ts") },
  { name: "mkisofs", summary: "make an ISO, with the options of mkisofs", load: () => import("./mkisofs.ts") },
  { name: "demo", summary: "build, and boot, the embedded example", load: () => import("./demo.ts") },
];

function program(): Command {
  return new Command("pureboot")
    .description("Makes bootable illumos images: no illumos host, no root, the same bytes every time.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help; `pureboot COMMAND --help` for one command")
    .helpCommand(false)
    .enablePositionalOptions() // behind a command, options are the command's: mkisofs has a -V of its own
    .showHelpAfterError("(pureboot --help lists the commands)")
    .configureHelp({ showGlobalOptions: false });
}

/** `pureboot help build` is `pureboot build --help`. */
function helpWords(words: readonly string[]): readonly string[] {
  return words[0] === "help" ? [...words.slice(1), "--help"] : words;
}

async function main(words: readonly string[]): Promise<void> {
  const top = program();
  const asked = words.find((word) => !word.startsWith("-"));
  let expanded = [...words];
  for (const { name, summary, load } of COMMANDS) {
    const command = top.command(name).description(summary);
    if (name !== asked) continue;
    (await load()).define(command.showHelpAfterError(`(pureboot ${name} --help lists the options)`));
    if (words.some((word) => /^--recipe(=|$)/.test(word))) {
      expanded = (await import("./recipe.ts")).expandRecipes(words, command);
    }
  }
  if (words.length === 0) {
    top.outputHelp({ error: true });
    process.exitCode = USAGE_STATUS;
    return;
  }
  for (const command of [top, ...top.commands]) command.exitOverride();
  await top.parseAsync(expanded, { from: "user" });
}

// A reader that closes its end of the pipe early (head, less) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error; // the work goes on to its end: files are whole, children are waited for
});

try {
  await main(helpWords(process.argv.slice(2)));
} catch (error) {
  reportError(error, process.argv.includes("--json"));
  process.exitCode = exitStatusOf(error);
}
