// fsck phases 2 and 3a (pass2.c, pass3.c): entries, ".", "..", and directories that nobody has an entry for. What follows
// from a damage that was reported is put right in the counts here, so that it is not reported again as wrong links.

import { divideUp, readBytes, toText } from "../bytes/index.ts";
import { joinPath } from "../tree/index.ts";
import {
  addLinks,
  BAD,
  type CheckedDirectory,
  type CheckState,
  DIRECTORY,
  inodeText,
  isMarked,
  kindName,
  kindOf,
  SHADOW,
  shownPath,
  UNALLOCATED,
} from "./check-state.ts";
import { entryBytes, type ScannedEntry, scanDirectory } from "./directory.ts";
import { isDataRange } from "./file-content.ts";
import { DIRBLKSIZ, IXATTR, UFSROOTINO } from "./format.ts";
import { walkAddresses } from "./volume.ts";

/** sizeof (struct dirtemplate): "." and "..". */
const MINDIRSIZE = 24;

/**
 * Phase 2.
 * @returns whether there is a root to go on with
 */
export async function checkDirectories(state: CheckState): Promise<boolean> {
  await readNames(state);
  reportHoles(state);
  if (!checkRoot(state)) return false;
  const directories = [...state.directories.values()];
  for (const directory of directories) await checkDirectory(state, directory);
  for (const directory of directories) await checkParent(state, directory);
  findAll(state);
  return true;
}

/** Who has a name for whom: first, so that messages can say paths. */
async function readNames(state: CheckState): Promise<void> {
  const patience = state.patience;
  for (const directory of state.directories.values()) {
    for await (const entry of entriesOf(state, directory)) {
      if (entry === undefined || entry.inode === 0 || entry.name === ".") continue;
      if (entry.name === "..") {
        directory.above ||= entry.inode;
        continue;
      }
      const below = state.directories.get(entry.inode);
      if (below) below.links.push({ parent: directory.inode, name: entry.name });
      else if (state.names[entry.inode] === undefined) setName(state, entry.inode, directory.inode, entry.name);
    }
  }
  state.patience = patience;
  for (const { inode, above, links } of state.directories.values()) {
    // Of several the one that ".." leads back to is right.
    const right = links.find(({ parent }) => parent === above) ?? links[0];
    if (right && inode !== UFSROOTINO) setName(state, inode, right.parent, right.name);
  }
}

function setName(state: CheckState, inode: number, parent: number, name: string): void {
  state.names[inode] = name;
  state.nameParents[inode] = parent;
}

function reportHoles(state: CheckState): void {
  for (const inode of state.holes) {
    const message = `I=${inode}  DIRECTORY ${shownPath(state, inode)}: CONTAINS EMPTY BLOCKS`;
    state.report("1", "directory-hole", "error", message, { inode });
  }
}

function checkRoot(state: CheckState): boolean {
  const { report } = state;
  const inode = UFSROOTINO;
  const kind = kindOf(state, inode);
  if (kind === UNALLOCATED) {
    report("2", "root", "error", "ROOT INODE UNALLOCATED", { inode, path: "/" });
    return false;
  }
  if (kind !== DIRECTORY || state.directories.get(inode)?.isAttributes) {
    report("2", "root", "error", "ROOT INODE NOT DIRECTORY", { inode, path: "/" });
    return false;
  }
  if (isMarked(state, inode, BAD)) {
    report("2", "root", "error", "DUPS/BAD IN ROOT INODE", { inode, path: "/" });
    return false;
  }
  return true;
}

async function checkDirectory(all: CheckState, directory: CheckedDirectory): Promise<void> {
  const { inode, dinode } = directory;
  // Of a directory that was reported already only the names are taken, so that they are not missed.
  const state: CheckState = isMarked(all, inode, BAD) ? { ...all, report() {} } : all;
  if (dinode.ic_lsize < MINDIRSIZE) {
    await directoryError(state, "directory-size", inode, "DIRECTORY TOO SHORT");
  } else if (dinode.ic_lsize % DIRBLKSIZ !== 0) {
    const message = `DIRECTORY ${shownPath(state, inode)}: LENGTH ${dinode.ic_lsize} NOT MULTIPLE OF ${DIRBLKSIZ}`;
    state.report("2", "directory-size", "error", message, { inode, field: "ic_lsize" });
  }
  if (directory.isAttributes && !(dinode.ic_flags & IXATTR)) {
    const message = `ATTRIBUTE DIRECTORY  I=${inode}  MISSING IXATTR FLAG`;
    state.report("2", "ixattr", "warning", message, { inode, field: "ic_flags" });
  }
  if (inode === UFSROOTINO) await checkAttributeFlag(state, directory, inode, "/");
  const scan: Scan = { directory, entryNumber: 0 };
  let isCorrupt = false;
  for await (const entry of entriesOf(all, directory)) {
    if (entry !== undefined) await checkEntry(state, scan, entry);
    else if (!isCorrupt) {
      isCorrupt = true;
      await directoryError(state, "directory-corrupted", inode, "DIRECTORY CORRUPTED");
    }
  }
}

/** Entries in order; undefined where one is damaged. */
async function* entriesOf(state: CheckState, { dinode }: CheckedDirectory): AsyncGenerator<ScannedEntry | undefined> {
  const { volume, inodes } = state;
  const { sb, image } = volume;
  const blocks: { frag: number; frags: number; lbn: number }[] = [];
  const entered = new Set<number>();
  await walkAddresses(volume, dinode, {
    data(lbn, frag, frags) {
      if (isDataRange(sb, frag, frags) && state.patience-- > 0) blocks.push({ frag, frags, lbn });
    },
    indirect(_level, _firstLbn, frag) {
      if (entered.has(frag) || !isDataRange(sb, frag, sb.fs_frag)) return false;
      entered.add(frag);
      return true;
    },
  });
  for (const { frag, frags, lbn } of blocks) {
    const length = Math.min(frags * sb.fs_fsize, dinode.ic_lsize - lbn * sb.fs_bsize);
    if (length <= 0) continue;
    const whole = divideUp(length, DIRBLKSIZ) * DIRBLKSIZ;
    for (const entry of scanDirectory(await readBytes(image, frag * sb.fs_fsize, whole), inodes)) {
      yield "corrupt" in entry ? undefined : entry;
    }
  }
}

interface Scan {
  readonly directory: CheckedDirectory;
  /** 0: "." is due, 1: ".." is due. */
  entryNumber: number;
}

async function checkEntry(state: CheckState, scan: Scan, entry: ScannedEntry): Promise<void> {
  const { directory } = scan;
  const { inode } = directory;
  if (scan.entryNumber === 0) {
    scan.entryNumber = 1;
    addLinks(state, inode, -1);
    if (entry.inode !== 0 && entry.name === ".") {
      if (entry.inode !== inode) await directoryError(state, "dot", inode, "BAD INODE NUMBER FOR '.'");
      // With room for another entry behind it, fsck takes ".." to be missing there.
      if (entry.reclen >= 2 * entryBytes(1)) scan.entryNumber = 2;
      return;
    }
    await directoryError(state, "dot", inode, "MISSING '.'");
    if (entry.inode === 0) return;
  } else if (scan.entryNumber === 1 && entry.name !== "..") scan.entryNumber = 2;
  if (entry.inode === 0) return;
  if (scan.entryNumber === 1 && entry.name === "..") {
    scan.entryNumber = 2;
    directory.dotdot = entry.inode;
  } else if (entry.name === "." || entry.name === "..") {
    await directoryError(state, "extra-dot", inode, `EXTRA '${entry.name}' ENTRY`);
  } else await checkName(state, directory, entry);
}

async function checkName(state: CheckState, directory: CheckedDirectory, entry: ScannedEntry): Promise<void> {
  const { inode: child, name } = entry;
  const path = pathIn(state, directory, name);
  switch (kindOf(state, child)) {
    case UNALLOCATED:
      return nameError(state, "unallocated", child, "UNALLOCATED", path);
    case SHADOW:
      return nameError(state, "acl-in-directory", child, "ACL IN DIRECTORY", path);
    case DIRECTORY: {
      const below = state.directories.get(child);
      const isRight = state.names[child] === name && state.nameParents[child] === directory.inode;
      if (isRight && below && below.parent === 0) {
        below.parent = directory.inode;
        addLinks(state, child, -1);
        return checkAttributeFlag(state, directory, child, path);
      }
      const message = `${toText(path)} IS AN EXTRANEOUS HARD LINK TO DIRECTORY ${shownPath(state, child)}`;
      state.report("2", "directory-hard-link", "error", message, { inode: child, path });
      return;
    }
    default:
      addLinks(state, child, -1);
      return checkAttributeFlag(state, directory, child, path);
  }
}

async function checkAttributeFlag(
  state: CheckState,
  directory: CheckedDirectory,
  inode: number,
  path: string,
): Promise<void> {
  const isFlagged = ((await state.volume.dinode(inode)).ic_flags & IXATTR) !== 0;
  if (isFlagged === directory.isAttributes) return;
  const what = isFlagged ? "File should NOT be marked as" : "File should BE marked as";
  await nameError(state, "ixattr", inode, `${what} extended attribute`, path, "ic_flags");
}

function pathIn(state: CheckState, directory: CheckedDirectory, name: string): string {
  const parent = directory.inode === UFSROOTINO ? "/" : shownPath(state, directory.inode);
  return joinPath(parent, name);
}

/** ".." against the directory that has an entry for this one. */
async function checkParent(state: CheckState, directory: CheckedDirectory): Promise<void> {
  const { inode, dotdot } = directory;
  if (isMarked(state, inode, BAD)) return;
  if (directory.isAttributes) {
    await checkAttributeParent(state, directory);
    return;
  }
  const parent = inode === UFSROOTINO ? UFSROOTINO : directory.parent;
  if (parent === 0) {
    // Nobody has an entry for it: it will be reported as such, and counts as if its own were right.
    addLinks(state, dotdot, dotdot > 0 ? -1 : 0);
    return;
  }
  addLinks(state, parent, -1);
  if (dotdot <= 0) await directoryError(state, "dotdot", inode, "MISSING '..'");
  else if (dotdot !== parent) await directoryError(state, "dotdot", inode, "BAD INODE NUMBER FOR '..'");
}

/** A directory of attributes belongs to the file that points to it; its ".." leads there, and does not count as a link. */
async function checkAttributeParent(state: CheckState, directory: CheckedDirectory): Promise<void> {
  const { inode, dotdot } = directory;
  const [client] = state.attributeClients.get(inode) ?? [];
  if (client === undefined) {
    if (dotdot <= 0) return;
    const message = `Attribute directory I=${inode} not attached to file I=${dotdot}`;
    state.report("2", "attribute-directory", "error", message, { inode });
    return;
  }
  directory.parent = client;
  directory.isFound = true;
  if (dotdot <= 0) await directoryError(state, "dotdot", inode, "MISSING '..'");
  else if (dotdot !== client) await directoryError(state, "dotdot", inode, "BAD INODE NUMBER FOR '..'");
}

/** Marks the directories that can be reached from the root. */
function findAll(state: CheckState): void {
  const root = state.directories.get(UFSROOTINO);
  if (root) root.isFound = true;
  for (const directory of state.directories.values()) {
    const climbed: CheckedDirectory[] = [];
    const seen = new Set<number>();
    let at: CheckedDirectory | undefined = directory;
    while (at && !at.isFound && !seen.has(at.inode)) {
      seen.add(at.inode);
      climbed.push(at);
      at = state.directories.get(at.parent);
    }
    if (at?.isFound) for (const found of climbed) found.isFound = true;
  }
}

/** Phase 3a: directories that cannot be reached; of those below each other the topmost. */
export async function checkConnectivity(state: CheckState): Promise<void> {
  const reported = new Set<number>();
  for (const directory of state.directories.values()) {
    if (directory.isFound || isMarked(state, directory.inode, BAD)) continue;
    const seen = new Set<number>();
    let top = directory;
    for (
      let next = state.directories.get(top.parent);
      next && !next.isFound;
      next = state.directories.get(top.parent)
    ) {
      if (seen.has(next.inode)) break;
      seen.add(next.inode);
      top = next;
    }
    const isLoop = seen.has(top.inode) && top.parent !== 0;
    const inode = isLoop ? Math.min(...seen) : top.inode;
    if (reported.has(inode)) continue;
    reported.add(inode);
    if (isLoop) {
      state.report("3a", "orphan-loop", "error", `ORPHANED DIRECTORY LOOP DETECTED I=${inode}`, { inode });
    } else if (!isMarked(state, inode, BAD)) {
      const dinode = top.dinode;
      const message = `UNREF ${kindName(dinode.ic_smode)}  ${inodeText(inode, dinode)}`;
      state.report("3a", "unref-directory", "error", message, { inode });
    }
  }
  for (const [shadow, clients] of [...state.shadowClients, ...state.attributeClients]) {
    addLinks(state, shadow, -clients.length);
  }
}

async function directoryError(state: CheckState, code: string, inode: number, what: string): Promise<void> {
  const dinode = await state.volume.dinode(inode);
  const message = `${what}  ${inodeText(inode, dinode)} ${kindName(dinode.ic_smode)}=${shownPath(state, inode)}`;
  state.report("2", code, "error", message, { inode });
}

async function nameError(
  state: CheckState,
  code: string,
  inode: number,
  what: string,
  path: string,
  field?: string,
): Promise<void> {
  const text = inode < UFSROOTINO ? `I=${inode}` : inodeText(inode, await state.volume.dinode(inode));
  state.report("2", code, "error", `${what}  ${text} NAME=${toText(path)}`, { inode, path, field });
}
