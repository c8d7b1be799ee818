import fc from "fast-check";
import { expect, test } from "vitest";
import { type Content, ImageError, memoryContent, readBytes } from "../../src/bytes/index.ts";
import {
  type Extent,
  emit,
  extent,
  layoutBytes,
  layoutContent,
  makeLayout,
  memorySink,
  type Sink,
  windows,
} from "../../src/layout/index.ts";

const owner = { what: "data" };

/** Random extents with gaps, and the image that they must give, made without the code under test. */
const layouts = fc
  .array(fc.tuple(fc.nat(300), fc.uint8Array({ minLength: 1, maxLength: 400 })), { maxLength: 12 })
  .map((pieces) => {
    const extents: Extent[] = [];
    const bytes: number[] = [];
    for (const [gap, data] of pieces) {
      bytes.push(...new Array<number>(gap).fill(0));
      extents.push(extent(bytes.length, owner, memoryContent(data)));
      bytes.push(...data);
    }
    bytes.push(0, 0, 0);
    return { layout: makeLayout(bytes.length, extents.reverse()), bytes: Uint8Array.from(bytes) };
  });

test("windows of any size give the same image, in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      layouts,
      fc.integer({ min: 1, max: 700 }),
      fc.nat(5),
      async ({ layout, bytes }, windowBytes, readAhead) => {
        const sink = memorySink(layout.sizeBytes);
        await emit(layout, sink, { windowBytes, readAhead });
        expect(sink.bytes).toEqual(bytes);
        let next = 0;
        for await (const window of windows(layout, { windowBytes, readAhead })) {
          expect(window.offset).toBe(next);
          next += window.length;
          if (!window.bytes) expect(bytes.subarray(window.offset, next).every((byte) => byte === 0)).toBe(true);
        }
        expect(next).toBe(layout.sizeBytes);
      },
    ),
  );
});

test("any part of a layout is that part of its image, also through another layout", async () => {
  await fc.assert(
    fc.asyncProperty(layouts, fc.nat(2000), fc.nat(500), async ({ layout, bytes }, at, length) => {
      const from = Math.min(at, bytes.length);
      const to = Math.min(from + length, bytes.length);
      const outer = makeLayout(bytes.length + 50, [extent(50, { what: "inner" }, layoutContent(layout))]);
      expect(await readBytes(layoutContent(outer), 50 + from, to - from)).toEqual(bytes.slice(from, to));
    }),
  );
});

test("overlaps and extents beyond the end are mistakes of the planner", () => {
  const two = memoryContent(new Uint8Array(2));
  expect(() => makeLayout(10, [extent(0, owner, two), extent(1, owner, two)])).toThrow(/overlaps/);
  expect(() => makeLayout(3, [extent(2, owner, two)])).toThrow(/extents end at 4/);
  expect(() => makeLayout(9, [{ offset: 0, length: 3, owner, content: two, contentOffset: 0 }])).toThrow(
    /beyond its content/,
  );
});

test("gaps are not read, not written and need no memory", async () => {
  let written = 0;
  const layout = makeLayout(2 ** 40, [extent(2 ** 39, owner, memoryContent(Uint8Array.of(1)))]);
  const sink: Sink = {
    async write(bytes) {
      written += bytes.length;
    },
  };
  await emit(layout, sink, { from: 2 ** 39 - 2 ** 22, to: 2 ** 39 + 2 ** 22 });
  expect(written).toBe(1);
});

test("a content that fails ends the emission with its error", async () => {
  const failing: Content = {
    sizeBytes: 5,
    read: () => Promise.reject(new ImageError("input-changed", "/a: shrank while it was read")),
  };
  const layout = makeLayout(10, [extent(3, owner, failing)]);
  await expect(layoutBytes(layout)).rejects.toMatchObject({ code: "input-changed" });
});

test("an aborted emission ends", async () => {
  const abort = new AbortController();
  abort.abort();
  const layout = makeLayout(10, [extent(3, owner, memoryContent(new Uint8Array(2)))]);
  await expect(emit(layout, memorySink(10), { signal: abort.signal })).rejects.toMatchObject({ code: "interrupted" });
});
