// CRC-32 as gzip, zip and GPT use it (polynomial 0xedb88320, reflected), and the rule that joins the CRCs of two pieces.

const POLYNOMIAL = 0xedb88320;

/** table[n << 8 | byte]: the register after `byte` and n zero bytes, so that eight bytes are looked up independently of each other. */
const table = new Int32Array(8 << 8);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let n = 0; n < 8; n++) {
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[(n << 8) | byte] = crc;
  }
}

/** CRC-32 of `bytes`, continuing from `previous` (the CRC of what came before; 0 at the start). */
export function crc32(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    crc ^= byteAt(bytes, i) | (byteAt(bytes, i + 1) << 8) | (byteAt(bytes, i + 2) << 16) | (byteAt(bytes, i + 3) << 24);
    crc =
      after(7, crc) ^
      after(6, crc >>> 8) ^
      after(5, crc >>> 16) ^
      after(4, crc >>> 24) ^
      after(3, byteAt(bytes, i + 4)) ^
      after(2, byteAt(bytes, i + 5)) ^
      after(1, byteAt(bytes, i + 6)) ^
      after(0, byteAt(bytes, i + 7));
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ after(0, crc ^ byteAt(bytes, i));
  return ~crc >>> 0;
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function after(zeroBytes: number, byte: number): number {
  return table[(zeroBytes << 8) | (byte & 0xff)] ?? 0;
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
