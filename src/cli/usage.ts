// Mistakes on the command line, said as all errors are: one line, with what was meant and where the help is.

import { type Command, CommanderError } from "commander";
import { didYouMean, nearestNames } from "../bytes/index.ts";
import { USAGE_STATUS } from "./errors.ts";

/**
 * Commander's complaint in our words; what is no complaint (help, version) stays.
 * @param command the one that was asked for, or the program
 */
export function usageError(error: CommanderError, command: Command): CommanderError {
  if (error.exitCode === 0) return error;
  return new CommanderError(USAGE_STATUS, error.code, `${complaint(error, command)} (${helpHint(command)})`);
}

function helpHint(command: Command): string {
  if (command.parent === null) return "pureboot --help lists the commands";
  return `pureboot ${command.name()} --help says how it is used`;
}

function complaint({ code, message }: CommanderError, command: Command): string {
  const text = message.replace(/^error: /, "");
  if (code === "commander.invalidArgument") return invalidValue(text);
  const first = PATTERNS[code]?.exec(text)?.[1] ?? "";
  if (first === "") return text;
  switch (code) {
    case "commander.unknownOption":
      return unknownOption(first, command);
    case "commander.unknownCommand":
      return `there is no command "${first}"${didYouMean(
        first,
        command.commands.map((one) => one.name()),
      )}`;
    case "commander.missingArgument":
      return `${first.toUpperCase()} is missing: ${command.name()} ${usageOf(command)}`;
    case "commander.optionMissingArgument":
      return `${first}: its value is missing`;
    case "commander.missingMandatoryOptionValue":
      return `${first} is missing, and is needed`;
    case "commander.excessArguments":
      return `too many operands: ${command.name()} takes ${first === "0" ? "none" : `at most ${first}`}`;
    default:
      return text;
  }
}

const PATTERNS: Readonly<Record<string, RegExp>> = {
  "commander.unknownOption": /^unknown option '(.*)'/s,
  "commander.unknownCommand": /^unknown command '(.*)'/s,
  "commander.missingArgument": /^missing required argument '(.*)'/,
  "commander.optionMissingArgument": /^option '(.*)' argument missing/,
  "commander.missingMandatoryOptionValue": /^required option '(.*)' not specified/,
  "commander.excessArguments": /Expected (\d+) argument/,
};

const usageOf = (command: Command): string => command.usage().replace("[options] ", "");

/** "-o, --output <file>" is "--output" to people; an operand is its name. */
function nameOf(flags: string): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
}

function invalidValue(text: string): string {
  const option = /^option '([^']*)' argument '(.*)' is invalid\. (.*)$/s.exec(text);
  if (option) {
    const [, flags = "", value = "", why = ""] = option;
    return `${nameOf(flags)} ${value}: ${reason(why, value)}`;
  }
  const [, value = "", name = "", why = text] =
    /^[\w-]+ value '(.*)' is invalid for argument '(\w+)'\. (.*)$/s.exec(text) ?? [];
  return `${name.toUpperCase()} ${value}: ${reason(why, value)}`;
}

/** Commander's list of choices, or what an argument parser of ours said. */
function reason(text: string, value: string): string {
  const choices = /^Allowed choices are (.*)\.$/.exec(text)?.[1]?.split(", ");
  if (choices) {
    const near = nearestNames(value, choices);
    const hint = near.length === 1 ? didYouMean(value, near) : ""; // several are told by the list already
    return `must be ${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}${hint}`;
  }
  const plain = text.replace(/\.$/, "");
  return `${plain.charAt(0).toLowerCase()}${plain.slice(1)}`;
}

function unknownOption(flag: string, command: Command): string {
  const [name = flag] = flag.split("=");
  if (command.parent === null) return `unknown option ${name}: options stand behind the name of the command`;
  const known = command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, short }) => long ?? short ?? []);
  return `unknown option ${name}${name.startsWith("--") ? didYouMean(name, known) : ""}`;
}
