// illumos' own boot loader (since 2016): cdboot and isoboot under BIOS, loader64.efi under UEFI; all of them run the
// loader's scripts in boot/, which load kernel, archive and hash as the configuration says. Limits and habits here were
// seen by running the stages of 2021, or read in their sources (usr/src/boot).

import { byteString, type Finding, readAll } from "../bytes/index.ts";
import { type Directory, findFile, lookup, resolve, sortedEntries, walk } from "../tree/index.ts";
import { KERNEL_PATH } from "./requirements.ts";

export const CDBOOT_PATH = "/boot/cdboot";
export const LOADER_PATH = "/boot/loader";
export const PMBR_PATH = "/boot/pmbr";
export const ISOBOOT_PATH = "/boot/isoboot";
/** The EFI programs, and the names that firmware looks for on removable media (UEFI 3.5.1.1). */
export const EFI_LOADERS: Readonly<Record<string, string>> = {
  "/boot/loader64.efi": "/EFI/BOOT/BOOTX64.EFI",
  "/boot/loader32.efi": "/EFI/BOOT/BOOTIA32.EFI",
};
/** Where the EFI system partition lies on the medium. */
export const ESP_PATH = "/boot/efiboot.img";
export const CONF_DIRECTORY = "/boot/conf.d";
/** Our fragment. Fragments are read in bytewise order of names, and later ones win. */
export const FRAGMENT_PATH = "/boot/conf.d/livemedia";
export const DEFAULTS_PATH = "/boot/defaults/loader.conf";
const RC_PATH = "/boot/loader.rc";
/** What the medium does not boot without, beside the fragments. */
const ESSENTIAL_PATHS = [CDBOOT_PATH, LOADER_PATH, DEFAULTS_PATH, RC_PATH, KERNEL_PATH];

/** cdboot counts the loader's sectors (2048 bytes) in eight bits. */
export const MAX_LOADER_BYTES: number = 255 * 2048;
/** The loader looks for the kernel's header in the first 32 KiB, and reads all of them. */
export const MIN_KERNEL_BYTES: number = 32 * 1024;

export interface LoaderSettings {
  readonly archivePath: string;
  readonly hashPath: string;
  readonly console: string;
  readonly bootArgs: string;
  /** Undefined: the loader's own. Negative: waits for ever. */
  readonly menuTimeoutSeconds: number | undefined;
}

/** The fragment for boot/conf.d: one name="value" a line. */
export function loaderFragment(settings: LoaderSettings): string {
  const variables: [string, string][] = [
    ["boot_archive_load", "YES"],
    ["boot_archive_type", "rootfs"],
    ["boot_archive_name", settings.archivePath],
    ["boot_archive.hash_load", "YES"],
    ["boot_archive.hash_type", "hash"],
    ["boot_archive.hash_name", settings.hashPath],
  ];
  if (settings.console !== "text") {
    variables.push(["console", `${settings.console},text`], ["osconsole", settings.console]);
  }
  if (settings.bootArgs !== "") variables.push(["boot-args", settings.bootArgs]);
  if (settings.menuTimeoutSeconds !== undefined) {
    variables.push(["autoboot_delay", settings.menuTimeoutSeconds < 0 ? "NO" : String(settings.menuTimeoutSeconds)]);
  }
  return variables.map(([name, value]) => `${name}="${value}"\n`).join("");
}

/**
 * What the loader would choke on in a configuration file, or undefined. After a syntax error it applies none of the
 * files that come after, so that one bad fragment makes the medium unbootable.
 */
export function loaderConfComplaint(text: string): string | undefined {
  for (const [index, line] of text.split("\n").entries()) {
    const complaint = lineComplaint(line);
    if (complaint !== undefined) return `line ${index + 1}: ${complaint}`;
  }
  return undefined;
}

function lineComplaint(line: string): string | undefined {
  if (line.endsWith("\r")) return "ends in CR LF; the loader wants LF alone";
  if (/^\s*(#.*)?$/.test(line)) return undefined;
  const assignment = /^\s*[A-Za-z0-9_.\-:]+\s*=\s*(.*)$/.exec(line);
  if (assignment === null) return `"${line}" is not name="value"`;
  const value = assignment[1] ?? "";
  if (value.includes('\\"')) return "an escaped quote inside a value";
  if (value.startsWith('"') && !/^"[^"]*"\s*(#.*)?$/.test(value)) return "the value's closing quote is missing";
  if (/\$[A-Za-z_][A-Za-z0-9_]*[/"]/.test(value)) return "a variable without braces; write ${NAME}";
  return undefined;
}

/** A text that may stand between the quotes of a value. */
export function isLoaderValue(text: string): boolean {
  return !/["\\\n\r]/.test(text);
}

/** What the loader and its stages would stumble over in the tree of a medium. */
export async function loaderFindings(tree: Directory): Promise<Finding[]> {
  return [
    ...symlinkFindings(tree), // first: what a link leads to may not be on the medium, and would seem to be missing
    ...stageFindings(tree),
    ...kernelFindings(tree),
    ...(await configurationFindings(tree)),
  ];
}

function stageFindings(tree: Directory): Finding[] {
  const findings: Finding[] = [];
  const loader = findFile(tree, LOADER_PATH);
  if (loader === undefined) {
    findings.push(error("loader-missing", LOADER_PATH, "is missing: cdboot and isoboot have nothing to start"));
  } else if (loader.content.sizeBytes === 0) {
    findings.push(error("loader-missing", LOADER_PATH, "is empty: cdboot and isoboot have nothing to start"));
  } else if (loader.content.sizeBytes > MAX_LOADER_BYTES) {
    const problem = `is ${loader.content.sizeBytes} bytes; cdboot loads at most ${MAX_LOADER_BYTES}; use a smaller loader`;
    findings.push(error("loader-too-big", LOADER_PATH, problem));
  }
  if (findFile(tree, DEFAULTS_PATH) === undefined) {
    const problem = "is missing: the UEFI loader knows its root by it, and finds none without it";
    findings.push(error("loader-defaults-missing", DEFAULTS_PATH, problem));
  }
  if (findFile(tree, RC_PATH) === undefined) {
    findings.push(error("loader-rc-missing", RC_PATH, "is missing: the loader stops at a silent prompt"));
  }
  return findings;
}

function kernelFindings(tree: Directory): Finding[] {
  const kernel = findFile(tree, KERNEL_PATH);
  if (kernel === undefined)
    return [error("kernel-on-medium", KERNEL_PATH, "is missing: the medium has nothing to boot")];
  if (kernel.content.sizeBytes >= MIN_KERNEL_BYTES) return [];
  const problem = `is ${kernel.content.sizeBytes} bytes; the loader takes no file below ${MIN_KERNEL_BYTES} for a kernel`;
  return [error("kernel-too-small", KERNEL_PATH, problem)];
}

/** The loader's ISO 9660 reader takes a symbolic link for an empty file, silently. */
function symlinkFindings(tree: Directory): Finding[] {
  const findings: Finding[] = [];
  for (const { path, node } of walk(tree)) {
    if (node.type !== "symlink") continue;
    const problem = "is a symbolic link: the loader reads it as an empty file; put the file itself there";
    const isEssential = ESSENTIAL_PATHS.includes(path) || path.startsWith(`${CONF_DIRECTORY}/`);
    findings.push({ ...error("loader-symlink", path, problem), severity: isEssential ? "error" : "warning" });
  }
  return findings;
}

const MAX_CONFIGURATION_BYTES = 2 ** 20;

async function configurationFindings(tree: Directory): Promise<Finding[]> {
  const paths = [DEFAULTS_PATH, "/boot/loader.conf", "/boot/loader.conf.local", "/boot/transient.conf"];
  const fragments = resolve(tree, CONF_DIRECTORY)?.node;
  if (fragments?.type === "directory")
    paths.push(...sortedEntries(fragments).map(([name]) => `${CONF_DIRECTORY}/${name}`));
  const findings: Finding[] = [];
  for (const path of paths) {
    const node = lookup(tree, path);
    if (node?.type !== "file") continue;
    const text = byteString(await readAll(node.content, MAX_CONFIGURATION_BYTES));
    const complaint = loaderConfComplaint(text);
    if (complaint === undefined) continue;
    findings.push(
      error("loader-conf-syntax", path, `${complaint}; the loader ignores this file and all that follow it`),
    );
  }
  return findings;
}

function error(code: string, path: string, problem: string): Finding {
  return { code, severity: "error", path, message: `${path}: ${problem}` };
}
