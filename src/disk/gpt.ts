// The GUID partition table: a header behind the MBR with an array of entries, and a copy of both at the end of the disk.

import { byteString, type Content, crc32, isPowerOfTwo, readBytes, type StructValues } from "../bytes/index.ts";
import { GPT_SIGNATURE, gptEntry, gptHeader } from "./format.ts";
import { guidText } from "./guid.ts";

export interface GptPartition {
  /** From 1, the place in the array. */
  readonly number: number;
  readonly typeGuid: string;
  readonly uniqueGuid: string;
  readonly startLba: number;
  /** The last sector. */
  readonly endLba: number;
  readonly attributes: Uint8Array;
  /** Text. */
  readonly name: string;
}

/** One of the two copies. */
export interface GptCopy {
  readonly lba: number;
  readonly header: StructValues<typeof gptHeader>;
  readonly diskGuid: string;
  /** Entries in use; none when the array cannot be read. */
  readonly partitions: readonly GptPartition[];
  /** What is wrong with this copy by itself; none: it counts. */
  readonly problems: readonly string[];
}

/** 128 entries of 128 bytes are usual. */
const MAX_ARRAY_BYTES: number = 2 ** 20;
const MAX_ENTRY_BYTES = 4096;

/** The copy whose header is at `lba`; undefined when no header is there. */
export async function readGptCopy(content: Content, lba: number, sectorBytes: number): Promise<GptCopy | undefined> {
  const offset = lba * sectorBytes;
  if (!Number.isSafeInteger(offset) || offset + sectorBytes > content.sizeBytes) return undefined;
  const sector = await readBytes(content, offset, sectorBytes);
  const header = gptHeader.decode(sector);
  if (byteString(header.Signature) !== GPT_SIGNATURE) return undefined;
  const problems: string[] = [];
  if (header.HeaderSize < gptHeader.sizeBytes || header.HeaderSize > sectorBytes) {
    problems.push(`HeaderSize is ${header.HeaderSize}, must be ${gptHeader.sizeBytes}..${sectorBytes}`);
  } else if (headerCrc(sector.subarray(0, header.HeaderSize)) !== header.HeaderCRC32) {
    problems.push(
      `HeaderCRC32 is ${hex(header.HeaderCRC32)}, the header's is ${hex(headerCrc(sector.subarray(0, header.HeaderSize)))}`,
    );
  }
  if (header.MyLBA !== lba) problems.push(`MyLBA is ${header.MyLBA}, the header is at ${lba}`);
  const array = await readArray(content, header, sectorBytes, problems);
  return { lba, header, diskGuid: guidText(header.DiskGUID), partitions: partitionsOf(array, header), problems };
}

/** CRC-32 of a header, its own field taken as 0. */
function headerCrc(header: Uint8Array): number {
  const copy = header.slice();
  gptHeader.patch({ HeaderCRC32: 0 }, copy);
  return crc32(copy);
}

async function readArray(
  content: Content,
  header: StructValues<typeof gptHeader>,
  sectorBytes: number,
  problems: string[],
): Promise<Uint8Array> {
  const none = new Uint8Array(0);
  const { NumberOfPartitionEntries: count, SizeOfPartitionEntry: size, PartitionEntryLBA: lba } = header;
  if (!isPowerOfTwo(size / gptEntry.sizeBytes) || size > MAX_ENTRY_BYTES || count * size > MAX_ARRAY_BYTES) {
    problems.push(`${count} entries of ${size} bytes: not an array that can be`);
    return none;
  }
  const offset = lba * sectorBytes;
  if (lba < 2 || offset + count * size > content.sizeBytes) {
    problems.push(`PartitionEntryLBA ${lba}: the array is not on the disk`);
    return none;
  }
  const array = await readBytes(content, offset, count * size);
  if (crc32(array) !== header.PartitionEntryArrayCRC32) {
    problems.push(
      `PartitionEntryArrayCRC32 is ${hex(header.PartitionEntryArrayCRC32)}, the array's is ${hex(crc32(array))}`,
    );
  }
  return array;
}

function partitionsOf(
  array: Uint8Array,
  { SizeOfPartitionEntry: size }: StructValues<typeof gptHeader>,
): GptPartition[] {
  const partitions: GptPartition[] = [];
  for (let offset = 0; offset < array.length; offset += size) {
    const entry = gptEntry.decode(array, offset);
    if (entry.PartitionTypeGUID.every((byte) => byte === 0)) continue;
    partitions.push({
      number: offset / size + 1,
      typeGuid: guidText(entry.PartitionTypeGUID),
      uniqueGuid: guidText(entry.UniquePartitionGUID),
      startLba: entry.StartingLBA,
      endLba: entry.EndingLBA,
      attributes: entry.Attributes,
      name: new TextDecoder("utf-16le").decode(entry.PartitionName).replace(/\0[\s\S]*$/, ""),
    });
  }
  return partitions;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
