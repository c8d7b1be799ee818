// What the commands that look into images have in common: the image, a path in it, the boot archive instead of the medium,
// progress and interruption. Only what they need is loaded: listing a file must not cost the time of loading builders.

import { type Command, Option } from "commander";
import { type Content, type ErrorCode, fromText, ImageError, toText } from "../bytes/index.ts";
import type { InspectHost, Layer } from "../inspect/layer.ts";
import { bootArchive, type LocateOptions, locate, type Place } from "../inspect/paths.ts";
import { type ImageFile, openImageFile } from "../node/open-image.ts";
import { STANDARD_STREAM } from "../node/output-sink.ts";
import { addOptions, RUN_GROUP } from "./help.ts";
import { jsonOption, type ProgressWords, progressOption, withProgress } from "./host.ts";
import { printWarnings } from "./output.ts";

export interface ImageWords extends ProgressWords {
  readonly archive?: boolean;
  readonly json?: boolean;
}

export const IMAGE_OPERAND =
  "ISO, file system, disk, tar …, compressed or not; a directory; or a path inside of one (x.iso/boot/loader); - is stdin";

export function archiveOption(): Option {
  return new Option("-a, --archive", "look into the boot archive of an ISO");
}

export function defineImageOptions(command: Command, { json = true } = {}): void {
  addOptions(command, RUN_GROUP, [...(json ? [jsonOption()] : []), progressOption()]);
}

export interface OpenedOperand {
  readonly layer: Layer;
  /** Where `layer` lies: "" or a path that goes before others in what is shown. */
  readonly prefix: string;
  /** The path that came with the image's name; a byte string, "" for none. */
  readonly path: string;
  readonly host: InspectHost;
}

/** Opens the image that a user named, and closes it again whatever happens. */
export async function withImage(
  name: string,
  words: ImageWords,
  work: (opened: OpenedOperand) => Promise<void>,
): Promise<void> {
  await withImageFile(name, words, async (file) => work(await openOperand(file, words)));
}

/**
 * The same for work that also takes images that are too damaged to be opened.
 * @param isOnly whether the work is about this image alone, so that its errors are
 */
export async function withImageFile(
  name: string,
  words: ImageWords,
  work: (file: ImageFile) => Promise<void>,
  { isOnly = true } = {},
): Promise<void> {
  await withProgress(words, async (host) => {
    const file = await openImageFile(name, host);
    printWarnings(file.warnings);
    try {
      await (isOnly ? naming(file, () => work(file)) : work(file));
    } finally {
      await file.close();
    }
  });
}

/** Codes of errors that speak of what is in an image. */
const INSIDE: readonly ErrorCode[] = ["bad-format", "unsupported", "truncated", "limit", "not-found", "wrong-type"];

/** Errors about what is inside of an image say of which: "x.iso/boot/lodaer: no such path". */
export async function naming<Value>({ file }: ImageFile, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ImageError) || !INSIDE.includes(error.code)) throw error;
    const { code, message, path, field } = error;
    const shown = file === STANDARD_STREAM ? "standard input" : file;
    if (message.startsWith(`${shown}:`) || message.startsWith(`${shown}/`)) throw error;
    const named = message.startsWith("/") ? `${shown}${message}` : `${shown}: ${message}`;
    throw new ImageError(code, named, { path, field, cause: error });
  }
}

/** Opens the image, or its boot archive. @throws ImageError when it cannot be opened, or has no archive */
export async function openOperand(file: ImageFile, { archive }: ImageWords): Promise<OpenedOperand> {
  const { path, host } = file;
  const whole = await file.layer();
  const { layer, path: prefix } = archive ? await bootArchive(whole) : { layer: whole, path: "" };
  return { layer, prefix, path, host };
}

/** The bytes that the operand names: of the file itself, or of one inside of it. @throws ImageError "wrong-type" */
export async function operandContent(file: ImageFile, words: ImageWords): Promise<Content> {
  if (file.path === "" && !words.archive) {
    if (file.content) return file.content;
    throw new ImageError("wrong-type", `${file.file}: is a directory; an image is wanted`, { path: file.file });
  }
  const opened = await openOperand(file, words);
  if (file.path === "" && opened.layer.content) return opened.layer.content;
  const { node, shown } = await locateWord(opened, "", { follow: true });
  if (node.type === "file") return node.content;
  throw new ImageError("wrong-type", `${toText(shown)}: is a ${node.type}; a file is wanted`, { path: shown });
}

/** What is at a path (a byte string) below the one that came with the image's name. */
export function locateBelow(
  { layer, prefix, path }: OpenedOperand,
  below: string,
  options: Omit<LocateOptions, "prefix">,
): Promise<Place> {
  return locate(layer, `${path}/${below}`, { ...options, prefix });
}

/** What is at a path that a user typed, below the one that came with the image's name. */
export function locateWord(
  opened: OpenedOperand,
  word: string,
  options: Omit<LocateOptions, "prefix">,
): Promise<Place> {
  return locateBelow(opened, fromText(word), options);
}

/** Paths of a command that wants at least one, when none came with the image's name. */
export function wantedPaths({ path }: OpenedOperand, paths: readonly string[], example: string): readonly string[] {
  if (paths.length > 0) return paths;
  if (path !== "") return [""];
  throw new ImageError("invalid-argument", `no path: name what is wanted of the image (${example})`);
}
