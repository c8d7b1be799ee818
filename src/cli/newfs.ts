// pureboot newfs: an empty file system, byte for byte what illumos' newfs makes on a lofi device of the same size.

import { type Command, Option } from "commander";
import { ImageError } from "../bytes/index.ts";
import { mkfsCommand, type NewfsOptions, newfs } from "../ufs/index.ts";
import { addOptions, teach } from "./help.ts";
import { defineMakeOptions, type MakeWords, makeFileSystem, sizeOfFile } from "./make-ufs.ts";
import { size, wholeNumber } from "./numbers.ts";

interface Words extends MakeWords, Omit<NewfsOptions, "imageBytes"> {
  readonly imageSize?: number;
}

const MOST = 2 ** 31 - 1;

export function define(command: Command): void {
  teach(command, {
    about:
      "Makes an empty UFS, byte for byte what illumos' newfs makes with the same options on a device of the image's size.",
    examples: [
      [
        "pureboot newfs ramdisk.ufs --image-size 512m -o space -m 0 -i 16384",
        "a new image, with the options of pureboot.sh",
      ],
      ["truncate -s 64m x.ufs && pureboot newfs x.ufs", "an image that is there: what is in it is lost"],
    ],
  });
  const number = (flags: string, what: string): Option => new Option(flags, what).argParser(wholeNumber(-1, MOST));
  const options = [
    new Option("--image-size <size>", "make the image, of so many bytes (64m, 1g); else it must be there").argParser(
      size,
    ),
    new Option("--device <kind>", "what the image is to illumos: attached with lofiadm, or a disk with an EFI label")
      .choices(["lofi", "efi"])
      .default("lofi"),
    new Option("-s, --sectors <n>", "sectors of the file system").argParser(wholeNumber(0, 2 ** 44)),
    new Option("-o, --opt <goal>", "optimize for").choices(["space", "time"]),
    number("-m, --minfree <percent>", "space kept free"),
    number("-i, --nbpi <bytes>", "bytes for each inode"),
    number("-b, --bsize <bytes>", "block size"),
    number("-f, --fsize <bytes>", "fragment size"),
    number("-c, --cpg <n>", "cylinders in a group"),
    number("-t, --ntrack <n>", "tracks in a cylinder"),
    number("-n, --nrpos <n>", "rotational positions"),
    number("-r, --rpm <n>", "revolutions a minute"),
    number("-a, --apc <n>", "spare sectors in a cylinder"),
    number("-C, --maxcontig <n>", "blocks in an I/O cluster"),
  ];
  command.argument("<image>", "the image file");
  addOptions(command, "Options of newfs:", options);
  defineMakeOptions(command);
  command.action(run);
}

async function run(image: string, words: Words): Promise<void> {
  const there = sizeOfFile(image);
  const imageBytes = words.imageSize ?? there;
  if (imageBytes === undefined) {
    throw new ImageError("input-missing", `${image}: no such file; give --image-size to make it`, { path: image });
  }
  const options: NewfsOptions = { ...words, imageBytes };
  await makeFileSystem(
    {
      command: "newfs",
      image,
      geometry: { newfs: options },
      mkfsCommand: mkfsCommand(image, newfs(options).operands),
      mayReplace: words.imageSize === undefined || words.force === true,
    },
    words,
  );
}
