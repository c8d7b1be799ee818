// A quick hash of names, for choices that shall depend on a name alone.

const OFFSET_BASIS = 0x811c9dc5 | 0; // as Math.imul has it

/** The hash's state after the characters of a byte string, from which it may go on: names in one directory begin alike. */
export function fnv1aBegin(text: string, begun: number = OFFSET_BASIS): number {
  let hash = begun;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** 32 bits: FNV-1a of a byte string, with its upper half folded into the lower, whose last bits would be too regular. */
export function fnv1a(text: string, begun?: number): number {
  const hash = fnv1aBegin(text, begun);
  return (hash ^ (hash >>> 15)) >>> 0;
}
