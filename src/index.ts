// pureboot: bootable illumos images, from any machine that runs Node.
//
//   import { buildIsoFile } from "pureboot";
//   const report = await buildIsoFile({ sources: ["proto/root_i386"], output: "illumos.iso" });
//   console.log(report.sha256, report.findings);
//
// The formats stand on their own as pureboot/ufs, pureboot/iso9660-writer-ts, pureboot/fat, pureboot/disk, pureboot/gzip.

export { ImageError } from "./bytes/index.ts";
export {
  type BuildReport,
  buildArchive,
  buildIso,
  DEFAULT_OPTIONS,
  type Edit,
  type ImageOptions,
  planImage,
} from "./image/index.ts";
export {
  buildArchiveFile,
  buildIsoFile,
  type FileJob,
  type FinishedArchive,
  type FinishedBuild,
} from "./node/index.ts";
