// ELF, as far as finding out which libraries a program needs: little endian, 32 and 64 bits.
// Source: System V ABI (gABI), chapters 4 and 5; the amd64 and i386 supplements; Oracle/illumos Linker and Libraries Guide.

import { field, rawBytes, type Struct, struct, u8, u16, u32, u64 } from "../bytes/index.ts";

export const ELF_MAGIC = "\x7fELF";
export const ELFCLASS32 = 1;
export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;

/** e_type of executables and of shared objects; kernel modules are ET_REL. */
export const ET_EXEC = 2;
export const ET_DYN = 3;

export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;

export const DT_NULL = 0;
export const DT_NEEDED = 1;
export const DT_STRTAB = 5;
export const DT_STRSZ = 10;
export const DT_RPATH = 15;
export const DT_RUNPATH = 29;
export const DT_FLAGS_1 = 0x6ffffffb;
/** DT_FLAGS_1: the default directories are not searched. */
export const DF_1_NODEFLIB = 0x800;

export const elfIdent = struct("e_ident", 16, {
  EI_MAG: field(0, rawBytes(4), "0x7f, E, L, F"),
  EI_CLASS: field(4, u8, "1 = 32 bits, 2 = 64 bits"),
  EI_DATA: field(5, u8, "1 = little endian"),
  EI_VERSION: field(6, u8, "1"),
});

export const elf32Ehdr = struct("Elf32_Ehdr", 52, {
  e_type: field(16, u16, "2 = executable, 3 = shared object"),
  e_machine: field(18, u16, "3 = 80386"),
  e_phoff: field(28, u32, "offset of the program headers"),
  e_phentsize: field(42, u16, "bytes of a program header"),
  e_phnum: field(44, u16, "program headers"),
});

export const elf64Ehdr = struct("Elf64_Ehdr", 64, {
  e_type: field(16, u16, "2 = executable, 3 = shared object"),
  e_machine: field(18, u16, "62 = amd64"),
  e_phoff: field(32, u64, "offset of the program headers"),
  e_phentsize: field(54, u16, "bytes of a program header"),
  e_phnum: field(56, u16, "program headers"),
});

export const elf32Phdr = struct("Elf32_Phdr", 32, {
  p_type: field(0, u32, "1 = load, 2 = dynamic, 3 = interpreter"),
  p_offset: field(4, u32, "offset in the file"),
  p_vaddr: field(8, u32, "virtual address"),
  p_filesz: field(16, u32, "bytes in the file"),
});

export const elf64Phdr = struct("Elf64_Phdr", 56, {
  p_type: field(0, u32, "1 = load, 2 = dynamic, 3 = interpreter"),
  p_offset: field(8, u64, "offset in the file"),
  p_vaddr: field(16, u64, "virtual address"),
  p_filesz: field(32, u64, "bytes in the file"),
});

export const elf32Dyn = struct("Elf32_Dyn", 8, {
  d_tag: field(0, u32, "what the value is"),
  d_val: field(4, u32, "number, or offset in the string table, or address"),
});

export const elf64Dyn = struct("Elf64_Dyn", 16, {
  d_tag: field(0, u64, "what the value is"),
  d_val: field(8, u64, "number, or offset in the string table, or address"),
});

/** The structures of one class; both have the same field names. */
export interface ElfClass {
  readonly ehdr: Struct<(typeof elf64Ehdr)["fields"]>;
  readonly phdr: Struct<(typeof elf64Phdr)["fields"]>;
  readonly dyn: Struct<(typeof elf64Dyn)["fields"]>;
}

export const ELF_CLASSES: ReadonlyMap<number, ElfClass> = new Map<number, ElfClass>([
  [ELFCLASS32, { ehdr: elf32Ehdr, phdr: elf32Phdr, dyn: elf32Dyn }],
  [ELFCLASS64, { ehdr: elf64Ehdr, phdr: elf64Phdr, dyn: elf64Dyn }],
]);
