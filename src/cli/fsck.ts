// pureboot fsck: checks a UFS image in fsck_ufs' phases and words. It changes nothing.

import { type Command, Option } from "commander";
import { type Content, ImageError, toText } from "../bytes/index.ts";
import { gunzipContent } from "../gzip/index.ts";
import { bootArchive, layerAt, locate, recognize, treeLayer } from "../inspect/index.ts";
import { metadataContent } from "../inspect/ufs-metadata.ts";
import { checkUfs, fsckReport, type OpenUfsOptions } from "../ufs/index.ts";
import { FINDINGS_STATUS } from "./errors.ts";
import { teach } from "./help.ts";
import {
  defineImageOptions,
  IMAGE_OPERAND,
  type ImageWords,
  type OpenedOperand,
  openOperand,
  withImageFile,
} from "./image-operand.ts";
import { wholeNumber } from "./numbers.ts";
import { printJson, printLines } from "./output.ts";

interface Words extends ImageWords, OpenUfsOptions {}

export function define(command: Command): void {
  teach(command, {
    about: "Checks a UFS in fsck_ufs' phases and words. It changes nothing.",
    notes: "Exit status: 0 clean, 3 something was found.",
    examples: [
      "pureboot fsck ramdisk.ufs",
      ["pureboot fsck boot_archive", "gzip'd or not"],
      ["pureboot fsck illumos.iso", "its boot archive"],
    ],
  });
  command
    .argument("<image>", IMAGE_OPERAND)
    .addOption(
      new Option(
        "--superblock <sector>",
        "use a copy of the superblock (fsck -o b=): 32, or others that newfs named",
      ).argParser(wholeNumber(0, 2 ** 31)),
    );
  defineImageOptions(command);
  command.action(run);
}

async function run(image: string, words: Words): Promise<void> {
  await withUfs(image, words, async (content) => {
    const result = await checkUfs(content, words);
    const findings = result.findings.map(({ path, ...finding }) => ({
      ...finding,
      path: path === undefined ? undefined : toText(path),
    }));
    const isClean = findings.every(({ severity }) => severity === "note");
    if (words.json) printJson({ command: "fsck", image, isClean, summary: result.summary, findings });
    else printLines(fsckReport(result, image));
    if (!isClean) process.exitCode = FINDINGS_STATUS;
  });
}

/** The bytes of the file system that a user named: a file as it is, whatever is in it, or what is inside of an image. */
async function withUfs(name: string, words: Words, work: (content: Content) => Promise<void>): Promise<void> {
  await withImageFile(name, words, async (file) => {
    const { content, host } = file;
    const kind = content && file.path === "" ? await recognize(content) : undefined;
    if (content && (kind === "ufs" || kind === "plain")) await work(content);
    else if (content && kind === "gzip") await work(metadataContent(content, await gunzipContent(content), host));
    else await work(await ufsInside(name, await openOperand(file, words)));
  });
}

/** The boot archive of an image, or what a path in it leads to. @throws ImageError "wrong-type" */
async function ufsInside(name: string, { layer, path }: OpenedOperand): Promise<Content> {
  if (layer.kind === "directory") {
    throw new ImageError("wrong-type", `${name}: is a directory; name an image with a UFS in it`, { path: name });
  }
  const inner =
    path === ""
      ? (await bootArchive(layer)).layer
      : await treeLayer(await layerAt(await locate(layer, path, { follow: true })));
  if (inner.kind === "ufs") return inner.content;
  throw new ImageError("wrong-type", `${name}: is ${inner.title}, not a UFS`, { path: name });
}
