// The smallest image that newfs can divide so that a tree and some free space go into it.

import { ImageError } from "../bytes/index.ts";
import type { Directory } from "../tree/index.ts";
import { type Arrangement, arrangementOf } from "./allocate.ts";
import { planGeometry } from "./geometry.ts";
import type { HolesOption } from "./holes.ts";
import { lofiCylinderBytes, type NewfsOptions } from "./newfs.ts";
import { type NumberedTree, numberTree } from "./numbering.ts";
import { planNumbered, type UfsOptions, type UfsPlan } from "./plan.ts";
import { freeRegions } from "./regions.ts";
import type { Superblock } from "./superblock.ts";

export interface FitOptions {
  /** newfs' options. With `imageBytes` the size is given, and only the density of inodes is looked for. */
  readonly newfs?: Partial<NewfsOptions> | undefined;
  /** Bytes that shall be free when the tree is in (whole blocks and frags). */
  readonly freeBytes?: number | undefined;
  readonly freeInodes?: number | undefined;
  readonly lostAndFound?: boolean | undefined;
  readonly holes?: HolesOption | undefined;
}

/** Bytes an inode that are tried where none are given: what boot archives are made with, and denser. */
const DENSITIES = [16384, 8192, 4096, 2048, 1024, 512] as const;

/** lofi counts cylinders in 16 bits: larger images get another shape than their size says. */
const MAX_CYLINDERS = 65535;

/**
 * newfs options with which the tree fits, and with one lofi cylinder less does not. Where `nbpi` is not given, the
 * density that makes the smallest image is taken, of equal ones the sparsest.
 * @throws ImageError "no-space" when the given size is too small, or no size suffices; others as planUfs
 */
export function fitUfs(tree: Directory, options: FitOptions = {}): NewfsOptions {
  const numbered = numberTree(tree, options.lostAndFound ?? true, 0);
  return fitNumbered(numbered, options, arranger(numbered, options));
}

/**
 * A plan of the smallest image, and the newfs options that were found for it.
 * @throws ImageError as `fitUfs` and `planUfs`
 */
export function planFittedUfs(
  tree: Directory,
  options: FitOptions & Omit<UfsOptions, "geometry">,
): { readonly newfs: NewfsOptions; readonly plan: UfsPlan } {
  const numbered = numberTree(tree, options.lostAndFound ?? true, options.timeSeconds);
  const arranged = arranger(numbered, options);
  const newfs = fitNumbered(numbered, options, arranged);
  return { newfs, plan: planNumbered(numbered, { ...options, geometry: { newfs } }, arranged) };
}

/** Arranges the tree once: geometries that differ in size and density only have the same blocks. */
function arranger(tree: NumberedTree, { holes }: FitOptions): (sb: Superblock) => Arrangement {
  let arrangement: Arrangement | undefined;
  return (sb) => {
    arrangement ??= arrangementOf(sb, tree, holes);
    return arrangement;
  };
}

function fitNumbered(tree: NumberedTree, options: FitOptions, arranged: (sb: Superblock) => Arrangement): NewfsOptions {
  const fits = fitting(tree, options, arranged);
  const { imageBytes, nbpi } = options.newfs ?? {};
  const densities = nbpi === undefined ? DENSITIES : [nbpi];
  if (imageBytes !== undefined) {
    const found = densities.map((density) => ({ ...options.newfs, imageBytes, nbpi: density })).find(fits);
    return found ?? refuse(tree, { ...options.newfs, imageBytes, nbpi: densities[0] ?? 2048 }, options, arranged);
  }
  let best: NewfsOptions | undefined;
  let most = MAX_CYLINDERS;
  for (const density of densities) {
    const candidate = (count: number): NewfsOptions => ({
      ...options.newfs,
      imageBytes: bytesOfCylinders(count),
      nbpi: density,
    });
    const cylinders = smallest((count) => fits(candidate(count)), most);
    if (cylinders === undefined) continue;
    best = candidate(cylinders);
    most = cylinders - 1;
  }
  return best ?? refuse(tree, { ...options.newfs, imageBytes: bytesOfCylinders(MAX_CYLINDERS) }, options, arranged);
}

/** Image sizes by rising number: whole lofi cylinders, which are smaller in images under 2 MiB. */
function bytesOfCylinders(count: number): number {
  const small = lofiCylinderBytes(0);
  const large = lofiCylinderBytes(Number.MAX_SAFE_INTEGER);
  const smallOnes = Math.floor((2 * 2 ** 20) / small);
  if (count <= smallOnes) return count * small;
  return (Math.floor((smallOnes * small) / large) + 1 + (count - smallOnes - 1)) * large;
}

/** The smallest count up to `most` that `fits`, when its predecessor does not. */
function smallest(fits: (count: number) => boolean, most: number): number | undefined {
  let low = 0;
  let high = Math.min(1, most);
  while (low < most && !fits(high)) {
    low = high;
    high = Math.min(2 * high, most);
  }
  if (low === most) return undefined;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** A test whether the tree and the free space fit into an image. */
function fitting(
  { inodes }: NumberedTree,
  { freeBytes = 0, freeInodes = 0 }: FitOptions,
  arranged: (sb: Superblock) => Arrangement,
): (newfs: NewfsOptions) => boolean {
  return (newfs) => {
    const sb = geometryOrNone(newfs);
    if (sb === undefined || sb.fs_ncg * sb.fs_ipg - inodes.nodes.length < freeInodes) return false;
    const { blocks, frags } = arranged(sb);
    return (sb.fs_dsize - frags) * sb.fs_fsize >= freeBytes && freeRegions(sb).blocks >= blocks;
  };
}

function geometryOrNone(newfs: NewfsOptions): Superblock | undefined {
  try {
    return planGeometry({ newfs }).superblock;
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** Says what is missing: by planning the image that is too small. */
function refuse(
  tree: NumberedTree,
  newfs: NewfsOptions,
  options: FitOptions,
  arranged: (sb: Superblock) => Arrangement,
): never {
  const { freeBytes, freeInodes } = planNumbered(tree, { ...options, geometry: { newfs }, timeSeconds: 0 }, arranged);
  const missing = [
    ...((options.freeBytes ?? 0) > freeBytes ? [`${(options.freeBytes ?? 0) - freeBytes} bytes`] : []),
    ...((options.freeInodes ?? 0) > freeInodes ? [`${(options.freeInodes ?? 0) - freeInodes} inodes`] : []),
  ];
  throw new ImageError(
    "no-space",
    `the tree goes into ${newfs.imageBytes} bytes, but ${missing.join(" and ")} of the space that shall stay free ` +
      "are missing; take a larger size",
  );
}
