// Floor 2: gzip. One member, made of blocks that any number of threads compress; and a reader with random access.

export * from "./blocks.ts";
export * from "./borders.ts";
export * from "./check.ts";
export * from "./engine.ts";
export * from "./format.ts";
export * from "./inflate.ts";
export * from "./read.ts";
export * from "./write.ts";
