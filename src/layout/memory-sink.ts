// A sink for those who want the whole image in one buffer (tests, small images, browsers).

import { ImageError } from "../bytes/index.ts";
import { emit, type Sink } from "./emit.ts";
import type { Layout } from "./layout.ts";

export interface MemorySink extends Sink {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function memorySink(sizeBytes: number): MemorySink {
  const bytes = new Uint8Array(sizeBytes);
  return {
    bytes,
    async write(chunk, offset) {
      if (offset + chunk.length > sizeBytes) throw new ImageError("output", `the buffer holds ${sizeBytes} bytes only`);
      bytes.set(chunk, offset);
    },
  };
}

/** The whole image in one buffer. */
export async function layoutBytes(layout: Layout): Promise<Uint8Array<ArrayBuffer>> {
  const sink = memorySink(layout.sizeBytes);
  await emit(layout, sink);
  return sink.bytes;
}
