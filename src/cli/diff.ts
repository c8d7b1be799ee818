// pureboot diff: what changed between two images, directories or archives, in any mix.

import type { Command } from "commander";
import { toText } from "../bytes/index.ts";
import {
  type Change,
  type Diff,
  diffLayers,
  directoryLayer,
  exactTimeText,
  type FieldDifference,
  type Layer,
  layerAt,
  type PathDifference,
  valueText,
} from "../inspect/index.ts";
import type { ImageFile } from "../node/open-image.ts";
import { FINDINGS_STATUS } from "./errors.ts";
import { teach } from "./help.ts";
import { onlyOneStandardInput } from "./host.ts";
import {
  archiveOption,
  defineImageOptions,
  IMAGE_OPERAND,
  type ImageWords,
  locateWord,
  naming,
  openOperand,
  withImageFile,
} from "./image-operand.ts";
import { printJson, printLines } from "./output.ts";

interface Words extends ImageWords {
  readonly times?: boolean;
  readonly all?: boolean;
}

export function define(command: Command): void {
  teach(command, {
    about: "Says what differs between two images, directories or archives, in any mix.",
    notes: `First come paths, with what changed, also inside of archives in the images; then fields of their structures; then nothing else. What only follows from another change (places, sizes, hash files) is not told.

Exit status: 0 nothing differs, 3 something does.`,
    examples: [
      "pureboot diff yesterday.iso today.iso",
      ["pureboot diff -a illumos.iso proto/root_i386", "the ramdisk and what it was made of"],
      "pureboot diff illumos.iso/boot/efiboot.img esp.tar",
    ],
  });
  command
    .argument("<a>", IMAGE_OPERAND)
    .argument("<b>", "what to compare it with: of the same kind or of another")
    .addOption(archiveOption())
    .option("--times", "tell every time that changed, also where all changed by the same amount")
    .option("--all", "tell everything in directories that were added or removed");
  defineImageOptions(command);
  command.action(run);
}

async function run(a: string, b: string, words: Words): Promise<void> {
  onlyOneStandardInput([a, b]);
  const eachNamed = { isOnly: false };
  await withImageFile(
    a,
    words,
    (fileA) => withImageFile(b, words, (fileB) => compare([fileA, fileB], [a, b], words), eachNamed),
    eachNamed,
  );
}

async function compare(
  [fileA, fileB]: readonly [ImageFile, ImageFile],
  [a, b]: readonly [string, string],
  words: Words,
): Promise<void> {
  const layerOf = (file: ImageFile): Promise<Layer> =>
    naming(file, async () => operandLayer(await openOperand(file, words)));
  const [before, after] = [await layerOf(fileA), await layerOf(fileB)];
  const diff = await diffLayers(before, after, { eachTime: words.times });
  if (words.json) printJson({ command: "diff", a, b, ...jsonOf(diff) });
  else printLines(textOf(diff, words));
  if (!diff.isEmpty) process.exitCode = FINDINGS_STATUS;
}

/** The layer, or what a path behind the image's name leads to: a directory in it, or another image. */
async function operandLayer(opened: Awaited<ReturnType<typeof openOperand>>): Promise<Layer> {
  if (opened.path === "") return opened.layer;
  const place = await locateWord(opened, "", { follow: true });
  return place.node.type === "directory" ? directoryLayer(place.node, opened.host) : layerAt(place);
}

function jsonOf({ isEmpty, paths, fields, timeShift, firstByte }: Diff): Record<string, unknown> {
  const text = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
    return typeof value === "string" ? toText(value) : value;
  };
  return {
    isEmpty,
    paths: paths.map(({ path, changes, ...rest }) => ({
      path: toText(path),
      ...rest,
      changes: changes.map((change) => ({ ...change, before: text(change.before), after: text(change.after) })),
    })),
    fields: fields.map((field) => ({
      ...field,
      layer: toText(field.layer),
      before: text(field.before),
      after: text(field.after),
    })),
    timeShift,
    firstByte,
  };
}

function textOf({ paths, fields, timeShift, firstByte }: Diff, { all }: Words): string[] {
  const lines = pathLines(paths, all ?? false);
  if (timeShift) {
    const { seconds, paths: count, fields: inFields } = timeShift;
    const counted = [
      ...(count > 0 ? [`${count} ${count === 1 ? "path" : "paths"}`] : []),
      ...(inFields > 0 ? [`${inFields} ${inFields === 1 ? "field" : "fields"}`] : []),
    ];
    lines.push(`time: ${counted.join(" and ")}: ${seconds > 0 ? "+" : ""}${seconds} s`);
  }
  lines.push(...fields.map(fieldLine));
  if (firstByte !== undefined) {
    lines.push(
      `bytes: from ${firstByte} on, where neither a path nor a field says so (placement, padding, free space)`,
    );
  }
  return lines;
}

/** One line a path; what is below an added or removed directory is counted, unless all is wanted. */
function pathLines(paths: readonly PathDifference[], all: boolean): string[] {
  const lines: string[] = [];
  let folded: { readonly path: string; readonly kind: string; count: number } | undefined;
  const flush = (): void => {
    if (folded && folded.count > 0) lines[lines.length - 1] += ` (with ${folded.count} paths below)`;
    folded = undefined;
  };
  for (const difference of paths) {
    const { path, kind, type } = difference;
    if (folded && kind === folded.kind && path.startsWith(`${folded.path}/`)) {
      folded.count++;
      continue;
    }
    flush();
    lines.push(pathLine(difference));
    if (!all && kind !== "changed" && type === "directory") folded = { path, kind, count: 0 };
  }
  flush();
  return lines;
}

function pathLine({ path, kind, type, sizeBytes, changes }: PathDifference): string {
  const size = sizeBytes === undefined ? "" : `, ${sizeBytes} bytes`;
  if (kind === "added") return `+ ${toText(path)} (${type}${size})`;
  if (kind === "removed") return `- ${toText(path)} (${type}${size})`;
  return `! ${toText(path)}: ${changes.map(changeText).join("; ")}`;
}

function changeText({ aspect, before, after, firstDifference }: Change): string {
  switch (aspect) {
    case "content": {
      const sizes = before === after ? `${before} bytes` : `${before} -> ${after} bytes`;
      return `content (${sizes}${firstDifference === undefined ? "" : `, from byte ${firstDifference} on`})`;
    }
    case "time":
      return `time ${exactTimeText(Number(before))} -> ${exactTimeText(Number(after))}`;
    case "links":
      return `links ${linkText(String(before))} -> ${linkText(String(after))}`;
    default:
      return `${aspect} ${toText(String(before)) || "none"} -> ${toText(String(after)) || "none"}`;
  }
}

const linkText = (first: string): string => (first === "" ? "one name" : `shared with ${toText(first)}`);

function fieldLine({ layer, structure, field, before, after }: FieldDifference): string {
  const where = layer === "" ? structure : `${toText(layer)}: ${structure}`;
  return `${where}: ${field} ${valueText({ name: field, value: before })} -> ${valueText({ name: field, value: after })}`;
}
