// Numbers as options and operands take them, as commander's argument parsers.

import { InvalidArgumentError } from "commander";
import { parseSize } from "../bytes/index.ts";

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** Bytes, or a number with k, m or g. */
export function size(text: string): number {
  try {
    return parseSize(text, "size");
  } catch {
    throw new InvalidArgumentError("Must be a size: bytes, or a number with k, m or g (512m).");
  }
}
