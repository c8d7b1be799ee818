// Kernel state files: which driver has which major number, which hardware, which permissions. A proto area holds them
// nearly blank (packages fill them when they are installed), and a kernel that boots with blank ones has no drivers.

/** The files by name, and where they are in the image. The first four are what the original script copied from the host. */
export const KERNEL_STATE_FILES: Readonly<Record<string, string>> = {
  name_to_major: "/etc/name_to_major",
  driver_aliases: "/etc/driver_aliases",
  driver_classes: "/etc/driver_classes",
  minor_perm: "/etc/minor_perm",
  device_policy: "/etc/security/device_policy",
  extra_privs: "/etc/security/extra_privs",
  "devlink.tab": "/etc/devlink.tab",
  rem_name_to_major: "/etc/rem_name_to_major",
};

/** Files without which a directory of kernel state is not one. */
export const ESSENTIAL_STATE_FILES = ["name_to_major", "driver_aliases", "driver_classes", "minor_perm"] as const;

/** Drivers that the proto's own files already speak of; lines about others come from packages. */
const PROTO_DRIVERS = new Set(["md", "devinfo", "asy", "did"]);

/** Drivers that a root on a ramdisk cannot do without. */
export const RAMDISK_ROOT_DRIVERS = ["ramdisk", "rootnex", "pseudo", "clone", "cn", "mm", "sysmsg", "options"] as const;

/** Lines that are neither blank nor a comment. */
export function stateLines(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
}

/** Whether a state file speaks of no driver but those that every proto area names. */
export function isBlankState(text: string): boolean {
  return stateLines(text).every((line) => PROTO_DRIVERS.has(/^[^\s:]+/.exec(line)?.[0] ?? ""));
}

/** name_to_major as a map. Later lines for the same name win. */
export function parseNameToMajor(text: string): Map<string, number> {
  const majors = new Map<string, number>();
  for (const line of stateLines(text)) {
    const [name, major] = line.trim().split(/\s+/);
    if (name !== undefined && major !== undefined && /^\d+$/.test(major)) majors.set(name, Number(major));
  }
  return majors;
}
