// UFS of illumos on x86: made as its newfs and mkfs make it, filled, read and checked.
//
//   const plan = planUfs(tree, { geometry: { newfs: { imageBytes } }, timeSeconds });   // pure: no content is read yet
//   await emit(plan.layout, sink);                                                     // streams it, in order of offset
//   const ufs = await openUfs(image);                                                  // any bytes that can be read
//   const tree = await ufs.tree();

export type { AclEntry } from "./acl.ts";
export { checkUfs, fsckReport, type UfsCheck, type UfsSummary } from "./check.ts";
export type { UfsFinding } from "./findings.ts";
export { type FitOptions, fitUfs, planFittedUfs } from "./fit.ts";
export type { GeometryOption } from "./geometry.ts";
export { isBootPath } from "./holes.ts";
export { layoutOf } from "./layout-of.ts";
export { mkfs } from "./mkfs.ts";
export { type Device, type MkfsOperands, plainDevice } from "./mkfs-operands.ts";
export { mkfsCommand, type NewfsOptions, newfs } from "./newfs.ts";
export { type ParsedOperands, parseMkfsOperands } from "./operands.ts";
export { emptyRoot, planUfs, type UfsOptions, type UfsPlan } from "./plan.ts";
export { type OpenUfsOptions, openUfs, type Ufs, type UfsExtra, type UfsState } from "./read.ts";
export { mkfsReport, superblockCopies } from "./report.ts";
export type { Superblock } from "./superblock.ts";
