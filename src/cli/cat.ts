// pureboot cat: files of an image, to standard output.

import type { Command } from "commander";
import { ImageError, toText } from "../bytes/index.ts";
import { teach } from "./help.ts";
import {
  archiveOption,
  defineImageOptions,
  IMAGE_OPERAND,
  type ImageWords,
  locateWord,
  wantedPaths,
  withImage,
} from "./image-operand.ts";
import { writeContentOut } from "./output.ts";

export function define(command: Command): void {
  teach(command, {
    about: "Prints files of an image, one after the other.",
    examples: [
      "pureboot cat illumos.iso /boot/grub/menu.lst",
      "pureboot cat -a illumos.iso /etc/release /etc/inittab",
      "pureboot cat illumos.iso/platform/i86pc/boot_archive/etc/release",
      [
        "pureboot cat illumos.iso /platform/i86pc/boot_archive | gunzip > ramdisk.ufs",
        "what is no text goes to a file or a pipe",
      ],
    ],
  });
  command
    .argument("<image>", IMAGE_OPERAND)
    .argument("[path...]", "files in it; symbolic links are followed")
    .addOption(archiveOption());
  defineImageOptions(command, { json: false });
  command.action(run);
}

async function run(image: string, paths: readonly string[], words: Omit<ImageWords, "json">): Promise<void> {
  await withImage(image, words, async (opened) => {
    for (const path of wantedPaths(opened, paths, "pureboot cat x.iso /boot/grub/menu.lst")) {
      const { node, shown } = await locateWord(opened, path, { follow: true });
      if (node.type !== "file") {
        throw new ImageError("wrong-type", `${toText(shown)}: is a ${node.type}, not a file`, { path: shown });
      }
      await writeContentOut(node.content, toText(shown), opened.host.signal);
    }
  });
}
