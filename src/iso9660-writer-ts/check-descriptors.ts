// Volume descriptors (ECMA-119 8): both halves of numbers, sizes, versions, dates.

import { type Fields, readBytes, type Struct, u16both, u32both } from "../bytes/index.ts";
import {
  directoryRecord,
  primaryVolumeDescriptor,
  SECTOR_BYTES,
  SYSTEM_AREA_SECTORS,
  supplementaryVolumeDescriptor,
} from "./format.ts";
import { BOOT_RECORD_LBA } from "./format-eltorito.ts";
import type { Complain } from "./problem.ts";
import type { SeenVolume } from "./volume.ts";

/** Names of the fields whose big-endian half says something else than the little-endian one. */
export function differingHalves<F extends Fields>(declared: Struct<F>, bytes: Uint8Array, offset = 0): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, declared.sizeBytes);
  const names: string[] = [];
  for (const [name, { offset: at, type }] of Object.entries(declared.fields)) {
    if (type.name === u16both.name && view.getUint16(at, true) !== view.getUint16(at + 2, false)) names.push(name);
    if (type.name === u32both.name && view.getUint32(at, true) !== view.getUint32(at + 4, false)) names.push(name);
  }
  return names;
}

export async function checkDescriptors(volume: SeenVolume, complain: Complain): Promise<void> {
  const { image, descriptors, hierarchies } = volume;
  const { primary } = descriptors;
  const imageBlocks = Math.floor(image.sizeBytes / SECTOR_BYTES);
  const volumeBlocks = primary.values["Volume Space Size"];
  if (volumeBlocks > imageBlocks) {
    complain(
      "truncated",
      "error",
      `the volume has ${volumeBlocks} blocks, the image only ${imageBlocks}: it is cut off`,
    );
  }
  if (primary.lba !== SYSTEM_AREA_SECTORS) {
    complain("descriptor-order", "warning", `the primary descriptor is at block ${primary.lba}, not first (6.7.1.1)`);
  }
  const { boot } = descriptors;
  if (boot && boot.lba !== BOOT_RECORD_LBA) {
    complain(
      "boot-record-place",
      "warning",
      `the boot record is at block ${boot.lba}; firmware looks at ${BOOT_RECORD_LBA}`,
    );
  }
  for (const { descriptor, root } of hierarchies) {
    const { kind, lba, values } = descriptor;
    const where = `the ${kind} descriptor at block ${lba}`;
    const declared = kind === "primary" ? primaryVolumeDescriptor : supplementaryVolumeDescriptor;
    const bytes = await readBytes(image, lba * SECTOR_BYTES, SECTOR_BYTES);
    for (const field of differingHalves<Fields>(declared, bytes)) {
      complain("halves-differ", "error", `${where}: ${field} is not the same in both byte orders`);
    }
    const version = kind === "enhanced" ? 2 : 1;
    if (values["File Structure Version"] !== version) {
      complain(
        "version",
        "warning",
        `${where}: File Structure Version is ${values["File Structure Version"]}, not ${version}`,
      );
    }
    if (values["Volume Space Size"] !== volumeBlocks) {
      const message = `${where}: ${values["Volume Space Size"]} blocks, the primary descriptor says ${volumeBlocks}`;
      complain("volume-size", "warning", message);
    }
    if (values["Volume Set Size"] !== 1 || values["Volume Sequence Number"] !== 1) {
      complain("volume-set", "note", `${where}: the volume is one of a set`);
    }
    const rootRecord = values["Directory Record for Root Directory"];
    for (const field of differingHalves<Fields>(directoryRecord, rootRecord)) {
      complain("halves-differ", "error", `${where}: ${field} of the root is not the same in both byte orders`);
    }
    const self = root.self?.values;
    if (self && (self["Location of Extent"] !== root.lba || self["Data Length"] !== root.sizeBytes)) {
      complain("root-differs", "error", `${where}: its root record is not what the root directory says of itself`);
    }
  }
}
