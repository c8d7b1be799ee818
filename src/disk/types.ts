// Names of partition types, for people: those that an illumos disk or one of its neighbours may have.

const MBR_TYPES: Readonly<Record<number, string>> = {
  1: "FAT12",
  4: "FAT16 below 32 MiB",
  5: "extended",
  6: "FAT16",
  7: "NTFS or exFAT",
  11: "FAT32",
  12: "FAT32 (LBA)",
  14: "FAT16 (LBA)",
  15: "extended (LBA)",
  23: "hidden NTFS (ISO hybrids)",
  130: "Solaris (old) or Linux swap",
  131: "Linux",
  133: "extended (Linux)",
  165: "FreeBSD",
  190: "illumos boot (X86BOOT)",
  191: "illumos (SUNIXOS2)",
  205: "ISO 9660 (some hybrids)",
  238: "GPT protective",
  239: "EFI system",
};

/** By type GUID; the illumos ones after its sys/efi_partition.h. */
const GPT_TYPES: Readonly<Record<string, string>> = {
  "C12A7328-F81F-11D2-BA4B-00A0C93EC93B": "EFI system",
  "21686148-6449-6E6F-744E-656564454649": "BIOS boot",
  "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7": "Microsoft basic data",
  "0FC63DAF-8483-4772-8E79-3D69D8477DE4": "Linux",
  "6A82CB45-1DD2-11B2-99A6-080020736631": "illumos boot",
  "6A85CF4D-1DD2-11B2-99A6-080020736631": "illumos root",
  "6A87C46F-1DD2-11B2-99A6-080020736631": "illumos swap",
  "6A898CC3-1DD2-11B2-99A6-080020736631": "illumos usr (ZFS)",
  "6A8B642B-1DD2-11B2-99A6-080020736631": "illumos backup",
  "6A8D2AC7-1DD2-11B2-99A6-080020736631": "illumos reserved",
  "6A8EF2E9-1DD2-11B2-99A6-080020736631": "illumos var",
  "6A90BA39-1DD2-11B2-99A6-080020736631": "illumos home",
  "6A945A3B-1DD2-11B2-99A6-080020736631": "illumos reserved",
};

export function mbrTypeName(type: number): string {
  return MBR_TYPES[type] ?? "unknown";
}

export function gptTypeName(guid: string): string {
  return GPT_TYPES[guid] ?? "unknown";
}
