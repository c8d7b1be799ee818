// An SVR4 package datastream, as pkgtrans(1) -s writes it: a header that lists the packages, a cpio archive of every
// package's pkginfo and pkgmap, then for each part of each package a cpio archive of it; everything padded to 512 bytes.
// Source: illumos usr/src/lib/libpkg/common/{pkgtrans,dstream}.c.

import { byteString, type Content, ImageError, readBytes, roundUp, toText } from "../bytes/index.ts";
import { directory, mergeTrees, type Node } from "../tree/index.ts";
import { readCpio } from "./cpio.ts";
import type { Source, SourceWarning } from "./source.ts";

export const DATASTREAM_PREFIX = "# PaCkAgE DaTaStReAm";
const HEADER_END = "# end of header\n";
const BLOCK_BYTES = 512;
/** Some bytes a package; the whole of OpenSolaris had some thousand packages. */
const MAX_HEADER_BYTES = 1 << 20;

interface ListedPackage {
  readonly name: string;
  readonly parts: number;
}

/**
 * The packages of a datastream as directories of a tree, each as pkgtrans(1) would unpack it.
 * @throws ImageError "bad-format", "truncated", "unsupported" (a stream that goes on on another volume)
 */
export async function readDatastream(content: Content): Promise<Source> {
  const { packages, endOffset } = await readHeader(content);
  const descriptions = await readCpio(content, endOffset);
  const warnings: SourceWarning[] = [...descriptions.warnings];
  let tree = descriptions.tree;
  let offset = roundUp(descriptions.endOffset, BLOCK_BYTES);
  for (const { name, parts } of packages) {
    for (let part = 0; part < parts; part++) {
      const archive = await readCpio(content, offset).catch((error: unknown) => {
        if (!(error instanceof ImageError)) throw error;
        const what = `part ${part + 1} of package ${toText(name)} at byte ${offset}: ${error.message}`;
        throw new ImageError(error.code, what, { path: error.path, cause: error });
      });
      warnings.push(...archive.warnings);
      const wrapped = directory(tree, new Map<string, Node>([[name, archive.tree]]));
      tree = mergeTrees([tree, wrapped]).tree;
      offset = roundUp(archive.endOffset, BLOCK_BYTES);
    }
  }
  return { tree, warnings };
}

async function readHeader(content: Content): Promise<{ packages: ListedPackage[]; endOffset: number }> {
  const head = byteString(await readBytes(content, 0, Math.min(content.sizeBytes, MAX_HEADER_BYTES)));
  const end = head.indexOf(HEADER_END);
  if (!head.startsWith(DATASTREAM_PREFIX) || end === -1) {
    throw new ImageError("bad-format", `no package datastream: "${DATASTREAM_PREFIX}" … "# end of header" is missing`);
  }
  const packages: ListedPackage[] = [];
  for (const line of head.slice(0, end).split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [name = "", parts = "", , ...volumes] = line.split(/[ \t]+/);
    if (!/^[A-Za-z0-9][A-Za-z0-9+_.-]*$/.test(name) || !/^[0-9]{1,4}$/.test(parts)) {
      throw new ImageError("bad-format", `the datastream's header has the line "${toText(line.slice(0, 80))}"`);
    }
    if (volumes.length > 0) {
      throw new ImageError(
        "unsupported",
        `package ${name} goes on on another volume of the datastream: join them first`,
      );
    }
    packages.push({ name, parts: Number(parts) });
  }
  return { packages, endOffset: roundUp(end + HEADER_END.length, BLOCK_BYTES) };
}

/** Whether bytes begin a datastream. */
export function isDatastream(head: Uint8Array): boolean {
  return byteString(head.subarray(0, DATASTREAM_PREFIX.length)) === DATASTREAM_PREFIX;
}
