// pureboot extract: an image, or some paths of it, into a directory.

import type { Command } from "commander";
import { formatSize, fromText } from "../bytes/index.ts";
import { layerAt, treeLayer } from "../inspect/paths.ts";
import { type Extracted, extractTree } from "../node/extract.ts";
import { type Attributes, baseName, type Directory, directory, draft, splitPath } from "../tree/index.ts";
import {
  archiveOption,
  defineImageOptions,
  IMAGE_OPERAND,
  type ImageWords,
  locateBelow,
  locateWord,
  type OpenedOperand,
  withImage,
} from "./image-operand.ts";
import { printJson, printWarnings } from "./output.ts";

interface Words extends ImageWords {
  readonly output: string;
  readonly devices?: boolean;
  readonly owners?: boolean;
  readonly force?: boolean;
}

export function define(command: Command): void {
  command
    .argument("<image>", IMAGE_OPERAND)
    .argument("[path...]", "what to extract, with all below; default: everything")
    .requiredOption("-o, --output <dir>", "where to; made when missing. Paths keep their names below it")
    .addOption(archiveOption())
    .option("--devices", "make device nodes and fifos too (as root)")
    .option("--no-owners", "as root: leave everything owned by root instead of by whom the image says")
    .option("--force", "replace files that are there");
  defineImageOptions(command);
  command
    .addHelpText(
      "after",
      `
Nothing is ever written outside of DIR: not through "..", not through links, whatever the image holds.

Examples:
  pureboot extract illumos.iso -o medium
  pureboot extract -a illumos.iso /etc /kernel/drv -o parts
  pureboot extract illumos.iso/boot/efiboot.img -o esp`,
    )
    .action(run);
}

async function run(image: string, paths: readonly string[], words: Words): Promise<void> {
  await withImage(image, words, async (opened) => {
    const tree = paths.length === 0 ? await wholeTree(opened) : await selectedTree(opened, paths);
    const { signal, onProgress } = opened.host;
    const owners = words.owners === false ? false : undefined;
    const { devices, force, output } = words;
    const extracted = await extractTree(tree, output, { devices, owners, force, signal, onProgress });
    if (words.json) printJson({ command: "extract", image, output, ...extracted });
    else print(extracted, output);
  });
}

/** What the operand names: a directory, an image with all in it, or a file. */
async function wholeTree(opened: OpenedOperand): Promise<Directory> {
  const place = await locateWord(opened, "", { follow: true });
  if (place.node.type === "directory") return place.node;
  const layer = await layerAt(place);
  if (layer.kind !== "plain") return (await treeLayer(layer)).tree();
  return directory(PARENT, new Map([[baseName(place.shown), place.node]]));
}

const PARENT: Attributes = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0 };

/** The paths with the directories above them. Those that are images, with paths in them, become directories. */
async function selectedTree(opened: OpenedOperand, paths: readonly string[]): Promise<Directory> {
  const top = await locateWord(opened, "", { follow: true });
  const edit = draft(directory(top.node.type === "directory" ? top.node : PARENT));
  for (const path of paths) {
    const names = splitPath(fromText(path));
    const { node } = await locateWord(opened, path, { follow: false });
    for (let depth = 1; depth < names.length; depth++) {
      const above = `/${names.slice(0, depth).join("/")}`;
      if (edit.get(above) !== undefined) continue;
      const { node: parent } = await locateBelow(opened, above, { follow: true });
      edit.put(above, directory({ ...parent, mode: parent.type === "directory" ? parent.mode : PARENT.mode }));
    }
    if (names.length === 0) return wholeTree(opened);
    edit.put(`/${names.join("/")}`, node);
  }
  return edit.tree();
}

function print(extracted: Extracted, output: string): void {
  printWarnings(extracted.warnings);
  const { directories, files, symlinks, hardLinks, devices, contentBytes } = extracted;
  const counts = [
    `${directories} directories`,
    `${files} files (${formatSize(contentBytes)})`,
    ...(hardLinks > 0 ? [`${hardLinks} further hard links`] : []),
    ...(symlinks > 0 ? [`${symlinks} symbolic links`] : []),
    ...(devices > 0 ? [`${devices} devices and fifos`] : []),
  ];
  console.log(`${output}: ${counts.join(", ")}`);
}
