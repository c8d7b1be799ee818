// A quick hash of names, for choices that shall depend on a name alone.

/** 32 bits: FNV-1a of a byte string, with its upper half folded into the lower, whose last bits would be too regular. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
