// Compressed members of archives and repositories: unpacked when they are read, small ones whole. The bytes of the last
// ones are kept for a while, since an image is written in windows and a file may lie in two of them.

import { type Content, ImageError, memoryContent, readAll } from "../bytes/index.ts";
import type { Verify } from "./verified.ts";

/** Shared by all contents of one archive, or of several. */
export interface UnpackCache {
  whole(packed: Packed, unpack: () => Promise<Uint8Array>): Promise<Uint8Array>;
}

/** What is kept is kept by, and its plain size. */
export interface Packed {
  readonly sizeBytes: number;
}

/** Files up to this size are unpacked whole; bigger ones stay packed and are read piece by piece. */
const WHOLE_BYTES = 8 << 20;
const CACHE_BYTES = 32 << 20;

export function unpackCache(limitBytes: number = CACHE_BYTES): UnpackCache {
  const kept = new Map<Packed, Promise<Uint8Array>>();
  let keptBytes = 0;
  const drop = (packed: Packed): void => {
    if (kept.delete(packed)) keptBytes -= packed.sizeBytes;
  };
  return {
    whole(packed, unpack) {
      const before = kept.get(packed);
      if (before) {
        kept.delete(packed); // it becomes the latest again
        kept.set(packed, before);
        return before;
      }
      const bytes = unpack();
      kept.set(packed, bytes);
      keptBytes += packed.sizeBytes;
      bytes.catch(() => drop(packed)); // the next reader shall see the error itself, not one that was kept
      for (const oldest of kept.keys()) {
        if (keptBytes <= limitBytes || oldest === packed) break;
        drop(oldest);
      }
      return bytes;
    },
  };
}

/** Which member it is, for messages. */
export interface MemberName {
  readonly path: string;
  /** What stands before its errors: "package system/kernel: /kernel/genunix". */
  readonly text: string;
}

/**
 * A content of which only the packed form is there. `open` gives the plain bytes; they are verified before any is given out.
 * Reading throws what `open` and `verify` throw, naming the member, and ImageError "bad-format" when the plain bytes are not
 * `sizeBytes` long.
 */
export function unpackedContent(
  cache: UnpackCache,
  member: MemberName,
  sizeBytes: number,
  open: () => Promise<Content>,
  verify: Verify = async () => {},
): Content {
  const openChecked = async (): Promise<Content> => {
    const plain = await open();
    if (plain.sizeBytes === sizeBytes) return plain;
    const what = `unpacks to ${plain.sizeBytes} bytes, not to the ${sizeBytes} that are said: it is damaged`;
    throw new ImageError("bad-format", what);
  };
  let opened: Promise<Content> | undefined;
  const content: Content = {
    sizeBytes,
    async read(target, offset) {
      try {
        if (sizeBytes <= WHOLE_BYTES) {
          const bytes = await cache.whole(content, async () => {
            const whole = await readAll(await openChecked());
            await verify(memoryContent(whole));
            return whole;
          });
          target.set(bytes.subarray(offset, offset + target.length));
          return;
        }
        opened ??= openChecked().then(async (plain) => {
          await verify(plain);
          return plain;
        });
        await (await opened).read(target, offset);
      } catch (error) {
        throw named(error, member);
      }
    },
  };
  return content;
}

function named(error: unknown, { path, text }: MemberName): unknown {
  if (!(error instanceof ImageError) || error.path === path) return error;
  return new ImageError(error.code, `${text}: ${error.message}`, { path, field: error.field, cause: error });
}
