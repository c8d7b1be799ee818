// Which structure of a disk an offset lies in: MBR, GPT, boot blocks, partitions.

import type { Content } from "../bytes/index.ts";
import {
  type Disk,
  type GptCopy,
  gptEntry,
  gptHeader,
  masterBootRecord,
  PARTITION_RECORDS,
  partitionContent,
  partitionRecord,
  pmbr,
  SECTOR_BYTES,
} from "../disk/index.ts";
import { type Located, structureAt } from "./located.ts";

/** Takes a disk, or an ISO that is a disk too. */
export async function locateDisk(
  { content, disk }: { readonly content: Content; readonly disk: Disk | undefined },
  offset: number,
): Promise<Located> {
  if (disk === undefined) return { what: "no disk", structures: [] };
  if (offset < SECTOR_BYTES) return masterBoot(content, disk, offset);
  for (const [copy, name] of [
    [disk.gpt?.primary, "GPT"],
    [disk.gpt?.backup, "backup GPT"],
  ] as const) {
    const located = copy && (await inGpt(content, copy, name, disk.sectorBytes, offset));
    if (located) return located;
  }
  const volumeBoot = disk.bootBlocks && disk.bootBlocks.partition.startLba * SECTOR_BYTES;
  if (volumeBoot !== undefined && offset >= volumeBoot && offset < volumeBoot + SECTOR_BYTES) {
    const what = "boot block of the X86BOOT partition";
    return { what, structures: [await structureAt(content, pmbr, what, volumeBoot)] };
  }
  const partition = disk.partitions.find((one) => offset >= one.startBytes && offset < one.startBytes + one.sizeBytes);
  if (partition === undefined) return { what: "in no partition", structures: [] };
  const what = `partition ${partition.number} (${partition.typeName})`;
  const inner = { content: partitionContent(content, partition), offset: offset - partition.startBytes, name: what };
  return { what, structures: [], inner };
}

async function masterBoot(content: Content, { bootBlocks }: Disk, offset: number): Promise<Located> {
  const what = "Master Boot Record";
  const structures = [await structureAt(content, masterBootRecord, what, 0)];
  const table = masterBootRecord.fields.PartitionRecord;
  const index = Math.floor((offset - table.offset) / partitionRecord.sizeBytes);
  if (offset >= table.offset && index < PARTITION_RECORDS) {
    const title = `partition record ${index + 1}`;
    structures.unshift(
      await structureAt(content, partitionRecord, title, table.offset + index * partitionRecord.sizeBytes),
    );
  } else if (bootBlocks) structures.unshift(await structureAt(content, pmbr, "pmbr in the Master Boot Record", 0));
  return { what, structures };
}

async function inGpt(
  content: Content,
  { lba, header }: GptCopy,
  name: string,
  sectorBytes: number,
  offset: number,
): Promise<Located | undefined> {
  const at = lba * sectorBytes;
  if (offset >= at && offset < at + sectorBytes) {
    return { what: `${name} header`, structures: [await structureAt(content, gptHeader, `${name} header`, at)] };
  }
  const { PartitionEntryLBA, NumberOfPartitionEntries, SizeOfPartitionEntry } = header;
  const entries = PartitionEntryLBA * sectorBytes;
  const index = Math.floor((offset - entries) / SizeOfPartitionEntry);
  if (offset < entries || !(index < NumberOfPartitionEntries)) return undefined;
  const title = `${name} entry ${index + 1}`;
  return {
    what: title,
    structures: [await structureAt(content, gptEntry, title, entries + index * SizeOfPartitionEntry)],
  };
}
