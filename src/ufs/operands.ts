// mkfs' operands as words of a command line, with its own syntax of numbers (mkfs.c, number): 123, 16k, 32x16, 32*16, 10%.

import { ImageError } from "../bytes/index.ts";
import type { MkfsOperands } from "./mkfs-operands.ts";

/** The operands in order, and what a number becomes that is none. */
const NUMBERS = [
  ["size", undefined],
  ["nsect", 32],
  ["ntrack", 16],
  ["bsize", 8192],
  ["fragsize", 1024],
  ["cgsize", 16],
  ["free", 10],
  ["rps", 60],
  ["nbpi", 2048],
  ["opt", undefined],
  ["apc", 0],
  ["gap", 0],
  ["nrpos", 8],
  ["maxcontig", -1],
  ["mtb", undefined],
] as const;

/** 2^63 - 1 in mkfs; here the largest number that is exact: both are out of every range. */
const BIG: number = Number.MAX_SAFE_INTEGER;

export interface ParsedOperands {
  readonly operands: MkfsOperands;
  /** What mkfs says about words that are no numbers. */
  readonly warnings: readonly string[];
}

/**
 * Operands from a command line: size nsect ntrack bsize fragsize cgsize free rps nbpi opt apc gap nrpos maxcontig mtb, all
 * but the first optional.
 * @throws ImageError "invalid-argument" when there are too many, or the size is no number
 */
export function parseMkfsOperands(words: readonly string[]): ParsedOperands {
  if (words.length > NUMBERS.length) {
    throw new ImageError("invalid-argument", `mkfs: ${words.length} operands; there are ${NUMBERS.length} at most`);
  }
  const warnings: string[] = [];
  const operands: Record<string, number | string> = {};
  // mkfs goes through them from the last to the first.
  for (let i = words.length - 1; i >= 0; i--) {
    const word = words[i] ?? "";
    const [name, fallback] = NUMBERS[i] ?? NUMBERS[0];
    if (name === "opt" || name === "mtb") operands[name] = word;
    else if (name === "gap")
      operands[name] = parseNumber(word, false) ?? 0; // parsed by nobody
    else {
      const value = parseNumber(word, name === "free");
      if (value === undefined) {
        if (fallback === undefined)
          throw new ImageError("invalid-argument", `mkfs: bad numeric arg for ${name}: "${word}"`);
        warnings.push(`mkfs: bad numeric arg for ${name}: "${word}"`, `mkfs: ${name} reset to default ${fallback}`);
      } else if (value >= BIG) warnings.push(`mkfs: value for ${name} overflowed`);
      operands[name] = value ?? fallback ?? 0;
    }
  }
  return { operands: { size: 0, ...operands }, warnings };
}

/** The value of one word, or undefined when it is no number. */
function parseNumber(word: string, isPercent: boolean): number | undefined {
  const text = isPercent && word.endsWith("%") ? word.slice(0, -1) : word;
  let product = 1;
  for (const factor of text.split(/[*x]/)) {
    const match = /^(-?\d+)(k*)$/.exec(factor);
    if (match === null) return undefined;
    product *= Number(match[1]) * 1024 ** (match[2] ?? "").length;
  }
  return Math.max(-BIG, Math.min(BIG, product));
}
