// Floor 5: the main job. A proto area to a bootable ISO, or to the boot archive alone.

export type { Artifact } from "./artifact.ts";
export * from "./build.ts";
export { type BuildMetadata, buildMetadata } from "./build-metadata.ts";
export { contentDigests } from "./content-digests.ts";
export * from "./edits.ts";
export { type KeepList, parseKeepList } from "./keep.ts";
export * from "./layer.ts";
export { ARCHIVE_PATH, type Medium } from "./medium.ts";
export * from "./options.ts";
export type { ManifestChoice } from "./packages.ts";
export * from "./ramdisk.ts";
export * from "./stage.ts";
