// A package archive (.p5p): a pax archive of a repository, whose first member is an index of the others, so that nothing
// has to be looked for. Without an index, or with one that cannot be trusted, the archive is read like any tar.
// Source: pkg5 src/modules/p5p.py.

import { byteString, type Content, ImageError, readAll, toText } from "../bytes/index.ts";
import type { Directory } from "../tree/index.ts";
import { type Files, treeFiles } from "./files.ts";
import { collectWarnings, type Decompressor, type SourceWarning } from "./source.ts";
import { readTar, type TarOptions } from "./tar.ts";
import { readTarMember, type TarArchive, type TarMember } from "./tar-members.ts";
import { MAX_NAME_BYTES } from "./tree-builder.ts";
import { windowReader } from "./window.ts";

export interface P5pArchive {
  readonly files: Files;
  readonly warnings: readonly SourceWarning[];
  /** The whole archive, when it had to be read from end to end; absent when the index told where everything is. */
  readonly tree?: Directory | undefined;
}

const INDEX_NAME = /^pkg5\.index\.[0-9]+\.gz$/;
const INDEX_COMMENT = "pkg5.archive.version.";
const INDEX_VERSION = "0";
/** Some 100 bytes a member: the index of a million members. */
const MAX_INDEX_BYTES = 1 << 27;
const TYPE_FILE = "0";

/** Whether the first member of a tar archive is a package archive's index. */
function isP5pIndex({ path, pax }: TarMember): boolean {
  return INDEX_NAME.test(path) && (pax.get("comment") ?? "").startsWith(INDEX_COMMENT);
}

/**
 * @param gunzip for the index
 * @throws ImageError "unsupported" for an archive of another version; as readTar when there is no usable index. Reading a
 *   member throws "bad-format" when it is not where the index says.
 */
export async function openP5p(content: Content, gunzip: Decompressor, options: TarOptions = {}): Promise<P5pArchive> {
  const warnings = collectWarnings();
  const archive: TarArchive = { content, reader: windowReader(content), warnings };
  const first = await readTarMember(archive, 0);
  if (first && isP5pIndex(first)) {
    const version = (first.pax.get("comment") ?? "").slice(INDEX_COMMENT.length);
    if (version !== INDEX_VERSION) {
      throw new ImageError("unsupported", `a package archive of version ${toText(version)}; version 0 is read`);
    }
    try {
      const text = byteString(await readAll(await gunzip(first.content), MAX_INDEX_BYTES));
      return { files: indexedFiles(content, parseIndex(text, first.next)), warnings: warnings.list() };
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      warnings.add("damaged-index", first.path, `${error.message}; the archive was read without it`);
    }
  }
  const { tree, warnings: more } = await readTar(content, options);
  return { files: treeFiles(tree), warnings: [...warnings.list(), ...more], tree };
}

interface IndexEntry {
  /** Of the member's first header, in the archive. */
  readonly offset: number;
  readonly isFile: boolean;
}

/** NAME NUL OFFSET NUL ENTRYSIZE NUL SIZE NUL TYPE NUL LF …, offsets counted from the end of the index's own member. */
function parseIndex(text: string, base: number): Map<string, IndexEntry> {
  const entries = new Map<string, IndexEntry>();
  for (let at = 0; at < text.length; ) {
    const fields: string[] = [];
    for (let i = 0; i < 5; i++) {
      const nul = text.indexOf("\0", at);
      if (nul === -1) throw new ImageError("bad-format", `the index ends in the middle of entry ${entries.size}`);
      fields.push(text.slice(at, nul));
      at = nul + 1;
    }
    const [name = "", offset = "", , , type = ""] = fields;
    if (text[at] !== "\n" || name.length > MAX_NAME_BYTES || !/^[0-9]+$/.test(offset) || Number(offset) % 512 !== 0) {
      throw new ImageError("bad-format", `entry ${entries.size} of the index is malformed`);
    }
    at++;
    // Archives of pkg5 under python 3 have the type as b'0'.
    const plainType = /^b'(.)'$/.exec(type)?.[1] ?? type;
    entries.set(name.replace(/\/+$/, ""), { offset: base + Number(offset), isFile: plainType === TYPE_FILE });
  }
  return entries;
}

function indexedFiles(content: Content, entries: ReadonlyMap<string, IndexEntry>): Files {
  const directories = new Map<string, Set<string>>();
  for (const path of entries.keys()) {
    // Parents may have no entries of their own; each step is noted until one is known.
    for (let child = path; child !== ""; ) {
      const slash = child.lastIndexOf("/");
      const parent = slash === -1 ? "" : child.slice(0, slash);
      const names = directories.get(parent);
      const name = child.slice(slash + 1);
      if (names) {
        if (names.has(name)) break;
        names.add(name);
      } else directories.set(parent, new Set([name]));
      child = parent;
    }
  }
  // A reader of its own a member: members are read in any order, and several at a time.
  const open = (): TarArchive => ({
    content,
    reader: windowReader(content, HEADER_WINDOW_BYTES),
    warnings: collectWarnings(),
  });
  return {
    async read(path) {
      const entry = entries.get(path);
      if (!entry?.isFile) return undefined;
      const where = `not at byte ${entry.offset}, where the index of the package archive has it`;
      const damaged = (found: string, cause?: ImageError) =>
        new ImageError("bad-format", `${toText(path)}: ${where} (${found}): it is damaged`, { path, cause });
      const member = await readTarMember(open(), entry.offset).catch((error: unknown) => {
        throw error instanceof ImageError ? damaged(error.message, error) : error;
      });
      if (member?.path === path) return member.content;
      throw damaged(member ? `${toText(member.path)} is there` : "the archive ends there");
    },
    async list(path) {
      return [...(directories.get(path) ?? [])];
    },
  };
}

/** A pax header, its data and the member's header. */
const HEADER_WINDOW_BYTES = 2048;
