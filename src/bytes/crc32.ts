// CRC-32 as gzip, zip and GPT use it (polynomial 0xedb88320, reflected), and the rule that joins the CRCs of two pieces.

const POLYNOMIAL = 0xedb88320;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc >>> 0;
});

/** CRC-32 of `bytes`, continuing from `previous` (the CRC of what came before; 0 at the start). */
export function crc32(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

/**
 * CRC-32 of A followed by B, from their CRCs and B's length: A's register is run over lengthB zero bytes,
 * which is multiplication by x^(8·lengthB) in GF(2)[x] modulo the polynomial.
 */
export function crc32Combine(crcA: number, crcB: number, lengthB: number): number {
  let power = 0x00800000; // x^8 in the reflected representation (bit 31 is x^0)
  let crc = crcA;
  for (let n = lengthB; n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) crc = multiplyModulo(power, crc);
    power = multiplyModulo(power, power);
  }
  return (crc ^ crcB) >>> 0;
}

function multiplyModulo(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let bit = 0x80000000; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1;
  }
  return product >>> 0;
}
