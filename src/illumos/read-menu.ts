// What GRUB legacy will do: the entries of boot/grub/menu.lst, with illumos' kernel$ and module$ expanded for a 64-bit
// machine.

import type { Directory } from "../tree/index.ts";
import { MENU_PATH } from "./grub.ts";
import { readTextFile } from "./text-files.ts";

export interface MenuEntry {
  readonly title: string;
  /** Path of the kernel on the medium, if the entry boots one. */
  readonly kernelPath: string | undefined;
  /** Paths, in order: the first is the root file system. */
  readonly modules: readonly string[];
}

export interface GrubMenu {
  readonly entries: readonly MenuEntry[];
  /** The entry that starts by itself; undefined when the menu names one that is not there. */
  readonly defaultEntry: MenuEntry | undefined;
}

/** The menu of a medium, or undefined when there is none. @throws ImageError what reading it throws */
export async function readGrubMenu(tree: Directory): Promise<GrubMenu | undefined> {
  const text = await readTextFile(tree, MENU_PATH);
  return text === undefined ? undefined : parseGrubMenu(text);
}

export function parseGrubMenu(text: string): GrubMenu {
  const entries: { title: string; kernelPath: string | undefined; modules: string[] }[] = [];
  let defaultIndex = 0;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const [command = "", ...words] = line.split(/[\s=]+/);
    const entry = entries.at(-1);
    switch (command) {
      case "title":
        entries.push({ title: line.slice(command.length).trim(), kernelPath: undefined, modules: [] });
        break;
      case "default":
        if (entry === undefined && /^\d+$/.test(words[0] ?? "")) defaultIndex = Number(words[0]);
        break;
      case "kernel":
      case "kernel$":
        if (entry) entry.kernelPath = mediumPath(words.find((word) => !word.startsWith("--")) ?? "");
        break;
      case "module":
      case "module$":
        if (words[0] !== undefined) entry?.modules.push(mediumPath(words[0]));
        break;
    }
  }
  return { entries, defaultEntry: entries[defaultIndex] };
}

/** Without the device, with $ISADIR as on a 64-bit machine. */
function mediumPath(word: string): string {
  return word
    .replace(/^\([^)]*\)/, "")
    .replaceAll("$ISADIR", "amd64")
    .replace(/\/+/g, "/");
}
