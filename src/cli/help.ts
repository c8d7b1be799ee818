// What a command's help teaches beside its options: what it does, notes, exit statuses, examples. Kept as data, since the
// manual page says the same in another form, and a test runs the words of each example through the command's own definition.

import type { Command, Option } from "commander";

/** A command line, or several with the shell's words between, and what it does where that is not plain. */
export type Example = string | readonly [line: string, what: string];

export interface Teaching {
  /** What the command does, in whole sentences. */
  readonly about: string;
  /** What else one should know: paragraphs, separated by empty lines. */
  readonly notes?: string;
  readonly examples: readonly Example[];
  /** Words that operands may be beside what they are called, for completions: options of a spelling that is not ours. */
  readonly words?: readonly string[];
}

/** What the exit status of every command means. */
export const EXIT_STATUSES: readonly (readonly [status: number, what: string])[] = [
  [0, "good"],
  [1, "failed"],
  [2, "wrong usage"],
  [3, "a check found something"],
  [4, "an input is missing or unreadable"],
  [130, "interrupted"],
];

const teachings = new WeakMap<Command, Teaching>();

/** Gives a command its description, and what stands behind the options of its help. */
export function teach(command: Command, teaching: Teaching): Command {
  teachings.set(command, teaching);
  return command.description(teaching.about).addHelpText("after", () => afterText(command, teaching));
}

export function teachingOf(command: Command): Teaching | undefined {
  return teachings.get(command);
}

export const exampleParts = (example: Example): readonly [line: string, what: string | undefined] =>
  typeof example === "string" ? [example, undefined] : example;

const EXAMPLE_INDENT = "  ";

function afterText(command: Command, { notes, examples }: Teaching): string {
  const help = command.createHelp();
  const { getOutHelpWidth } = command.configureOutput();
  const width = getOutHelpWidth?.() ?? 80;
  const blocks = (notes?.split("\n\n") ?? []).map((paragraph) => help.boxWrap(paragraph.replaceAll("\n", " "), width));
  const lines = examples.flatMap((example) => {
    const [line, what] = exampleParts(example);
    const whole = `${EXAMPLE_INDENT}${line}`.replaceAll("\n", `\n${EXAMPLE_INDENT}`);
    return what === undefined ? [whole] : [`${EXAMPLE_INDENT}# ${what}`, whole];
  });
  if (lines.length > 0) blocks.push(["Examples:", ...lines].join("\n"));
  return `\n${blocks.join("\n\n")}`;
}

/** Heading of the options that say how a command runs, not what it does. */
export const RUN_GROUP = "How it runs:";

/** Adds options under one heading of the help. */
export function addOptions(command: Command, group: string, options: readonly Option[]): void {
  for (const option of options) command.addOption(option.helpGroup(group));
}

const valueNames = new WeakMap<Option, readonly string[]>();

/** Names that are likely as an option's value, for completions: others are not refused by it. */
export function likelyValues(option: Option, names: readonly string[]): Option {
  valueNames.set(option, names);
  return option;
}

export function likelyValuesOf(option: Option): readonly string[] {
  return option.argChoices ?? valueNames.get(option) ?? [];
}
