// FAT12, FAT16 and FAT32 volumes: planned, read, checked. EFI system partitions are what they are for here.

export { checkFat } from "./check.ts";
export * from "./format.ts";
export type { Geometry } from "./geometry.ts";
export { type FatOptions, type FatPlan, planFat } from "./plan.ts";
export { type FatImage, readFat } from "./read.ts";
export { roundedToFat } from "./time.ts";
export { looksLikeFat } from "./volume.ts";
