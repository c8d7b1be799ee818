// Recipes: the options of a build in a JSON file, with comments. A recipe is read as the words that a command line would
// have in its place, so that both mean the same, edits keep their order, and later words win over it. Keys are the option
// names in camel case; file names are relative to the recipe.

import { readFileSync } from "node:fs";
import path from "node:path";
import type { Command, Option } from "commander";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { didYouMean, ImageError } from "../bytes/index.ts";
import { inputError, STANDARD_STREAM } from "../node/index.ts";

const RECIPE_OPTION = "--recipe";
/** The key that holds the operands. */
const SOURCES = "sources";
/** Options whose value, or what follows "=" in it, is a file or directory. */
const FILE_PLACEHOLDER = /<(file|dir)>/;
const FILE_AFTER_EQUALS = /<dest=file>/;

/** Options that a recipe may set: all of the command's but those about recipes and help. */
function recipeOptions(command: Command): Option[] {
  return command.options.filter(({ long }) => long !== undefined && ![RECIPE_OPTION, "--help"].includes(long));
}

/**
 * Command-line words with each `--recipe FILE` replaced by what the file says.
 * @throws ImageError "input-missing"; "invalid-argument" naming file and key
 */
export function expandRecipes(words: readonly string[], command: Command): string[] {
  const expanded: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const inline = word.startsWith(`${RECIPE_OPTION}=`) ? word.slice(RECIPE_OPTION.length + 1) : undefined;
    if (word !== RECIPE_OPTION && inline === undefined) expanded.push(word);
    else {
      const file = inline ?? words[++i];
      if (file === undefined) throw new ImageError("invalid-argument", `${RECIPE_OPTION}: names no file`);
      expanded.push(...recipeWords(readRecipe(file), file, command));
    }
  }
  return expanded;
}

function readRecipe(file: string): string {
  try {
    return readFileSync(file === STANDARD_STREAM ? 0 : file, "utf8");
  } catch (error) {
    throw inputError(error, file);
  }
}

/** The words that a recipe's text stands for. */
export function recipeWords(text: string, file: string, command: Command): string[] {
  const errors: ParseError[] = [];
  const recipe: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first) {
    const before = text.slice(0, first.offset).split("\n");
    const place = `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
    const problem = printParseErrorCode(first.error)
      .replace(/\B[A-Z]/g, " $&")
      .toLowerCase(); // "PropertyNameExpected"
    throw new ImageError("invalid-argument", `${place}: ${problem}; a recipe is JSON, and may have comments`);
  }
  if (typeof recipe !== "object" || recipe === null || Array.isArray(recipe)) {
    throw new ImageError(
      "invalid-argument",
      `${file}: a recipe is an object: { "sources": ["proto"], "output": "x.iso" }`,
    );
  }
  const options = new Map(recipeOptions(command).map((option) => [option.attributeName(), option]));
  return Object.entries(recipe).flatMap(([key, value]) => {
    if (key === "$schema") return [];
    if (key === SOURCES) return list(value, file, key).map((source) => fromHere(file, source));
    const option = options.get(key);
    if (option === undefined) {
      const hint = didYouMean(key, options.keys());
      throw new ImageError("invalid-argument", `${file}: "${key}" is no key of a recipe for ${command.name()}${hint}`);
    }
    return optionWords(option, value, file, key);
  });
}

function optionWords(option: Option, value: unknown, file: string, key: string): string[] {
  const name = option.long ?? "";
  if (option.isBoolean()) {
    if (typeof value !== "boolean") throw new ImageError("invalid-argument", `${file}: "${key}" must be true or false`);
    return value ? [name] : [];
  }
  return list(value, file, key).map((text) => `${name}=${withHostPath(option, text, file)}`);
}

function withHostPath({ flags }: Option, text: string, file: string): string {
  if (FILE_PLACEHOLDER.test(flags)) return fromHere(file, text);
  const at = text.indexOf("=");
  if (!FILE_AFTER_EQUALS.test(flags) || at === -1) return text;
  return text.slice(0, at + 1) + fromHere(file, text.slice(at + 1));
}

/** One text or number, or several. */
function list(value: unknown, file: string, key: string): string[] {
  return (Array.isArray(value) ? value : [value]).map((item: unknown) => {
    if (typeof item === "string" || typeof item === "number") return String(item);
    throw new ImageError("invalid-argument", `${file}: "${key}" must be a text, a number, or a list of these`);
  });
}

function fromHere(file: string, name: string): string {
  return path.isAbsolute(name) ? name : path.join(path.dirname(file), name);
}

/** The JSON Schema of recipes, for editors. */
export function recipeSchema(command: Command): Readonly<Record<string, unknown>> {
  const properties: Record<string, unknown> = {
    $schema: { type: "string" },
    [SOURCES]: { description: "proto area, and layers over it", type: "array", items: { type: "string" } },
  };
  for (const option of recipeOptions(command)) {
    const one = option.argChoices ? { enum: option.argChoices } : { type: ["string", "number"] };
    const { description } = option;
    properties[option.attributeName()] = option.isBoolean()
      ? { description, type: "boolean" }
      : { description, anyOf: [one, { type: "array", items: one }] };
  }
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `pureboot ${command.name()} recipe`,
    type: "object",
    additionalProperties: false,
    properties,
  };
}

/** What `pureboot recipe init` prints: a recipe that builds, with what is often changed. */
export const RECIPE_TEMPLATE = `// A pureboot recipe: pureboot build --recipe FILE. Keys are the options of pureboot build; file names are
// relative to this file; what stands behind --recipe on the command line wins over it.
{
  "sources": ["proto/root_i386"],
  "output": "illumos.iso",
  // "manifests": "usr/src/pkg",          owners, modes and drivers from package manifests
  // "adjunct": "proto/adjunct",          libxml2, openssl, zlib …: then SMF can run
  "init": "auto",
  "size": "auto",
  "free": "16m",
  "remove": ["usr/share/man", "*.a"],
  "console": "text"
}
`;
