// A cpio archive (odc, newc, crc) as a tree. Only headers are read; contents stay in the archive.

import {
  byteString,
  byteStringToNul,
  type Content,
  ImageError,
  readAll,
  roundUp,
  sliceContent,
} from "../bytes/index.ts";
import {
  type Attributes,
  device,
  directory,
  type File,
  file,
  type Node,
  special,
  symlink,
  typeOfMode,
} from "../tree/index.ts";
import {
  CPIO_CRC_MAGIC,
  CPIO_NEWC_ALIGNMENT,
  CPIO_NEWC_MAGIC,
  CPIO_ODC_MAGIC,
  CPIO_TRAILER,
  cpioNewc,
  cpioOdc,
} from "./format-cpio.ts";
import { collectWarnings, type Source, sourceError, type Warnings } from "./source.ts";
import { MAX_NAME_BYTES, type TreeBuilder, treeBuilder } from "./tree-builder.ts";
import { sumOfBytes, verifiedContent } from "./verified.ts";
import { type WindowReader, windowReader } from "./window.ts";

export interface CpioSource extends Source {
  /** The first byte after the trailer. */
  readonly endOffset: number;
}

interface Member {
  readonly name: string;
  readonly mode: number;
  readonly attributes: Attributes;
  readonly nlink: number;
  /** Device and inode: the same for all names of one file. */
  readonly identity: string;
  readonly rmaj: number;
  readonly rmin: number;
  readonly sizeBytes: number;
  readonly contentOffset: number;
  readonly checksum: number | undefined;
  readonly next: number;
}

/** Whether bytes begin a cpio archive of a format that is read here. */
export function isCpio(head: Uint8Array): boolean {
  return [CPIO_ODC_MAGIC, CPIO_NEWC_MAGIC, CPIO_CRC_MAGIC].includes(byteString(head.subarray(0, 6)));
}

/**
 * The tree in the archive that begins at `offset`.
 * @throws ImageError "bad-format", "truncated", "limit"; "wrong-type" and "conflict" as the tree builder has it
 */
export async function readCpio(content: Content, offset = 0): Promise<CpioSource> {
  const warnings = collectWarnings();
  const builder = treeBuilder(warnings);
  const reader = windowReader(content);
  const links = linkedFiles(builder);
  for (let at = offset; ; ) {
    const member = await readMember(reader, at, offset);
    if (member.name === CPIO_TRAILER && member.sizeBytes === 0) {
      links.finish();
      return { tree: builder.finish(), warnings: warnings.list(), endOffset: member.next };
    }
    const node = await nodeOf(content, member, warnings);
    if (node?.type === "file" && member.nlink > 1) links.add(member, node);
    else if (node) builder.put(member.name, node);
    at = member.next;
  }
}

async function readMember(reader: WindowReader, at: number, archiveOffset: number): Promise<Member> {
  const bad = (what: string) => new ImageError("bad-format", `cpio header at byte ${at}: ${what}`);
  const magic = byteString(await reader.bytes(at, 6));
  const header = magic === CPIO_ODC_MAGIC ? await readOdc(reader, at) : await readNewc(reader, at, magic);
  for (const [field, value] of Object.entries(header)) {
    if (Number.isNaN(value)) throw bad(`${field} is no number`);
  }
  const { mode, uid, gid, mtime, namesize, filesize, headerBytes } = header;
  if (namesize < 1 || namesize > MAX_NAME_BYTES) throw bad(`a name of ${namesize} bytes`);
  const alignment = magic === CPIO_ODC_MAGIC ? 1 : CPIO_NEWC_ALIGNMENT;
  const aligned = (end: number): number => archiveOffset + roundUp(end - archiveOffset, alignment);
  const name = byteStringToNul(await reader.bytes(at + headerBytes, namesize));
  const contentOffset = aligned(at + headerBytes + namesize);
  if (contentOffset + filesize > reader.sizeBytes) {
    throw sourceError("truncated", name, `its ${filesize} bytes reach beyond the end of the archive`);
  }
  return {
    name,
    mode,
    attributes: { mode: mode & 0o7777, uid, gid, mtimeSeconds: mtime },
    nlink: header.nlink,
    identity: `${header.device}:${header.ino}`,
    rmaj: header.rmaj,
    rmin: header.rmin,
    sizeBytes: filesize,
    contentOffset,
    checksum: magic === CPIO_CRC_MAGIC ? header.checksum : undefined,
    next: Math.min(aligned(contentOffset + filesize), reader.sizeBytes),
  };
}

async function readOdc(reader: WindowReader, at: number) {
  const h = cpioOdc.decode(await reader.bytes(at, cpioOdc.sizeBytes));
  return {
    ...{ headerBytes: cpioOdc.sizeBytes, mode: h.c_mode, uid: h.c_uid, gid: h.c_gid, mtime: h.c_mtime },
    ...{ nlink: h.c_nlink, device: h.c_dev, ino: h.c_ino, namesize: h.c_namesize, filesize: h.c_filesize },
    // The 18 bits of c_rdev are the low ones of an old dev_t: 8 bits of minor, the rest major.
    ...{ rmaj: h.c_rdev >> 8, rmin: h.c_rdev & 0xff, checksum: 0 },
  };
}

async function readNewc(reader: WindowReader, at: number, magic: string) {
  if (magic !== CPIO_NEWC_MAGIC && magic !== CPIO_CRC_MAGIC) {
    const what = "no header of the formats odc, newc or crc (old binary cpio is not read)";
    throw new ImageError("bad-format", `cpio header at byte ${at}: ${what}`);
  }
  const h = cpioNewc.decode(await reader.bytes(at, cpioNewc.sizeBytes));
  return {
    ...{ headerBytes: cpioNewc.sizeBytes, mode: h.c_mode, uid: h.c_uid, gid: h.c_gid, mtime: h.c_mtime },
    ...{ nlink: h.c_nlink, device: h.c_maj * 2 ** 32 + h.c_min, ino: h.c_ino, namesize: h.c_namesize },
    ...{ filesize: h.c_filesize, rmaj: h.c_rmaj, rmin: h.c_rmin, checksum: h.c_chksum },
  };
}

async function nodeOf(archive: Content, member: Member, warnings: Warnings): Promise<Node | undefined> {
  const { name, attributes, sizeBytes, checksum } = member;
  const type = typeOfMode(member.mode);
  switch (type) {
    case "directory":
      return directory(attributes);
    case "symlink":
      return symlink(attributes, byteString(await readAll(contentOf(archive, member), MAX_NAME_BYTES)));
    case "character":
    case "block":
      return device(attributes, type, member.rmaj, member.rmin);
    case "fifo":
    case "socket":
      return special(attributes, type);
    case undefined: // Solaris' extended attributes have 0xb000 or'ed into the mode
      warnings.add("member-skipped", name, `of type 0${(member.mode & 0o170000).toString(8)}, left out`);
      return undefined;
    case "file": {
      const content = contentOf(archive, member);
      if (checksum === undefined || sizeBytes === 0) return file(attributes, content);
      const verify = async (whole: Content): Promise<void> => {
        if ((await sumOfBytes(whole)) % 2 ** 32 !== checksum) {
          throw sourceError("bad-format", name, "its content does not have the checksum in its cpio header");
        }
      };
      return file(attributes, verifiedContent(content, verify));
    }
  }
}

function contentOf(archive: Content, { contentOffset, sizeBytes }: Member): Content {
  return sliceContent(archive, contentOffset, sizeBytes);
}

/**
 * Files with several names: members with one identity are one file. In newc archives only one of them, the last as a
 * rule, has the content; in odc archives each has.
 */
function linkedFiles(builder: TreeBuilder): { add(member: Member, node: File): void; finish(): void } {
  const waiting = new Map<string, { readonly names: string[]; readonly node: File }>();
  const complete = new Map<string, File>();
  return {
    add({ identity, name, sizeBytes }, node) {
      const whole = complete.get(identity);
      // The sizes are compared since odc has only 18 bits for an inode: two files may share a number.
      if (whole && (sizeBytes === 0 || whole.content.sizeBytes === sizeBytes)) return builder.put(name, whole);
      const names = waiting.get(identity)?.names ?? [];
      names.push(name);
      if (sizeBytes === 0) {
        waiting.set(identity, { names, node });
        return;
      }
      for (const each of names) builder.put(each, node);
      complete.set(identity, node);
      waiting.delete(identity);
    },
    finish() {
      for (const { names, node } of waiting.values()) for (const name of names) builder.put(name, node);
    },
  };
}
