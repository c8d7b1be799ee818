// Completion for fish: one `complete` an option, with the descriptions of the help.

import type { CommandModel, OperandModel, OptionModel, ProgramModel } from "./model.ts";

export function fishCompletion({ commands, options }: ProgramModel): string {
  const lines = [
    "# fish completion for pureboot, made by: pureboot completion fish",
    "",
    "complete -c pureboot -f",
    ...options.map((option) => optionLine("__fish_use_subcommand", option)),
    ...commands.map(
      ({ name, summary }) => `complete -c pureboot -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ),
    ...commands.flatMap(commandLines),
  ];
  return `${lines.join("\n")}\n`;
}

function commandLines({ name, options, operands }: CommandModel): string[] {
  const when = quoted(`__fish_seen_subcommand_from ${name}`);
  return [
    "",
    ...options.map((option) => optionLine(when, option)),
    ...operands.flatMap((operand) => operandLines(when, operand)),
  ];
}

function optionLine(when: string, option: OptionModel): string {
  const { short, long, value, description } = option;
  const words = [`complete -c pureboot -n ${when}`];
  if (short !== undefined) words.push(`-s ${short.slice(1)}`);
  if (long !== undefined) words.push(`-l ${long.slice(2)}`);
  if (value !== undefined) words.push(valueWords(option));
  return [...words, `-d ${quoted(description)}`].join(" ");
}

function valueWords({ kind, choices }: OptionModel): string {
  switch (kind) {
    case "choice":
      return `-x -a ${quoted(choices.join(" "))}`;
    case "file":
      return "-r -F";
    case "directory":
      return "-x -a '(__fish_complete_directories)'";
    default:
      return "-x";
  }
}

/** Options in another spelling, one dash and a word, are fish's "old" options. */
function operandLines(when: string, { kind, choices }: OperandModel): string[] {
  const dashed = choices.filter((word) => word.startsWith("-")).map((word) => word.slice(1));
  const words = choices.filter((word) => !word.startsWith("-"));
  const lines = dashed.map((word) => `complete -c pureboot -n ${when} ${word.length === 1 ? "-s" : "-o"} ${word}`);
  if (words.length > 0) lines.push(`complete -c pureboot -n ${when} -a ${quoted(words.join(" "))}`);
  if (kind === "file") lines.push(`complete -c pureboot -n ${when} -F`);
  return lines;
}

const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
