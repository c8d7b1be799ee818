// pureboot recipe: a recipe to begin with, and the schema that editors check recipes by.

import { Argument, Command } from "commander";
import { define as defineBuild } from "./build.ts";
import { teach } from "./help.ts";
import { RECIPE_TEMPLATE, recipeSchema } from "./recipe.ts";

export function define(command: Command): void {
  teach(command, {
    about:
      "Prints a recipe to begin with, or the JSON Schema by which editors check recipes. A recipe is a file of options of pureboot build.",
    examples: [
      "pureboot recipe init > illumos.json",
      "pureboot build --recipe illumos.json -o test.iso",
      ["pureboot recipe schema > recipe.schema.json", `for an editor: name it as the recipe's "$schema"`],
    ],
  });
  command
    .addArgument(
      new Argument("<what>", "init: a recipe to begin with; schema: its JSON Schema").choices(["init", "schema"]),
    )
    .action((what: "init" | "schema") => {
      process.stdout.write(what === "init" ? RECIPE_TEMPLATE : `${JSON.stringify(schemaOfBuild(), undefined, 2)}\n`);
    });
}

function schemaOfBuild(): Readonly<Record<string, unknown>> {
  const build = new Command("build");
  defineBuild(build);
  return recipeSchema(build);
}
