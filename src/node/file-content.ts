// An image on disk, a block device or standard input as a content.

import { randomBytes } from "node:crypto";
import { createReadStream, readSync } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Content, ImageError } from "../bytes/index.ts";
import { inputError } from "./host-errors.ts";

export interface FileContent extends Content {
  close(): Promise<void>;
}

/**
 * Opens a regular file or block device for reading; "-" is standard input, which is copied to a temporary file (with no
 * name, where the platform allows) when it is not a file itself.
 * @throws ImageError "input-missing"
 */
export async function openFileContent(file: string): Promise<FileContent> {
  try {
    const handle = await (file === "-" ? openStandardInput() : open(file, "r"));
    try {
      return handleContent(handle, await sizeOf(handle, file), file);
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw inputError(error, file);
  }
}

/** Small reads are made at once: a file system's metadata are ten thousands of them, and a thread takes longer to be asked. */
const SMALL_BYTES = 1 << 15;

function handleContent(handle: FileHandle, sizeBytes: number, file: string): FileContent {
  return {
    sizeBytes,
    async read(target, offset) {
      try {
        for (let done = 0; done < target.length; ) {
          const left = target.length - done;
          const bytesRead =
            left <= SMALL_BYTES
              ? readSync(handle.fd, target, done, left, offset + done)
              : (await handle.read(target, done, left, offset + done)).bytesRead;
          if (bytesRead === 0) {
            throw new ImageError("input-changed", `${file}: became shorter while it was read`, { path: file });
          }
          done += bytesRead;
        }
      } catch (error) {
        throw inputError(error, file);
      }
    },
    close: () => handle.close(),
  };
}

async function sizeOf(handle: FileHandle, file: string): Promise<number> {
  const stats = await handle.stat();
  if (stats.isFile()) return stats.size;
  if (stats.isBlockDevice()) return measuredSize(handle);
  throw new ImageError("input-missing", `${file}: is neither a file nor a block device`, { path: file });
}

const SECTOR_BYTES = 512;

/** The size of a device, whose stat says 0: by looking for the last sector that can be read (in some forty reads). */
async function measuredSize(handle: FileHandle): Promise<number> {
  const sector = Buffer.alloc(SECTOR_BYTES);
  const isThere = async (index: number): Promise<boolean> => {
    const { bytesRead } = await handle.read(sector, 0, SECTOR_BYTES, index * SECTOR_BYTES);
    return bytesRead === SECTOR_BYTES;
  };
  let sectors = 1;
  while (await isThere(sectors - 1)) sectors *= 2;
  let below = Math.floor(sectors / 2); // sectors known to be there
  while (sectors - below > 1) {
    const middle = Math.floor((below + sectors) / 2);
    if (await isThere(middle - 1)) below = middle;
    else sectors = middle;
  }
  return below * SECTOR_BYTES;
}

async function openStandardInput(): Promise<FileHandle> {
  const temporary = path.join(tmpdir(), `pureboot-${randomBytes(6).toString("hex")}`);
  const handle = await open(temporary, "wx+", 0o600);
  try {
    await unlink(temporary);
    let offset = 0;
    for await (const chunk of createReadStream("", { fd: 0, autoClose: false })) {
      const { bytesWritten } = await handle.write(chunk as Buffer, 0, (chunk as Buffer).length, offset);
      offset += bytesWritten;
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}
