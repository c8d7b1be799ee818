// pureboot inspect: what a file is, layer by layer, with the vital figures of each.

import type { Command } from "commander";
import { formatSize, toText } from "../bytes/index.ts";
import { type Inspected, inspectLayer } from "../inspect/inspect.ts";
import type { Figure } from "../inspect/layer.ts";
import { timeText } from "../inspect/list.ts";
import { layerAt } from "../inspect/paths.ts";
import { teach } from "./help.ts";
import {
  archiveOption,
  defineImageOptions,
  IMAGE_OPERAND,
  type ImageWords,
  locateWord,
  withImage,
} from "./image-operand.ts";
import { messageText, printJson, printRows } from "./output.ts";

export function define(command: Command): void {
  teach(command, {
    about:
      "Says what a file is, layer by layer, with the vital figures of each: ISO, partitions, FAT, boot archive, UFS, and more.",
    examples: [
      "pureboot inspect illumos.iso",
      "pureboot inspect illumos.iso/platform/i86pc/boot_archive",
      "pureboot inspect --json illumos.iso | jq '.parts[].title'",
      ["ssh host cat /dev/dsk/c1t0d0p0 | pureboot inspect -", "whatever comes through a pipe"],
    ],
  });
  command.argument("<image>", IMAGE_OPERAND).addOption(archiveOption());
  defineImageOptions(command);
  command.action(run);
}

async function run(image: string, words: ImageWords): Promise<void> {
  await withImage(image, words, async (opened) => {
    const inside = opened.path === "" ? opened.layer : await layerAt(await locateWord(opened, "", { follow: true }));
    const inspected = await inspectLayer(inside);
    if (words.json) printJson({ command: "inspect", image, ...jsonOf(inspected) });
    else print(inspected, image, "");
  });
}

/** Names and messages as text. */
function jsonOf({ path, error, parts, ...rest }: Inspected): Record<string, unknown> {
  return {
    ...rest,
    path: path && toText(path),
    error: error && messageText(error),
    parts: parts.map(jsonOf),
  };
}

function print({ role, path, title, figures, parts, error }: Inspected, image: string, indent: string): void {
  const head = role === undefined ? image : `${role}${path === undefined ? "" : ` ${toText(path)}`}`;
  console.log(`${indent}${head}: ${error === undefined ? title : messageText(error)}`);
  printRows(
    figures.map((figure) => [figure.name, figureText(figure)]),
    `${indent}  `,
  );
  for (const part of parts) print(part, image, `${indent}  `);
}

function figureText({ value, unit }: Figure): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string" || unit === undefined) return messageText(String(value));
  if (unit === "seconds") return `${timeText(value)} UTC`;
  return value < 1024 ? `${value}` : `${value} (${formatSize(value)})`;
}
