// Boot blocks in the form that the real ones have: only the fields matter here, the code is a pattern.

import { crc32 } from "node:zlib";

export function pattern(length: number, seed: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 0xff));
}

/** A pmbr: version 1.1, a protective table of its own, 55 AA. */
export function samplePmbr(): Buffer {
  const bytes = pattern(512, 1);
  bytes.set([1, 1], 0xfa);
  bytes.set([0x80, 0, 1, 0, 0xee, 0xfe, 0xff, 0xff, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], 0x1be);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
}

/** An isoboot: its multiboot header at `headerOffset`. */
export function sampleIsoboot(sectors: number, headerOffset = 0x60): Buffer {
  const bytes = pattern(sectors * 512, 2);
  const header = [0x1badb002, 0x10000, -(0x1badb002 + 0x10000) >>> 0, 0x7c60, 0, sectors * 512 - 40, 0, 0x7c00];
  for (const [index, value] of header.entries()) bytes.writeUInt32LE(value, headerOffset + index * 4);
  return bytes;
}

interface GptOptions {
  readonly sectorBytes?: number;
  readonly sectors?: number;
  readonly partitions?: readonly {
    readonly type: string;
    readonly first: number;
    readonly last: number;
    readonly name: string;
  }[];
}

const guidBytes = (text: string): Buffer => {
  const hex = Buffer.from(text.replaceAll("-", ""), "hex");
  return Buffer.concat([
    hex.subarray(0, 4).reverse(),
    hex.subarray(4, 6).reverse(),
    hex.subarray(6, 8).reverse(),
    hex.subarray(8),
  ]);
};

export const EFI_SYSTEM_GUID = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
export const DISK_GUID = "00112233-4455-6677-8899-AABBCCDDEEFF";

/** A disk with a GPT, written by the specification's offsets and node's CRC. */
export function sampleGptDisk(options: GptOptions = {}): Buffer {
  const { sectorBytes = 512, sectors = 8192 } = options;
  const partitions = options.partitions ?? [{ type: EFI_SYSTEM_GUID, first: 2048, last: 6143, name: "EFI é" }];
  const disk = Buffer.alloc(sectors * sectorBytes);
  const array = Buffer.alloc(128 * 128);
  for (const [index, { type, first, last, name }] of partitions.entries()) {
    const entry = array.subarray(index * 128, index * 128 + 128);
    guidBytes(type).copy(entry, 0);
    pattern(16, index).copy(entry, 16);
    entry.writeBigUInt64LE(BigInt(first), 32);
    entry.writeBigUInt64LE(BigInt(last), 40);
    entry.write(name, 56, "utf16le");
  }
  const arraySectors = array.length / sectorBytes;
  const header = (my: number, other: number, arrayLba: number): Buffer => {
    const bytes = Buffer.alloc(92);
    bytes.write("EFI PART", 0);
    bytes.writeUInt32LE(0x00010000, 8);
    bytes.writeUInt32LE(92, 12);
    bytes.writeBigUInt64LE(BigInt(my), 24);
    bytes.writeBigUInt64LE(BigInt(other), 32);
    bytes.writeBigUInt64LE(BigInt(2 + arraySectors), 40);
    bytes.writeBigUInt64LE(BigInt(sectors - 2 - arraySectors), 48);
    guidBytes(DISK_GUID).copy(bytes, 56);
    bytes.writeBigUInt64LE(BigInt(arrayLba), 72);
    bytes.writeUInt32LE(128, 80);
    bytes.writeUInt32LE(128, 84);
    bytes.writeUInt32LE(crc32(array), 88);
    bytes.writeUInt32LE(crc32(bytes), 16);
    return bytes;
  };
  disk.set([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0], 446);
  disk.writeUInt32LE(sectors - 1, 446 + 12);
  disk.set([0x55, 0xaa], 510);
  header(1, sectors - 1, 2).copy(disk, sectorBytes);
  array.copy(disk, 2 * sectorBytes);
  array.copy(disk, (sectors - 1 - arraySectors) * sectorBytes);
  header(sectors - 1, 1, sectors - 1 - arraySectors).copy(disk, (sectors - 1) * sectorBytes);
  return disk;
}

export function content(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
