// pureboot cat: files of an image, to standard output.

import { once } from "node:events";
import type { Command } from "commander";
import { ImageError, toText } from "../bytes/index.ts";
import { throwIfAborted } from "../layout/index.ts";
import {
  archiveOption,
  defineImageOptions,
  IMAGE_OPERAND,
  type ImageWords,
  locateWord,
  wantedPaths,
  withImage,
} from "./image-operand.ts";

const PIECE_BYTES = 1 << 20;

export function define(command: Command): void {
  command
    .argument("<image>", IMAGE_OPERAND)
    .argument("[path...]", "files in it; symbolic links are followed")
    .addOption(archiveOption());
  defineImageOptions(command);
  command
    .addHelpText(
      "after",
      `
Examples:
  pureboot cat illumos.iso /boot/grub/menu.lst
  pureboot cat -a illumos.iso /etc/release /etc/inittab
  pureboot cat illumos.iso/platform/i86pc/boot_archive/etc/release`,
    )
    .action(run);
}

async function run(image: string, paths: readonly string[], words: ImageWords): Promise<void> {
  await withImage(image, words, async (opened) => {
    for (const path of wantedPaths(opened, paths, "pureboot cat x.iso /boot/grub/menu.lst")) {
      const { node, shown } = await locateWord(opened, path, { follow: true });
      if (node.type !== "file") {
        throw new ImageError("wrong-type", `${toText(shown)}: is a ${node.type}, not a file`, { path: shown });
      }
      const { content } = node;
      for (let offset = 0; offset < content.sizeBytes; offset += PIECE_BYTES) {
        throwIfAborted(opened.host.signal);
        const piece = new Uint8Array(Math.min(PIECE_BYTES, content.sizeBytes - offset));
        await content.read(piece, offset);
        if (!process.stdout.write(piece)) await once(process.stdout, "drain");
      }
    }
  });
}
