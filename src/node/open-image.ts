// Images by the names that a user gives: a file, a directory, standard input, or a path that goes on inside of a file
// ("x.iso/platform/i86pc/boot_archive/etc").

import { type Stats, statSync } from "node:fs";
import { type Content, fromText, ImageError } from "../bytes/index.ts";
import type { InspectHost, Layer } from "../inspect/layer.ts";
import { directoryLayer, openImage } from "../inspect/open.ts";
import { readDirectoryTree } from "./directory-source.ts";
import { type FileContent, openFileContent } from "./file-content.ts";
import { createGunzip } from "./gunzip.ts";
import { createHasher } from "./hashing.ts";
import { errnoOf, inputError } from "./host-errors.ts";
import { directReader, type HostReader } from "./host-files.ts";
import { continueCrc32, createZlibInflater } from "./zlib-inflater.ts";

export interface ImageFile {
  /** The file or directory of this machine. */
  readonly file: string;
  /** What followed the file's name: a path inside of it, "" for none. A byte string that begins with "/". */
  readonly path: string;
  readonly host: InspectHost;
  /** The bytes, whatever they are; undefined of a directory. */
  readonly content: Content | undefined;
  /** What could not be read of a directory, a line each. */
  readonly warnings: readonly string[];
  /** The image opened, once. @throws ImageError when it is damaged so far that it cannot be opened */
  layer(): Promise<Layer>;
  close(): Promise<void>;
}

export interface ImageHostOptions extends Pick<InspectHost, "signal" | "onProgress"> {
  /** Told of every read of the image, or of a file in the directory. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/** This machine, for looking into images: digests and inflating by what Node has. */
export function inspectHost({ signal, onProgress }: ImageHostOptions = {}): InspectHost {
  return {
    createHasher,
    createInflater: createZlibInflater,
    crc32: continueCrc32,
    gunzip: createGunzip(),
    signal,
    onProgress,
  };
}

/**
 * Opens what `name` names: a file, a block device, a directory, "-" for standard input, or one of these with a path inside of
 * it behind.
 * @throws ImageError "input-missing" when there is no such file; "interrupted"
 */
export async function openImageFile(name: string, options: ImageHostOptions = {}): Promise<ImageFile> {
  const host = inspectHost(options);
  const { file, path } = name === "-" ? { file: name, path: "" } : splitName(name);
  if (file !== "-" && stat(file)?.isDirectory()) {
    const { signal, onProgress, onRead } = options;
    const reader = onRead && watchedReader(onRead);
    const { tree, warnings } = await readDirectoryTree(file, { signal, onProgress, reader });
    const layer = async (): Promise<Layer> => directoryLayer(tree, host);
    return { file, path, host, content: undefined, warnings, layer, close: async () => {} };
  }
  const content = watched(await openFileContent(file), options.onRead);
  const open = async (): Promise<Layer> => {
    try {
      return await openImage(content, host);
    } catch (error) {
      if (!(error instanceof ImageError) || error.path !== undefined) throw error;
      throw new ImageError(error.code, `${file}: ${error.message}`, { path: file, field: error.field, cause: error });
    }
  };
  let opened: Promise<Layer> | undefined;
  const layer = (): Promise<Layer> => {
    opened ??= open();
    return opened;
  };
  return { file, path, host, content, warnings: [], layer, close: () => content.close() };
}

function watched(content: FileContent, onRead: ImageHostOptions["onRead"]): FileContent {
  if (onRead === undefined) return content;
  return {
    ...content,
    async read(target, offset) {
      await content.read(target, offset);
      onRead(target.length);
    },
  };
}

function watchedReader(onRead: (bytes: number) => void): HostReader {
  return {
    async read(range, target) {
      await directReader.read(range, target);
      onRead(target.length);
    },
  };
}

/** A file that may lie beside another one; undefined when it does not. @throws ImageError when it is there and cannot be read */
export async function openBeside(file: string): Promise<FileContent | undefined> {
  return stat(file)?.isFile() ? openFileContent(file) : undefined;
}

/** The longest beginning of `name` that is there; what follows must be inside of a file. */
function splitName(name: string): { file: string; path: string } {
  if (stat(name)) return { file: name, path: "" };
  for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) {
    const file = name.slice(0, end);
    const stats = stat(file);
    if (stats?.isFile() || stats?.isBlockDevice()) return { file, path: fromText(name.slice(end)) };
    if (stats) break;
  }
  throw inputError(Object.assign(new Error(), { code: "ENOENT" }), name);
}

function stat(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw inputError(error, file);
  }
}
