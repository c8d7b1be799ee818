// GRUB legacy's El Torito stage, where distributions keep it.

import { existsSync } from "node:fs";

/** Debian and its relatives (package grub-legacy). */
export const KNOWN_STAGES: readonly string[] = ["x86_64-pc", "i386-pc"].map(
  (platform) => `/usr/lib/grub/${platform}/stage2_eltorito`,
);

export function findStage(): string | undefined {
  return KNOWN_STAGES.find((file) => existsSync(file));
}
