// Cylinder, head and sector of a sector, for programs older than logical addresses. 255 heads and 63 sectors a track is
// what every BIOS assumes, and illumos' fdisk on a medium without a geometry of its own.

const HEADS = 255;
const SECTORS = 63;
/** The last cylinder but one that ten bits can say: what lies beyond is marked as "see the LBA". */
const MAX_CYLINDER = 1022;
const BEYOND: readonly number[] = [0xfe, 0xff, 0xff];

/** The three bytes of StartingCHS or EndingCHS. */
export function chsOf(lba: number): Uint8Array {
  const cylinder = Math.floor(lba / (HEADS * SECTORS));
  if (cylinder > MAX_CYLINDER) return Uint8Array.from(BEYOND);
  const head = Math.floor(lba / SECTORS) % HEADS;
  const sector = (lba % SECTORS) + 1;
  return Uint8Array.of(head, sector | ((cylinder >> 2) & 0xc0), cylinder & 0xff);
}
