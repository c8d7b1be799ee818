// The one emitter: any layout to any sink, in order of offset, window by window, with the next windows being read
// while the current one is written. Memory is (readAhead + 1) windows, whatever the size of the image.

import { ImageError, type Range } from "../bytes/index.ts";
import { type Extent, firstExtentAt, type Layout, readLayout } from "./layout.ts";

/** Where an image goes. Offsets may come in any order; what is never written reads as zeros. */
export interface Sink {
  /** The bytes are the sink's until the promise settles; then their buffer may be used again. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
}

export interface Window {
  readonly offset: number;
  readonly length: number;
  /** The bytes, or undefined when the layout has nothing here: all zeros, known without reading. */
  readonly bytes: Uint8Array | undefined;
}

export interface WindowOptions {
  /** Size of a window; the last one may be shorter. */
  readonly windowBytes?: number;
  /** Windows that are read in advance. */
  readonly readAhead?: number;
  /** First byte, a multiple of nothing in particular. */
  readonly from?: number;
  /** End (exclusive). */
  readonly to?: number;
  /** Gives the buffer for a window, with whatever in it; default: a new one. */
  readonly allocate?: ((lengthBytes: number) => Uint8Array) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const DEFAULT_WINDOW_BYTES: number = 1 << 20;
const DEFAULT_READ_AHEAD = 2;

/** The image in consecutive windows, in order. A window's buffer is the receiver's: to transfer, to keep, or to use again. */
export function windows(layout: Layout, options: WindowOptions = {}): AsyncGenerator<Window> {
  const { windowBytes = DEFAULT_WINDOW_BYTES, from = 0, to = layout.sizeBytes } = options;
  return windowsOf(layout, consecutive(from, to, windowBytes), options);
}

function* consecutive(from: number, to: number, windowBytes: number): Generator<Range> {
  for (let offset = from; offset < to; offset += windowBytes) {
    yield { offset, length: Math.min(windowBytes, to - offset) };
  }
}

/** Shorter gaps between extents are written as zeros: fewer writes cost less than the zeros. */
const SHORT_GAP_BYTES = 1 << 16;

/** Windows that begin and end with an extent, with no long gap inside. */
function* covering(layout: Layout, from: number, to: number, windowBytes: number): Generator<Range> {
  let start = from;
  let end = from;
  for (let i = firstExtentAt(layout, from); i < layout.extents.length; i++) {
    const { offset, length } = layout.extents[i] as Extent;
    if (offset >= to) break;
    if (offset - end > SHORT_GAP_BYTES || end === start) {
      if (end > start) yield { offset: start, length: end - start };
      start = Math.max(offset, from);
    }
    end = Math.min(offset + length, to);
    for (; end - start > windowBytes; start += windowBytes) yield { offset: start, length: windowBytes };
  }
  if (end > start) yield { offset: start, length: end - start };
}

/** The same for windows that are chosen elsewhere; the next ones are being read while one is used. */
export async function* windowsOf(
  layout: Layout,
  ranges: Iterator<Range>,
  options: Pick<WindowOptions, "readAhead" | "allocate" | "signal"> = {},
): AsyncGenerator<Window> {
  const { readAhead: ahead = DEFAULT_READ_AHEAD, allocate = (lengthBytes) => new Uint8Array(lengthBytes) } = options;
  const queue: Promise<Window>[] = [];
  try {
    for (let next = ranges.next(); !next.done || queue.length > 0; ) {
      throwIfAborted(options.signal);
      for (; !next.done && queue.length <= ahead; next = ranges.next()) {
        const reading = readWindow(layout, next.value.offset, next.value.length, allocate);
        reading.catch(() => {}); // reported when its turn comes; must not count as unhandled until then
        queue.push(reading);
      }
      const first = queue.shift();
      if (first) yield await first;
    }
  } finally {
    await Promise.allSettled(queue);
  }
}

async function readWindow(
  layout: Layout,
  offset: number,
  length: number,
  allocate: (lengthBytes: number) => Uint8Array,
): Promise<Window> {
  const next = layout.extents[firstExtentAt(layout, offset)] as Extent | undefined;
  if (next === undefined || next.offset >= offset + length) return { offset, length, bytes: undefined };
  const bytes = allocate(length);
  await readLayout(layout, bytes, offset);
  return { offset, length, bytes };
}

/**
 * Writes a layout to a sink. Long gaps are not written: an image that is mostly empty takes neither time nor space. `at`
 * shifts the image within the sink. While one window is written the next one is read, and buffers go round.
 */
export async function emit(
  layout: Layout,
  sink: Sink,
  options: Omit<WindowOptions, "allocate"> & { readonly at?: number } = {},
): Promise<void> {
  const { at = 0, windowBytes = DEFAULT_WINDOW_BYTES, from = 0, to = layout.sizeBytes } = options;
  const spare: ArrayBufferLike[] = [];
  const allocate = (lengthBytes: number): Uint8Array =>
    new Uint8Array(spare.pop() ?? new ArrayBuffer(windowBytes), 0, lengthBytes);
  const write = async (bytes: Uint8Array, offset: number): Promise<void> => {
    await sink.write(bytes, offset);
    spare.push(bytes.buffer);
  };
  let writing: Promise<void> | undefined;
  try {
    for await (const { offset, bytes } of windowsOf(layout, covering(layout, from, to, windowBytes), {
      ...options,
      allocate,
    })) {
      await writing;
      writing = bytes && write(bytes, at + offset);
      writing?.catch(() => {}); // reported when it is waited for
    }
  } finally {
    await writing;
  }
}

/** @throws ImageError "interrupted" */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ImageError("interrupted", "interrupted");
}
