// Inflating deflate data (RFC 1951), made so that it can be left and taken up again anywhere: a position is a few numbers, the
// code lengths of the block at hand and the 32 KiB before. zlib cannot do that, and random access into an archive needs it.

import { type Content, ImageError } from "../bytes/index.ts";
import { peekBits, readDynamicCodes } from "./dynamic-codes.ts";
import { DEFLATE_WINDOW_BYTES } from "./format.ts";
import {
  type DecodeTable,
  DISTANCE_BASE,
  DISTANCE_EXTRA_BITS,
  DISTANCE_SYMBOLS,
  decodeTable,
  END_OF_BLOCK,
  FIXED_DISTANCE_LENGTHS,
  FIXED_LITERAL_LENGTHS,
  LENGTH_BASE,
  LENGTH_EXTRA_BITS,
  MAX_CODE_BITS,
} from "./huffman.ts";

/** The block that the position is in. */
type Block =
  | { readonly kind: "none" }
  | { readonly kind: "stored"; remainingBytes: number }
  | { readonly kind: "codes"; readonly literalLengths: Uint8Array; readonly distanceLengths: Uint8Array };

/** A place between two symbols of deflate data from which inflating can go on. */
export interface InflatePosition {
  /** In the source, from its first byte; bit 0 of a byte comes first. */
  readonly bitOffset: number;
  /** Bytes of output before this place. */
  readonly outputOffset: number;
  /** The up to 32 KiB of output before this place. */
  readonly window: Uint8Array;
  readonly block: Readonly<Block>;
  readonly isFinalBlock: boolean;
  /** What is still to be copied of the match at hand. */
  readonly matchLength: number;
  readonly matchDistance: number;
}

/** Deflate data read from front to back. */
export interface SequentialInflater {
  readonly outputOffset: number;
  /** Fills `target` and returns its length, or less when the data end. One read at a time. */
  read(target: Uint8Array): Promise<number>;
  /** The byte behind the deflate data in the source, once a read came to their end. */
  readonly endOffset: number | undefined;
  /** Lets go of what it holds outside of memory, if it does. */
  close?(): void;
}

export interface Inflater extends SequentialInflater {
  /** Where the reads have come to. */
  position(): InflatePosition;
}

/** The beginning of deflate data at byte `offset` of the source. */
export function startPosition(offset: number): InflatePosition {
  return {
    bitOffset: offset * 8,
    outputOffset: 0,
    window: new Uint8Array(0),
    block: { kind: "none" },
    isFinalBlock: false,
    matchLength: 0,
    matchDistance: 0,
  };
}

const INPUT_BYTES = 1 << 16;
/** More than any block header or symbol takes: they are read without looking for the end of the buffer in between. */
const INPUT_MARGIN_BYTES = 512;
const OUTPUT_BYTES = 1 << 17;

/**
 * Inflates `source` from `start` on.
 * Reading throws ImageError "bad-format" (no deflate data) or "truncated" (the source ends before they do).
 */
export function createInflater(source: Content, start: InflatePosition): Inflater {
  // A piece of the source, zeros behind it. `at` counts bits from its first byte, which is byte `inputOffset` of the source.
  const input = new Uint8Array(INPUT_BYTES + INPUT_MARGIN_BYTES);
  let inputOffset = Math.floor(start.bitOffset / 8);
  let inputEnd = 0;
  let at = start.bitOffset % 8;

  // Output that matches may reach into: output[oldest..produced). `limit` is how far this read may go.
  const output = new Uint8Array(DEFLATE_WINDOW_BYTES + OUTPUT_BYTES);
  output.set(start.window);
  let oldest = 0;
  let produced = start.window.length;
  let limit = produced;
  let { outputOffset, isFinalBlock, matchLength, matchDistance } = start;

  let block: Block = { ...start.block };
  let literalTable: DecodeTable | undefined;
  let distanceTable: DecodeTable | undefined;
  let endOffset: number | undefined;
  if (block.kind === "codes") beginCodes(block.literalLengths, block.distanceLengths);

  /** What is no deflate data, or what is cut off: a code may lack its last bits. */
  function bad(what: string): ImageError {
    if (at + MAX_CODE_BITS > inputEnd * 8) return cutOff();
    return new ImageError("bad-format", `deflate: ${what} at byte ${inputOffset + (at >>> 3)}`);
  }

  const isAllInput = (): boolean => inputOffset + inputEnd >= source.sizeBytes;

  /** Moves what is left of the input to the front and reads more behind it. */
  async function fill(): Promise<void> {
    const done = at >>> 3;
    input.copyWithin(0, done, inputEnd);
    inputEnd -= done;
    inputOffset += done;
    at &= 7;
    const count = Math.min(INPUT_BYTES - inputEnd, source.sizeBytes - inputOffset - inputEnd);
    await source.read(input.subarray(inputEnd, inputEnd + count), inputOffset + inputEnd);
    inputEnd += count;
    input.fill(0, inputEnd);
  }

  function cutOff(): ImageError {
    return new ImageError(
      "truncated",
      `deflate: the data go on where the file ends, at byte ${inputOffset + inputEnd}`,
    );
  }

  function checkInput(): void {
    if (at > inputEnd * 8) throw cutOff();
  }

  function takeBits(count: number): number {
    const bits = peekBits(input, at) & ((1 << count) - 1);
    at += count;
    return bits;
  }

  function takeSymbol({ bits, entries }: DecodeTable): number {
    const entry = entries[peekBits(input, at) & ((1 << bits) - 1)] ?? 0;
    if (entry === 0) throw bad("a bit pattern that is no code");
    at += entry & 15;
    return entry >>> 4;
  }

  /** 3.2.3. */
  function beginBlock(): void {
    isFinalBlock = takeBits(1) === 1;
    const type = takeBits(2);
    if (type === 0) beginStored();
    else if (type === 1) beginCodes(FIXED_LITERAL_LENGTHS, FIXED_DISTANCE_LENGTHS);
    else if (type === 2) beginDynamic();
    else throw bad("a block of the reserved type");
    checkInput();
  }

  /** 3.2.4. */
  function beginStored(): void {
    at = (at + 7) & ~7;
    const length = takeBits(16);
    if (takeBits(16) !== (~length & 0xffff)) throw bad("a stored block whose length and its complement differ");
    block = { kind: "stored", remainingBytes: length };
  }

  /** 3.2.7. */
  function beginDynamic(): void {
    const codes = readDynamicCodes(input, at);
    at = codes.at;
    checkInput();
    if ("fault" in codes) throw bad(codes.fault);
    beginCodes(codes.literalLengths, codes.distanceLengths);
  }

  function beginCodes(literalLengths: Uint8Array, distanceLengths: Uint8Array): void {
    literalTable = decodeTable(literalLengths, "literal/length", true);
    distanceTable = decodeTable(distanceLengths, "distance", true);
    block = { kind: "codes", literalLengths, distanceLengths };
  }

  function endBlock(): void {
    block = { kind: "none" };
    if (isFinalBlock) endOffset = inputOffset + ((at + 7) >>> 3);
  }

  function copyStored(stored: { remainingBytes: number }): void {
    const from = at >>> 3;
    const count = Math.min(stored.remainingBytes, limit - produced, inputEnd - from);
    if (count === 0 && stored.remainingBytes > 0) at++; // nothing is left to read: the check below fails
    output.set(input.subarray(from, from + count), produced);
    produced += count;
    at += count * 8;
    stored.remainingBytes -= count;
    if (stored.remainingBytes === 0) endBlock();
    checkInput();
  }

  /** As much of the match at hand as this read may have. */
  function copyMatch(): void {
    const count = Math.min(matchLength, limit - produced);
    copyWithinOutput(output, produced, matchDistance, count);
    produced += count;
    matchLength -= count;
  }

  /** Symbols, until the block ends, the read has its bytes, or the input runs low. 3.2.5. */
  function decodeSymbols({ bits, entries }: DecodeTable, distanceCodes: DecodeTable): void {
    const mask = (1 << bits) - 1;
    const lowAt = (isAllInput() ? inputEnd : inputEnd - INPUT_MARGIN_BYTES) * 8;
    while (produced < limit && at < lowAt) {
      // Literals come in runs: the run's place and count stay in registers.
      let symbol = 0;
      let bit = at;
      let place = produced;
      while (place < limit && bit < lowAt) {
        const entry = entries[peekBits(input, bit) & mask] ?? 0;
        if (entry === 0) throw bad("a bit pattern that is no code");
        bit += entry & 15;
        symbol = entry >>> 4;
        if (symbol >= END_OF_BLOCK) break;
        output[place++] = symbol;
      }
      at = bit;
      produced = place;
      if (symbol < END_OF_BLOCK) break;
      if (symbol === END_OF_BLOCK) {
        endBlock();
        break;
      }
      const lengthSymbol = symbol - END_OF_BLOCK - 1;
      if (lengthSymbol >= LENGTH_BASE.length) throw bad("a length symbol that is reserved");
      matchLength = (LENGTH_BASE[lengthSymbol] ?? 0) + takeBits(LENGTH_EXTRA_BITS[lengthSymbol] ?? 0);
      const distanceSymbol = takeSymbol(distanceCodes);
      if (distanceSymbol >= DISTANCE_SYMBOLS) throw bad("a distance symbol that is reserved");
      matchDistance = (DISTANCE_BASE[distanceSymbol] ?? 0) + takeBits(DISTANCE_EXTRA_BITS[distanceSymbol] ?? 0);
      if (matchDistance > produced - oldest) throw bad("a match with what is before the start");
      copyMatch();
    }
    if (block.kind === "codes" && isAllInput() && at >= inputEnd * 8 && produced < limit) at = inputEnd * 8 + 1;
    checkInput();
  }

  const isInputLow = (): boolean => inputEnd - (at >>> 3) <= INPUT_MARGIN_BYTES && !isAllInput();

  /** Gets on with the match or block at hand, or begins the next block. */
  function step(): void {
    if (matchLength > 0) copyMatch();
    else if (block.kind === "none") beginBlock();
    else if (block.kind === "stored") copyStored(block);
    else if (literalTable && distanceTable) decodeSymbols(literalTable, distanceTable);
  }

  /** The last 32 KiB of the output go to its front, so that there is room behind them. */
  function slide(): void {
    const kept = Math.min(DEFLATE_WINDOW_BYTES, produced - oldest);
    output.copyWithin(0, produced - kept, produced);
    oldest = 0;
    produced = kept;
  }

  return {
    get outputOffset() {
      return outputOffset;
    },
    get endOffset() {
      return endOffset;
    },
    async read(target) {
      let done = 0;
      while (done < target.length && endOffset === undefined) {
        if (produced === output.length) slide();
        const from = produced;
        limit = Math.min(output.length, produced + target.length - done);
        while (produced < limit && endOffset === undefined) {
          if (isInputLow()) await fill();
          step();
        }
        target.set(output.subarray(from, produced), done);
        done += produced - from;
        outputOffset += produced - from;
      }
      return done;
    },
    position: () => ({
      bitOffset: inputOffset * 8 + at,
      outputOffset,
      window: output.slice(Math.max(oldest, produced - DEFLATE_WINDOW_BYTES), produced),
      block: { ...block },
      isFinalBlock,
      matchLength,
      matchDistance,
    }),
  };
}

/** Copies bytes from `distance` before `to`; they may be ones that this copy itself writes (a run). */
function copyWithinOutput(output: Uint8Array, to: number, distance: number, count: number): void {
  const from = to - distance;
  if (distance === 1) output.fill(output[from] ?? 0, to, to + count);
  else if (distance >= count && count > 32) output.copyWithin(to, from, from + count);
  else for (let i = 0; i < count; i++) output[to + i] = output[from + i] ?? 0;
}
