// Floor 6: what touches the machine. Directories and files as trees and contents, output files, threads, digests, the terminal.

export { defaultCacheDirectory, makeCacheDirectory } from "./block-cache.ts";
export * from "./build-files.ts";
export * from "./compressor.ts";
export * from "./directory-source.ts";
export * from "./engines.ts";
export * from "./extract.ts";
export * from "./file-content.ts";
export * from "./file-reader.ts";
export * from "./file-sink.ts";
export * from "./hashing.ts";
export * from "./host.ts";
export * from "./host-errors.ts";
export * from "./host-files.ts";
export * from "./host-inputs.ts";
export * from "./interrupt.ts";
export * from "./layers.ts";
export * from "./manifest-files.ts";
export * from "./open-image.ts";
export * from "./output-sink.ts";
export * from "./terminal.ts";
