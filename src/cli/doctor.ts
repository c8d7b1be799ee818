// pureboot doctor: what this machine has for making, checking and booting images. Nothing of it is needed but Node.

import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import type { Command } from "commander";
import { formatSize } from "../bytes/index.ts";
import { givesReferenceBytes, zlibEngine } from "../node/engines.ts";
import { findProgram, programVersion } from "../node/programs.ts";
import { KNOWN_STAGES } from "./grub-stages.ts";
import { addOptions, RUN_GROUP, teach } from "./help.ts";
import { jsonOption } from "./host.ts";
import { type PrintWords, printJson, printLines } from "./output.ts";
import { LEAST_NODE, VERSION } from "./version.ts";

export function define(command: Command): void {
  teach(command, {
    about:
      "Says what this machine has: Node, how it compresses, and which outside programs are there, with what each is good for. Nothing but Node is needed.",
    notes: "Exit status: 0, or 1 when this Node is too old.",
    examples: [
      "pureboot doctor",
      ["pureboot doctor --json | jq '.tools[] | select(.found == null).name'", "what is missing"],
    ],
  });
  addOptions(command, RUN_GROUP, [jsonOption()]);
  command.action(run);
}

interface Tool {
  readonly name: string;
  readonly goodFor: string;
  /** Any of these will do. */
  readonly programs?: readonly string[];
  /** What makes it print its version; none: it cannot. */
  readonly versionWords?: readonly string[];
  /** Or any of these files. */
  readonly files?: readonly string[];
  /** What brings it, where Debian has it. */
  readonly debian?: string;
}

interface ToolGroup {
  readonly title: string;
  readonly tools: readonly Tool[];
}

const VERSION_WORDS = ["--version"];

const GROUPS: readonly ToolGroup[] = [
  {
    title: "used by pureboot itself",
    tools: [
      {
        name: "QEMU",
        programs: ["qemu-system-x86_64"],
        versionWords: VERSION_WORDS,
        goodFor: "boots images: pureboot demo --boot, and your own",
        debian: "qemu-system-x86",
      },
      {
        name: "GRUB stages",
        files: KNOWN_STAGES,
        goodFor: "a boot loader where the proto area has none: build --stage2 FILE, demo",
        debian: "grub-legacy",
      },
      {
        name: "mknod",
        programs: ["mknod"],
        versionWords: VERSION_WORDS,
        goodFor: "extract --devices",
        debian: "coreutils",
      },
    ],
  },
  {
    title: "to boot and to write what was made",
    tools: [
      {
        name: "OVMF",
        files: [
          "/usr/share/OVMF/OVMF_CODE_4M.fd",
          "/usr/share/OVMF/OVMF_CODE.fd",
          "/usr/share/edk2/ovmf/OVMF_CODE.fd",
          "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
          "/usr/share/qemu/edk2-x86_64-code.fd",
          "/usr/local/share/qemu/edk2-x86_64-code.fd",
          "/opt/homebrew/share/qemu/edk2-x86_64-code.fd",
        ],
        goodFor: "UEFI firmware for QEMU: boots an image as a UEFI machine does",
        debian: "ovmf",
      },
      {
        name: "VirtualBox",
        programs: ["VBoxManage"],
        versionWords: VERSION_WORDS,
        goodFor: "boots images in a machine with a window; from virtualbox.org",
      },
      {
        name: "dd",
        programs: ["dd"],
        versionWords: VERSION_WORDS,
        goodFor: "writes an image to a USB stick",
        debian: "coreutils",
      },
    ],
  },
  {
    title: "to check images by programs that know nothing of pureboot",
    tools: [
      {
        name: "xorriso",
        programs: ["xorriso"],
        versionWords: ["-version"],
        goodFor: "ISO: boot catalog, files, system area; burns discs",
        debian: "xorriso",
      },
      {
        name: "isoinfo",
        programs: ["isoinfo"],
        versionWords: VERSION_WORDS,
        goodFor: "ISO: directory records and extents",
        debian: "genisoimage",
      },
      {
        name: "bsdtar",
        programs: ["bsdtar"],
        versionWords: VERSION_WORDS,
        goodFor: "ISO and tar, and the manifests that pureboot manifest prints",
        debian: "libarchive-tools",
      },
      { name: "mtree", programs: ["mtree"], goodFor: "compares a directory with a manifest", debian: "mtree-netbsd" },
      {
        name: "mtools",
        programs: ["mdir"],
        versionWords: VERSION_WORDS,
        goodFor: "FAT: the EFI system partition",
        debian: "mtools",
      },
      {
        name: "fsck.fat",
        programs: ["fsck.fat"],
        versionWords: ["--help"],
        goodFor: "FAT: checks it",
        debian: "dosfstools",
      },
      {
        name: "sgdisk",
        programs: ["sgdisk"],
        versionWords: VERSION_WORDS,
        goodFor: "GPT: partitions of a hybrid image",
        debian: "gdisk",
      },
      {
        name: "grub-fstest",
        programs: ["grub-fstest"],
        versionWords: VERSION_WORDS,
        goodFor: "UFS and ISO, read by GRUB's own drivers",
        debian: "grub-common",
      },
      {
        name: "gzip",
        programs: ["gzip"],
        versionWords: VERSION_WORDS,
        goodFor: "takes boot archives apart",
        debian: "gzip",
      },
    ],
  },
  {
    title: "to compare speeds with (npm run bench)",
    tools: [
      { name: "makefs", programs: ["makefs"], goodFor: "UFS from a tree", debian: "makefs" },
      {
        name: "pigz",
        programs: ["pigz"],
        versionWords: VERSION_WORDS,
        goodFor: "gzip on all processors",
        debian: "pigz",
      },
      {
        name: "genisoimage",
        programs: ["genisoimage", "mkisofs"],
        versionWords: VERSION_WORDS,
        goodFor: "ISO from a tree",
        debian: "genisoimage",
      },
    ],
  },
];

interface FoundTool {
  readonly name: string;
  readonly group: string;
  readonly goodFor: string;
  /** Its path; null when it is not here. */
  readonly found: string | null;
  readonly version: string | null;
  readonly debian: string | undefined;
}

async function look(
  { name, goodFor, programs = [], versionWords, files = [], debian }: Tool,
  group: string,
): Promise<FoundTool> {
  const program = programs.map(findProgram).find((file) => file !== undefined);
  const found = program ?? files.find((file) => existsSync(file));
  const version = program && versionWords ? await programVersion(program, versionWords) : undefined;
  return { name, group, goodFor, found: found ?? null, version: version ?? null, debian };
}

async function run(words: PrintWords): Promise<void> {
  const tools = await Promise.all(GROUPS.flatMap((group) => group.tools.map((tool) => look(tool, group.title))));
  const node = process.versions.node;
  const isNodeGood = Number.parseInt(node, 10) >= LEAST_NODE;
  const isZlibReference = givesReferenceBytes(zlibEngine);
  const threads = availableParallelism();
  const folder = tmpdir();
  const freeBytes = await freeSpace(folder);
  if (!isNodeGood) process.exitCode = 1;
  if (words.json) {
    printJson({
      command: "doctor",
      pureboot: VERSION,
      node: { version: node, least: LEAST_NODE, isGood: isNodeGood, platform: process.platform, arch: process.arch },
      zlib: { version: process.versions.zlib, isReference: isZlibReference },
      threads,
      temporary: { path: folder, freeBytes },
      tools,
    });
    return;
  }
  const lines = [
    `pureboot ${VERSION}`,
    `Node ${node}: ${isNodeGood ? "good" : `TOO OLD: ${LEAST_NODE} or later is needed`}`,
    `zlib ${process.versions.zlib}: ${isZlibReference ? "gives pako's bytes: it will compress, about 2.5 times as fast" : "gives other bytes than pako: pako will compress, which is slower"}`,
    `threads: ${threads}`,
    `temporary files: ${folder}${freeBytes === null ? "" : `, ${formatSize(freeBytes)} free`}`,
  ];
  for (const { title } of GROUPS)
    lines.push("", `${title}:`, ...toolLines(tools.filter(({ group }) => group === title)));
  const packages = new Set(
    tools.flatMap(({ found, debian }) => (found === null && debian !== undefined ? debian : [])),
  );
  if (packages.size > 0) lines.push("", `What is missing, on Debian: apt install ${[...packages].sort().join(" ")}`);
  printLines(lines);
}

async function freeSpace(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}

function toolLines(tools: readonly FoundTool[]): string[] {
  const state = ({ found, version }: FoundTool): string => (found === null ? "missing" : (version ?? "here"));
  const names = Math.max(...tools.map(({ name }) => name.length));
  const states = Math.max(...tools.map((tool) => state(tool).length));
  return tools.map((tool) => {
    const where = tool.found === null ? "" : ` (${tool.found})`;
    return `  ${tool.name.padEnd(names)}  ${state(tool).padEnd(states)}  ${tool.goodFor}${where}`;
  });
}
