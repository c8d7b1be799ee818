// pureboot stat: everything that is known of paths in an image, field by field.

import type { Command } from "commander";
import { formatSize, toText } from "../bytes/index.ts";
import { exactTimeText, modeText } from "../inspect/list.ts";
import { type Stat, statPlace } from "../inspect/stat.ts";
import { type Structure, valueText } from "../inspect/structure.ts";
import type { Node } from "../tree/index.ts";
import { teach } from "./help.ts";
import {
  archiveOption,
  defineImageOptions,
  IMAGE_OPERAND,
  type ImageWords,
  locateWord,
  withImage,
} from "./image-operand.ts";
import { printJson } from "./output.ts";

export function define(command: Command): void {
  teach(command, {
    about:
      "Shows all that is known of paths in an image: the inode or directory record with every field by its standard name, and where the bytes lie.",
    examples: [
      ["pureboot stat illumos.iso /boot/loader", "the directory record, Rock Ridge entries and blocks"],
      ["pureboot stat -a illumos.iso /etc/system", "the inode, and where its data lie in the ramdisk"],
    ],
  });
  command
    .argument("<image>", IMAGE_OPERAND)
    .argument("[path...]", "what to show; default: the top; a symbolic link is shown itself")
    .addOption(archiveOption());
  defineImageOptions(command);
  command.action(run);
}

async function run(image: string, paths: readonly string[], words: ImageWords): Promise<void> {
  await withImage(image, words, async (opened) => {
    const stats: Stat[] = [];
    for (const path of paths.length > 0 ? paths : [""]) {
      stats.push(await statPlace(await locateWord(opened, path, { follow: false })));
    }
    if (words.json) printJson({ command: "stat", image, paths: stats.map(jsonOf) });
    else for (const [i, stat] of stats.entries()) print(stat, i > 0);
  });
}

function jsonOf({ path, node, kind, links, structures, extents }: Stat): Record<string, unknown> {
  return {
    path: toText(path),
    layer: kind,
    ...attributesOf(node),
    links,
    structures: structures.map(structureJson),
    extents,
  };
}

/** A structure's values as JSON can hold them: bytes in hexadecimal, names as text. */
export function structureJson({ title, name, offset, sizeBytes, fields }: Structure): Record<string, unknown> {
  const values = fields.map(({ name: field, value }) => {
    const plain = value instanceof Uint8Array ? Buffer.from(value).toString("hex") : (value ?? null);
    return [field, typeof plain === "string" ? toText(plain) : plain] as const;
  });
  return { title, name, offset, sizeBytes, fields: Object.fromEntries(values) };
}

function attributesOf(node: Node): Record<string, unknown> {
  const { type, mode, uid, gid, mtimeSeconds } = node;
  return {
    type,
    mode: mode.toString(8).padStart(4, "0"),
    uid,
    gid,
    mtimeSeconds,
    ...(node.type === "file" && { sizeBytes: node.content.sizeBytes }),
    ...(node.type === "symlink" && { target: toText(node.target) }),
    ...((node.type === "character" || node.type === "block") && { major: node.major, minor: node.minor }),
  };
}

function print({ path, node, links, structures, extents }: Stat, separated: boolean): void {
  if (separated) console.log();
  const size = node.type === "file" ? `, ${node.content.sizeBytes} bytes` : "";
  const target = node.type === "symlink" ? ` to ${toText(node.target)}` : "";
  const device = node.type === "character" || node.type === "block" ? ` ${node.major},${node.minor}` : "";
  console.log(`${toText(path)}: ${node.type}${target}${device}${size}`);
  const mode = `0${node.mode.toString(8).padStart(3, "0")} (${modeText(node)})`;
  const time = `${exactTimeText(node.mtimeSeconds)} UTC`;
  console.log(
    `  mode ${mode}, ${links} ${links === 1 ? "link" : "links"}, user ${node.uid}, group ${node.gid}, modified ${time}`,
  );
  for (const structure of structures) printStructure(structure, "  ");
  if (extents.length === 0) return;
  console.log("  bytes in the image:");
  for (const { offset, length, what, fileOffset } of extents) {
    const from = fileOffset === undefined ? "" : ` from byte ${fileOffset} of the file`;
    console.log(`    ${offset} … ${offset + length - 1} (${formatSize(length)}): ${what}${from}`);
  }
}

/** One line a field: offset in the image, size, name, value, meaning. */
export function printStructure({ title, offset, sizeBytes, fields }: Structure, indent: string): void {
  console.log(`${indent}${title}: ${sizeBytes} bytes at ${offset} (0x${offset.toString(16)})`);
  const rows = fields.map((line) => ({ ...line, text: valueText(line) }));
  const widths = {
    offset: Math.max(...rows.map((row) => String(row.offset).length)),
    size: Math.max(...rows.map((row) => String(row.sizeBytes).length)),
    name: Math.max(...rows.map((row) => row.name.length)),
    text: Math.min(36, Math.max(...rows.map((row) => row.text.length))),
  };
  for (const row of rows) {
    const place = `${String(row.offset).padStart(widths.offset)} ${String(row.sizeBytes).padStart(widths.size)}`;
    console.log(
      `${indent}  ${place}  ${row.name.padEnd(widths.name)}  ${row.text.padEnd(widths.text)}  ${row.meaning}`,
    );
  }
}
