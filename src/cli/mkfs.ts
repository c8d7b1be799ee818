// pureboot mkfs: an empty file system by the operands of illumos' mkfs_ufs.

import type { Command } from "commander";
import { ImageError } from "../bytes/index.ts";
import { parseMkfsOperands, plainDevice } from "../ufs/index.ts";
import { teach } from "./help.ts";
import { defineMakeOptions, type MakeWords, makeFileSystem, sizeOfFile } from "./make-ufs.ts";

export function define(command: Command): void {
  teach(command, {
    about: "Makes an empty UFS by the operands of illumos' mkfs_ufs: what newfs -N prints can be given here.",
    examples: [
      "pureboot mkfs x.ufs 131018 601 1 8192 1024 16 0 120 16384 s 0 -1 8 1 n",
      ["pureboot mkfs x.ufs 16400", "sectors of 512 bytes; all else as mkfs chooses"],
    ],
  });
  command
    .argument("<image>", "the image file; made if it is not there")
    .argument("<size>", "sectors; the other operands may be left out from the right")
    .argument(
      "[operand...]",
      "nsect ntrack bsize fragsize cgsize free rps nbpi opt apc gap nrpos maxcontig mtb; numbers may be -1, 16k or 63x16",
    );
  defineMakeOptions(command);
  command.action(run);
}

async function run(image: string, size: string, rest: readonly string[], words: MakeWords): Promise<void> {
  const { operands, warnings } = parseMkfsOperands([size, ...rest]);
  const there = sizeOfFile(image);
  if (operands.size < 1024 && there === undefined) {
    throw new ImageError("invalid-argument", `mkfs: size ${size}: must be at least 1024 sectors`);
  }
  // A file that is there is the device: the file system may be smaller, and is cut to it when larger.
  const imageBytes = there ?? operands.size * 512;
  const device = plainDevice(Math.floor(imageBytes / 512));
  await makeFileSystem(
    { command: "mkfs", image, geometry: { mkfs: operands, device, imageBytes }, warnings, mayReplace: true },
    words,
  );
}
