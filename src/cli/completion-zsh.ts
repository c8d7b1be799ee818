// Completion for zsh: specifications for _arguments, with the descriptions of the help.

import { type CommandModel, type OperandModel, type OptionModel, optionNames, type ProgramModel } from "./model.ts";

export function zshCompletion({ commands, options }: ProgramModel): string {
  return `#compdef pureboot
# zsh completion for pureboot, made by: pureboot completion zsh

_pureboot() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C \\
${options.map((option) => `    ${optionSpec(option)} \\\n`).join("")}    '1: :->command' \\
    '*:: :->words'
  case $state in
    command)
      local -a commands
      commands=(
${commands.map(({ name, summary }) => `        ${quoted(`${name}:${summary}`)}\n`).join("")}      )
      _describe -t commands command commands
      ;;
    words)
      case $words[1] in
${commands.map(commandCase).join("")}      esac
      ;;
  esac
}

if [[ $funcstack[1] == _pureboot ]]; then _pureboot "$@"; else compdef _pureboot pureboot; fi
`;
}

function commandCase({ name, options, operands }: CommandModel): string {
  const dashed = operands.flatMap(({ choices }) => choices).filter((word) => word.startsWith("-"));
  const specs = [...options.map(optionSpec), ...dashed.map(quoted), ...operands.map(operandSpec)];
  return `        ${name})\n          _arguments -S \\\n${specs.map((spec) => `            ${spec}`).join(" \\\n")}\n          ;;\n`;
}

function optionSpec(option: OptionModel): string {
  const { value, description } = option;
  const names = optionNames(option);
  const text = `[${escaped(description)}]`;
  if (value === undefined) {
    if (names.length === 1) return quoted(`${names[0]}${text}`);
    return `${quoted(`(${names.join(" ")})`)}{${names.join(",")}}${quoted(text)}`;
  }
  const words = names.map((name) => (name.startsWith("--") ? `${name}=` : `${name}+`));
  const action = `:${escaped(value.replace(/^.(.*).$/, "$1"))}:${actionOf(option)}`;
  if (words.length === 1) return quoted(`*${words[0]}${text}${action}`);
  return `${quoted("*")}{${words.join(",")}}${quoted(text + action)}`;
}

function operandSpec({ name, isRequired, isVariadic, kind, choices }: OperandModel): string {
  const words = choices.filter((word) => !word.startsWith("-"));
  const action = actionOf({ kind, choices: words });
  return quoted(`${isVariadic ? "*" : ""}:${isRequired || isVariadic ? "" : ":"}${name}:${action}`);
}

function actionOf({ kind, choices }: Pick<OptionModel, "kind" | "choices">): string {
  switch (kind) {
    case "choice":
      return `(${choices.join(" ")})`;
    case "file":
      return "_files";
    case "directory":
      return "_files -/";
    default:
      return " ";
  }
}

/** In a specification, ":", brackets and the backslash mean something. */
const escaped = (text: string): string => text.replaceAll(/[\\:[\]]/g, "\\$&");

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
