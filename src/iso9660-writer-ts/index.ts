// ISO 9660 volumes with Rock Ridge, Joliet and El Torito, written and read.
//
//   const plan = planIso(tree, { timeSeconds: 0, volumeId: "illumos" });   // pure: no content is read yet
//   await emit(plan.layout, sink);                                        // streams it, in order of offset
//   const iso = await openIso(image);                                     // any bytes that can be read at any place
//   const tree = await iso.tree();                                        // Rock Ridge, else Joliet, else plain names

export { checkIso } from "./check.ts";
export { type BootEntry, type Emulation, PLATFORMS, type PlannedBootEntry, type Platform } from "./eltorito.ts";
export { SECTOR_BYTES } from "./format.ts";
export { MAX_LEVEL } from "./hierarchy.ts";
export { layoutOf } from "./layout-of.ts";
export { JOLIET, LEVEL_1, LEVEL_2, LEVEL_4, type NameRules, RELAXED } from "./names.ts";
export type { IsoOptions, VolumeIdentifiers } from "./options.ts";
export { type FileExtent, type IsoPlan, planIso } from "./plan.ts";
export { type Iso, type NameSource, openIso } from "./read.ts";
export type { BootCatalog, BootCatalogEntry } from "./read-eltorito.ts";
