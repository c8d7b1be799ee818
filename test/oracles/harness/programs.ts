// The oracles: programs and files from outside that judge an image. Where one is missing a test is skipped, unless
// PUREBOOT_ORACLES=required: then the test fails and names the Debian package that has it.

import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "vitest";

/** Program name -> Debian package. */
const PROGRAMS = {
  "qemu-system-x86_64": "qemu-system-x86",
  "grub-fstest": "grub-common",
  "grub-mkstandalone": "grub-common",
  xorriso: "xorriso",
  genisoimage: "genisoimage",
  isoinfo: "genisoimage",
  isovfy: "genisoimage",
  bsdtar: "libarchive-tools",
  makefs: "makefs",
  pigz: "pigz",
  gzip: "gzip",
  sha1sum: "coreutils",
  timeout: "coreutils",
  cpio: "cpio",
  zip: "zip",
  chromium: "chromium",
  mtree: "mtree-netbsd",
  python3: "python3",
  tar: "tar",
  mdir: "mtools",
  mcopy: "mtools",
  mformat: "mtools",
  "fsck.fat": "dosfstools",
  "mkfs.fat": "dosfstools",
  sfdisk: "fdisk",
  sgdisk: "gdisk",
  mmd: "mtools",
  gcc: "gcc libc6-dev",
  xz: "xz-utils",
  mandoc: "mandoc",
  bash: "bash",
  zsh: "zsh",
  fish: "fish",
} as const;

/** File name -> where it lies, first found is taken; Debian package. */
const FILES = {
  stage2_eltorito: {
    package: "grub-legacy",
    paths: ["/usr/lib/grub/x86_64-pc/stage2_eltorito", "/usr/lib/grub/i386-pc/stage2_eltorito"],
  },
  stage2: { package: "grub-legacy", paths: ["/usr/lib/grub/x86_64-pc/stage2", "/usr/lib/grub/i386-pc/stage2"] },
  stage1: { package: "grub-legacy", paths: ["/usr/lib/grub/x86_64-pc/stage1", "/usr/lib/grub/i386-pc/stage1"] },
  "grub-efi": { package: "grub-efi-amd64-bin", paths: ["/usr/lib/grub/x86_64-efi/multiboot2.mod"] },
  OVMF_CODE: { package: "ovmf", paths: ["/usr/share/OVMF/OVMF_CODE_4M.fd"] },
  OVMF_VARS: { package: "ovmf", paths: ["/usr/share/OVMF/OVMF_VARS_4M.fd"] },
} as const;

export type Oracle = keyof typeof PROGRAMS | keyof typeof FILES | "linux";

export interface LinuxKernel {
  readonly version: string;
  /** /boot/vmlinuz-VERSION */
  readonly image: string;
  /** /lib/modules/VERSION */
  readonly modules: string;
}

/** Path of a program or file, or undefined. "linux" gives the newest kernel image that has its modules. */
export function findOracle(oracle: Oracle): string | undefined {
  if (oracle === "linux") return findLinuxKernel()?.image;
  if (oracle in FILES) return FILES[oracle as keyof typeof FILES].paths.find(isReadable);
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/local/bin"];
  return folders.map((folder) => join(folder, oracle)).find(isExecutableFile);
}

/**
 * Path of a program or file.
 * @throws Error naming the Debian package when it is not there
 */
export function oracle(name: Oracle): string {
  const path = findOracle(name);
  if (path === undefined)
    throw new Error(`oracle ${name} is missing: apt-get install --no-install-recommends ${packageOf(name)}`);
  return path;
}

/** The newest kernel in /boot that can be read and whose modules (with ufs.ko or ufs built in) are there. */
export function findLinuxKernel(): LinuxKernel | undefined {
  if (!existsSync("/boot")) return undefined;
  return readdirSync("/boot")
    .filter((name) => name.startsWith("vmlinuz-"))
    .map((name) => name.slice("vmlinuz-".length))
    .sort((a, b) => b.localeCompare(a, "en", { numeric: true }))
    .map((version) => ({ version, image: `/boot/vmlinuz-${version}`, modules: `/lib/modules/${version}` }))
    .find(({ image, modules }) => isReadable(image) && isReadable(join(modules, "modules.dep")));
}

/** A vitest test that needs these oracles: skipped without them, failing under PUREBOOT_ORACLES=required. */
export function testWith(
  oracles: readonly Oracle[],
  title: string,
  body: (context: TestContext) => void | Promise<void>,
  timeoutMilliseconds = 600_000,
): void {
  const missing = oracles.filter((name) => findOracle(name) === undefined);
  const required = process.env["PUREBOOT_ORACLES"] === "required";
  if (missing.length === 0) test(title, { timeout: timeoutMilliseconds }, body);
  else if (required) test(title, () => void missing.map(oracle));
  else test.skip(`${title} (missing: ${missing.join(" ")})`, body);
}

function packageOf(name: Oracle): string {
  if (name === "linux") return "linux-image-amd64";
  return name in FILES ? FILES[name as keyof typeof FILES].package : PROGRAMS[name as keyof typeof PROGRAMS];
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
