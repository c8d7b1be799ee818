// ISO 9660 volumes with Rock Ridge, Joliet and El Torito: planned, read, checked. To write a directory (pureboot/node):
//
//   const { tree } = await readDirectoryTree("medium");
//   const { layout } = planIso(tree, { timeSeconds: 0, volumeId: "illumos" }); // pure: no content is read yet
//   const sink = await createFileSink("out.iso");
//   await emit(layout, sink).then(() => sink.truncate(layout.sizeBytes)); // streams it, in order of offset
//   await sink.commit();
//
// To read one back: `await (await openIso(image)).tree()`, from any bytes that can be read at any place.

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
