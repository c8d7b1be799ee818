// Sizes as people write and read them.

import { ImageError } from "./errors.ts";

const UNITS: Readonly<Record<string, number>> = { "": 1, b: 512, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/**
 * "512m", "1.5g", "4096" (bytes), "8b" (512-byte blocks) to bytes.
 * @throws ImageError "invalid-argument" naming `what`
 */
export function parseSize(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)([bkmgt]?)$/i.exec(text.trim());
  const bytes = match ? Number(match[1]) * (UNITS[(match[2] ?? "").toLowerCase()] ?? Number.NaN) : Number.NaN;
  if (!Number.isSafeInteger(bytes)) {
    throw new ImageError(
      "invalid-argument",
      `${what}: "${text}" is not a size; write bytes or a number with k, m or g (512m)`,
    );
  }
  return bytes;
}

/** 174063616 to "166.0 MiB". */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  for (const unit of ["KiB", "MiB", "GiB"]) {
    bytes /= 1024;
    if (bytes < 1024 || unit === "GiB") return `${bytes.toFixed(1)} ${unit}`;
  }
  return `${bytes}`;
}
