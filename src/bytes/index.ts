// Floor 0: bytes. Declared structures, byte strings, contents, checksums, sizes, the error class.

export * from "./bytestring.ts";
export * from "./content.ts";
export * from "./crc32.ts";
export * from "./errors.ts";
export * from "./finding.ts";
export * from "./fnv1a.ts";
export * from "./hasher.ts";
export * from "./integers.ts";
export * from "./nearest.ts";
export * from "./progress.ts";
export * from "./size.ts";
export * from "./struct.ts";
export * from "./zeros.ts";
