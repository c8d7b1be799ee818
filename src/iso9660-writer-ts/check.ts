// Checking an image: everything that is wrong with it, and what some readers will stumble over. Contents are not read,
// but for boot images that have a boot information table.

import { type Content, type Finding, ImageError } from "../bytes/index.ts";
import { checkBoot } from "./check-boot.ts";
import { checkDescriptors } from "./check-descriptors.ts";
import { checkDirectories } from "./check-directories.ts";
import { checkExtents } from "./check-extents.ts";
import { checkPathTables } from "./check-path-tables.ts";
import { checkRockRidge } from "./check-rockridge.ts";
import { type Complain, findingOf } from "./problem.ts";
import { readVolume } from "./volume.ts";

/** Findings of one kind that are told one by one; the rest is counted. */
const MAX_OF_A_KIND = 25;

/**
 * Checks an image.
 * @returns what was found, in order of discovery; an image that is no ISO at all gives one error
 * @throws ImageError only what reading `image` itself throws
 */
export async function checkIso(image: Content): Promise<Finding[]> {
  const findings: Finding[] = [];
  const counts = new Map<string, { count: number; severity: Finding["severity"] }>();
  const complain: Complain = (code, severity, message, path) => {
    const seen = counts.get(code) ?? { count: 0, severity };
    counts.set(code, seen);
    if (++seen.count <= MAX_OF_A_KIND) findings.push(findingOf(code, severity, message, path));
  };
  try {
    const volume = await readVolume(image, complain);
    await checkDescriptors(volume, complain);
    await checkPathTables(volume, complain);
    checkDirectories(volume, complain);
    checkRockRidge(volume, complain);
    checkExtents(volume, complain);
    await checkBoot(volume, complain);
  } catch (error) {
    if (!(error instanceof ImageError) || error.code !== "bad-format") {
      if (!(error instanceof ImageError) || (error.code !== "unsupported" && error.code !== "truncated")) throw error;
    }
    complain("unreadable", "error", error.message);
  }
  for (const [code, { count, severity }] of counts) {
    if (count > MAX_OF_A_KIND)
      findings.push(findingOf(code, severity, `… and ${count - MAX_OF_A_KIND} more like this`));
  }
  return findings;
}
