// pureboot verify: one verdict on an image, with reasons: is it sound, and will it boot?

import { type Command, Option } from "commander";
import { didYouMean, ImageError, toText } from "../bytes/index.ts";
import { RULES, type Rule, ruleOf, type Verdict, type VerifyFinding, verifyImage } from "../inspect/index.ts";
import { openBeside } from "../node/open-image.ts";
import { FINDINGS_STATUS } from "./errors.ts";
import { likelyValues, teach } from "./help.ts";
import { defineImageOptions, IMAGE_OPERAND, type ImageWords, operandContent, withImageFile } from "./image-operand.ts";
import { messageText, printJson, printLines } from "./output.ts";

interface Words extends ImageWords {
  readonly strict?: boolean;
  readonly explain?: string;
  readonly rules?: boolean;
  readonly verbose?: boolean;
}

export function define(command: Command): void {
  teach(command, {
    about:
      "Gives one verdict on an image, with reasons: is every layer of it sound (ISO, El Torito, partitions, FAT, gzip, hash, UFS), and will it boot?",
    notes: "Exit status: 0 nothing is wrong, 3 there are errors (with --strict: or warnings).",
    examples: [
      "pureboot verify illumos.iso",
      ["pureboot verify --strict --json illumos.iso | jq '.findings[].rule'", "for programs; warnings count as errors"],
      ["pureboot verify boot_archive", "compared with boot_archive.hash, where that lies beside it"],
      ["pureboot verify --explain loader-conf-syntax", "what a rule demands, why, and how to mend what breaks it"],
    ],
  });
  command
    .argument("[image]", IMAGE_OPERAND)
    .option("--strict", "warnings count as errors")
    .option("-v, --verbose", "notes too, and for each finding why it matters and how to mend it")
    .option("--rules", "list all rules")
    .addOption(
      likelyValues(
        new Option("--explain <rule>", "say what a rule demands, why, and how to mend what breaks it"),
        RULES.map(({ id }) => id),
      ),
    );
  defineImageOptions(command);
  command.action(run);
}

async function run(image: string | undefined, words: Words): Promise<void> {
  if (words.rules) {
    if (words.json) printJson({ command: "verify", rules: RULES });
    else printRules();
    return;
  }
  if (words.explain !== undefined) {
    explain(words.explain, words);
    return;
  }
  if (image === undefined)
    throw new ImageError("invalid-argument", "no image: name one, or --rules, or --explain RULE");
  await withImageFile(image, words, async (file) => {
    const content = await operandContent(file, words);
    const hash = file.path === "" && file.file !== "-" ? await openBeside(`${file.file}.hash`) : undefined;
    try {
      const verdict = await verifyImage(content, file.host, { hash });
      if (words.json) printJson({ command: "verify", image, strict: words.strict ?? false, ...jsonOf(verdict) });
      else print(verdict, image, words);
      if (verdict.errors > 0 || (words.strict && verdict.warnings > 0)) process.exitCode = FINDINGS_STATUS;
    } finally {
      await hash?.close();
    }
  });
}

function jsonOf(verdict: Verdict): Record<string, unknown> {
  const findings = verdict.findings.map((finding) => ({
    ...finding,
    found: messageText(finding.found),
    path: finding.path === undefined ? undefined : toText(finding.path),
  }));
  return { ...verdict, findings };
}

function print(verdict: Verdict, image: string, { verbose, strict }: Words): void {
  const { findings, checked, errors, warnings, notes, boots } = verdict;
  const explained = new Set<string>();
  for (const finding of findings) {
    if (finding.severity === "note" && !verbose) continue;
    console.log(lineOf(finding));
    if (verbose && !explained.has(finding.rule)) {
      explained.add(finding.rule); // once is enough: a rule may be broken many times
      console.log(`    why:  ${finding.why}\n    mend: ${finding.mend}`);
    }
  }
  if (verbose) for (const line of checked) console.log(`checked: ${line}`);
  const isBad = errors > 0 || (strict === true && warnings > 0);
  const counts = [counted(errors, "error"), counted(warnings, "warning"), counted(notes, "note")].join(", ");
  console.log(`${image}: ${isBad ? "NOT good" : "good"}: ${counts}${bootText(boots, warnings)}`);
  if (!verbose && findings.length > 0) console.log("(--verbose says why and how to mend it; --explain RULE one rule)");
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

function bootText(boots: boolean | undefined, warnings: number): string {
  if (boots === undefined) return "";
  if (!boots) return "; it will not boot as it should";
  return warnings > 0
    ? "; whether it boots: see the warnings"
    : "; nothing keeps it from booting, as far as can be told";
}

function lineOf({ severity, rule, found }: VerifyFinding): string {
  return `${severity}: [${rule}] ${messageText(found)}`;
}

function printRules(): void {
  const width = Math.max(...RULES.map(({ id }) => id.length));
  const lines: string[] = [];
  let group: string | undefined;
  for (const one of RULES) {
    if (one.group !== group) lines.push(...(group === undefined ? [] : [""]), `${one.group}:`);
    group = one.group;
    lines.push(`  ${one.id.padEnd(width)}  ${one.severity.padEnd(7)}  ${one.title}`);
  }
  printLines(lines);
}

function explain(id: string, words: Words): void {
  const found: Rule | undefined = ruleOf(id);
  if (found === undefined) {
    const ids = RULES.map((one) => one.id);
    throw new ImageError(
      "invalid-argument",
      `there is no rule "${id}"${didYouMean(id, ids) || "; --rules lists them"}`,
    );
  }
  if (words.json) printJson({ command: "verify", ...found });
  else {
    const { title, group, severity, why, mend } = found;
    printLines([`${found.id} (${group}, ${severity} at worst)`, `  ${title}.`, "", `Why:  ${why}`, `Mend: ${mend}`]);
  }
}
