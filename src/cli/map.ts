// pureboot map: a picture of where every byte of an image lies, or of what takes the space.

import path from "node:path";
import { type Command, Option } from "commander";
import { bytesOf, fromText, ImageError, toText } from "../bytes/index.ts";
import {
  type Layer,
  layerAt,
  placeMaps,
  placesHtml,
  placesSvg,
  sizeMaps,
  sizesHtml,
  sizesSvg,
} from "../inspect/index.ts";
import { createFileSink } from "../node/file-sink.ts";
import { STANDARD_STREAM } from "../node/output-sink.ts";
import { teach } from "./help.ts";
import {
  archiveOption,
  defineImageOptions,
  IMAGE_OPERAND,
  type ImageWords,
  locateWord,
  withImage,
} from "./image-operand.ts";
import { bothOnStdout, printJson, sizeText, writeOut } from "./output.ts";

interface Words extends ImageWords {
  readonly output: string;
  readonly by: "place" | "size";
  readonly force?: boolean;
}

export function define(command: Command): void {
  teach(command, {
    about: "Draws a picture of where every byte of an image lies, or of what takes the space.",
    notes: "The page is one file and fetches nothing: it can be sent, kept, and opened anywhere.",
    examples: [
      ["pureboot map illumos.iso -o map.html", "to look around in, with a browser"],
      ["pureboot map -a illumos.iso --by size -o space.html", "what to leave out of the ramdisk"],
      "pureboot map illumos.iso/platform/i86pc/boot_archive -o ramdisk.svg",
    ],
  });
  command
    .argument("<image>", IMAGE_OPERAND)
    .requiredOption(
      "-o, --output <file>",
      "the picture to write: .html to look around in, .svg to put somewhere; - is stdout",
    )
    .addOption(
      new Option("--by <what>", "place: where every byte lies; size: what takes the space")
        .choices(["place", "size"])
        .default("place"),
    )
    .addOption(archiveOption())
    .option("--force", "replace an existing output");
  defineImageOptions(command);
  command.action(run);
}

async function run(image: string, words: Words): Promise<void> {
  const isSvg = formatOf(words.output) === "svg";
  if (words.json && words.output === STANDARD_STREAM) throw bothOnStdout();
  await withImage(image, words, async (opened) => {
    const isPart = opened.path !== "";
    const layer: Layer = isPart ? await layerAt(await locateWord(opened, "", { follow: true })) : opened.layer;
    const name = opened.prefix === "" ? path.basename(image) : toText(opened.prefix);
    let picture: string;
    let layers: number;
    if (words.by === "size") {
      const maps = await sizeMaps(layer, name);
      layers = maps.length;
      picture = isSvg ? sizesSvg(maps) : sizesHtml(maps);
    } else {
      const maps = await placeMaps(layer, name);
      layers = maps.length;
      picture = isSvg ? placesSvg(maps) : placesHtml(maps);
    }
    const bytes = bytesOf(fromText(picture));
    if (words.output === STANDARD_STREAM) {
      await writeOut(bytes);
      return;
    }
    const sink = await createFileSink(words.output, { force: words.force });
    try {
      await sink.write(bytes, 0);
      await sink.commit();
    } finally {
      await sink.discard();
    }
    const told = { output: words.output, sizeBytes: bytes.length, layers };
    if (words.json) printJson({ command: "map", image, by: words.by, ...told });
    else console.log(`${words.output}: ${layers} ${layers === 1 ? "layer" : "layers"}, ${sizeText(bytes.length)}`);
  });
}

function formatOf(output: string): "svg" | "html" {
  const extension = path.extname(output).toLowerCase();
  if (extension === ".svg") return "svg";
  if (extension === ".html" || extension === ".htm" || output === STANDARD_STREAM) return "html";
  throw new ImageError("invalid-argument", `${output}: write to a name that ends in .html or .svg`);
}
