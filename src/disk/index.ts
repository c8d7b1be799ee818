// Disks: partition tables read and checked; the system area of an ISO that also boots as a disk.

export { checkDisk } from "./check.ts";
export { chsOf } from "./chs.ts";
export * from "./format.ts";
export type { GptCopy, GptPartition } from "./gpt.ts";
export { guidText } from "./guid.ts";
export {
  isUsed,
  looksLikePartitionTable,
  type MbrPartition,
  type MbrRecord,
  readPartitionTable,
  writePartitionTable,
} from "./mbr.ts";
export { checkHybridFiles, type HybridInput, type HybridPlan, planHybrid } from "./plan-hybrid.ts";
export { checkUsbGrubFiles, planUsbGrub, type UsbGrubInput, type UsbGrubPlan } from "./plan-usb-grub.ts";
export { type BootBlocks, type Disk, type Gpt, type Partition, partitionContent, readDisk, validGpt } from "./read.ts";
