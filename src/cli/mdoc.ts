// The manual page in mdoc(7), from the same definitions as the help.

import { EXIT_STATUSES, exampleParts } from "./help.ts";
import type { CommandModel, OperandModel, OptionGroup, OptionModel, ProgramModel } from "./model.ts";

/** Of the last change of the page's text by hand; what is generated has no date of its own. */
const DATE = "November 23, 2026";

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ["SOURCE_DATE_EPOCH", "Seconds since 1970: the time of images where --epoch does not give one."],
  ["NO_COLOR", "Set to anything: no colors."],
  ["TERM", "With dumb, progress is printed a line at a time also on a terminal."],
  ["TMPDIR", "Where images lie that come from a pipe or go into one."],
];

export function manualPage(program: ProgramModel): string {
  const { commands, about, options } = program;
  return [
    `.Dd ${DATE}`,
    ".Dt PUREBOOT 1",
    ".Os",
    ".Sh NAME",
    ".Nm pureboot",
    ".Nd bootable illumos images",
    ".Sh SYNOPSIS",
    ...commands.flatMap(synopsis),
    ".Sh DESCRIPTION",
    ...prose(about),
    ".Pp",
    ...prose("The options of the program itself, before any command, are:"),
    ...optionList(options),
    ...commands.flatMap(commandSection),
    ".Sh ENVIRONMENT",
    ".Bl -tag -width Ds",
    ...ENVIRONMENT.flatMap(([name, text]) => [`.It Ev ${name}`, ...prose(text)]),
    ".El",
    ".Sh EXIT STATUS",
    ".Bl -tag -width Ds",
    ...EXIT_STATUSES.flatMap(([status, what]) => [`.It ${status}`, ...prose(sentence(what))]),
    ".El",
    ".Sh EXAMPLES",
    ...exampleLines(program),
    "",
  ].join("\n");
}

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?\u2026]$/.test(text) ? "" : "."}`;

function synopsis({ name, operands }: CommandModel): string[] {
  return [".Nm", `.Cm ${name}`, ".Op Ar options", ...operands.map(operandLine)];
}

function operandLine({ name, isRequired, isVariadic }: OperandModel): string {
  const word = `Ar ${name}${isVariadic ? " ..." : ""}`;
  return isRequired ? `.${word}` : `.Op ${word}`;
}

function commandSection(command: CommandModel): string[] {
  const { name, about, notes, operands, groups, examples } = command;
  const lines = [
    `.Ss pureboot ${name}`,
    ".Nm",
    `.Cm ${name}`,
    ".Op Ar options",
    ...operands.map(operandLine),
    ".Pp",
    ...prose(about),
  ];
  if (operands.length > 0) {
    lines.push(".Bl -tag -width Ds");
    for (const { name: operand, description, choices } of operands) {
      lines.push(`.It Ar ${operand}`, ...prose(sentence(`${description}${choiceText(choices)}`)));
    }
    lines.push(".El");
  }
  for (const group of groups) lines.push(...groupLines(group, groups.length > 1));
  for (const paragraph of notes?.split("\n\n") ?? []) lines.push(".Pp", ...prose(paragraph));
  if (examples.length > 0) lines.push(".Pp", "Examples:", ...exampleLines(command));
  return lines;
}

function groupLines({ heading, options }: OptionGroup, isTitled: boolean): string[] {
  return [...(isTitled ? [".Pp", ...prose(heading)] : []), ...optionList(options)];
}

function optionList(options: readonly OptionModel[]): string[] {
  return [".Bl -tag -width Ds", ...options.flatMap(optionLines), ".El"];
}

function optionLines({ short, long, value, description, choices, isChoiceOnly, defaultText }: OptionModel): string[] {
  const argument = value === undefined ? "" : ` Ar ${escaped(value.replace(/^.(.*).$/, "$1"))}`;
  const names = [short, long].filter((name) => name !== undefined).map((name) => `Fl ${escaped(name.slice(1))}`);
  const more = `${choiceText(isChoiceOnly ? choices : [])}${defaultText === undefined ? "" : `; default: ${defaultText}`}`;
  return [`.It ${names.join(" , ")}${argument}`, ...prose(sentence(`${description}${more}`))];
}

function choiceText(choices: readonly string[]): string {
  return choices.length === 0 ? "" : `: ${choices.join(", ")}`;
}

function exampleLines({ examples }: Pick<CommandModel, "examples">): string[] {
  return examples.flatMap((example) => {
    const [line, what] = exampleParts(example);
    const text = what === undefined ? [] : [".Pp", ...prose(sentence(what))];
    return [...text, `.Dl ${escaped(line.replaceAll(/\s*\\\n\s*/g, " "))}`];
  });
}

const WIDTH = 78;

/** Lines of running text: a sentence begins a line, and none is long. */
function prose(text: string): string[] {
  return text
    .replaceAll(/\s+/g, " ")
    .split(/(?<=[.?!]\)?) (?=[A-Z"-])/)
    .flatMap(wrapped);
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of escaped(text).split(" ")) {
    if (line !== "" && line.length + word.length >= WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => (/^[.']/.test(one) ? `\\&${one}` : one));
}

/** Backslashes, dashes that must stay ASCII, and what is not ASCII. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("\u2026", "...")
    .replaceAll(
      /[^\x20-\x7e]/gu,
      (one) => `\\[u${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`,
    );
}
