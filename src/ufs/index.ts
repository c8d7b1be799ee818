// UFS of illumos on x86: planning images (newfs, mkfs, and trees put in).

export { type FitOptions, fitUfs } from "./fit.ts";
export { isBootPath } from "./holes.ts";
export { type Device, type MkfsOperands, plainDevice } from "./mkfs.ts";
export { mkfsCommand, type NewfsOptions, newfs } from "./newfs.ts";
export { emptyRoot, type GeometryOption, planUfs, type UfsOptions, type UfsPlan } from "./plan.ts";
export { mkfsReport, superblockCopies } from "./report.ts";
export type { Superblock } from "./superblock.ts";
