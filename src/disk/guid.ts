// GUIDs: three numbers in little endian, then eight bytes as they are.

const GROUPS: readonly (readonly number[])[] = [
  [3, 2, 1, 0],
  [5, 4],
  [7, 6],
  [8, 9],
  [10, 11, 12, 13, 14, 15],
];

/** "C12A7328-F81F-11D2-BA4B-00A0C93EC93B" */
export function guidText(bytes: Uint8Array): string {
  const byte = (index: number) => (bytes[index] ?? 0).toString(16).padStart(2, "0");
  return GROUPS.map((group) => group.map(byte).join(""))
    .join("-")
    .toUpperCase();
}
