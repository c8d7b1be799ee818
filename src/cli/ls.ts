// pureboot ls: what is in an image, with the columns of ls(1).

import { type Command, Option } from "commander";
import { toText } from "../bytes/index.ts";
import { accountNames, type ListRow, type LongColumns, linkCounts, listDirectory, longLines } from "../inspect/list.ts";
import type { Place } from "../inspect/paths.ts";
import { joinPath, type Node } from "../tree/index.ts";
import { teach } from "./help.ts";
import {
  archiveOption,
  defineImageOptions,
  IMAGE_OPERAND,
  type ImageWords,
  locateWord,
  withImage,
} from "./image-operand.ts";
import { printJson, printLines } from "./output.ts";

interface Words extends ImageWords {
  readonly long?: boolean;
  readonly recursive?: boolean;
  readonly inode?: boolean;
  readonly directory?: boolean;
  readonly numeric?: boolean;
}

export function define(command: Command): void {
  teach(command, {
    about: "Lists what is in an image, with the columns of ls(1).",
    examples: [
      "pureboot ls -l illumos.iso /boot",
      ["pureboot ls -aR illumos.iso", "everything in the boot archive"],
      ["pureboot ls -l illumos.iso/platform/i86pc/boot_archive/etc", "the same archive, by its path"],
      ["pureboot ls disk.img/2/EFI/BOOT", "in the second partition of a disk"],
    ],
  });
  command
    .argument("<image>", IMAGE_OPERAND)
    .argument("[path...]", "what to list; default: the top")
    .addOption(new Option("-l, --long", "mode, links, owner, group, size, time (UTC)"))
    .addOption(new Option("-R, --recursive", "directories below too"))
    .addOption(new Option("-i, --inode", "inode numbers"))
    .addOption(new Option("-d, --directory", "directories themselves, not what is in them"))
    .addOption(new Option("-n, --numeric", "like -l, with numbers of users and groups"))
    .addOption(archiveOption());
  defineImageOptions(command);
  command.action(run);
}

async function run(image: string, paths: readonly string[], words: Words): Promise<void> {
  await withImage(image, words, async (opened) => {
    const places: Place[] = [];
    for (const path of paths.length > 0 ? paths : [""]) {
      places.push(await locateWord(opened, path, { follow: !words.long && !words.numeric && !words.directory }));
    }
    const columns = columnsOf(words);
    if (words.json) {
      const entries: Record<string, unknown>[] = [];
      for (const place of places) entries.push(...(await jsonEntries(place, words, columns)));
      printJson({ command: "ls", image, entries });
      return;
    }
    const lines: string[] = [];
    const isListed = ({ node }: Place): boolean => node.type === "directory" && !words.directory;
    for (const place of places.filter((one) => !isListed(one))) {
      const row = { name: place.shown, path: place.path, node: place.node };
      lines.push(...rowLines([row], await columns(place), words));
    }
    const listed = places.filter(isListed);
    for (const place of listed) {
      if (lines.length > 0) lines.push("");
      lines.push(...(await listingLines(place, await columns(place), words, places.length > 1)));
    }
    printLines(lines);
  });
}

type ColumnsOf = (place: Place) => Promise<LongColumns>;

/** What the rows of a layer need beside its nodes; made once a layer. */
function columnsOf({ long, numeric, inode, json }: Words): ColumnsOf {
  const known = new Map<Place["layer"], Promise<LongColumns>>();
  const make = async ({ layer }: Place): Promise<LongColumns> => {
    const isLong = long || numeric || json;
    const tree = await layer.tree();
    return {
      links: isLong ? linkCounts(tree) : new Map(),
      names: isLong && !numeric ? await accountNames(tree) : undefined,
      inodes: inode ? await (await import("../inspect/inode-numbers.ts")).inodeNumbers(layer) : undefined,
    };
  };
  return (place) => {
    const before = known.get(place.layer) ?? make(place);
    known.set(place.layer, before);
    return before;
  };
}

function rowLines(rows: readonly ListRow[], columns: LongColumns, { long, numeric, inode }: Words): string[] {
  if (long || numeric) return longLines(rows, columns);
  if (!inode) return rows.map(({ name }) => toText(name));
  const numbers = rows.map(({ path }) => String(columns.inodes?.get(path) ?? ""));
  const width = Math.max(0, ...numbers.map(({ length }) => length));
  return rows.map(({ name }, i) => `${(numbers[i] ?? "").padStart(width)} ${toText(name)}`);
}

/** A directory, and with -R all below it, each with its path above. */
async function listingLines(place: Place, columns: LongColumns, words: Words, isTitled: boolean): Promise<string[]> {
  const lines: string[] = [];
  const pending = [{ path: place.path, shown: place.shown, node: place.node }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { path, shown, node } = next;
    if (node.type !== "directory") continue;
    if (lines.length > 0) lines.push("");
    if (words.recursive || isTitled) lines.push(`${toText(shown)}:`);
    const rows = listDirectory(node, path);
    lines.push(...rowLines(rows, columns, words));
    if (!words.recursive) break;
    for (const row of rows.reverse()) {
      if (row.node.type === "directory") pending.push({ ...row, shown: joinPath(shown, row.name) });
    }
  }
  return lines;
}

async function jsonEntries(place: Place, words: Words, columns: ColumnsOf): Promise<Record<string, unknown>[]> {
  const { links, names, inodes } = await columns(place);
  const entry = (shown: string, path: string, node: Node): Record<string, unknown> => ({
    path: toText(shown),
    type: node.type,
    mode: node.mode.toString(8).padStart(4, "0"),
    links: links.get(node) ?? 1,
    uid: node.uid,
    gid: node.gid,
    user: names?.users.get(node.uid),
    group: names?.groups.get(node.gid),
    mtimeSeconds: node.mtimeSeconds,
    ...(node.type === "file" && { sizeBytes: node.content.sizeBytes }),
    ...(node.type === "symlink" && { target: toText(node.target) }),
    ...((node.type === "character" || node.type === "block") && { major: node.major, minor: node.minor }),
    ...(inodes && { inode: inodes.get(path) }),
  });
  const entries: Record<string, unknown>[] = [];
  const add = (node: Node, path: string, shown: string): void => {
    if (node.type !== "directory") return;
    for (const row of listDirectory(node, path)) {
      const below = joinPath(shown, row.name);
      entries.push(entry(below, row.path, row.node));
      if (words.recursive) add(row.node, row.path, below);
    }
  };
  if (place.node.type === "directory" && !words.directory) add(place.node, place.path, place.shown);
  else entries.push(entry(place.shown, place.path, place.node));
  return entries;
}
