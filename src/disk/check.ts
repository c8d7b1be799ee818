// Everything that is wrong with the partition tables of a disk image, and with the boot blocks of a hybrid ISO.

import { type Content, type Finding, ImageError, type Severity } from "../bytes/index.ts";
import { chsOf } from "./chs.ts";
import { GPT_HEADER_LBA, TYPE_EFI_SYSTEM, TYPE_GPT_PROTECTIVE } from "./format.ts";
import type { GptCopy, GptPartition } from "./gpt.ts";
import { isUsed, type MbrRecord } from "./mbr.ts";
import { type BootBlocks, type Disk, readDisk, validGpt } from "./read.ts";

type Report = (code: string, severity: Severity, message: string) => void;

/**
 * Checks MBR, GPT and boot blocks.
 * @throws ImageError only when the image cannot be read ("input-missing", "input-changed", "interrupted")
 */
export async function checkDisk(content: Content): Promise<Finding[]> {
  const findings: Finding[] = [];
  const report: Report = (code, severity, message) => findings.push({ code, severity, message });
  let disk: Disk;
  try {
    disk = await readDisk(content);
  } catch (error) {
    if (!(error instanceof ImageError) || (error.code !== "bad-format" && error.code !== "truncated")) throw error;
    return [{ code: "no-table", severity: "error", message: error.message }];
  }
  if (disk.mbr) checkMbr(disk, disk.mbr, report);
  if (disk.gpt) checkGpt(disk, report);
  if (disk.bootBlocks && disk.mbr) checkBootBlocks(disk.bootBlocks, disk.mbr, report);
  checkPlaces(disk, report);
  return findings;
}

function checkMbr({ gpt }: Disk, records: readonly MbrRecord[], report: Report): void {
  const used = records.filter(isUsed);
  if (used.filter(({ active }) => active).length > 1) report("active", "warning", "more than one partition is active");
  for (const { index, type, sectors, startLba, startingChs, endingChs } of used) {
    const protective = type === TYPE_GPT_PROTECTIVE;
    if (startLba === 0) report("mbr-range", "error", `MBR partition ${index + 1} begins with the MBR itself`);
    const agrees = sameBytes(startingChs, chsOf(startLba)) && sameBytes(endingChs, chsOf(startLba + sectors - 1));
    if (!agrees && !protective) {
      report("chs", "note", `MBR partition ${index + 1}: CHS is not what 255 heads and 63 sectors a track give`);
    }
  }
  const protective = used.find(({ type }) => type === TYPE_GPT_PROTECTIVE);
  if (gpt === undefined && protective) {
    report("gpt-missing", "error", `MBR partition ${protective.index + 1} protects a GPT that is not there`);
  }
  if (gpt && protective === undefined)
    report("not-protective", "warning", "there is a GPT, but the MBR does not protect it");
  if (gpt && protective && protective.startLba !== GPT_HEADER_LBA) {
    report("not-protective", "warning", `the protective partition begins at ${protective.startLba}, not at 1`);
  }
  if (gpt && protective && used.length > 1)
    report("hybrid-mbr", "note", "the MBR has partitions besides the protective one");
}

function checkGpt(disk: Disk, report: Report): void {
  const { primary, backup } = disk.gpt ?? {};
  if (primary === undefined) report("gpt-primary", "error", "no GPT header at its place behind the MBR");
  if (backup === undefined) report("gpt-backup", "error", "no backup GPT header");
  for (const [code, name, copy] of [
    ["gpt-primary", "primary", primary],
    ["gpt-backup", "backup", backup],
  ] as const) {
    for (const problem of copy?.problems ?? []) report(code, "error", `${name} GPT: ${problem}`);
  }
  const lastLba = Math.floor(disk.sizeBytes / disk.sectorBytes) - 1;
  if (backup && backup.lba !== lastLba) {
    report("gpt-backup", "warning", `the backup GPT is at sector ${backup.lba}, the disk ends with ${lastLba}`);
  }
  if (primary && backup && !agree(primary, backup)) report("gpt-copies", "error", "primary and backup GPT differ");
  const valid = validGpt(disk.gpt);
  for (const partition of valid?.partitions ?? []) checkGptPartition(partition, valid, report);
}

function checkGptPartition(
  { number, startLba, endLba }: GptPartition,
  copy: GptCopy | undefined,
  report: Report,
): void {
  if (endLba < startLba) report("gpt-range", "error", `GPT partition ${number} ends before it begins`);
  const { FirstUsableLBA = 0, LastUsableLBA = 0 } = copy?.header ?? {};
  if (startLba < FirstUsableLBA || endLba > LastUsableLBA) {
    const message = `GPT partition ${number}: sectors ${startLba}..${endLba} are not within ${FirstUsableLBA}..${LastUsableLBA}`;
    report("gpt-range", "error", message);
  }
}

/** Whether both copies describe the same partitions, and each other's places. */
function agree(primary: GptCopy, backup: GptCopy): boolean {
  const facts = ({ header, diskGuid, partitions }: GptCopy) =>
    JSON.stringify([
      diskGuid,
      header.FirstUsableLBA,
      header.LastUsableLBA,
      header.NumberOfPartitionEntries,
      header.PartitionEntryArrayCRC32,
      partitions.map(({ attributes, ...rest }) => ({ ...rest, attributes: [...attributes] })),
    ]);
  const pointing = primary.header.AlternateLBA === backup.lba && backup.header.AlternateLBA === primary.lba;
  return pointing && facts(primary) === facts(backup);
}

/** No two partitions may share sectors, none may lie beyond the disk's end. */
function checkPlaces(disk: Disk, report: Report): void {
  const sorted = [...disk.partitions].sort((a, b) => a.startBytes - b.startBytes);
  let reach: { readonly name: string; readonly end: number } | undefined;
  for (const { scheme, number, startBytes, sizeBytes } of sorted) {
    const name = `${scheme.toUpperCase()} partition ${number}`;
    const end = startBytes + sizeBytes;
    if (end > disk.sizeBytes)
      report("beyond-disk", "error", `${name} ends at byte ${end}, the disk at ${disk.sizeBytes}`);
    if (reach && startBytes < reach.end) report("overlap", "error", `${name} overlaps ${reach.name}`);
    if (reach === undefined || end > reach.end) reach = { name, end };
  }
}

function checkBootBlocks(blocks: BootBlocks, records: readonly MbrRecord[], report: Report): void {
  const { partition, masterBoot, volumeBoot, targetLba } = blocks;
  const wrong = (message: string) => report("boot-blocks", "error", message);
  if (masterBoot.stage2Lba !== partition.startLba || masterBoot.stage2Sectors !== 1) {
    wrong(
      `the MBR starts ${masterBoot.stage2Sectors} sectors at ${masterBoot.stage2Lba}, the X86BOOT partition is at ${partition.startLba}`,
    );
  }
  const end = volumeBoot.stage2Lba + volumeBoot.stage2Sectors;
  const partitionEnd = partition.startLba + partition.sectors;
  if (
    volumeBoot.stage2Lba <= partition.startLba ||
    volumeBoot.stage2Sectors === 0 ||
    volumeBoot.stage2Lba >= partitionEnd
  ) {
    wrong(
      `the X86BOOT partition starts ${volumeBoot.stage2Sectors} sectors at ${volumeBoot.stage2Lba}, which is not inside it`,
    );
  } else if (end > partitionEnd) {
    report("boot-blocks", "warning", `isoboot ends at sector ${end}, the X86BOOT partition at ${partitionEnd}`);
  }
  if (masterBoot.uuid !== volumeBoot.uuid) wrong(`boot UUIDs differ: ${masterBoot.uuid} and ${volumeBoot.uuid}`);
  if (targetLba === undefined) wrong("no multiboot header where isoboot must be");
  const esp = records.find((record) => record.type === TYPE_EFI_SYSTEM && isUsed(record));
  if (targetLba !== undefined && esp && targetLba !== esp.startLba) {
    wrong(`isoboot is told sector ${targetLba}, the EFI system partition is at ${esp.startLba}`);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
