// Completion for bash: a function that looks at the words so far. It works with bash 3.2 (macOS) as well.

import { type CommandModel, type OptionModel, optionNames, type ProgramModel, type WordKind } from "./model.ts";

export function bashCompletion({ commands, options }: ProgramModel): string {
  return `# bash completion for pureboot, made by: pureboot completion bash

_pureboot() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  # bash takes "--option=value" for three words
  if [[ $cur == "=" ]]; then cur=""
  elif [[ $prev == "=" ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()

  local command="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} != -* ]]; then command=\${COMP_WORDS[i]}; break; fi
  done
  local at=$i

  # kind, words: of the value that the word before asks for; options, valued: of the command
  local kind="" words="" options="" valued=""
  case $command in
    "")
      options=${list(options.flatMap(optionNames))}
      kind=choice words=${list(commands.map(({ name }) => name))}
      ;;
${commands.map(commandCase).join("")}    *) return ;;
  esac

  local IFS=$' \\t\\n'
  if [[ $cur == -* && $kind != value-* ]]; then
    COMPREPLY=($(compgen -W "$options \${dashed-}" -- "$cur"))
    return
  fi
  case \${kind#value-} in
    choice) COMPREPLY=($(compgen -W "$words" -- "$cur")) ;;
    file)
      IFS=$'\\n'
      type compopt >/dev/null 2>&1 && compopt -o filenames 2>/dev/null
      COMPREPLY=($(compgen -f -- "$cur"))
      ;;
    directory)
      IFS=$'\\n'
      type compopt >/dev/null 2>&1 && compopt -o filenames 2>/dev/null
      COMPREPLY=($(compgen -d -- "$cur"))
      ;;
  esac
}

# how many operands of the command stand before the word at hand
_pureboot_operands() {
  local i count=0
  for ((i = at + 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      -?*)
        if [[ " $valued " == *" \${COMP_WORDS[i]} "* ]]; then
          if [[ \${COMP_WORDS[i + 1]} == "=" ]]; then ((i += 2)); else ((i += 1)); fi
        fi
        ;;
      *) ((count += 1)) ;;
    esac
  done
  operands=$count
}

complete -F _pureboot pureboot
`;
}

const INDENT = "      ";

function commandCase(command: CommandModel): string {
  const { name, options, operands } = command;
  const valued = options.filter(({ value }) => value !== undefined);
  const dashed = operands.flatMap(({ choices }) => choices).filter((word) => word.startsWith("-"));
  const lines = [
    `options=${list(options.flatMap(optionNames))}`,
    `valued=${list(valued.flatMap(optionNames))}`,
    ...(dashed.length > 0 ? [`local dashed=${list(dashed)}`] : []),
    "case $prev in",
    ...valued.map((option) => `  ${optionNames(option).join("|")}) ${valueLine(option)} ;;`),
    "  *)",
    "    local operands",
    "    _pureboot_operands",
    "    case $operands in",
    ...operands.map((operand, i) => {
      const words = operand.choices.filter((word) => !word.startsWith("-"));
      return `      ${operand.isVariadic ? "*" : i}) ${kindLine(operand.kind, words, "")} ;;`;
    }),
    "    esac",
    "    ;;",
    "esac",
    ";;",
  ];
  return `    ${name})\n${lines.map((line) => `${INDENT}${line}\n`).join("")}`;
}

const valueLine = ({ kind, choices }: OptionModel): string => kindLine(kind, choices, "value-");

function kindLine(kind: WordKind, choices: readonly string[], prefix: string): string {
  return kind === "choice" ? `kind=${prefix}choice words=${list(choices)}` : `kind=${prefix}${kind}`;
}

/** Words that hold no blanks, as one word of the shell. */
function list(words: readonly string[]): string {
  return `'${words.join(" ")}'`;
}
