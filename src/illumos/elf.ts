// Reads from an ELF file what the runtime linker reads first: interpreter, needed libraries, where to look for them.

import { byteString, byteStringToNul, type Content, ImageError, readBytes } from "../bytes/index.ts";
import {
  DF_1_NODEFLIB,
  DT_FLAGS_1,
  DT_NEEDED,
  DT_NULL,
  DT_RPATH,
  DT_RUNPATH,
  DT_STRSZ,
  DT_STRTAB,
  ELF_CLASSES,
  ELF_MAGIC,
  ELFCLASS64,
  ELFDATA2LSB,
  type ElfClass,
  elfIdent,
  PT_DYNAMIC,
  PT_INTERP,
  PT_LOAD,
} from "./format-elf.ts";

export interface ElfFile {
  readonly bits: 32 | 64;
  /** ET_EXEC, ET_DYN … */
  readonly type: number;
  readonly machine: number;
  /** PT_INTERP: "/lib/ld.so.1". */
  readonly interpreter: string | undefined;
  /** DT_NEEDED, in order. */
  readonly needed: readonly string[];
  /** DT_RUNPATH or DT_RPATH, directory by directory, tokens such as $ORIGIN as they are. */
  readonly runpath: readonly string[];
  /** DF_1_NODEFLIB: only `runpath` is searched. */
  readonly noDefaultDirectories: boolean;
}

/** Enough for header and program headers of nearly every file: one read. */
const HEAD_BYTES = 1024;
const MAX_PROGRAM_HEADERS = 256;
const MAX_DYNAMIC_BYTES = 2 ** 20;
const MAX_STRINGS_BYTES = 2 ** 22;
const MAX_NAME_BYTES = 1024;

type Segment = ReturnType<ElfClass["phdr"]["decode"]>;

/**
 * Undefined when the content is no ELF file.
 * @throws ImageError "unsupported" for big endian; "bad-format", "truncated", "limit" when what it says cannot be
 */
export async function readElf(content: Content): Promise<ElfFile | undefined> {
  if (content.sizeBytes < elfIdent.sizeBytes) return undefined;
  const head = await readBytes(content, 0, Math.min(content.sizeBytes, HEAD_BYTES));
  const ident = elfIdent.decode(head);
  if (byteString(ident.EI_MAG) !== ELF_MAGIC) return undefined;
  const structures = ELF_CLASSES.get(ident.EI_CLASS);
  if (structures === undefined)
    throw new ImageError("bad-format", `ELF class ${ident.EI_CLASS} is neither 32 nor 64 bits`);
  if (ident.EI_DATA !== ELFDATA2LSB) throw new ImageError("unsupported", "ELF: only little endian files are read");
  const header = structures.ehdr.decode(head);
  const segments = await readSegments(content, head, structures, header);
  const dynamic = await readDynamic(content, structures, segments);
  const first = (tag: number): number | undefined => dynamic.find(([found]) => found === tag)?.[1];
  const needed = dynamic.filter(([tag]) => tag === DT_NEEDED).map(([, value]) => value);
  const runpath = first(DT_RUNPATH) ?? first(DT_RPATH);
  const names = await readStrings(content, segments, first(DT_STRTAB), first(DT_STRSZ), [
    ...needed,
    ...(runpath === undefined ? [] : [runpath]),
  ]);
  const flags1 = first(DT_FLAGS_1) ?? 0;
  return {
    bits: ident.EI_CLASS === ELFCLASS64 ? 64 : 32,
    type: header.e_type,
    machine: header.e_machine,
    interpreter: await readInterpreter(content, segments),
    needed: names.slice(0, needed.length),
    runpath: (names[needed.length] ?? "").split(":").filter(Boolean),
    noDefaultDirectories: Math.floor(flags1 / DF_1_NODEFLIB) % 2 === 1,
  };
}

async function readSegments(
  content: Content,
  head: Uint8Array,
  { phdr }: ElfClass,
  { e_phoff, e_phentsize, e_phnum }: ReturnType<ElfClass["ehdr"]["decode"]>,
): Promise<Segment[]> {
  if (e_phnum === 0) return [];
  if (e_phnum > MAX_PROGRAM_HEADERS || e_phentsize < phdr.sizeBytes) {
    throw new ImageError("bad-format", `ELF: ${e_phnum} program headers of ${e_phentsize} bytes`, { field: "e_phnum" });
  }
  const length = e_phnum * e_phentsize;
  const bytes =
    e_phoff + length <= head.length
      ? head.subarray(e_phoff, e_phoff + length)
      : await readBytes(content, e_phoff, length);
  return Array.from({ length: e_phnum }, (_, i) => phdr.decode(bytes, i * e_phentsize));
}

/** The dynamic section up to DT_NULL, as tags and values; empty when the file is linked statically or is no program. */
async function readDynamic(
  content: Content,
  { dyn }: ElfClass,
  segments: readonly Segment[],
): Promise<[number, number][]> {
  const segment = segments.find(({ p_type }) => p_type === PT_DYNAMIC);
  if (segment === undefined || segment.p_filesz === 0) return [];
  if (segment.p_filesz > MAX_DYNAMIC_BYTES) {
    throw new ImageError(
      "limit",
      `ELF: a dynamic section of ${segment.p_filesz} bytes; at most ${MAX_DYNAMIC_BYTES} are read`,
    );
  }
  const bytes = await readBytes(content, segment.p_offset, segment.p_filesz);
  const entries: [number, number][] = [];
  for (let at = 0; at + dyn.sizeBytes <= bytes.length; at += dyn.sizeBytes) {
    const { d_tag, d_val } = dyn.decode(bytes, at);
    if (d_tag === DT_NULL) break;
    entries.push([d_tag, d_val]);
  }
  return entries;
}

/** Strings of the dynamic string table: one read from the first to the last of them. */
async function readStrings(
  content: Content,
  segments: readonly Segment[],
  address: number | undefined,
  sizeBytes: number | undefined,
  offsets: readonly number[],
): Promise<string[]> {
  if (offsets.length === 0) return [];
  if (address === undefined || sizeBytes === undefined) {
    throw new ImageError("bad-format", "ELF: needs libraries but has no string table", { field: "DT_STRTAB" });
  }
  const from = Math.min(...offsets);
  const to = Math.min(Math.max(...offsets) + MAX_NAME_BYTES, sizeBytes);
  if (from >= sizeBytes || to - from > MAX_STRINGS_BYTES) {
    throw new ImageError("bad-format", `ELF: names at ${from}..${to} of a string table of ${sizeBytes} bytes`, {
      field: "DT_STRSZ",
    });
  }
  const table = fileOffset(segments, address);
  const bytes = await readBytes(content, table + from, to - from);
  return offsets.map((offset) => byteStringToNul(bytes, offset - from));
}

function fileOffset(segments: readonly Segment[], address: number): number {
  for (const { p_type, p_vaddr, p_filesz, p_offset } of segments) {
    if (p_type === PT_LOAD && address >= p_vaddr && address < p_vaddr + p_filesz) return p_offset + (address - p_vaddr);
  }
  throw new ImageError("bad-format", `ELF: address 0x${address.toString(16)} is in no segment of the file`);
}

async function readInterpreter(content: Content, segments: readonly Segment[]): Promise<string | undefined> {
  const segment = segments.find(({ p_type }) => p_type === PT_INTERP);
  if (segment === undefined) return undefined;
  return byteStringToNul(await readBytes(content, segment.p_offset, Math.min(segment.p_filesz, MAX_NAME_BYTES)));
}
