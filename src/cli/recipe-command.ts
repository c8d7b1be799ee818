// pureboot recipe: a recipe to begin with, and the schema that editors check recipes by.

import { Argument, Command } from "commander";
import { define as defineBuild } from "./build.ts";
import { RECIPE_TEMPLATE, recipeSchema } from "./recipe.ts";

export function define(command: Command): void {
  command
    .addArgument(
      new Argument("<what>", "init: a recipe to begin with; schema: its JSON Schema").choices(["init", "schema"]),
    )
    .addHelpText(
      "after",
      `
Examples:
  pureboot recipe init > illumos.json
  pureboot build --recipe illumos.json -o test.iso`,
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
