// ISO 9660 volumes with Rock Ridge, Joliet and El Torito.
//
//   const plan = planIso(tree, { timeSeconds: 0, volumeId: "illumos" });   // pure: nothing is read yet
//   await emit(plan.layout, sink);                                        // streams it, in order of offset

export type {
  BootEntry,
  Emulation,
  PlannedBootEntry,
  Platform,
} from "./eltorito.ts";
export { SECTOR_BYTES } from "./format.ts";
export { JOLIET, LEVEL_1, LEVEL_2, LEVEL_4, type NameRules, RELAXED } from "./names.ts";
export type { IsoOptions, VolumeIdentifiers } from "./options.ts";
export { type FileExtent, type IsoPlan, planIso } from "./plan.ts";
