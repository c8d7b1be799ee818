// Partition records, both ways.

import { ImageError } from "../bytes/index.ts";
import { chsOf } from "./chs.ts";
import { ACTIVE, MBR_SIGNATURE, masterBootRecord, PARTITION_RECORDS, partitionRecord, SECTOR_BYTES } from "./format.ts";

export interface MbrPartition {
  readonly type: number;
  readonly startLba: number;
  readonly sectors: number;
  readonly active: boolean;
}

const recordOffset = (index: number) =>
  masterBootRecord.fields.PartitionRecord.offset + index * partitionRecord.sizeBytes;

/**
 * Writes partition table and signature into a boot sector; its other bytes stay.
 * @throws ImageError "limit" when a number needs more than 32 bits, "invalid-argument" for more than four partitions
 */
export function writePartitionTable(partitions: readonly MbrPartition[], sector: Uint8Array): void {
  if (partitions.length > PARTITION_RECORDS) {
    throw new ImageError("invalid-argument", `${partitions.length} partitions: an MBR holds ${PARTITION_RECORDS}`);
  }
  masterBootRecord.patch({ Signature: MBR_SIGNATURE }, sector);
  sector.fill(0, recordOffset(0), recordOffset(PARTITION_RECORDS));
  for (const [index, { type, startLba, sectors, active }] of partitions.entries()) {
    partitionRecord.encode(
      {
        BootIndicator: active ? ACTIVE : 0,
        StartingCHS: chsOf(startLba),
        OSType: type,
        EndingCHS: chsOf(startLba + sectors - 1),
        StartingLBA: startLba,
        SizeInLBA: sectors,
      },
      sector,
      recordOffset(index),
    );
  }
}

export interface MbrRecord extends MbrPartition {
  /** 0..3 */
  readonly index: number;
  readonly bootIndicator: number;
  readonly startingChs: Uint8Array;
  readonly endingChs: Uint8Array;
}

/** The four records of a boot sector, used or not; undefined without the signature. */
export function readPartitionTable(sector: Uint8Array): MbrRecord[] | undefined {
  if (sector.length < SECTOR_BYTES || masterBootRecord.decode(sector).Signature !== MBR_SIGNATURE) return undefined;
  return Array.from({ length: PARTITION_RECORDS }, (_, index) => {
    const record = partitionRecord.decode(sector, recordOffset(index));
    return {
      index,
      type: record.OSType,
      startLba: record.StartingLBA,
      sectors: record.SizeInLBA,
      active: record.BootIndicator === ACTIVE,
      bootIndicator: record.BootIndicator,
      startingChs: record.StartingCHS,
      endingChs: record.EndingCHS,
    };
  });
}

export function isUsed({ type, sectors }: MbrPartition): boolean {
  return type !== 0 && sectors !== 0;
}

/**
 * Whether a sector with the signature holds a partition table, and not the boot code of some file system: the boot
 * indicators are what they may be, and at least one record is in use.
 */
export function looksLikePartitionTable(records: readonly MbrRecord[]): boolean {
  return records.every(({ bootIndicator }) => (bootIndicator & ~ACTIVE) === 0) && records.some(isUsed);
}
