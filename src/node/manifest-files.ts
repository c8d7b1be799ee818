// The texts below a directory of package manifests (usr/src/pkg of the gate, or a folder of *.p5m files).

import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { ImageError } from "../bytes/index.ts";
import type { ManifestText } from "../illumos/index.ts";
import { inputError } from "./host-errors.ts";

/** The gate's largest manifest is under 1 MiB; what is larger is something else. */
const MAX_MANIFEST_BYTES = 2 ** 24;

/**
 * Every regular file below `folder`, in bytewise order of paths.
 * @throws ImageError "input-missing"; "limit" for a file that is no manifest by its size
 */
export function readManifestTexts(folder: string): ManifestText[] {
  try {
    const names = readdirSync(folder, { recursive: true, withFileTypes: true, encoding: "utf8" })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .sort();
    if (names.length === 0) {
      throw new ImageError(
        "input-missing",
        `${folder}: holds no files; name a folder of package manifests (usr/src/pkg)`,
        {
          path: folder,
        },
      );
    }
    return names.map((name) => readText(folder, name));
  } catch (error) {
    throw inputError(error, folder);
  }
}

function readText(folder: string, name: string): ManifestText {
  const file = path.join(folder, name);
  const { size } = statSync(file);
  if (size > MAX_MANIFEST_BYTES) {
    throw new ImageError("limit", `${file}: ${size} bytes are too many for a manifest; take it out of ${folder}`, {
      path: file,
    });
  }
  return { name: name.split(path.sep).join("/"), text: readFileSync(file, "latin1") };
}
