// The volume descriptor set of an image (ECMA-119 8), sorted into the hierarchies that it shows.

import { type Content, ImageError, readBytes, type StructValues } from "../bytes/index.ts";
import type { HierarchyKind } from "./descriptors.ts";
import {
  JOLIET_ESCAPE_SEQUENCES,
  primaryVolumeDescriptor,
  SECTOR_BYTES,
  STANDARD_IDENTIFIER,
  SYSTEM_AREA_SECTORS,
  supplementaryVolumeDescriptor,
  VOLUME_DESCRIPTOR_TYPE,
  volumeDescriptor,
} from "./format.ts";
import { BOOT_SYSTEM_IDENTIFIER, bootRecord } from "./format-eltorito.ts";
import type { Complain } from "./problem.ts";

/** A descriptor that shows a directory hierarchy. */
export interface HierarchyDescriptor {
  readonly kind: HierarchyKind;
  /** Block of the descriptor. */
  readonly lba: number;
  readonly values: StructValues<typeof primaryVolumeDescriptor>;
}

export interface DescriptorSet {
  /** In the order of the image; the first primary one is what a reader begins with. */
  readonly hierarchies: readonly HierarchyDescriptor[];
  readonly primary: HierarchyDescriptor;
  /** Block of the El Torito boot record and the block of the catalog that it names, if there is one. */
  readonly boot: { readonly lba: number; readonly catalogLba: number } | undefined;
  /** Descriptors with the terminator; blocks 16 … 15 + count. */
  readonly count: number;
}

/** A volume has a handful; more than this is a damaged image without a terminator. */
const MAX_DESCRIPTORS = 64;

/**
 * @throws ImageError "bad-format" when there is no primary volume descriptor; "unsupported" for blocks that are not of
 * 2048 bytes
 */
export async function readDescriptors(image: Content, complain: Complain): Promise<DescriptorSet> {
  const hierarchies: HierarchyDescriptor[] = [];
  let boot: DescriptorSet["boot"];
  let count = 0;
  let ended = false;
  while (!ended && count < MAX_DESCRIPTORS) {
    const lba = SYSTEM_AREA_SECTORS + count;
    if ((lba + 1) * SECTOR_BYTES > image.sizeBytes) break;
    const bytes = await readBytes(image, lba * SECTOR_BYTES, SECTOR_BYTES);
    const head = volumeDescriptor.decode(bytes);
    if (head["Standard Identifier"] !== STANDARD_IDENTIFIER) break;
    count++;
    switch (head["Volume Descriptor Type"]) {
      case VOLUME_DESCRIPTOR_TYPE.primary:
        hierarchies.push({ kind: "primary", lba, values: primaryVolumeDescriptor.decode(bytes) });
        break;
      case VOLUME_DESCRIPTOR_TYPE.supplementary: {
        const kind = supplementaryKind(bytes);
        if (kind) hierarchies.push({ kind, lba, values: primaryVolumeDescriptor.decode(bytes) });
        else
          complain(
            "unknown-descriptor",
            "note",
            `block ${lba}: a supplementary descriptor of an unknown character set`,
          );
        break;
      }
      case VOLUME_DESCRIPTOR_TYPE.bootRecord: {
        const record = bootRecord.decode(bytes);
        const catalogLba = record["Absolute pointer to first sector of Boot Catalog"];
        if (record["Boot System Identifier"] === BOOT_SYSTEM_IDENTIFIER) boot ??= { lba, catalogLba };
        break;
      }
      case VOLUME_DESCRIPTOR_TYPE.terminator:
        ended = true;
        break;
    }
  }
  const primary = hierarchies.find(({ kind }) => kind === "primary");
  if (!primary) {
    const message = `no ISO 9660 volume: there is no primary volume descriptor at block ${SYSTEM_AREA_SECTORS}`;
    throw new ImageError("bad-format", message);
  }
  const blockBytes = primary.values["Logical Block Size"];
  if (blockBytes !== SECTOR_BYTES) {
    throw new ImageError("unsupported", `logical blocks of ${blockBytes} bytes; only ${SECTOR_BYTES} are supported`);
  }
  if (!ended) complain("no-terminator", "warning", "the volume descriptor set has no terminator (ECMA-119 8.3)");
  return { hierarchies, primary, boot, count };
}

function supplementaryKind(bytes: Uint8Array): HierarchyKind | undefined {
  const values = supplementaryVolumeDescriptor.decode(bytes);
  const escapes: readonly string[] = JOLIET_ESCAPE_SEQUENCES;
  if (values["Volume Descriptor Version"] === 2) return "enhanced";
  return escapes.includes(values["Escape Sequences"].slice(0, 3)) ? "joliet" : undefined;
}
