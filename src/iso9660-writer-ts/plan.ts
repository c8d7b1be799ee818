// Planning a volume: tree and options in, layout out. Pure and synchronous; of the files only their sizes are looked at.
//
// Order on the volume: system area, volume descriptors (from block 16), path tables, directories, files in order of
// paths, and in the end the file that was asked to be last.

import { type Content, divideUp, encodedContent, ImageError, toText } from "../bytes/index.ts";
import { type Extent, extent, type Layout, makeLayout, type Owner } from "../layout/index.ts";
import { type Directory, draft, type File, file, lookup, type Node, walk } from "../tree/index.ts";
import { type DescribedHierarchy, descriptorCount, encodeDescriptors } from "./descriptors.ts";
import { encodeContinuations, encodeRecords, placeRun, type RecordValues } from "./directory.ts";
import { catalogBytes, encodeCatalog, type PlannedBootEntry, planBootEntry, withBootInfoTable } from "./eltorito.ts";
import { SECTOR_BYTES, SYSTEM_AREA_SECTORS } from "./format.ts";
import { buildHierarchy, type HierarchyDirectory, type HierarchyRules, volumeOrder } from "./hierarchy.ts";
import { JOLIET, LEVEL_4 } from "./names.ts";
import { type IsoOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { checkParentNumbers, encodePathTable, pathTableBytes } from "./path-table.ts";
import { entryCount, inodesOf, type RecordContext, recordsOf } from "./records.ts";

export interface FileExtent {
  /** First block of the data. */
  readonly lba: number;
  readonly sizeBytes: number;
}

export interface IsoPlan {
  readonly layout: Layout;
  /** Blocks of 2048 bytes in the volume. */
  readonly volumeSpaceSize: number;
  /**
   * Where the data of a file lies, in one piece. An empty file has no place (lba 0), but for the one that was planned to be last.
   * @throws ImageError "not-found", "wrong-type"
   */
  extentOf(path: string): FileExtent;
  readonly bootCatalog: FileExtent | undefined;
  /** The entries of the boot catalog, in order. */
  readonly bootEntries: readonly PlannedBootEntry[];
}

/** Entries of a directory that are encoded together; each such run begins at a sector. Bounds the memory of emission. */
const RUN_ENTRIES = 2048;

/** One run of a directory's records with its place. */
interface Run {
  readonly from: number;
  readonly to: number;
  readonly sectors: number;
  readonly continuationBlocks: number;
}

/** Hands out blocks, one after the other. */
interface Allocator {
  readonly next: number;
  take(blocks: number): number;
}

/** Block numbers are 32 bits wide everywhere. */
const MAX_BLOCKS = 2 ** 32 - 1;

function allocator(first: number): Allocator {
  let next = first;
  return {
    get next() {
      return next;
    },
    take(blocks) {
      const lba = next;
      next += blocks;
      if (next > MAX_BLOCKS) throw new ImageError("limit", "the volume is over 8 TiB; ISO 9660 cannot address more");
      return lba;
    },
  };
}

/** libarchive looks at 32 KiB and eight blocks before it believes in an ISO; less it takes for an empty file. */
const MIN_VOLUME_BLOCKS = SYSTEM_AREA_SECTORS + 8;

const blocksOf = (sizeBytes: number): number => divideUp(sizeBytes, SECTOR_BYTES);

/**
 * Plans a volume.
 * @throws ImageError "limit", "unsupported", "not-found", "conflict", "invalid-argument": each names the path and the remedy
 */
export function planIso(root: Directory, options: IsoOptions): IsoPlan {
  const volume = resolveOptions(options);
  const places = new Map<File, FileExtent>();
  const bootEntries: PlannedBootEntry[] = [];
  const { tree, catalog } = addCatalog(root, volume, bootEntries);
  const lastFile = volume.lastPath === undefined ? undefined : fileAt(tree, volume.lastPath);
  const blocks = allocator(SYSTEM_AREA_SECTORS);
  const extents: Extent[] = [];
  const show = (lba: number, owner: Owner, content: Content): void => {
    extents.push(extent(lba * SECTOR_BYTES, owner, content));
  };
  if (volume.systemArea) show(0, { what: "system area" }, volume.systemArea);

  const inodes = inodesOf(tree);
  const extentOfFile = (node: File): FileExtent => {
    const place = places.get(node) ?? { lba: 0, sizeBytes: node.content.sizeBytes };
    return place.sizeBytes === 0 ? { lba: 0, sizeBytes: 0 } : place;
  };
  const contextOf = (rules: HierarchyRules): RecordContext => ({
    rockRidge: rules.rockRidge && volume.rockRidge,
    inodes,
    extentOfFile,
  });
  const rules = hierarchyRules(volume);
  const descriptorBlocks = descriptorCount(rules.length, catalog !== undefined);
  const descriptorsLba = blocks.take(descriptorBlocks);

  const hierarchies = rules.map(({ kind, ...rule }): DescribedHierarchy => {
    const directories = buildHierarchy(tree, rule);
    checkParentNumbers(directories);
    const tableBytes = pathTableBytes(directories);
    const [typeL, typeM] = (["L", "M"] as const).map((type) => {
      const lba = blocks.take(blocksOf(tableBytes));
      const encode = (target: Uint8Array): void => encodePathTable(directories, type, target);
      show(lba, { what: `${kind} path table ${type}` }, encodedContent(tableBytes, encode));
      return lba;
    });
    return {
      kind,
      directories,
      pathTableBytes: tableBytes,
      typeLPathTableLba: typeL ?? 0,
      typeMPathTableLba: typeM ?? 0,
    };
  });
  hierarchies.forEach(({ kind, directories }, i) => {
    const context = contextOf(rules[i] as HierarchyRules); // one rule for each hierarchy
    for (const directory of volumeOrder(directories)) placeDirectory(directory, kind, context, blocks, show);
  });

  if (catalog)
    places.set(catalog, {
      lba: blocks.take(blocksOf(catalog.content.sizeBytes)),
      sizeBytes: catalog.content.sizeBytes,
    });
  const owners = new Map<File, string>();
  for (const { path, node } of walk(tree)) if (node.type === "file" && !owners.has(node)) owners.set(node, path);
  const place = (node: File): void => {
    const { sizeBytes } = node.content;
    const lba = sizeBytes === 0 && node !== lastFile ? 0 : blocks.take(blocksOf(sizeBytes));
    places.set(node, { lba, sizeBytes });
  };
  for (const node of owners.keys()) if (node !== lastFile && !places.has(node)) place(node);
  if (lastFile && !places.has(lastFile)) place(lastFile);
  blocks.take(volume.paddingBlocks);
  blocks.take(Math.max(0, MIN_VOLUME_BLOCKS - blocks.next));

  for (const entry of volume.bootEntries) {
    const { lba, sizeBytes } = extentOfFile(fileAt(tree, entry.path));
    bootEntries.push(planBootEntry(entry, lba, sizeBytes));
  }
  const patched = new Set(volume.bootEntries.filter((e) => e.bootInfoTable).map(({ path }) => fileAt(tree, path)));
  for (const [node, { lba }] of places) {
    const content = patched.has(node) ? withBootInfoTable(node.content, lba) : node.content;
    const what = node === catalog ? "boot catalog" : "file";
    show(lba, { what, path: owners.get(node) }, content);
  }

  const volumeSpaceSize = blocks.next;
  const bootCatalog = catalog && extentOfFile(catalog);
  const description = { options: volume, volumeSpaceSize, bootCatalogLba: bootCatalog?.lba, hierarchies };
  const encode = (target: Uint8Array): void => encodeDescriptors(description, target);
  show(descriptorsLba, { what: "volume descriptors" }, encodedContent(descriptorBlocks * SECTOR_BYTES, encode));

  return {
    layout: makeLayout(volumeSpaceSize * SECTOR_BYTES, extents),
    volumeSpaceSize,
    extentOf(path) {
      const node = fileAt(tree, path);
      return places.get(node) ?? { lba: 0, sizeBytes: node.content.sizeBytes };
    },
    bootCatalog,
    bootEntries,
  };
}

/** The hierarchies of a volume: the primary one, then those that supplementary descriptors show. */
function hierarchyRules(volume: ResolvedOptions): (HierarchyRules & { readonly kind: DescribedHierarchy["kind"] })[] {
  const supplementary = { rockRidge: false, leaveOutSpecials: true, relocate: false };
  const joliet = { ...JOLIET, maxFileLength: volume.jolietMaxLength, maxDirectoryLength: volume.jolietMaxLength };
  return [
    {
      kind: "primary",
      names: volume.names,
      rockRidge: volume.rockRidge !== false,
      leaveOutSpecials: false,
      relocate: volume.relocate,
    },
    ...(volume.enhanced ? [{ kind: "enhanced" as const, names: LEVEL_4, ...supplementary }] : []),
    ...(volume.jolietMaxLength > 0 ? [{ kind: "joliet" as const, names: joliet, ...supplementary }] : []),
  ];
}

/** The tree with the boot catalog in it, if there is one; `entries` are filled in before the catalog is read. */
function addCatalog(
  root: Directory,
  { bootEntries, bootCatalogPath, timeSeconds }: ResolvedOptions,
  entries: readonly PlannedBootEntry[],
): { tree: Directory; catalog: File | undefined } {
  if (bootEntries.length === 0) return { tree: root, catalog: undefined };
  const content = encodedContent(catalogBytes(bootEntries), (target) => encodeCatalog(entries, target));
  const catalog = file({ mode: 0o444, uid: 0, gid: 0, mtimeSeconds: timeSeconds }, content);
  if (bootCatalogPath === undefined) return { tree: root, catalog };
  const edit = draft(root);
  if (edit.get(bootCatalogPath)) {
    const message = `${toText(bootCatalogPath)}: the boot catalog goes here, but the tree has this path already`;
    throw new ImageError("conflict", `${message}; remove it, or name another place`, { path: bootCatalogPath });
  }
  edit.put(bootCatalogPath, catalog);
  return { tree: edit.tree(), catalog };
}

function fileAt(tree: Directory, path: string): File {
  const node: Node | undefined = lookup(tree, path);
  if (node?.type === "file") return node;
  if (!node) throw new ImageError("not-found", `${toText(path)}: no such file in the tree`, { path });
  throw new ImageError("wrong-type", `${toText(path)}: a ${node.type}, where a regular file is needed`, { path });
}

/** Takes blocks for a directory's records and their continuation areas, and shows how they are encoded. */
function placeDirectory(
  directory: HierarchyDirectory,
  kind: DescribedHierarchy["kind"],
  context: RecordContext,
  blocks: Allocator,
  show: (lba: number, owner: Owner, content: Content) => void,
): void {
  const recordsIn = ({ from, to }: { from: number; to: number }): Iterable<RecordValues> =>
    recordsOf(directory, from, to, context);
  const runs: Run[] = [];
  const count = entryCount(directory);
  for (let from = 0; from < count; from += RUN_ENTRIES) {
    const range = { from, to: Math.min(from + RUN_ENTRIES, count) };
    const { sectors, continuationBlocks } = placeRun(recordsIn(range));
    runs.push({ ...range, sectors, continuationBlocks });
  }
  const sectors = runs.reduce((sum, run) => sum + run.sectors, 0);
  directory.lba = blocks.take(sectors);
  directory.sizeBytes = sectors * SECTOR_BYTES;
  let lba = directory.lba;
  for (const run of runs) {
    const areaLba = blocks.take(run.continuationBlocks);
    const records = (target: Uint8Array): void => encodeRecords(placeRun(recordsIn(run)), areaLba, target);
    const areas = (target: Uint8Array): void => encodeContinuations(placeRun(recordsIn(run)), areaLba, target);
    const { path } = directory;
    show(lba, { what: `${kind} directory`, path }, encodedContent(run.sectors * SECTOR_BYTES, records));
    show(areaLba, { what: "continuation area", path }, encodedContent(run.continuationBlocks * SECTOR_BYTES, areas));
    lba += run.sectors;
  }
}
