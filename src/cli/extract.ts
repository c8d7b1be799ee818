// pureboot extract: an image, or some paths of it, into a directory.

import type { Command } from "commander";
import { formatSize, fromText, ImageError, toText } from "../bytes/index.ts";
import { layerAt, treeLayer } from "../inspect/paths.ts";
import { type Extracted, extractTree } from "../node/extract.ts";
import { STANDARD_STREAM } from "../node/output-sink.ts";
import { type Attributes, baseName, type Directory, directory, draft, splitPath } from "../tree/index.ts";
import { teach } from "./help.ts";
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
import { bothOnStdout, printJson, printWarnings, writeContentOut } from "./output.ts";

interface Words extends ImageWords {
  readonly output: string;
  readonly devices?: boolean;
  readonly owners?: boolean;
  readonly force?: boolean;
}

export function define(command: Command): void {
  teach(command, {
    about: "Writes an image, or parts of it, to a directory, with modes, times, links and holes; with owners as root.",
    notes: 'Nothing is ever written outside of DIR: not through "..", not through links, whatever the image holds.',
    examples: [
      "pureboot extract illumos.iso -o medium",
      "pureboot extract -a illumos.iso /etc /kernel/drv -o parts",
      "pureboot extract illumos.iso/boot/efiboot.img -o esp",
      ["pureboot extract -a illumos.iso /etc/system -o -", "one file, to standard output"],
    ],
  });
  command
    .argument("<image>", IMAGE_OPERAND)
    .argument("[path...]", "what to extract, with all below; default: everything")
    .requiredOption(
      "-o, --output <dir>",
      "where to; made when missing. Paths keep their names below it; - is stdout, for one file",
    )
    .addOption(archiveOption())
    .option("--devices", "make device nodes and fifos too (as root)")
    .option("--no-owners", "as root: leave everything owned by root instead of by whom the image says")
    .option("--force", "replace files that are there");
  defineImageOptions(command);
  command.action(run);
}

async function run(image: string, paths: readonly string[], words: Words): Promise<void> {
  await withImage(image, words, async (opened) => {
    if (words.output === STANDARD_STREAM) {
      await toStandardOutput(opened, paths, words);
      return;
    }
    const tree = paths.length === 0 ? await wholeTree(opened) : await selectedTree(opened, paths);
    const { signal, onProgress } = opened.host;
    const owners = words.owners === false ? false : undefined;
    const { devices, force, output } = words;
    const extracted = await extractTree(tree, output, { devices, owners, force, signal, onProgress });
    if (words.json) printJson({ command: "extract", image, output, ...extracted });
    else print(extracted, output);
  });
}

/** `-o -`: one file, as cat prints it. */
async function toStandardOutput(opened: OpenedOperand, paths: readonly string[], words: Words): Promise<void> {
  if (words.json) throw bothOnStdout();
  const [path = ""] = paths;
  const { node, shown } = await locateWord(opened, path, { follow: true });
  if (paths.length > 1 || node.type !== "file") {
    const what = paths.length > 1 ? `${paths.length} paths` : `${toText(shown)}: a ${node.type}`;
    throw new ImageError(
      "invalid-argument",
      `${what} cannot go to standard output, only one file can; name a directory with -o`,
    );
  }
  await writeContentOut(node.content, toText(shown), opened.host.signal);
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
