// pureboot manifest: mtree(5) text of an image or directory, the same for the same tree: to keep, to compare, to check with.

import type { Command } from "commander";
import { ImageError, toText } from "../bytes/index.ts";
import type { InspectHost } from "../inspect/layer.ts";
import { layerAt, treeLayer } from "../inspect/paths.ts";
import { throwIfAborted } from "../layout/index.ts";
import { formatMtree } from "../source/mtree-write.ts";
import { type Directory, summarize } from "../tree/index.ts";
import { teach } from "./help.ts";
import {
  archiveOption,
  defineImageOptions,
  IMAGE_OPERAND,
  type ImageWords,
  locateWord,
  type OpenedOperand,
  withImage,
} from "./image-operand.ts";
import { writeOut } from "./output.ts";

type Words = Omit<ImageWords, "json">;

export function define(command: Command): void {
  teach(command, {
    about:
      "Prints canonical mtree(5) text of an image or directory, the same for the same tree: to keep, to compare, to check with. With types, modes, owners, sizes, times, links, devices and SHA-256.",
    examples: [
      "pureboot manifest -a illumos.iso > ramdisk.mtree",
      "pureboot manifest proto/root_i386 | bsdtar -tvf - | less",
      "pureboot extract illumos.iso -o medium && pureboot manifest illumos.iso | mtree -p medium",
    ],
  });
  command.argument("<image>", IMAGE_OPERAND).addOption(archiveOption());
  defineImageOptions(command, { json: false });
  command.action(run);
}

const BUFFER_CHARACTERS = 1 << 16;

async function run(image: string, words: Words): Promise<void> {
  await withImage(image, words, async (opened) => {
    let buffer = "";
    const flush = async (): Promise<void> => {
      if (buffer !== "") await writeOut(buffer);
      buffer = "";
    };
    const top = await topDirectory(opened);
    for await (const line of formatMtree(top, toldHashing(opened.host, summarize(top).contentBytes))) {
      throwIfAborted(opened.host.signal);
      buffer += line;
      if (buffer.length >= BUFFER_CHARACTERS) await flush();
    }
    await flush();
  });
}

/** Digests that say how much they have seen. */
function toldHashing({ createHasher, onProgress }: InspectHost, totalBytes: number): InspectHost["createHasher"] {
  let doneBytes = 0;
  return (algorithm) => {
    const hasher = createHasher(algorithm);
    return {
      ...hasher,
      update(bytes) {
        hasher.update(bytes);
        doneBytes += bytes.length;
        onProgress?.("hashing", doneBytes, totalBytes);
      },
    };
  };
}

/** The directory that the operand names, or the top of the image that it names. */
async function topDirectory(opened: OpenedOperand): Promise<Directory> {
  const place = await locateWord(opened, "", { follow: true });
  if (place.node.type === "directory") return place.node;
  const layer = await layerAt(place);
  if (layer.kind !== "plain") return (await treeLayer(layer)).tree();
  throw new ImageError("wrong-type", `${toText(place.shown)}: is a file, neither a directory nor an image`, {
    path: place.shown,
  });
}
