// A tar archive as a tree. The archive is read once, header by header; files stay in it and are read from there.

import { type Content, memoryContent } from "../bytes/index.ts";
import type { Accounts } from "../illumos/index.ts";
import { type Attributes, device, directory, file, type Node, special, symlink } from "../tree/index.ts";
import { collectWarnings, type Source, sourceError, type Warnings } from "./source.ts";
import { type TarMember, tarMembers } from "./tar-members.ts";
import { treeBuilder } from "./tree-builder.ts";
import { windowReader } from "./window.ts";

export interface TarOptions {
  /** Given: the members' user and group names count, where it knows them; else their numbers, as with tar --numeric-owner. */
  readonly accounts?: Accounts | undefined;
}

/** Types that POSIX or tradition names; others are taken as files. */
const FILE_TYPES: ReadonlySet<string> = new Set(["", "0", "7", "S"]);

/** POSIX' numbers for users and groups are 32 bits here: uid_t and gid_t of illumos. */
const MAX_ID = 0xffff_ffff;

/**
 * The tree in an uncompressed tar archive.
 * @throws ImageError "bad-format", "truncated", "unsupported", "limit"; "wrong-type" (a member below a file or link);
 *   "conflict"; "not-found" (a hard link to nowhere). Names that leave the archive (..) are "bad-format".
 */
export async function readTar(content: Content, options: TarOptions = {}): Promise<Source> {
  const warnings = collectWarnings();
  const builder = treeBuilder(warnings);
  const archive = { content, reader: windowReader(content), warnings };
  for await (const member of tarMembers(archive)) {
    if (member.header.typeflag === "1") builder.link(member.path, member.linkpath);
    else builder.put(member.path, nodeOf(member, options, warnings));
  }
  return { tree: builder.finish(), warnings: warnings.list() };
}

function nodeOf(member: TarMember, { accounts }: TarOptions, warnings: Warnings): Node {
  const { header, path, content } = member;
  const attributes: Attributes = {
    mode: header.mode & 0o7777,
    uid: accounts?.users.get(member.uname) ?? member.uid,
    gid: accounts?.groups.get(member.gname) ?? member.gid,
    mtimeSeconds: member.mtimeSeconds,
  };
  if (attributes.uid > MAX_ID || attributes.gid > MAX_ID) {
    throw sourceError("limit", path, `its owner ${attributes.uid}:${attributes.gid} does not fit 32 bits`);
  }
  switch (header.typeflag) {
    case "2":
      return symlink(attributes, member.linkpath);
    case "3":
      return device(attributes, "character", member.devmajor, member.devminor);
    case "4":
      return device(attributes, "block", member.devmajor, member.devminor);
    case "5":
    case "D": // GNU's directory with a list of its names as content
      return directory(attributes);
    case "6":
      return special(attributes, "fifo");
  }
  if (!FILE_TYPES.has(header.typeflag)) {
    warnings.add("unknown-type", path, `member type "${header.typeflag}" taken as a file`, header.typeflag);
  } else if (path.endsWith("/")) return directory(attributes); // V7 had no type for directories
  return file(attributes, content.sizeBytes === 0 ? memoryContent(new Uint8Array(0)) : content);
}
