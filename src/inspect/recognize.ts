// What a file is, told by its bytes alone.

import { type Content, readBytes } from "../bytes/index.ts";
import { looksLikePartitionTable, readPartitionTable } from "../disk/mbr.ts";
import { readDisk } from "../disk/read.ts";
import { looksLikeFat } from "../fat/volume.ts";
import { isGzip } from "../gzip/read.ts";
import {
  SECTOR_BYTES,
  STANDARD_IDENTIFIER,
  SYSTEM_AREA_SECTORS,
  volumeDescriptor,
} from "../iso9660-writer-ts/format.ts";
import { FS_MAGIC, fs, MTB_UFS_MAGIC, SBOFF } from "../ufs/format.ts";
import type { LayerKind } from "./layer.ts";

const ISO_OFFSET: number = SYSTEM_AREA_SECTORS * SECTOR_BYTES;
const HEAD_BYTES: number = ISO_OFFSET + SECTOR_BYTES;
const ARCHIVES: ReadonlySet<string> = new Set(["tar", "zip", "cpio", "datastream"]);

/**
 * The kind of layer that `content` is. A volume counts before the disk around it (a hybrid ISO is an ISO), and what has its
 * mark at a fixed place deep inside before what only begins with one.
 * @throws ImageError only what reading throws
 */
export async function recognize(content: Content): Promise<Exclude<LayerKind, "directory">> {
  const head = await readBytes(content, 0, Math.min(content.sizeBytes, HEAD_BYTES));
  if (isIso(head)) return "iso";
  if (isUfs(head)) return "ufs";
  if (isGzip(head)) return "gzip";
  if (looksLikeFat(head)) return "fat";
  if (await isDisk(content, head)) return "disk";
  // Loaded only for what is none of the above: listing a file system must not cost the time of loading package formats.
  const { recognizeArchive } = await import("../source/open.ts");
  const archive = await recognizeArchive(content);
  return archive !== undefined && ARCHIVES.has(archive) ? "archive" : "plain";
}

function isIso(head: Uint8Array): boolean {
  if (head.length < HEAD_BYTES) return false;
  return volumeDescriptor.decode(head, ISO_OFFSET)["Standard Identifier"] === STANDARD_IDENTIFIER;
}

/** Any UFS with its superblock at sector 16: the reader says which ones it does not know. */
function isUfs(head: Uint8Array): boolean {
  if (head.length < SBOFF + fs.sizeBytes) return false;
  const view = new DataView(head.buffer, head.byteOffset + SBOFF + fs.fields.fs_magic.offset, 4);
  return [true, false].some((little) => [FS_MAGIC, MTB_UFS_MAGIC].includes(view.getUint32(0, little)));
}

async function isDisk(content: Content, head: Uint8Array): Promise<boolean> {
  const records = readPartitionTable(head);
  if (records && looksLikePartitionTable(records)) return true;
  if (content.sizeBytes < 2 * GPT_UNIT_BYTES) return false;
  try {
    return (await readDisk(content)).gpt !== undefined; // a GPT whose MBR is damaged
  } catch {
    return false;
  }
}

const GPT_UNIT_BYTES = 4096;
