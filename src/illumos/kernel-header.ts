// How boot loaders recognise a kernel: by a multiboot header near its beginning. GRUB legacy takes version 1 (Multiboot
// Specification 0.6.96, 3.1), illumos' loader version 2 (Multiboot2 1.6, 3.1), and of that only what was seen to work.

import { type Content, readBytes } from "../bytes/index.ts";
import { gunzipContent, isGzip } from "../gzip/index.ts";

const MULTIBOOT1 = { magic: 0x1badb002, searchBytes: 8192, alignment: 4 };
const MULTIBOOT2 = { magic: 0xe85250d6, searchBytes: 32768, alignment: 8 };
const TAG_END = 0;
const TAG_ADDRESS = 2;
const TAG_ENTRY_ADDRESS = 3;
/** Tags that the loader accepts: information request, addresses, console flags, framebuffer, alignment, boot services. */
const KNOWN_TAGS: ReadonlySet<number> = new Set([1, TAG_ADDRESS, TAG_ENTRY_ADDRESS, 4, 5, 6, 7]);
const OPTIONAL = 1;

/** The first bytes of a kernel file, which may be compressed. @throws ImageError what reading throws */
async function head(kernel: Content, sizeBytes: number): Promise<DataView> {
  const first = await readBytes(kernel, 0, Math.min(3, kernel.sizeBytes));
  const plain = isGzip(first) ? await gunzipContent(kernel) : kernel;
  return new DataView((await readBytes(plain, 0, Math.min(sizeBytes, plain.sizeBytes))).buffer);
}

/** Why GRUB legacy would not take a file for a kernel, or undefined. */
export async function multibootComplaint(kernel: Content): Promise<string | undefined> {
  const view = await head(kernel, MULTIBOOT1.searchBytes);
  for (let at = 0; at + 12 <= view.byteLength; at += MULTIBOOT1.alignment) {
    if (view.getUint32(at, true) !== MULTIBOOT1.magic) continue;
    const sum = MULTIBOOT1.magic + view.getUint32(at + 4, true) + view.getUint32(at + 8, true);
    if (sum >>> 0 === 0) return undefined;
  }
  return `has no multiboot header in its first ${MULTIBOOT1.searchBytes} bytes`;
}

/** Why illumos' loader would not take a file for a 64-bit kernel, or undefined. */
export async function multiboot2Complaint(kernel: Content): Promise<string | undefined> {
  const view = await head(kernel, MULTIBOOT2.searchBytes);
  for (let at = 0; at + 16 <= view.byteLength; at += MULTIBOOT2.alignment) {
    if (view.getUint32(at, true) !== MULTIBOOT2.magic) continue;
    const length = view.getUint32(at + 8, true);
    const sum = MULTIBOOT2.magic + view.getUint32(at + 4, true) + length + view.getUint32(at + 12, true);
    if (sum % 2 ** 32 !== 0) continue;
    if (at + length > view.byteLength) return "has a multiboot 2 header that ends behind its first 32 KiB";
    return tagComplaint(view, at + 16, at + length);
  }
  return `has no multiboot 2 header in its first ${MULTIBOOT2.searchBytes} bytes`;
}

function tagComplaint(view: DataView, from: number, end: number): string | undefined {
  const tags = new Set<number>();
  for (let at = from; at + 8 <= end; ) {
    const type = view.getUint16(at, true);
    const flags = view.getUint16(at + 2, true);
    const size = view.getUint32(at + 4, true);
    if (type === TAG_END) break;
    if (size < 8) return `has a multiboot 2 tag of ${size} bytes`;
    if (!KNOWN_TAGS.has(type) && (flags & OPTIONAL) === 0)
      return `demands multiboot 2 tag ${type}, which the loader lacks`;
    tags.add(type);
    at += Math.ceil(size / 8) * 8;
  }
  if (tags.has(TAG_ADDRESS) && tags.has(TAG_ENTRY_ADDRESS)) return undefined;
  return "has no address and entry tags in its multiboot 2 header: the loader takes it for a 32-bit kernel";
}
