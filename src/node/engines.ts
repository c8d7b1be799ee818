// Which deflate engine to use. zlib's C code is about 2.5 times as fast as pako, but Node's build of it differs by version
// and processor (Chromium's hashing); it is taken only where it gives pako's bytes, so that images are the same everywhere.

import * as zlib from "node:zlib";
import { crc32, ImageError } from "../bytes/index.ts";
import { type DeflateEngine, deflateRoomBytes, pakoEngine } from "../gzip/index.ts";

export type EngineName = "pako" | "zlib";

/** node:zlib. `zlib.crc32` came with Node 20.15; before that, our own. */
export const zlibEngine: DeflateEngine = {
  name: "zlib",
  deflateBlock(input, dictionary, level) {
    return zlib.deflateRawSync(input, {
      level,
      finishFlush: zlib.constants.Z_SYNC_FLUSH,
      chunkSize: deflateRoomBytes(input.length),
      ...(dictionary && { dictionary }),
    });
  },
  crc32: (bytes) => ("crc32" in zlib ? zlib.crc32(bytes) : crc32(bytes)),
};

const ENGINES: Readonly<Record<EngineName, DeflateEngine>> = { pako: pakoEngine, zlib: zlibEngine };

export function engineByName(name: EngineName): DeflateEngine {
  return ENGINES[name];
}

/**
 * The engine for a choice; "auto" is zlib where it gives pako's bytes at these levels, else pako.
 * @throws ImageError "unsupported" when zlib was asked for by name and gives other bytes
 */
export function chooseEngine(choice: EngineName | "auto", levels: readonly number[] = ALL_LEVELS): EngineName {
  if (choice === "pako") return "pako";
  if (!givesReferenceBytes(zlibEngine, levels)) {
    if (choice === "auto") return "pako";
    throw new ImageError(
      "unsupported",
      `the zlib ${process.versions["zlib"]} in this Node ${process.version} compresses to other bytes than pako: use --gzip pako`,
    );
  }
  return "zlib";
}

const PROBE_BYTES = 80_000;
/** CRC-32 of what pako makes of the probe, by level (a test compares with pako itself). */
export const PROBE_CRC32: readonly number[] = [
  758976346, 3448823869, 496277917, 3156348936, 1393134343, 825087285, 1911025732, 4107384828, 4022597554, 2432241006,
];

const ALL_LEVELS: readonly number[] = PROBE_CRC32.map((_, level) => level);

/** Whether an engine compresses a probe, with dictionary and without, to pako's bytes at these levels. Takes some milliseconds a level. */
export function givesReferenceBytes(engine: DeflateEngine, levels: readonly number[] = ALL_LEVELS): boolean {
  return probeCrc32(engine, levels).every((crc, i) => crc === PROBE_CRC32[levels[i] ?? 0]);
}

/** One for each level. */
export function probeCrc32(engine: DeflateEngine, levels: readonly number[] = ALL_LEVELS): number[] {
  const probe = probeBytes();
  const dictionary = probe.subarray(0, 20_000);
  return levels.map((level) =>
    crc32(
      engine.deflateBlock(probe.subarray(20_000), dictionary, level),
      crc32(engine.deflateBlock(dictionary, undefined, level)),
    ),
  );
}

/** Text-like runs, copies from near and far, zeros and noise: every path of deflate's match finder is taken. */
function probeBytes(): Uint8Array {
  const bytes = new Uint8Array(PROBE_BYTES);
  let state = 0x12345678;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
  for (let at = 0; at < PROBE_BYTES; ) {
    const end = Math.min(PROBE_BYTES, at + 3 + random(300));
    const kind = random(6);
    const distance = 1 + random(Math.min(at + 1, kind === 1 ? 16 : 50_000));
    for (; at < end; at++) {
      if (kind === 0) bytes[at] = random(256);
      else if (kind <= 3) bytes[at] = bytes[at - distance] ?? 0;
      else if (kind === 4) bytes[at] = 97 + random(12);
    }
  }
  return bytes;
}
