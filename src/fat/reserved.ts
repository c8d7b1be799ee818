// The sectors before the first FAT, as we write them.

import {
  bootSector16,
  bootSector32,
  EXTENDED_BOOT_SIGNATURE,
  FSI_LEAD_SIG,
  FSI_STRUC_SIG,
  FSI_TRAIL_SIG,
  FSI_UNKNOWN,
  fsInfo,
  MEDIA_FIXED,
  SIGNATURE_WORD,
} from "./format.ts";
import { FIRST_CLUSTER, type Geometry } from "./geometry.ts";
import { isDataCluster } from "./table.ts";

/** Where the standard wants them. */
export const MADE_FSINFO_SECTOR = 1;
export const MADE_BACKUP_BOOT_SECTOR = 6;

const OEM_NAME = "PUREBOOT";
const NO_LABEL = "NO NAME";
const FIXED_DRIVE = 0x80;
/** 255 heads and 63 sectors a track, as every BIOS reports for a medium that has no geometry. */
const HEADS = 255;
const SECTORS_PER_TRACK = 63;

/** int 0x18 (this medium cannot boot, try the next one), and should that return: halt. */
const BOOT_CODE: Uint8Array = Uint8Array.of(0xcd, 0x18, 0xf4, 0xeb, 0xfd);

function jumpTo(offset: number): Uint8Array {
  return Uint8Array.of(0xeb, offset - 2, 0x90);
}

export function encodeBootSector(
  geometry: Geometry,
  { volumeId, label }: { readonly volumeId: number; readonly label: string },
  target: Uint8Array,
): void {
  const { fatType, totalSectors } = geometry;
  const fitsIn16 = fatType !== 32 && totalSectors <= 0xffff;
  const common = {
    BS_OEMName: OEM_NAME,
    BPB_BytsPerSec: geometry.bytesPerSector,
    BPB_SecPerClus: geometry.sectorsPerCluster,
    BPB_RsvdSecCnt: geometry.reservedSectors,
    BPB_NumFATs: geometry.numberOfFats,
    BPB_RootEntCnt: geometry.rootEntries,
    BPB_TotSec16: fitsIn16 ? totalSectors : 0,
    BPB_Media: MEDIA_FIXED,
    BPB_SecPerTrk: SECTORS_PER_TRACK,
    BPB_NumHeads: HEADS,
    BPB_TotSec32: fitsIn16 ? 0 : totalSectors,
    BS_DrvNum: FIXED_DRIVE,
    BS_BootSig: EXTENDED_BOOT_SIGNATURE,
    BS_VolID: volumeId,
    BS_VolLab: label === "" ? NO_LABEL : label,
    BS_FilSysType: `FAT${fatType}`,
    Signature_word: SIGNATURE_WORD,
  };
  if (fatType === 32) {
    bootSector32.encode(
      {
        ...common,
        BS_jmpBoot: jumpTo(bootSector32.fields.BS_BootCode32.offset),
        BPB_FATSz32: geometry.sectorsPerFat,
        BPB_RootClus: FIRST_CLUSTER,
        BPB_FSInfo: MADE_FSINFO_SECTOR,
        BPB_BkBootSec: MADE_BACKUP_BOOT_SECTOR,
        BS_BootCode32: BOOT_CODE,
      },
      target,
    );
  } else {
    bootSector16.encode(
      {
        ...common,
        BS_jmpBoot: jumpTo(bootSector16.fields.BS_BootCode.offset),
        BPB_FATSz16: geometry.sectorsPerFat,
        BS_BootCode: BOOT_CODE,
      },
      target,
    );
  }
}

export function encodeFsInfo(
  {
    freeClusters,
    nextCluster,
    geometry,
  }: { readonly freeClusters: number; readonly nextCluster: number; readonly geometry: Geometry },
  target: Uint8Array,
): void {
  fsInfo.encode(
    {
      FSI_LeadSig: FSI_LEAD_SIG,
      FSI_StrucSig: FSI_STRUC_SIG,
      FSI_Free_Count: freeClusters,
      FSI_Nxt_Free: isDataCluster(nextCluster, geometry.clusters) ? nextCluster : FSI_UNKNOWN,
      FSI_TrailSig: FSI_TRAIL_SIG,
    },
    target,
  );
}
