// Planning a volume: tree and options in, layout out. Pure and synchronous; of the files only their sizes are looked at.
//
// Order on the volume: system area, volume descriptors (from block 16), path tables, directories, files in order of
// paths, and in the end the file that was asked to be last.

import { type Content, encodedContent, ImageError, toText } from "../bytes/index.ts";
import { type Layout, makeLayout } from "../layout/index.ts";
import { type Directory, draft, type File, file, lookup, type Node } from "../tree/index.ts";
import { type DescribedHierarchy, descriptorCount, encodeDescriptors, type HierarchyKind } from "./descriptors.ts";
import { catalogBytes, encodeCatalog, type PlannedBootEntry, planBootEntry, withBootInfoTable } from "./eltorito.ts";
import { SECTOR_BYTES, SYSTEM_AREA_SECTORS } from "./format.ts";
import { buildHierarchy, type HierarchyRules } from "./hierarchy.ts";
import { JOLIET, LEVEL_4 } from "./names.ts";
import { type IsoOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { checkParentNumbers } from "./path-table.ts";
import { newBoard, placeDirectories, placeFiles, placePathTables } from "./place.ts";
import { inodesOf, newInode } from "./records.ts";

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

/** libarchive looks at 32 KiB and eight blocks before it believes in an ISO; less it takes for an empty file. */
const MIN_VOLUME_BLOCKS = SYSTEM_AREA_SECTORS + 8;

/**
 * Plans a volume.
 * @throws ImageError "limit", "unsupported", "not-found", "conflict", "invalid-argument": each names the path and the remedy
 */
export function planIso(root: Directory, options: IsoOptions): IsoPlan {
  const volume = resolveOptions(options);
  const bootEntries: PlannedBootEntry[] = [];
  const { tree, catalog } = addCatalog(root, volume, bootEntries);
  const lastFile = volume.lastPath === undefined ? undefined : fileAt(tree, volume.lastPath);
  const inodes = inodesOf(tree);
  const rules = hierarchyRules(volume);
  const board = newBoard(SYSTEM_AREA_SECTORS);
  if (volume.systemArea) board.show(0, { what: "system area" }, volume.systemArea);

  const descriptorBlocks = descriptorCount(rules.length, catalog !== undefined);
  const descriptorsLba = board.take(descriptorBlocks);
  const hierarchies = rules.map(({ kind, ...rule }): DescribedHierarchy => {
    const directories = buildHierarchy(tree, rule);
    checkParentNumbers(directories);
    return { kind, directories, ...placePathTables(board, kind, directories) };
  });
  hierarchies.forEach(({ kind, directories }, i) => {
    const rockRidge = rules[i]?.rockRidge ? volume.rockRidge : false;
    placeDirectories(board, kind, directories, { rockRidge, inodes });
  });

  const catalogInode = catalog && (inodes.get(catalog) ?? newInode(catalog, undefined, 0));
  const lastInode = lastFile && inodes.get(lastFile);
  const others = [...inodes.values()].filter((inode) => inode !== catalogInode && inode !== lastInode);
  const patched = new Set(volume.bootEntries.filter((e) => e.bootInfoTable).map(({ path }) => fileAt(tree, path)));
  const contentOf = (node: File, lba: number): Content =>
    patched.has(node) ? withBootInfoTable(node.content, lba) : node.content;
  placeFiles(board, catalogInode ? [catalogInode] : [], "boot catalog", contentOf);
  placeFiles(board, others, "file", contentOf);
  const lastLba = board.next;
  placeFiles(board, lastInode && lastInode !== catalogInode ? [lastInode] : [], "file", contentOf);
  board.take(Math.max(volume.paddingBlocks, MIN_VOLUME_BLOCKS - board.next));

  for (const entry of volume.bootEntries) {
    const node = fileAt(tree, entry.path);
    bootEntries.push(planBootEntry(entry, inodes.get(node)?.lba ?? 0, node.content.sizeBytes));
  }
  const volumeSpaceSize = board.next;
  const description = { options: volume, volumeSpaceSize, bootCatalogLba: catalogInode?.lba, hierarchies };
  const encode = (target: Uint8Array): void => encodeDescriptors(description, target);
  board.show(descriptorsLba, { what: "volume descriptors" }, encodedContent(descriptorBlocks * SECTOR_BYTES, encode));

  return {
    layout: makeLayout(volumeSpaceSize * SECTOR_BYTES, board.extents),
    volumeSpaceSize,
    extentOf(path) {
      const node = fileAt(tree, path);
      const lba = node === lastFile ? lastLba : (inodes.get(node)?.lba ?? 0);
      return { lba, sizeBytes: node.content.sizeBytes };
    },
    bootCatalog: catalogInode && catalog && { lba: catalogInode.lba, sizeBytes: catalog.content.sizeBytes },
    bootEntries,
  };
}

/** The hierarchies of a volume: the primary one, then those that supplementary descriptors show. */
function hierarchyRules(volume: ResolvedOptions): (HierarchyRules & { readonly kind: HierarchyKind })[] {
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
