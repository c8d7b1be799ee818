// Floor 4: trees from outside. openSource takes a file as it is; the readers of single formats are here for those who know
// what they have. Nothing is unpacked: a tree's contents are read from the archive when they are asked for.

export { readCpio } from "./cpio.ts";
export { readDatastream } from "./datastream.ts";
export { type Files, treeFiles } from "./files.ts";
export { type IpsOptions, type IpsSource, readIpsPackages } from "./ips.ts";
export { applyMtree, type MtreeOptions } from "./mtree-apply.ts";
export { type MtreeEntry, type MtreeSpec, parseMtree } from "./mtree-parse.ts";
export { formatMtree } from "./mtree-write.ts";
export * from "./open.ts";
export { openP5p } from "./p5p.ts";
export type {
  Decompressed,
  Decompressor,
  HashAlgorithm,
  Hashing,
  PackageSource,
  Source,
  SourceWarning,
  WarningCode,
} from "./source.ts";
export { readSvr4Packages, type Svr4Options } from "./svr4.ts";
export { readTar, type TarOptions } from "./tar.ts";
export { planTar } from "./tar-plan.ts";
export { type Packed, type UnpackCache, unpackCache } from "./unpacked.ts";
export { readZip } from "./zip.ts";
