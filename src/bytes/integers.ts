// Whole-number arithmetic that layouts are made of. All arguments are non-negative safe integers.

/** a / b, rounded up. */
export function divideUp(a: number, b: number): number {
  return Math.ceil(a / b);
}

/** `value` rounded up to a multiple of `unit` (any unit, not only powers of two). */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/** floor(log2(value)) for 1 <= value < 2^31. */
export function log2Floor(value: number): number {
  return 31 - Math.clz32(value);
}

export function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isSafeInteger(value) && 2 ** Math.round(Math.log2(value)) === value;
}
