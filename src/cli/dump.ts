// pureboot dump: the bytes at an offset, and what they mean.

import { type Command, InvalidArgumentError, Option } from "commander";
import { type Content, ImageError, parseSize } from "../bytes/index.ts";
import {
  type Dumped,
  dumpAt,
  fieldAt,
  type InspectHost,
  type Layer,
  openImage,
  openPlainLayer,
  type Structure,
  valueText,
} from "../inspect/index.ts";
import { teach } from "./help.ts";
import {
  archiveOption,
  defineImageOptions,
  IMAGE_OPERAND,
  type ImageWords,
  operandContent,
  withImageFile,
} from "./image-operand.ts";
import { printJson, printLines, printWarnings } from "./output.ts";
import { structureJson } from "./stat.ts";

interface Words extends ImageWords {
  readonly at: number;
  readonly length: number;
}

export function define(command: Command): void {
  teach(command, {
    about:
      "Says what the bytes at an offset mean: which structure lies there, which of its fields, what is in it, and what the standard calls it; for data, whose they are.",
    examples: [
      ["pureboot dump illumos.iso --at 0x8028", "the Volume Identifier"],
      ["pureboot dump -a illumos.iso --at 8k", "the superblock of the ramdisk"],
      ["pureboot dump illumos.iso/platform/i86pc/boot_archive --at 0", "the header of its gzip"],
    ],
  });
  command
    .argument("<image>", IMAGE_OPERAND)
    .addOption(new Option("--at <offset>", "byte offset: 32808, 0x8028, 16k").argParser(offset).makeOptionMandatory())
    .addOption(new Option("--length <bytes>", "bytes to print").argParser(offset).default(64))
    .addOption(archiveOption());
  defineImageOptions(command);
  command.action(run);
}

function offset(text: string): number {
  if (/^0x[0-9a-f]{1,13}$/i.test(text)) return Number.parseInt(text, 16);
  try {
    return parseSize(text, "offset");
  } catch {
    throw new InvalidArgumentError("It must be bytes, in decimal, as 0x…, or with k, m or g.");
  }
}

async function run(image: string, words: Words): Promise<void> {
  await withImageFile(image, words, async (file) => {
    const content = await operandContent(file, words);
    const layer = await openOrPlain(content, file.host);
    const dumped = await dumpAt(layer, words.archive ? "boot archive" : image, words.at, words.length);
    if (words.json) printJson({ command: "dump", image, ...jsonOf(dumped) });
    else printLines(textOf(dumped, ""));
  });
}

/** What is too damaged to be opened has its bytes still. */
async function openOrPlain(content: Content, host: InspectHost): Promise<Layer> {
  try {
    return await openImage(content, host);
  } catch (error) {
    if (!(error instanceof ImageError) || error.code === "interrupted" || error.code === "input-missing") throw error;
    printWarnings([`only bytes are shown: ${error.message}`]);
    return openPlainLayer(content, host);
  }
}

function jsonOf({ bytes, structures, inner, ...rest }: Dumped): Record<string, unknown> {
  const field = structures[0] && fieldAt(structures[0], rest.offset);
  return {
    ...rest,
    field: field?.name,
    structures: structures.map(structureJson),
    bytes: Buffer.from(bytes).toString("hex"),
    ...(inner && { inner: jsonOf(inner) }),
  };
}

function textOf(dumped: Dumped, indent: string): string[] {
  const { layer, offset: at, what, structures, fileOffset, inner } = dumped;
  const inFile = fileOffset === undefined ? "" : `, byte ${fileOffset} of it`;
  const lines = [`${indent}${layer}`, `${indent}${at} (0x${at.toString(16)}): ${what}${inFile}`];
  for (const structure of structures) lines.push(...structureLines(structure, at, `${indent}  `));
  if (inner) return [...lines, ...textOf(inner, `${indent}  `)];
  return [...lines, ...hexLines(dumped, `${indent}  `)];
}

/** The fields, with an arrow at the one that holds the offset. */
function structureLines(structure: Structure, at: number, indent: string): string[] {
  const held = fieldAt(structure, at);
  const rows = structure.fields.map((line) => ({ ...line, text: valueText(line) }));
  const width = (of: (row: (typeof rows)[number]) => string, most: number): number =>
    Math.min(most, Math.max(0, ...rows.map((row) => of(row).length)));
  const names = width(({ name }) => name, 52);
  const texts = width(({ text }) => text, 36);
  const places = width((row) => String(row.offset), 20);
  return [
    `${indent}${structure.title}: ${structure.sizeBytes} bytes at ${structure.offset}`,
    ...rows.map((row) => {
      const mark = held !== undefined && row.offset === held.offset ? ">" : " ";
      const place = `${String(row.offset).padStart(places)} ${String(row.sizeBytes).padStart(4)}`;
      return `${indent}${mark} ${place}  ${row.name.padEnd(names)}  ${row.text.padEnd(texts)}  ${row.meaning}`.trimEnd();
    }),
  ];
}

const LINE_BYTES = 16;

function hexLines({ bytes, bytesOffset }: Dumped, indent: string): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += LINE_BYTES) {
    const line = [...bytes.subarray(at, at + LINE_BYTES)];
    const hex = line.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const letters = line.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    lines.push(
      `${indent}${(bytesOffset + at).toString(16).padStart(8, "0")}  ${hex.padEnd(3 * LINE_BYTES - 1)}  |${letters}|`,
    );
  }
  return lines;
}
