// A disk image to its partitions: MBR with logical partitions, GPT with both copies, and the boot blocks of a hybrid ISO.

import { type Content, ImageError, readBytes, type StructValues, sliceContent } from "../bytes/index.ts";
import {
  GPT_HEADER_LBA,
  ISOBOOT_SECTORS_AT_MOST,
  masterBootRecord,
  multibootHeader,
  pmbr,
  SECTOR_BYTES,
  TYPE_EXTENDED,
  TYPE_GPT_PROTECTIVE,
  TYPE_X86BOOT,
} from "./format.ts";
import { type GptCopy, readGptCopy } from "./gpt.ts";
import { guidText } from "./guid.ts";
import { isUsed, looksLikePartitionTable, type MbrPartition, type MbrRecord, readPartitionTable } from "./mbr.ts";
import { findMultibootHeader } from "./multiboot.ts";
import { gptTypeName, mbrTypeName } from "./types.ts";

export interface Partition {
  readonly scheme: "mbr" | "gpt";
  /** As the scheme counts: 1..4, logical ones from 5; of GPT the place in the array. */
  readonly number: number;
  /** "0xef" or a GUID. */
  readonly type: string;
  readonly typeName: string;
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** MBR: the active flag. */
  readonly active: boolean;
  /** GPT: text; else "". */
  readonly name: string;
}

export interface Gpt {
  /** Undefined when there is no header where it must be. */
  readonly primary: GptCopy | undefined;
  readonly backup: GptCopy | undefined;
}

export interface Disk {
  readonly sizeBytes: number;
  /** Of logical block addresses in GPT; MBR counts 512. */
  readonly sectorBytes: number;
  /** UniqueMBRDiskSignature; 0 for none. */
  readonly mbrSignature: number;
  /** The four records, used or not; undefined without an MBR. */
  readonly mbr: readonly MbrRecord[] | undefined;
  readonly logical: readonly MbrPartition[];
  readonly gpt: Gpt | undefined;
  /** Those that count: of a GPT if there is a good one, else of the MBR (the extended partition itself left out). */
  readonly partitions: readonly Partition[];
  /** Boot blocks of illumos in an X86BOOT partition. */
  readonly bootBlocks: BootBlocks | undefined;
}

export interface StageFields {
  /** What is started next, and where it is, in sectors of 512 bytes. */
  readonly stage2Lba: number;
  readonly stage2Sectors: number;
  /** As text. */
  readonly uuid: string;
  readonly version: number;
}

export interface BootBlocks {
  readonly partition: MbrPartition;
  readonly masterBoot: StageFields;
  /** The first sector of the partition. */
  readonly volumeBoot: StageFields;
  /** The partition that isoboot is told to look at: its first sector. Undefined when no multiboot header is there. */
  readonly targetLba: number | undefined;
}

const MAX_LOGICAL = 128;

/**
 * Reads partition tables.
 * @throws ImageError "bad-format" when there is neither MBR nor GPT, "truncated" below 512 bytes
 */
export async function readDisk(content: Content): Promise<Disk> {
  const sector = await readBytes(content, 0, SECTOR_BYTES);
  const records = readPartitionTable(sector);
  const mbr = records && looksLikePartitionTable(records) ? records : undefined;
  const { gpt, sectorBytes } = await readGpt(content);
  if (mbr === undefined && gpt === undefined) {
    throw new ImageError("bad-format", "no partition table: neither an MBR nor a GPT");
  }
  const logical = mbr ? await readLogical(content, mbr) : [];
  return {
    sizeBytes: content.sizeBytes,
    sectorBytes,
    mbrSignature: mbr ? masterBootRecord.decode(sector).UniqueMBRDiskSignature : 0,
    mbr,
    logical,
    gpt,
    partitions: partitionsOf(mbr ?? [], logical, gpt, sectorBytes),
    bootBlocks: mbr ? await readBootBlocks(content, sector, mbr) : undefined,
  };
}

/** The bytes of a partition, as far as the image has them. */
export function partitionContent(content: Content, { startBytes, sizeBytes }: Partition): Content {
  const end = Math.min(startBytes + sizeBytes, content.sizeBytes);
  return sliceContent(content, Math.min(startBytes, end), Math.max(0, end - startBytes));
}

/** The copy of a GPT that counts. */
export function validGpt(gpt: Gpt | undefined): GptCopy | undefined {
  return [gpt?.primary, gpt?.backup].find((copy) => copy?.problems.length === 0);
}

async function readGpt(content: Content): Promise<{ gpt: Gpt | undefined; sectorBytes: number }> {
  let found: { gpt: Gpt; sectorBytes: number } | undefined;
  for (const sectorBytes of [SECTOR_BYTES, 4096]) {
    const primary = await readGptCopy(content, GPT_HEADER_LBA, sectorBytes);
    const lastLba = Math.floor(content.sizeBytes / sectorBytes) - 1;
    const backupLba = primary?.problems.length === 0 ? primary.header.AlternateLBA : lastLba;
    const backup =
      (await readGptCopy(content, backupLba, sectorBytes)) ?? (await readGptCopy(content, lastLba, sectorBytes));
    if (primary === undefined && backup === undefined) continue;
    found ??= { gpt: { primary, backup }, sectorBytes };
    if (validGpt({ primary, backup })) return { gpt: { primary, backup }, sectorBytes };
  }
  return found ?? { gpt: undefined, sectorBytes: SECTOR_BYTES };
}

/** Logical partitions: a chain of boot records, each with one partition and the place of the next record. */
async function readLogical(content: Content, records: readonly MbrRecord[]): Promise<MbrPartition[]> {
  const extended = records.find((record) => TYPE_EXTENDED.includes(record.type) && isUsed(record));
  const logical: MbrPartition[] = [];
  const seen = new Set<number>();
  for (let lba = extended?.startLba; lba !== undefined && !seen.has(lba) && logical.length < MAX_LOGICAL; ) {
    seen.add(lba);
    const at: number = lba * SECTOR_BYTES;
    if (at + SECTOR_BYTES > content.sizeBytes) break;
    const [first, next] = readPartitionTable(await readBytes(content, at, SECTOR_BYTES)) ?? [];
    if (first && isUsed(first)) {
      const { type, startLba, sectors, active } = first;
      logical.push({ type, startLba: lba + startLba, sectors, active });
    }
    lba =
      next && isUsed(next) && TYPE_EXTENDED.includes(next.type) ? (extended?.startLba ?? 0) + next.startLba : undefined;
  }
  return logical;
}

function partitionsOf(
  records: readonly MbrRecord[],
  logical: readonly MbrPartition[],
  gpt: Gpt | undefined,
  sectorBytes: number,
): Partition[] {
  const valid = validGpt(gpt);
  if (valid) {
    return valid.partitions.map(({ number, typeGuid, startLba, endLba, name }) => ({
      scheme: "gpt",
      number,
      type: typeGuid,
      typeName: gptTypeName(typeGuid),
      startBytes: startLba * sectorBytes,
      sizeBytes: Math.max(0, endLba - startLba + 1) * sectorBytes,
      active: false,
      name,
    }));
  }
  const fromMbr = (number: number, { type, startLba, sectors, active }: MbrPartition): Partition => ({
    scheme: "mbr",
    number,
    type: `0x${type.toString(16).padStart(2, "0")}`,
    typeName: mbrTypeName(type),
    startBytes: startLba * SECTOR_BYTES,
    sizeBytes: sectors * SECTOR_BYTES,
    active,
    name: "",
  });
  return [
    ...records
      .filter((record) => isUsed(record) && !TYPE_EXTENDED.includes(record.type) && record.type !== TYPE_GPT_PROTECTIVE)
      .map((record) => fromMbr(record.index + 1, record)),
    ...logical.map((partition, index) => fromMbr(5 + index, partition)),
  ];
}

async function readBootBlocks(
  content: Content,
  masterBoot: Uint8Array,
  records: readonly MbrRecord[],
): Promise<BootBlocks | undefined> {
  const partition = records.find((record) => record.type === TYPE_X86BOOT && isUsed(record));
  if (partition === undefined) return undefined;
  const start = partition.startLba * SECTOR_BYTES;
  if (start + SECTOR_BYTES > content.sizeBytes) return undefined;
  const volumeBoot = stageFields(await readBytes(content, start, SECTOR_BYTES));
  const sectors = Math.min(volumeBoot.stage2Sectors, ISOBOOT_SECTORS_AT_MOST);
  const stage2Start = volumeBoot.stage2Lba * SECTOR_BYTES;
  const isThere = Number.isSafeInteger(stage2Start) && stage2Start + sectors * SECTOR_BYTES <= content.sizeBytes;
  const stage2 = isThere ? await readBytes(content, stage2Start, sectors * SECTOR_BYTES) : new Uint8Array(0);
  const header = findMultibootHeader(stage2);
  return {
    partition,
    masterBoot: stageFields(masterBoot),
    volumeBoot,
    targetLba: header === undefined ? undefined : multibootHeader.decode(stage2, header).bss_end_addr,
  };
}

function stageFields(sector: Uint8Array): StageFields {
  const fields: StructValues<typeof pmbr> = pmbr.decode(sector);
  return {
    stage2Lba: fields.STAGE1_STAGE2_LBA,
    stage2Sectors: fields.STAGE1_STAGE2_SIZE,
    uuid: guidText(fields.STAGE1_STAGE2_UUID),
    version: fields.STAGE1_MBR_VERSION,
  };
}
