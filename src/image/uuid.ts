// UUIDs from content, not from chance: RFC 9562, version 8 (made by a rule of one's own): the first 16 bytes of a digest.

const UUID_BYTES = 16;

/** @param digestHex 32 hexadecimal digits or more */
export function contentUuid(digestHex: string): Uint8Array {
  const bytes = Uint8Array.from({ length: UUID_BYTES }, (_, i) =>
    Number.parseInt(digestHex.slice(2 * i, 2 * i + 2), 16),
  );
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes;
}

/** "8-4-4-4-12" */
export function uuidText(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
