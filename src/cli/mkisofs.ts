// pureboot mkisofs: trees to an ISO, with the words of mkisofs, so that scripts written for it need no change.

import { statSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { Command } from "commander";
import { type Content, formatSize, fromText, ImageError, readBytes, roundUp, toText } from "../bytes/index.ts";
// Not by way of the room's index: reading and checking would be loaded too.
import { type BootEntry, EMULATIONS, type Emulation } from "../iso9660-writer-ts/eltorito.ts";
import { SECTOR_BYTES } from "../iso9660-writer-ts/format.ts";
import { VIRTUAL_SECTOR_BYTES } from "../iso9660-writer-ts/format-eltorito.ts";
import { MAX_LEVEL } from "../iso9660-writer-ts/hierarchy.ts";
import { type IsoPlan, planIso } from "../iso9660-writer-ts/plan.ts";
import { emit } from "../layout/index.ts";
import { readDirectoryTree } from "../node/directory-source.ts";
import { createFileReader } from "../node/file-reader.ts";
import { createFileSink } from "../node/file-sink.ts";
import type { HostReader } from "../node/host-files.ts";
import { openHostFile } from "../node/host-inputs.ts";
import { onInterrupt } from "../node/interrupt.ts";
import {
  type Attributes,
  baseName,
  type Directory,
  directory,
  draft,
  file,
  findFile,
  globMatcher,
  mapTree,
  mergeTrees,
  type Node,
  normalizePath,
  prune,
  summarize,
} from "../tree/index.ts";
import { sourceDateEpoch } from "./epoch.ts";
import { teach } from "./help.ts";
import { type BootRequest, type MkisofsRequest, type PathSpec, parseMkisofs } from "./mkisofs-options.ts";
import { FLAGS, LONG_NAMES, VALUES } from "./mkisofs-words.ts";
import { printWarnings } from "./output.ts";

const OPTIONS_TEXT = `
Options of mkisofs that are known here:
  names     -N -l -L -U -d -iso-level -max-iso9660-filenames -relaxed-filenames
            -allow-lowercase -allow-multidot -no-iso-translate
  contents  -R -r -J -joliet-long -D -cache-inodes -uid -gid -file-mode -dir-mode
            -graft-points -m -x -exclude -old-exclude -input-charset
  volume    -V -A -P -p -sysid -volset -copyright -abstract -biblio -G -pad -no-pad
  booting   -b -e -c -no-emul-boot -hard-disk-boot -no-boot -boot-load-size
            -boot-load-seg -boot-info-table -eltorito-alt-boot -eltorito-platform
            -eltorito-boot -eltorito-catalog
  running   -o -quiet -v -print-size`;

/** With the dash: names of one letter, long names, and their other spellings. */
const WORDS = [FLAGS, VALUES, LONG_NAMES].flatMap((names) => Object.keys(names).map((name) => `-${name}`));

export function define(command: Command): void {
  command.addHelpText("after", OPTIONS_TEXT);
  teach(command, {
    about: "Makes an ISO of directories, with the words of mkisofs, so that scripts written for it need no change.",
    notes:
      "The output is replaced, as mkisofs does. Times are at most SOURCE_DATE_EPOCH, if it is set; the volume's own is that, else the newest of the tree.",
    words: WORDS,
    examples: [
      `pureboot mkisofs -N -l -R -U -d -D -c .catalog -b boot/cdboot -no-emul-boot \\
  -boot-load-size 4 -boot-info-table -V illumos -o out.iso medium`,
    ],
  });
  command
    .argument("[words...]", "options of mkisofs and directories, as for mkisofs itself")
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption("--help", "print this help")
    .action(async (words: string[]) => {
      const request = parseMkisofs(words);
      const interruption = onInterrupt();
      const reader = createFileReader();
      try {
        await run(request, reader, interruption.signal);
      } finally {
        await reader.close();
        interruption.release();
      }
    });
}

async function run(request: MkisofsRequest, reader: HostReader, signal: AbortSignal): Promise<void> {
  const warnings: string[] = [];
  const placed = await Promise.all(request.paths.map((spec) => placedNode(spec, request, reader, signal, warnings)));
  const merged = together(placed, warnings);
  const shown = withOwners(expressible(merged, request, warnings), request);
  const epoch = sourceDateEpoch();
  const tree = epoch === undefined ? shown : notAfter(shown, epoch);
  const plan = planIso(tree, {
    ...request.identifiers,
    timeSeconds: epoch ?? summarize(tree).newestMtimeSeconds,
    names: request.names,
    rockRidge: request.rockRidge ? "1.10" : false,
    joliet: request.joliet,
    enhanced: request.enhanced,
    deepDirectories: request.rockRidge && !request.keepDeepDirectories ? "relocate" : "keep",
    bootEntries: await Promise.all(request.boot.map((boot) => bootEntry(boot, tree))),
    bootCatalogPath: request.bootCatalogPath,
    ...(request.genericBoot !== undefined && { systemArea: openHostFile(request.genericBoot).content }),
    paddingBlocks: request.padding ? PADDING_BLOCKS : 0,
  });
  printWarnings(warnings);
  if (request.printSize) console.log(plan.volumeSpaceSize);
  else await write(plan, request, signal);
}

/** What mkisofs -pad adds: some drives read ahead beyond the end of a track, and fail. */
const PADDING_BLOCKS = 150;

async function write(
  plan: IsoPlan,
  { output = "", paths, quiet, verbose }: MkisofsRequest,
  signal: AbortSignal,
): Promise<void> {
  const sink = await createFileSink(output, { force: true, sources: paths.map(({ source }) => source) });
  try {
    await emit(plan.layout, sink, { signal });
    await setImmediate(); // a signal that came meanwhile counts
    signal.throwIfAborted();
    await sink.truncate(plan.layout.sizeBytes);
    await sink.commit();
  } finally {
    await sink.discard();
  }
  if (verbose) {
    for (const { offset, length, owner } of plan.layout.extents) {
      console.error(`${offset / SECTOR_BYTES} +${length} ${owner.what} ${toText(owner.path ?? "")}`);
    }
  }
  if (!quiet) console.error(`${plan.volumeSpaceSize} extents written (${formatSize(plan.layout.sizeBytes)})`);
}

interface Placed {
  readonly place: string;
  readonly node: Node;
}

/** The tree or file of one operand, and where it goes. */
async function placedNode(
  { source, target }: PathSpec,
  request: MkisofsRequest,
  reader: HostReader,
  signal: AbortSignal,
  warnings: string[],
): Promise<Placed> {
  const stats = statSync(source, { throwIfNoEntry: false });
  if (!stats) throw new ImageError("input-missing", `${source}: no such file or directory`, { path: source });
  if (stats.isDirectory()) {
    const read = await readDirectoryTree(source, { reader, signal });
    warnings.push(...read.warnings);
    return { place: normalizePath(target ?? "/"), node: excluding(read.tree, source, request.excludes) };
  }
  const { mode, uid, gid, mtimeMs } = stats;
  const attributes = { mode: mode & 0o7777, uid, gid, mtimeSeconds: Math.floor(mtimeMs / 1000) };
  const place =
    target === undefined || target.endsWith("/") ? `${target ?? ""}/${baseName(`/${fromText(source)}`)}` : target;
  return { place: normalizePath(place), node: file(attributes, openHostFile(source).content) };
}

/** Directories on the way to a graft point that no operand has. */
const PARENT: Omit<Attributes, "mtimeSeconds"> = { mode: 0o755, uid: 0, gid: 0 };

/** One tree of all operands, later over earlier. */
function together(placed: readonly Placed[], warnings: string[]): Directory {
  let tree: Directory | undefined;
  for (const { place, node } of placed) {
    const parent = { ...PARENT, mtimeSeconds: node.mtimeSeconds };
    const edit = draft(tree ?? (place === "/" && node.type === "directory" ? directory(node) : directory(parent)));
    const below = edit.get(place);
    if (below?.type === "directory" && node.type === "directory") {
      const { tree: both, overridden } = mergeTrees([below, node]);
      for (const path of overridden)
        warnings.push(`${toText(place + path)}: comes from several operands; the last one counts`);
      edit.put(place, both);
    } else edit.put(place, node, parent);
    tree = edit.tree();
  }
  return tree ?? directory({ ...PARENT, mtimeSeconds: 0 });
}

/** Without what the globs name: a name, or a whole path as it is reached from the operand. */
function excluding(tree: Directory, source: string, excludes: readonly string[]): Directory {
  if (excludes.length === 0) return tree;
  const matchers = excludes.map((glob) => globMatcher(glob.replace(/^\.\//, "")));
  const top = `/${fromText(source).replace(/^\.?\/+|\/+$/g, "")}`;
  return prune(tree, (path) => path !== "/" && matchers.some((matches) => matches(top === "/" ? path : top + path)));
}

/** Without what the ISO cannot hold: sockets, and without Rock Ridge all but files and directories; deep ones are refused. */
function expressible(
  tree: Directory,
  { rockRidge, keepDeepDirectories }: MkisofsRequest,
  warnings: string[],
): Directory {
  const isLeftOut = ({ type }: Node): boolean =>
    type === "socket" || (!rockRidge && type !== "directory" && type !== "file");
  const leftOut: string[] = [];
  const shown = prune(tree, (path, node) => {
    const isTooDeep = !rockRidge && !keepDeepDirectories && node.type === "directory" && levelOf(path) > MAX_LEVEL;
    if (isTooDeep) {
      const message = `${toText(path)}: deeper than the ${MAX_LEVEL} levels of ISO 9660; use -R to move it, or -D to leave it`;
      throw new ImageError("limit", message, { path });
    }
    if (isLeftOut(node)) leftOut.push(`${toText(path)}: a ${node.type}; left out${rockRidge ? "" : " (-R keeps it)"}`);
    return isLeftOut(node);
  });
  warnings.push(...leftOut.sort());
  return shown;
}

/** Building twice must not show when it was built. */
function notAfter(tree: Directory, epochSeconds: number): Directory {
  return mapTree(tree, (node) => (node.mtimeSeconds <= epochSeconds ? node : { ...node, mtimeSeconds: epochSeconds }));
}

/** The root is level 1. */
function levelOf(path: string): number {
  return path === "/" ? 1 : path.split("/").length;
}

function withOwners(tree: Directory, { owners, rationalize }: MkisofsRequest): Directory {
  const { uid = rationalize ? 0 : undefined, gid = rationalize ? 0 : undefined, fileMode, dirMode } = owners;
  if (uid === undefined && gid === undefined && fileMode === undefined && dirMode === undefined) return tree;
  return mapTree(tree, (node) => {
    const asked = node.type === "directory" ? dirMode : node.type === "file" ? fileMode : undefined;
    const mode = asked ?? (rationalize ? rationalMode(node) : node.mode);
    return { ...node, uid: uid ?? node.uid, gid: gid ?? node.gid, mode };
  });
}

/** -r: all may read, all may execute or search where anyone may, nobody may write, no set-id bits. */
function rationalMode({ type, mode }: Node): number {
  return 0o444 | (type === "directory" || (mode & 0o111) !== 0 ? 0o111 : 0);
}

/** A boot entry with what mkisofs finds out from the image. */
async function bootEntry(request: BootRequest, tree: Directory): Promise<BootEntry> {
  const { path, platform, bootable, bootInfoTable, loadSectors, loadSegment = 0 } = request;
  const where = toText(path);
  const image = findFile(tree, normalizePath(path))?.content;
  if (!image) throw new ImageError("not-found", `${where}: no such boot image among what goes on the ISO`, { path });
  const common = {
    path,
    platform,
    bootable,
    bootInfoTable,
    loadSegment,
    ...(loadSectors !== undefined && { loadSectors }),
  };
  if (request.emulation === "hard-disk") {
    return { ...common, emulation: "hard-disk", systemType: await partitionType(image, where) };
  }
  if (request.emulation === "none") {
    // mkisofs counts whole blocks, and firmware loads what the count says.
    const all = roundUp(image.sizeBytes, SECTOR_BYTES) / VIRTUAL_SECTOR_BYTES;
    return { ...common, emulation: "none", loadSectors: loadSectors ?? all };
  }
  const emulation = (Object.keys(EMULATIONS) as Emulation[]).find(
    (key) => EMULATIONS[key].sizeBytes === image.sizeBytes,
  );
  if (emulation) return { ...common, emulation };
  const message = `${where}: ${image.sizeBytes} bytes is no size of a diskette; give -no-emul-boot or -hard-disk-boot`;
  throw new ImageError("limit", message, { path });
}

/** The type of the only partition of a hard disk image, which its boot entry repeats (El Torito 2.2). */
async function partitionType(image: Content, where: string): Promise<number> {
  const { readPartitionTable } = await import("../disk/mbr.ts");
  const sector = await readBytes(image, 0, Math.min(VIRTUAL_SECTOR_BYTES, image.sizeBytes));
  const [used, ...more] = readPartitionTable(sector)?.filter(({ type }) => type !== 0) ?? [];
  if (used && more.length === 0) return used.type;
  const count = used ? 1 + more.length : 0;
  throw new ImageError("bad-format", `${where}: a hard disk image must have one partition, this one has ${count}`);
}
