// Floor 1: the file tree in memory.

export * from "./draft.ts";
export * from "./node.ts";
export * from "./path.ts";
export * from "./select.ts";
export * from "./walk.ts";
