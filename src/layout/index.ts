// Floor 1: layouts, and the one emitter.

export * from "./emit.ts";
export * from "./layout.ts";
export * from "./memory-sink.ts";
