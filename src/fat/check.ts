// Everything that is wrong with a FAT image, as fsck.fat sees it and a little more. Nothing is changed.

import { type Content, type Finding, ImageError, readBytes } from "../bytes/index.ts";
import { bootSector16, FSI_LEAD_SIG, FSI_STRUC_SIG, FSI_TRAIL_SIG, FSI_UNKNOWN, fsInfo } from "./format.ts";
import { FIRST_CLUSTER, fatBytes, fatOffset } from "./geometry.ts";
import { type Scan, scanVolume } from "./scan.ts";
import { badCluster, endMarks, FREE, isDataCluster, readEntry, reservedEntries } from "./table.ts";
import { clusterEnd, countFree, entryOf, openVolume, type Report, type Volume } from "./volume.ts";

/** After so many findings the check stops: a volume of noise would give millions. */
const MAX_FINDINGS = 1000;
const ENOUGH = Symbol("enough findings");

/**
 * Checks a FAT image.
 * @throws ImageError only when the image cannot be read ("input-missing", "input-changed", "interrupted")
 */
export async function checkFat(content: Content): Promise<Finding[]> {
  const findings: Finding[] = [];
  const report: Report = (code, severity, message, path) => {
    findings.push({ code, severity, message, path });
    if (findings.length >= MAX_FINDINGS) throw ENOUGH;
  };
  try {
    const volume = await openVolume(content, report);
    checkReservedEntries(volume, report);
    const scan = await scanVolume(volume, report);
    checkLabel(volume, scan, report);
    checkUnclaimed(volume, scan, report);
    await checkCopies(volume, report);
    await checkFat32Sectors(volume, report);
  } catch (error) {
    if (error === ENOUGH) {
      findings.push({ code: "enough", severity: "note", message: `stopped after ${MAX_FINDINGS} findings` });
    } else if (error instanceof ImageError && IN_THE_IMAGE.has(error.code)) {
      findings.push({ code: "volume", severity: "error", message: error.message, path: error.path });
    } else throw error;
  }
  return findings;
}

const IN_THE_IMAGE: ReadonlySet<string> = new Set(["bad-format", "truncated", "unsupported", "limit"]);

/** FAT[0] holds the media byte; FAT[1] ends a chain, and on FAT16 and FAT32 has a bit for "clean" and one for "no errors". */
function checkReservedEntries(volume: Volume, report: Report): void {
  const { fatType } = volume.geometry;
  const [media, end] = reservedEntries(fatType, volume.media);
  if (entryOf(volume, 0) !== media) {
    report("reserved-entry", "warning", `FAT[0] is ${hex(entryOf(volume, 0))}, BPB_Media says ${hex(media)}`);
  }
  const second = entryOf(volume, 1);
  if (fatType === 12) {
    if (second < endMarks(12)) report("reserved-entry", "warning", `FAT[1] is ${hex(second)}, not an end mark`);
    return;
  }
  const [clean, noErrors] = fatType === 16 ? [0x8000, 0x4000] : [0x08000000, 0x04000000];
  if ((second & clean) === 0) report("dirty", "warning", "FAT[1] says that the volume was not unmounted cleanly");
  if ((second & noErrors) === 0) report("disk-errors", "warning", "FAT[1] says that the disk had errors");
  if ((second | clean | noErrors) < endMarks(fatType)) {
    report("reserved-entry", "warning", `FAT[1] is ${hex(second)}, not ${hex(end)}`);
  }
}

function checkLabel({ bootLabel }: Volume, { label }: Scan, report: Report): void {
  const inRoot = label?.name ?? "NO NAME";
  if (bootLabel !== undefined && bootLabel !== inRoot && bootLabel !== "") {
    report("label", "warning", `BS_VolLab is "${bootLabel}", the root directory's label is "${inRoot}"`);
  }
}

/** Clusters that are neither free nor part of a file: lost ones, and those marked bad. */
function checkUnclaimed(volume: Volume, scan: Scan, report: Report): void {
  const { fatType, clusters } = volume.geometry;
  let lost = 0;
  let bad = 0;
  let firstLost = 0;
  const wild: number[] = [];
  for (let cluster = FIRST_CLUSTER; cluster < clusterEnd(volume); cluster++) {
    const entry = entryOf(volume, cluster);
    if (entry === FREE || scan.isClaimed(cluster)) continue;
    if (entry === badCluster(fatType)) {
      bad++;
      continue;
    }
    lost++;
    firstLost ||= cluster;
    if (entry < endMarks(fatType) && !isDataCluster(entry, clusters) && wild.length < 10) wild.push(cluster);
  }
  if (lost > 0) report("lost-clusters", "error", `${lost} clusters, from ${firstLost} on, belong to no file`);
  if (wild.length > 0)
    report("entry-range", "error", `FAT entries of clusters ${wild.join(" ")} lead out of the volume`);
  if (bad > 0) report("bad-clusters", "note", `${bad} clusters are marked bad`);
}

/** All copies of the FAT must be alike, unless FAT32 says that only one counts. */
async function checkCopies(volume: Volume, report: Report): Promise<void> {
  const { content, geometry, activeFat, mirrored, fat } = volume;
  if (!mirrored) {
    report("fat-copies", "note", `only FAT ${activeFat + 1} of ${geometry.numberOfFats} is kept up to date`);
    return;
  }
  for (let copy = 0; copy < geometry.numberOfFats; copy++) {
    if (copy === activeFat) continue;
    const other = await readBytes(content, fatOffset(geometry, copy), fatBytes(geometry.fatType, geometry.clusters));
    let differing = 0;
    let first = 0;
    for (let cluster = 0; cluster < clusterEnd(volume); cluster++) {
      if (readEntry(other, geometry.fatType, cluster) === readEntry(fat, geometry.fatType, cluster)) continue;
      if (differing++ === 0) first = cluster;
    }
    if (differing > 0) {
      const where = `entry ${first}${differing > 1 ? ` and ${differing - 1} more` : ""}`;
      report("fat-copies", "error", `FAT ${copy + 1} differs from FAT ${activeFat + 1}: ${where}`);
    }
  }
}

async function checkFat32Sectors(volume: Volume, report: Report): Promise<void> {
  const { content, geometry, fsInfoSector, backupBootSector } = volume;
  if (geometry.fatType !== 32) return;
  const sector = (number: number) => readBytes(content, number * geometry.bytesPerSector, bootSector16.sizeBytes);
  if (backupBootSector === undefined) report("boot-sector-copy", "warning", "the boot sector has no copy");
  else if (hexOf(await sector(backupBootSector)) !== hexOf(await sector(0))) {
    report("boot-sector-copy", "warning", `the copy in sector ${backupBootSector} differs from the boot sector`);
  }
  if (fsInfoSector === undefined) return;
  const info = fsInfo.decode(await sector(fsInfoSector));
  if (info.FSI_LeadSig !== FSI_LEAD_SIG || info.FSI_StrucSig !== FSI_STRUC_SIG || info.FSI_TrailSig !== FSI_TRAIL_SIG) {
    report("fsinfo", "warning", `FSInfo in sector ${fsInfoSector} lacks its signatures`);
    return;
  }
  const free = countFree(volume);
  if (info.FSI_Free_Count !== FSI_UNKNOWN && info.FSI_Free_Count !== free) {
    report("fsinfo", "warning", `FSI_Free_Count is ${info.FSI_Free_Count}, the FAT has ${free} free clusters`);
  }
  if (info.FSI_Nxt_Free !== FSI_UNKNOWN && !isDataCluster(info.FSI_Nxt_Free, geometry.clusters)) {
    report("fsinfo", "warning", `FSI_Nxt_Free is ${info.FSI_Nxt_Free}, no cluster of the volume`);
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16)).join(" ");
}
