// Floor 3: what makes a proto area bootable.

export * from "./accounts.ts";
export * from "./actions.ts";
export * from "./apply-manifests.ts";
export type { ManifestConflict, ManifestPath, Mediated } from "./claims.ts";
export * from "./device-links.ts";
export {
  DRIVER_STATE_FILES,
  type DriverClash,
  type DriverReport,
  type DriverStateFile,
  type DriverStateTexts,
  MAX_MAJOR,
} from "./driver-state.ts";
export * from "./drivers.ts";
export * from "./elf.ts";
export * from "./grub.ts";
export * from "./init.ts";
export * from "./interpreters.ts";
export * from "./kernel-header.ts";
export * from "./kernel-state.ts";
export * from "./libraries.ts";
export * from "./loader.ts";
export * from "./manifests.ts";
export * from "./names.ts";
export * from "./package-records.ts";
export * from "./packages.ts";
export type { Mismatch } from "./place-claims.ts";
export * from "./ramdisk-rules.ts";
export * from "./read-loader.ts";
export * from "./read-menu.ts";
export * from "./requirements.ts";
export * from "./smf.ts";
export * from "./variants.ts";
