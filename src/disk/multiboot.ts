// Where isoboot has its multiboot header: installboot and we look for it in the same way.

import { MULTIBOOT_AOUT_KLUDGE, MULTIBOOT_MAGIC, MULTIBOOT_SCAN_BYTES, multibootHeader } from "./format.ts";

/** Offset of the multiboot header, searched for in the first 64 KiB in steps of four bytes; undefined without one. */
export function findMultibootHeader(bytes: Uint8Array): number | undefined {
  const end = Math.min(bytes.length, MULTIBOOT_SCAN_BYTES) - multibootHeader.sizeBytes;
  for (let offset = 0; offset <= end; offset += 4) {
    const { magic, flags, checksum } = multibootHeader.decode(bytes, offset);
    if (magic !== MULTIBOOT_MAGIC || (magic + flags + checksum) % 2 ** 32 !== 0) continue;
    if ((flags & MULTIBOOT_AOUT_KLUDGE) !== 0) return offset;
  }
  return undefined;
}
