// The command line as data, read off the commander definitions: what completions and the manual page are made of.

import type { Argument, Command, Option } from "commander";
import { type Example, likelyValuesOf, teachingOf } from "./help.ts";

/** What a word stands for, so far as a shell can help with it. */
export type WordKind = "file" | "directory" | "choice" | "other";

export interface OptionModel {
  readonly short: string | undefined;
  readonly long: string | undefined;
  /** As the help writes it: "<file>"; undefined of a flag. */
  readonly value: string | undefined;
  readonly kind: WordKind;
  readonly choices: readonly string[];
  /** Whether nothing but the choices is taken; else they are likely values. */
  readonly isChoiceOnly: boolean;
  /** Without choices and default. */
  readonly description: string;
  readonly defaultText: string | undefined;
}

export interface OperandModel {
  readonly name: string;
  readonly isRequired: boolean;
  readonly isVariadic: boolean;
  readonly kind: WordKind;
  readonly choices: readonly string[];
  readonly description: string;
}

export interface CommandModel {
  readonly name: string;
  readonly summary: string;
  readonly about: string;
  readonly notes: string | undefined;
  readonly examples: readonly Example[];
  readonly group: string;
  readonly operands: readonly OperandModel[];
  readonly groups: readonly OptionGroup[];
  /** All options, of all groups. */
  readonly options: readonly OptionModel[];
}

export interface OptionGroup {
  readonly heading: string;
  readonly options: readonly OptionModel[];
}

export interface ProgramModel extends CommandModel {
  readonly commands: readonly CommandModel[];
}

export function programModel(program: Command): ProgramModel {
  return { ...commandModel(program), commands: program.commands.map(commandModel) };
}

function commandModel(command: Command): CommandModel {
  const teaching = teachingOf(command);
  const help = command.createHelp();
  const visible = help.visibleOptions(command);
  const groups = new Map<string, OptionModel[]>();
  for (const option of visible) {
    const heading = option.helpGroupHeading ?? "Options:";
    groups.set(heading, [...(groups.get(heading) ?? []), optionModel(option)]);
  }
  return {
    name: command.name(),
    summary: help.subcommandDescription(command),
    about: teaching?.about ?? command.description(),
    notes: teaching?.notes,
    examples: teaching?.examples ?? [],
    group: command.helpGroup(),
    operands: command.registeredArguments.map((argument) => operandModel(argument, teaching?.words ?? [])),
    groups: [...groups].map(([heading, options]) => ({ heading, options })),
    options: visible.map(optionModel),
  };
}

function optionModel(option: Option): OptionModel {
  const value = /[<[].*$/.exec(option.flags)?.[0];
  const choices = likelyValuesOf(option);
  return {
    short: option.short,
    long: option.long,
    value,
    kind: choices.length > 0 ? "choice" : valueKind(value),
    choices,
    isChoiceOnly: option.argChoices !== undefined,
    description: option.description,
    defaultText: defaultText(option),
  };
}

function valueKind(value: string | undefined): WordKind {
  if (value === "<file>") return "file";
  return value === "<dir>" ? "directory" : "other";
}

function defaultText({ defaultValue, defaultValueDescription, negate }: Option): string | undefined {
  if (negate || defaultValue === undefined) return undefined;
  return defaultValueDescription ?? String(defaultValue);
}

/** Operands that are files of this machine; others are paths inside of an image, or no paths at all. */
const FILE_OPERANDS: readonly string[] = ["image", "source", "a", "b", "words"];

function operandModel(argument: Argument, words: readonly string[]): OperandModel {
  const choices = argument.argChoices ?? words;
  const name = argument.name();
  const isFile = FILE_OPERANDS.includes(name);
  return {
    name,
    isRequired: argument.required,
    isVariadic: argument.variadic,
    kind: isFile ? "file" : choices.length > 0 ? "choice" : "other",
    choices,
    description: argument.description,
  };
}

/** "-o, --output <file>" */
export function optionNames({ short, long }: OptionModel): readonly string[] {
  return [short, long].filter((name) => name !== undefined);
}
