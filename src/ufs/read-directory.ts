// Directories of a UFS image, and what guards against ones that were made to be endless.

import { ImageError, readBytes, toText } from "../bytes/index.ts";
import { scanDirectory } from "./directory.ts";
import { type Addresses, fileContent } from "./file-content.ts";
import type { Dinode, Volume } from "./volume.ts";

export interface UfsDirectoryEntry {
  readonly name: string;
  readonly inode: number;
}

/**
 * The entries of a directory without "." and "..".
 * @throws ImageError "bad-format" when it is damaged
 */
export async function readDirectory(
  volume: Volume,
  addresses: Addresses,
  inode: Dinode,
  path: string,
): Promise<UfsDirectoryEntry[]> {
  const { sb, image } = volume;
  if (inode.ic_lsize > image.sizeBytes) throw damaged(path, `a directory of ${inode.ic_lsize} bytes cannot be`);
  const content = await fileContent(volume, addresses, inode, path);
  const entries: UfsDirectoryEntry[] = [];
  // Block by block: no entry crosses a block, and a size that was made up must not be believed before there is data.
  for (let start = 0; start < content.sizeBytes; start += sb.fs_bsize) {
    const bytes = await readBytes(content, start, Math.min(sb.fs_bsize, content.sizeBytes - start));
    entries.push(...directoryEntries(volume, bytes, start, path));
  }
  return entries;
}

/** The entries in one block of a directory, which begins at its byte `start`. @throws ImageError "bad-format" */
export function directoryEntries({ sb }: Volume, bytes: Uint8Array, start: number, path: string): UfsDirectoryEntry[] {
  const entries: UfsDirectoryEntry[] = [];
  for (const entry of scanDirectory(bytes, sb.fs_ncg * sb.fs_ipg)) {
    if ("corrupt" in entry) throw damaged(path, `the directory is damaged at byte ${start + entry.offset}`);
    const { name, inode } = entry;
    if (inode === 0 || name === "." || name === "..") continue;
    if (name === "") throw damaged(path, `a name is empty at byte ${start + entry.offset}`);
    entries.push({ name, inode });
  }
  return entries;
}

function damaged(path: string, what: string): ImageError {
  return new ImageError("bad-format", `${toText(path)}: ${what}; a check says more`, { path });
}

/** Told of each directory that is met. @throws ImageError "bad-format" as `directoryLedger` says */
export type DirectoryLedger = (number: number, sizeBytes: number, path: string) => void;

/** Refuses second names of directories, and directories that together claim more than the image holds. */
export function directoryLedger({ image }: Volume): DirectoryLedger {
  const seen = new Set<number>();
  let claimedBytes = 0;
  return (number, sizeBytes, path) => {
    if (seen.has(number)) {
      throw new ImageError("bad-format", `${toText(path)}: a second name of a directory`, { path });
    }
    seen.add(number);
    claimedBytes += sizeBytes;
    if (claimedBytes > image.sizeBytes) {
      throw new ImageError("bad-format", `${toText(path)}: directories claim more bytes than the image has`, { path });
    }
  };
}
