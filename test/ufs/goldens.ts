// What illumos' own newfs and mkfs made (fixtures/ufs/newfs.json): options, messages, superblock, groups, SHA-256 of the image.

import { readFileSync } from "node:fs";
import path from "node:path";
import type { GeometryOption } from "../../src/ufs/geometry.ts";
import type { MkfsOperands } from "../../src/ufs/mkfs-operands.ts";

export interface Golden {
  readonly name: string;
  readonly imageBytes: number;
  readonly device: "lofi" | "efi" | "chs";
  readonly newfs?: object;
  /** The command line that newfs -v showed. */
  readonly mkfsCommand?: string;
  readonly mkfs?: { readonly size: number };
  readonly stderr: readonly string[];
  /** The last line of fsck -n. */
  readonly fsckSummary: string;
  readonly sha256: { readonly zeroed: string; readonly time0: string; readonly time1000000000: string };
  readonly superblock: Readonly<Record<string, number>>;
  readonly csum: readonly (readonly number[])[];
  readonly groups: Readonly<
    Record<
      string,
      { readonly frsum: readonly number[]; readonly freeRuns: readonly number[][]; readonly sha256: string }
    >
  >;
}

/** What illumos' mkfs made of operands, or why it did not (fixtures/ufs/mkfs.json); process id 0, special "IMG". */
export interface MkfsGolden {
  readonly imageBytes: number;
  readonly mkfs: string;
  readonly timeSeconds: number;
  /** 0, or 32 where it gave up. */
  readonly status: number;
  readonly stderr: readonly string[];
  readonly sha256: string | null;
}

function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, "../../fixtures/ufs", name), "utf8"));
}

export const goldens: readonly Golden[] = fixture("newfs.json");
export const mkfsGoldens: readonly MkfsGolden[] = fixture("mkfs.json");

const OPERANDS = "size nsect ntrack bsize fragsize cgsize free rps nbpi opt apc gap nrpos maxcontig mtb".split(" ");

/** mkfs' operands by name, from a command line. */
export function operandsOf(line: string): MkfsOperands {
  const words = line.split(" ");
  const entries = words.map((word, i) => [OPERANDS[i] ?? "", /^-?\d+$/.test(word) ? Number(word) : word] as const);
  return { size: 0, ...Object.fromEntries(entries) };
}

export function geometryOf(golden: Golden): GeometryOption {
  if (golden.mkfs) return { mkfs: golden.mkfs, imageBytes: golden.imageBytes };
  const device = golden.device === "efi" ? "efi" : "lofi";
  return { newfs: { imageBytes: golden.imageBytes, device, ...golden.newfs } };
}
