// GRUB legacy: the boot stage of illumos media until 2016, and of proto areas up to about 2020. The El Torito stage is
// boot/grub/stage2_eltorito; it reads boot/grub/menu.lst from the medium and loads kernel and archive as multiboot modules.

import type { Content } from "../bytes/index.ts";
import { byteString, ImageError, readAll } from "../bytes/index.ts";

export const STAGE2_PATH = "/boot/grub/stage2_eltorito";
export const MENU_PATH = "/boot/grub/menu.lst";

/** The first code of a stage waits for the boot-info table in these bytes, filled with this word until then. */
const BOOT_INFO_OFFSET = 8;
const BOOT_INFO_PLACEHOLDER = 0xdeadbeef;
/** A stage that was taken off a CD has its table filled in: the primary volume descriptor is always sector 16. */
const BOOT_INFO_FILLED = 16;
/** What the BIOS loads; the stage reads the rest itself, so it is longer. */
const FIRST_LOAD_BYTES = 2048;
const MAX_STAGE_BYTES = 2 ** 20;

/** illumos' own GRUB expands $ISADIR in these commands; others know only `kernel` and `module`. */
export type GrubDialect = "illumos" | "plain";

/**
 * Checks that a file is an El Torito stage of GRUB legacy, and tells its dialect.
 * @throws ImageError "requirement" when it is not
 */
export async function inspectStage2(stage2: Content, path: string): Promise<GrubDialect> {
  const refuse = (why: string): never => {
    throw new ImageError(
      "requirement",
      `${path}: not a GRUB legacy El Torito stage (${why}); take boot/grub/stage2_eltorito of an illumos proto area, or Debian's /usr/lib/grub/x86_64-pc/stage2_eltorito (package grub-legacy)`,
      { path },
    );
  };
  if (stage2.sizeBytes <= FIRST_LOAD_BYTES) refuse(`${stage2.sizeBytes} bytes are too few`);
  if (stage2.sizeBytes > MAX_STAGE_BYTES) refuse(`${stage2.sizeBytes} bytes are too many`);
  const bytes = await readAll(stage2);
  const word = new DataView(bytes.buffer).getUint32(BOOT_INFO_OFFSET, true);
  if (word !== BOOT_INFO_PLACEHOLDER && word !== BOOT_INFO_FILLED) refuse("no place for a boot-info table at byte 8");
  return byteString(bytes).includes("kernel$") ? "illumos" : "plain";
}

const ISO_BLOCK_BYTES = 2048;
const DISK_SECTOR_BYTES = 512;
/** CRC-32 and size at the end of a gzip file: the first thing that GRUB reads of it, to learn how long the module is. */
const GZIP_TRAILER_BYTES = 8;

/**
 * Whether GRUB can read a gzip file of this size from an ISO on a disk. Its ISO 9660 driver finds the wrong block when it
 * starts reading 512 bytes or more into one (it counts sectors and blocks together; iso9660_devread in fsys_iso9660.c), as
 * it does for the trailer: it would take the file for empty, and boot without the module and without a word.
 */
export function endsReadablyOnDisk(sizeBytes: number): boolean {
  const trailerStart = (sizeBytes - GZIP_TRAILER_BYTES) % ISO_BLOCK_BYTES;
  return trailerStart + GZIP_TRAILER_BYTES <= DISK_SECTOR_BYTES;
}

/**
 * Blocks behind the last file of an ISO that boots as a disk: one cylinder of the largest BIOS geometry (255 heads of 63
 * sectors). A BIOS that rounds the disk down to whole cylinders then cuts off nothing that is needed.
 */
export const DISK_PADDING_BLOCKS: number = Math.ceil((255 * 63 * DISK_SECTOR_BYTES) / ISO_BLOCK_BYTES);

export interface BootMenu {
  readonly dialect: GrubDialect;
  /** Kernel path on the medium, with "amd64/" where it is 64-bit only. */
  readonly kernelPath: string;
  readonly archivePath: string;
  /** Console device: "text", or a serial port (ttya … ttyd). */
  readonly console: string;
  /** Flags and -B properties for every entry. */
  readonly bootArgs: string;
  /** Seconds until the first entry starts by itself; negative waits for ever. */
  readonly timeoutSeconds: number;
  readonly title: string;
}

const SERIAL_PORTS = ["ttya", "ttyb", "ttyc", "ttyd"];
/** illumos' default line speed of a serial console (bootenv.rc's ttya-mode). */
const SERIAL_SPEED = 9600;

/** Boot properties that move the console to a serial port. */
export function consoleProperties(console: string): string[] {
  return console === "text" ? [] : [`console=${console}`, `input-device=${console}`, `output-device=${console}`];
}

/** @throws ImageError "invalid-argument" */
export function checkConsole(console: string): void {
  if (console !== "text" && !SERIAL_PORTS.includes(console)) {
    throw new ImageError("invalid-argument", `console "${console}": write text, ${SERIAL_PORTS.join(", ")}`);
  }
}

/**
 * Kernel arguments: flags first, then one -B with all properties (the kernel reads a single -B only).
 * "-v -B a=1" with ["console=ttya"] gives "-v -B console=ttya,a=1".
 */
export function kernelArguments(bootArgs: string, properties: readonly string[]): string {
  const words = bootArgs.split(/\s+/).filter((word) => word !== "");
  const flags: string[] = [];
  const all = [...properties];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "-B") all.push(words[++i] ?? "");
    else if (word.startsWith("-B")) all.push(word.slice(2));
    else flags.push(word);
  }
  const joined = all.filter((property) => property !== "").join(",");
  return [...flags, ...(joined === "" ? [] : ["-B", joined])].join(" ");
}

/** The text of menu.lst: normal, serial, debug, and the hard disk. */
export function menuLst(menu: BootMenu): string {
  const { dialect, console, bootArgs } = menu;
  const [kernel, module] = dialect === "illumos" ? ["kernel$", "module$"] : ["kernel", "module"];
  const kernelPath = dialect === "illumos" ? menu.kernelPath.replace("/amd64/", "/$ISADIR/") : menu.kernelPath;
  const entry = (title: string, flags: string, on: string): string[] => {
    const args = kernelArguments(`${flags} ${bootArgs}`, consoleProperties(on));
    return [
      `title ${title}`,
      `${kernel} ${kernelPath}${args === "" ? "" : ` ${args}`}`,
      `${module} ${menu.archivePath}`,
      "",
    ];
  };
  const serial = console === "text" ? "ttya" : console;
  return [
    "default 0",
    ...(menu.timeoutSeconds < 0 ? [] : [`timeout ${menu.timeoutSeconds}`]),
    ...(console === "text"
      ? []
      : [
          `serial --unit=${SERIAL_PORTS.indexOf(console)} --speed=${SERIAL_SPEED}`,
          "terminal --timeout=5 serial console",
        ]),
    "",
    ...entry(menu.title, "", console),
    ...entry(`${menu.title} (serial console ${serial})`, "", serial),
    ...entry(`${menu.title} (kernel debugger)`, "-kv -d", console),
    "title Boot from the hard disk",
    "rootnoverify (hd0)",
    "chainloader +1",
    "",
  ].join("\n");
}
