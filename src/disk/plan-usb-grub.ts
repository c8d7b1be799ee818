// An ISO with GRUB legacy that also boots as a disk: stage1 in the first sector loads the first sector of stage2 from
// its place in the ISO, and that loads the rest by the block list at its end. GRUB then reads the ISO's file system, as
// from a CD: it takes the whole disk for the root, whatever the partition table says.

import { ImageError } from "../bytes/index.ts";
import {
  GRUB_COMPAT_VERSION,
  GRUB_REST_SEGMENT,
  GRUB_STAGE2_ADDRESS,
  grubStage1,
  grubStage2Start,
  MBR_SIGNATURE,
  masterBootRecord,
  SECTOR_BYTES,
  SYSTEM_AREA_BYTES,
} from "./format.ts";
import { type MbrPartition, writePartitionTable } from "./mbr.ts";

export interface UsbGrubInput {
  /** The file boot/grub/stage1: 512 bytes. */
  readonly stage1: Uint8Array;
  /** Where the file boot/grub/stage2 (not stage2_eltorito) lies in the ISO, in one piece, in sectors of 512 bytes. */
  readonly stage2Lba512: number;
  readonly stage2SizeBytes: number;
  /** For the partition table; default none: BIOSes that want an active partition need one. */
  readonly partitions?: readonly MbrPartition[] | undefined;
}

export interface UsbGrubPlan {
  /** The first 32,768 bytes of the image. */
  readonly systemArea: Uint8Array<ArrayBuffer>;
  /**
   * The first sector of stage2 as it must be in the ISO; bytes behind it come back as they are.
   * @throws ImageError "bad-format" when it is not GRUB's stage2
   */
  patchStage2(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
}

/**
 * Whether these two files can start a disk; to be asked before an image is built, for planUsbGrub comes at its end.
 * @throws ImageError "bad-format" when they are not GRUB's
 */
export function checkUsbGrubFiles({
  stage1,
  stage2,
}: {
  readonly stage1: Uint8Array;
  readonly stage2: Uint8Array;
}): void {
  checkStage1(stage1);
  checkStage2(stage2);
  sectorsOfStage2(stage2.length);
}

/**
 * The system area and the change to stage2 that make a GRUB ISO boot as a disk.
 * @throws ImageError "bad-format" when stage1 is not GRUB's, "invalid-argument" for numbers out of range
 */
export function planUsbGrub(input: UsbGrubInput): UsbGrubPlan {
  const { stage1, stage2Lba512, stage2SizeBytes, partitions = [] } = input;
  checkStage1(stage1);
  const sectors = sectorsOfStage2(stage2SizeBytes);
  if (stage2Lba512 * SECTOR_BYTES < SYSTEM_AREA_BYTES || stage2Lba512 + sectors > 2 ** 32) {
    throw new ImageError(
      "invalid-argument",
      `boot/grub/stage2 at sector ${stage2Lba512}: lies outside of the ISO's files`,
    );
  }
  const systemArea = new Uint8Array(SYSTEM_AREA_BYTES);
  systemArea.set(stage1);
  grubStage1.patch(
    {
      boot_drive: 0xff,
      force_lba: 1,
      stage2_sector: stage2Lba512,
      partition_table: new Uint8Array(grubStage1.fields.partition_table.type.sizeBytes),
    },
    systemArea,
  );
  writePartitionTable(partitions, systemArea);
  return {
    systemArea,
    patchStage2(bytes) {
      checkStage2(bytes);
      const patched = bytes.slice();
      grubStage2Start.patch(
        { blocklist_start: stage2Lba512 + 1, blocklist_length: sectors - 1, blocklist_segment: GRUB_REST_SEGMENT },
        patched,
      );
      return patched;
    },
  };
}

function sectorsOfStage2(sizeBytes: number): number {
  const sectors = Math.ceil(sizeBytes / SECTOR_BYTES);
  if (sectors >= 2 && sectors <= 0xffff) return sectors;
  throw new ImageError(
    "bad-format",
    `boot/grub/stage2: ${sizeBytes} bytes; it has more than one sector and at most 65535`,
  );
}

function checkStage1(bytes: Uint8Array): void {
  const wrong = (why: string) =>
    new ImageError("bad-format", `boot/grub/stage1: ${why}; this is not stage1 of GRUB legacy`);
  if (bytes.length !== SECTOR_BYTES) throw wrong(`${bytes.length} bytes, must be ${SECTOR_BYTES}`);
  if (masterBootRecord.decode(bytes).Signature !== MBR_SIGNATURE) throw wrong("does not end with 55 AA");
  const { compat_version, stage2_address } = grubStage1.decode(bytes);
  if (compat_version !== GRUB_COMPAT_VERSION) throw wrong(`version 0x${compat_version.toString(16)} at 0x3E`);
  if (stage2_address !== GRUB_STAGE2_ADDRESS) throw wrong(`loads to 0x${stage2_address.toString(16)}, not to 0x8000`);
}

/** First bytes of stage2_eltorito: cli, then a far jump to 0:0x7C40. It runs where El Torito puts it and nowhere else. */
const ELTORITO_START: readonly number[] = [0xfa, 0xea, 0x40, 0x7c];

function checkStage2(bytes: Uint8Array): void {
  const wrong = (why: string) => new ImageError("bad-format", `boot/grub/stage2: ${why}`);
  if (bytes.length < SECTOR_BYTES) throw wrong(`${bytes.length} bytes are less than its first sector`);
  if (ELTORITO_START.every((byte, index) => bytes[index] === byte)) {
    throw wrong("this is stage2_eltorito, which starts from a CD only; the ISO needs the file stage2 as well");
  }
  if (grubStage2Start.decode(bytes).blocklist_segment !== GRUB_REST_SEGMENT) {
    throw wrong("its first sector does not end with a block list; this is not stage2 of GRUB legacy");
  }
}
