// What the kernel and init want to find in the ramdisk. Mount points and empty files that are missing are made; the rest
// is reported, because only the build that the proto area comes from can supply it.

import { type Finding, memoryContent } from "../bytes/index.ts";
import { type Attributes, type Directory, directory, draft, file, findFile, lookup, resolve } from "../tree/index.ts";
import { isBlankState, parseNameToMajor, RAMDISK_ROOT_DRIVERS } from "./kernel-state.ts";

/** Directories that file systems are mounted on. The kernel panics without the first two and warns about the others. */
export const MOUNT_POINTS: readonly { readonly path: string; readonly mode: number }[] = [
  { path: "/devices", mode: 0o755 },
  { path: "/dev", mode: 0o755 },
  { path: "/dev/fd", mode: 0o555 },
  { path: "/etc/svc/volatile", mode: 0o755 },
  { path: "/mnt", mode: 0o755 },
  { path: "/proc", mode: 0o555 },
  { path: "/system/boot", mode: 0o555 },
  { path: "/system/contract", mode: 0o555 },
  { path: "/system/object", mode: 0o555 },
  { path: "/tmp", mode: 0o1777 },
  { path: "/var/run", mode: 0o755 },
];

/** Files that file systems are mounted on. */
export const MOUNT_FILES = ["/etc/mnttab", "/etc/dfs/sharetab"] as const;

/** The line that makes the kernel build its device tree anew (instance numbers of the build host would be wrong). */
export const PATH_TO_INST_BOOTSTRAP = "#path_to_inst_bootstrap_1\n";

/** Makes what is missing and safe to make: mount points, and the bootstrap path_to_inst. */
export function addMountPoints(tree: Directory, attributes: Attributes): { tree: Directory; made: string[] } {
  const edit = draft(tree);
  const made: string[] = [];
  const parent = { ...attributes, mode: 0o755 };
  for (const { path, mode } of MOUNT_POINTS) {
    if (resolve(edit.tree(), path) !== undefined) continue;
    edit.put(path, directory({ ...attributes, mode }), parent);
    made.push(path);
  }
  const files: [string, string][] = [
    ...MOUNT_FILES.map((path): [string, string] => [path, ""]),
    ["/etc/path_to_inst", PATH_TO_INST_BOOTSTRAP],
  ];
  for (const [path, text] of files) {
    if (resolve(edit.tree(), path) !== undefined) continue;
    edit.put(path, file({ ...attributes, mode: 0o444 }, memoryContent(new TextEncoder().encode(text))), parent);
    made.push(path);
  }
  return { tree: edit.tree(), made };
}

const MEMORY_BESIDE_ARCHIVE_BYTES = 256 * 2 ** 20;

/** Memory that a machine needs to boot a ramdisk: the loader holds it twice for a moment, where it inflates it and where it goes. */
export function guestMemoryBytes(ramdiskBytes: number): number {
  return 2 * ramdiskBytes + MEMORY_BESIDE_ARCHIVE_BYTES;
}

export const KERNEL_PATH = "/platform/i86pc/kernel/amd64/unix";
/** Proto areas of before 2018 may have a 32-bit kernel too. */
export const KERNEL_PATH_32 = "/platform/i86pc/kernel/unix";

interface Need {
  readonly path: string;
  /** Other places where the same thing may be. */
  readonly or?: readonly string[];
  readonly severity: Finding["severity"];
  readonly why: string;
}

const modulePlaces = (name: string): readonly string[] => [
  `/kernel/${name}`,
  `/platform/i86pc/kernel/${name}`,
  `/usr/kernel/${name}`,
];

const needModule = (directory: string, name: string, why: string): Need => {
  const [path = "", ...or] = modulePlaces(`${directory}/amd64/${name}`);
  return { path, or, severity: "warning", why };
};

const NEEDS: readonly Need[] = [
  {
    path: KERNEL_PATH,
    or: [KERNEL_PATH_32],
    severity: "error",
    why: "the kernel; krtld opens it again inside the ramdisk",
  },
  {
    path: "/kernel/amd64/genunix",
    or: ["/platform/i86pc/kernel/amd64/genunix", "/kernel/genunix"],
    severity: "error",
    why: "the kernel's machine-independent half",
  },
  { path: "/etc/name_to_major", severity: "error", why: "the kernel panics without it" },
  { path: "/etc/name_to_sysnum", severity: "error", why: "the kernel panics without it" },
  { path: "/sbin/init", or: ["/usr/sbin/init"], severity: "error", why: "the first process" },
  { path: "/sbin/sh", or: ["/usr/bin/sh"], severity: "error", why: "init runs every inittab command with it" },
  { path: "/etc/inittab", severity: "error", why: "init has nothing to run without it" },
  needModule("drv", "ramdisk", "the driver of the root device"),
  needModule("exec", "elfexec", "starts programs, init the first of them"),
  needModule("exec", "intpexec", "starts scripts"),
  ...["ufs", "specfs", "devfs", "dev", "tmpfs", "procfs", "mntfs", "ctfs", "objfs"].map((name) =>
    needModule("fs", name, "a file system that is mounted before or by init"),
  ),
];

/** What the kernel needs and the tree lacks. */
export async function missingNeeds(tree: Directory): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { path, or = [], severity, why } of NEEDS) {
    if ([path, ...or].some((place) => findFile(tree, place) !== undefined)) continue;
    findings.push({
      code: "missing-file",
      severity,
      path,
      message: `${path} is missing (${why}); complete the proto area`,
    });
  }
  return [...findings, ...(await driverFindings(tree))];
}

async function textAt(tree: Directory, path: string): Promise<string | undefined> {
  const found = findFile(tree, path);
  if (found === undefined || found.content.sizeBytes > MAX_STATE_FILE_BYTES) return undefined;
  const bytes = new Uint8Array(found.content.sizeBytes);
  await found.content.read(bytes, 0);
  return new TextDecoder().decode(bytes);
}

/** Kernel state files are some 100 KiB; what is larger is something else. */
const MAX_STATE_FILE_BYTES = 2 ** 24;

const STATE_REMEDY =
  "give --manifests DIR (package manifests with driver lines) or --kernel-state DIR (files of a running system)";

async function driverFindings(tree: Directory): Promise<Finding[]> {
  const findings: Finding[] = [];
  const blank: string[] = [];
  for (const name of ["driver_aliases", "driver_classes", "minor_perm", "name_to_major"]) {
    const text = await textAt(tree, `/etc/${name}`);
    if (text === undefined || isBlankState(text)) blank.push(`etc/${name}`);
  }
  if (blank.length > 0) {
    findings.push({
      code: "blank-kernel-state",
      severity: "warning",
      message: `${blank.join(", ")}: blank, so the kernel will find no drivers; ${STATE_REMEDY}`,
    });
  } else {
    const majors = parseNameToMajor((await textAt(tree, "/etc/name_to_major")) ?? "");
    const missing = RAMDISK_ROOT_DRIVERS.filter((name) => !majors.has(name));
    if (missing.length > 0) {
      findings.push({
        code: "missing-major",
        severity: "warning",
        path: "/etc/name_to_major",
        message: `/etc/name_to_major has no line for ${missing.join(", ")}: a root on a ramdisk needs them; their packages' manifests have the driver lines, or --kernel-state DIR a name_to_major with them`,
      });
    }
  }
  if (lookup(tree, "/dev/console") === undefined) {
    findings.push({
      code: "missing-console",
      severity: "warning",
      path: "/dev/console",
      message: "/dev/console is missing: init cannot print",
    });
  }
  return findings;
}
