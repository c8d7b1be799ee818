// An ISO 9660 image that also boots as a disk: what hybridize-iso leaves in the system area, the first 32 KiB. The BIOS
// starts pmbr in LBA 0, that starts pmbr in the first sector of the X86BOOT partition, that starts isoboot behind it,
// which finds the loader in the ISO's file system. UEFI firmware takes the EFI system partition from the table.

import { divideUp, type Finding, ImageError } from "../bytes/index.ts";
import {
  ISOBOOT_LBA,
  ISOBOOT_SECTORS,
  LOADER_VERSIONS,
  MBR_SIGNATURE,
  masterBootRecord,
  multibootHeader,
  pmbr,
  SECTOR_BYTES,
  SYSTEM_AREA_BYTES,
  TYPE_EFI_SYSTEM,
  TYPE_X86BOOT,
  X86BOOT_LBA,
  X86BOOT_SECTORS,
} from "./format.ts";
import { writePartitionTable } from "./mbr.ts";
import { findMultibootHeader } from "./multiboot.ts";

const UUID_BYTES = 16;

export interface HybridInput {
  /** The file boot/pmbr: 512 bytes. */
  readonly pmbr: Uint8Array;
  /** The file boot/isoboot. */
  readonly isoboot: Uint8Array;
  /** The EFI system partition image in the ISO, in sectors of 512 bytes. */
  readonly espLba512: number;
  readonly espSectors512: number;
  /** 16 bytes; the caller derives them from content, so that they are the same for the same image. */
  readonly bootUuid: Uint8Array;
}

export interface HybridPlan {
  /** The first 32,768 bytes of the image. */
  readonly systemArea: Uint8Array<ArrayBuffer>;
  readonly findings: readonly Finding[];
}

/**
 * Whether these two files can start a hybrid image; to be asked before an image is built, for planHybrid comes at its end.
 * @returns what is doubtful
 * @throws ImageError "bad-format" when they are not what they should be, "limit" when isoboot is too big
 */
export function checkHybridFiles(files: Pick<HybridInput, "pmbr" | "isoboot">): Finding[] {
  const findings = pmbrFindings(files.pmbr);
  checkIsoboot(files.isoboot);
  mustFindMultibootHeader(files.isoboot);
  return findings;
}

/**
 * The system area of a hybrid image.
 * @throws ImageError as checkHybridFiles does; "invalid-argument" for numbers out of range
 */
export function planHybrid(input: HybridInput): HybridPlan {
  const { isoboot, espLba512, espSectors512, bootUuid } = input;
  const findings = checkHybridFiles(input);
  if (bootUuid.length !== UUID_BYTES) {
    throw new ImageError("invalid-argument", `boot UUID: ${bootUuid.length} bytes, must be ${UUID_BYTES}`);
  }
  if (espLba512 * SECTOR_BYTES < SYSTEM_AREA_BYTES || espSectors512 < 1 || espLba512 + espSectors512 > 2 ** 32) {
    throw new ImageError(
      "invalid-argument",
      `EFI system partition at sector ${espLba512}, ${espSectors512} sectors: must begin behind the system area and end below 2 TiB`,
    );
  }
  const systemArea = new Uint8Array(SYSTEM_AREA_BYTES);
  const masterBoot = systemArea.subarray(0, SECTOR_BYTES);
  const volumeBoot = systemArea.subarray(X86BOOT_LBA * SECTOR_BYTES, (X86BOOT_LBA + 1) * SECTOR_BYTES);

  // fdisk has been there, so installboot keeps BPB, disk signature and table of the sector: all zeros but the table.
  masterBoot.set(input.pmbr);
  pmbr.patch(
    {
      STAGE1_BPB: new Uint8Array(pmbr.fields.STAGE1_BPB.type.sizeBytes),
      STAGE1_STAGE2_SIZE: 1,
      STAGE1_STAGE2_LBA: X86BOOT_LBA,
      STAGE1_STAGE2_UUID: bootUuid,
      STAGE1_SIG: new Uint8Array(pmbr.fields.STAGE1_SIG.type.sizeBytes),
    },
    masterBoot,
  );
  const esp = { startLba: espLba512, sectors: espSectors512 };
  writePartitionTable(
    [
      { type: TYPE_X86BOOT, active: false, startLba: X86BOOT_LBA, sectors: X86BOOT_SECTORS },
      { type: TYPE_EFI_SYSTEM, active: false, ...esp },
    ],
    masterBoot,
  );

  // The partition's first sector had no signature, so there installboot keeps nothing: BPB and tail are the file's own.
  volumeBoot.set(input.pmbr);
  pmbr.patch(
    { STAGE1_STAGE2_SIZE: isoboot.length / SECTOR_BYTES, STAGE1_STAGE2_LBA: ISOBOOT_LBA, STAGE1_STAGE2_UUID: bootUuid },
    volumeBoot,
  );

  const stage2 = systemArea.subarray(ISOBOOT_LBA * SECTOR_BYTES);
  stage2.set(isoboot);
  multibootHeader.patch({ bss_end_addr: espLba512 }, stage2, mustFindMultibootHeader(isoboot));
  return { systemArea, findings };
}

function pmbrFindings(bytes: Uint8Array): Finding[] {
  if (bytes.length !== SECTOR_BYTES) {
    throw new ImageError("bad-format", `boot/pmbr: ${bytes.length} bytes, must be ${SECTOR_BYTES}`);
  }
  if (masterBootRecord.decode(bytes).Signature !== MBR_SIGNATURE) {
    throw new ImageError("bad-format", "boot/pmbr: does not end with 55 AA; this is no boot sector");
  }
  const version = pmbr.decode(bytes).STAGE1_MBR_VERSION;
  if (LOADER_VERSIONS.includes(version)) return [];
  const message = `boot/pmbr: version ${version} at 0xFA, known are ${LOADER_VERSIONS.join(" and ")}; it may want other fields`;
  return [{ code: "pmbr-version", severity: "warning", message }];
}

function checkIsoboot({ length }: Uint8Array): void {
  const sectors = divideUp(length, SECTOR_BYTES);
  if (sectors > ISOBOOT_SECTORS) {
    throw new ImageError(
      "limit",
      `boot/isoboot: ${length} bytes (${sectors} sectors); ${ISOBOOT_SECTORS} sectors fit into the boot partition; make a medium for CD only (--hybrid no)`,
    );
  }
  if (length > 0 && length % SECTOR_BYTES === 0) return;
  throw new ImageError(
    "bad-format",
    `boot/isoboot: ${length} bytes, must be a multiple of ${SECTOR_BYTES}; is it cut off?`,
  );
}

function mustFindMultibootHeader(isoboot: Uint8Array): number {
  const offset = findMultibootHeader(isoboot);
  if (offset !== undefined) return offset;
  throw new ImageError("bad-format", "boot/isoboot: no multiboot header in its first 64 KiB; this is no isoboot");
}
