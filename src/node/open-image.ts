// Images by the names that a user gives: a file, a directory, standard input, or a path that goes on inside of a file
// ("x.iso/platform/i86pc/boot_archive/etc").

import { type Stats, statSync } from "node:fs";
import { fromText, ImageError } from "../bytes/index.ts";
import { directoryLayer, type InspectHost, type Layer, openImage } from "../inspect/index.ts";
import { readDirectoryTree } from "./directory-source.ts";
import { type FileContent, openFileContent } from "./file-content.ts";
import { gunzip } from "./gunzip.ts";
import { createHasher } from "./hashing.ts";
import { errnoOf, inputError } from "./host-errors.ts";
import { continueCrc32, createZlibInflater } from "./zlib-inflater.ts";

export interface OpenedImage {
  /** The file or directory of this machine. */
  readonly file: string;
  readonly layer: Layer;
  /** What followed the file's name: a path inside of it, "" for none. A byte string that begins with "/". */
  readonly path: string;
  /** What could not be read of a directory, a line each. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

export type ImageHostOptions = Pick<InspectHost, "signal" | "onProgress">;

/** This machine, for looking into images: digests and inflating by what Node has. */
export function inspectHost({ signal, onProgress }: ImageHostOptions = {}): InspectHost {
  return { createHasher, createInflater: createZlibInflater, crc32: continueCrc32, gunzip, signal, onProgress };
}

/**
 * Opens what `name` names.
 * @throws ImageError "input-missing" when there is no such file; what opening the image throws; "interrupted"
 */
export async function openImageFile(name: string, options: ImageHostOptions = {}): Promise<OpenedImage> {
  const host = inspectHost(options);
  const { file, path } = name === "-" ? { file: name, path: "" } : splitName(name);
  if (file !== "-" && stat(file)?.isDirectory()) {
    const { tree, warnings } = await readDirectoryTree(file, { signal: options.signal });
    return { file, layer: directoryLayer(tree, host), path, warnings, close: async () => {} };
  }
  const content: FileContent = await openFileContent(file);
  try {
    return { file, layer: await openImage(content, host), path, warnings: [], close: () => content.close() };
  } catch (error) {
    await content.close();
    throw error instanceof ImageError && error.path === undefined
      ? new ImageError(error.code, `${file}: ${error.message}`, { path: file, field: error.field, cause: error })
      : error;
  }
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
