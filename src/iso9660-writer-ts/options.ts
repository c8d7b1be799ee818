// What can be asked of a volume, with defaults, checked.

import { bytesOf, type Content, ImageError, toText } from "../bytes/index.ts";
import { normalizePath } from "../tree/index.ts";
import { fitsDate17 } from "./dates.ts";
import { type BootEntry, EMULATIONS } from "./eltorito.ts";
import { SECTOR_BYTES, SYSTEM_AREA_SECTORS } from "./format.ts";
import type { RockRidgeVersion } from "./format-rockridge.ts";
import { JOLIET, JOLIET_LONG_MAX_LENGTH, LEVEL_4, type NameRules, RELAXED } from "./names.ts";

/** Volume identifiers (ECMA-119 8.4): byte strings, empty unless given. */
export interface VolumeIdentifiers {
  readonly volumeId?: string;
  readonly systemId?: string;
  readonly volumeSetId?: string;
  readonly publisherId?: string;
  readonly dataPreparerId?: string;
  readonly applicationId?: string;
  readonly copyrightFileId?: string;
  readonly abstractFileId?: string;
  readonly bibliographicFileId?: string;
}

export interface IsoOptions extends VolumeIdentifiers {
  /** Creation and modification time of the volume, in seconds since 1970; files keep their own times. */
  readonly timeSeconds: number;
  /** Rules for the plain ISO 9660 names. Default: RELAXED, what mkisofs -U does. */
  readonly names?: NameRules;
  /** Rock Ridge of this version, or none. Default "1.10", as mkisofs and xorriso write it; "1.12" adds serial numbers. */
  readonly rockRidge?: RockRidgeVersion | false;
  /** A second hierarchy with names of 64 UCS-2 characters. Default false. */
  readonly joliet?: boolean | { readonly maxLength: number };
  /** A hierarchy by ISO 9660:1999 (level 4), with names of 207 bytes. Default false. */
  readonly enhanced?: boolean;
  /** Directories below the eighth level: leave them where they are (mkisofs -D), or move them as RRIP 4.1.5 says. Default "keep". */
  readonly deepDirectories?: "keep" | "relocate";
  /** Boot images, in order; the first is the default entry of the catalog. */
  readonly bootEntries?: readonly BootEntry[];
  /** Where the boot catalog shows itself in the tree; without it, it lies on the volume unnamed. */
  readonly bootCatalogPath?: string;
  /**
   * The file whose data lies last on the volume. Nothing else moves when its size changes (below 4 GiB), so a
   * volume can be planned before the size is known and again afterwards.
   */
  readonly lastPath?: string;
  /** Up to 32,768 bytes in front of the first volume descriptor: boot code and partition tables. */
  readonly systemArea?: Content;
  /** Empty blocks behind the last file, counted as part of the volume (mkisofs -pad: 150). Default 0. */
  readonly paddingBlocks?: number;
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly identifiers: Required<VolumeIdentifiers>;
  readonly timeSeconds: number;
  readonly names: NameRules;
  readonly rockRidge: RockRidgeVersion | false;
  readonly jolietMaxLength: number;
  readonly enhanced: boolean;
  readonly relocate: boolean;
  readonly bootEntries: readonly BootEntry[];
  readonly bootCatalogPath: string | undefined;
  readonly lastPath: string | undefined;
  readonly systemArea: Content | undefined;
  readonly paddingBlocks: number;
}

const IDENTIFIER_BYTES: Readonly<Record<keyof VolumeIdentifiers, number>> = {
  volumeId: 32,
  systemId: 32,
  volumeSetId: 128,
  publisherId: 128,
  dataPreparerId: 128,
  applicationId: 128,
  copyrightFileId: 37,
  abstractFileId: 37,
  bibliographicFileId: 37,
};

/** A record must have room for its identifier, one Rock Ridge name of useful length and the link to the rest. */
const MAX_IDENTIFIER_WITH_ROCK_RIDGE = 128;
const MAX_IDENTIFIER = LEVEL_4.maxFileLength;

function invalid(message: string): never {
  throw new ImageError("invalid-argument", message);
}

/** @throws ImageError "invalid-argument" or "limit" */
export function resolveOptions(options: IsoOptions): ResolvedOptions {
  const { names = RELAXED, rockRidge = "1.10", joliet = false, deepDirectories = "keep", paddingBlocks = 0 } = options;
  if (!fitsDate17(options.timeSeconds)) {
    invalid(`timeSeconds: ${options.timeSeconds} is no whole number of seconds in the years 1..9999`);
  }
  if (!Number.isSafeInteger(paddingBlocks) || paddingBlocks < 0) invalid(`paddingBlocks: ${paddingBlocks} is no count`);
  if (deepDirectories === "relocate" && !rockRidge)
    invalid("deepDirectories: only Rock Ridge can relocate directories");
  const longest = Math.max(names.maxFileLength, names.maxDirectoryLength);
  const limit = rockRidge ? MAX_IDENTIFIER_WITH_ROCK_RIDGE : MAX_IDENTIFIER;
  if (longest > limit) invalid(`names: identifiers of ${longest} bytes do not fit a record; the limit is ${limit}`);
  if (names.characters === "ucs2") invalid("names: UCS-2 names belong to Joliet only; set joliet");
  const jolietMaxLength = joliet === false ? 0 : joliet === true ? JOLIET.maxFileLength : joliet.maxLength;
  if (joliet !== false && (jolietMaxLength < 8 || jolietMaxLength > JOLIET_LONG_MAX_LENGTH)) {
    invalid(`joliet: names of ${jolietMaxLength} characters; 8 to ${JOLIET_LONG_MAX_LENGTH} are possible`);
  }
  const areaBytes = SYSTEM_AREA_SECTORS * SECTOR_BYTES;
  if (options.systemArea && options.systemArea.sizeBytes > areaBytes) {
    const message = `systemArea: ${options.systemArea.sizeBytes} bytes; the system area has ${areaBytes}`;
    throw new ImageError("limit", message);
  }
  const bootEntries = options.bootEntries ?? [];
  for (const { path, loadSectors = 0, loadSegment = 0, emulation = "none" } of bootEntries) {
    if (!(loadSectors >= 0 && loadSectors <= 0xffff))
      invalid(`${toText(path)}: load sectors 0..65535, not ${loadSectors}`);
    if (!(loadSegment >= 0 && loadSegment <= 0xffff))
      invalid(`${toText(path)}: load segment 0..0xffff, not ${loadSegment}`);
    if (!(emulation in EMULATIONS)) invalid(`${toText(path)}: no such emulation: ${emulation}`);
  }
  return {
    identifiers: resolveIdentifiers(options),
    timeSeconds: options.timeSeconds,
    names,
    rockRidge,
    jolietMaxLength,
    enhanced: options.enhanced ?? false,
    relocate: deepDirectories === "relocate",
    bootEntries: bootEntries.map((entry) => ({ ...entry, path: normalizePath(entry.path) })),
    bootCatalogPath: options.bootCatalogPath === undefined ? undefined : normalizePath(options.bootCatalogPath),
    lastPath: options.lastPath === undefined ? undefined : normalizePath(options.lastPath),
    systemArea: options.systemArea,
    paddingBlocks,
  };
}

function resolveIdentifiers(options: VolumeIdentifiers): Required<VolumeIdentifiers> {
  const resolved: Record<string, string> = {};
  for (const [key, limit] of Object.entries(IDENTIFIER_BYTES)) {
    const value = options[key as keyof VolumeIdentifiers] ?? "";
    if (value.length > limit) {
      throw new ImageError("limit", `${key}: "${toText(value)}" is ${value.length} bytes; ISO 9660 allows ${limit}`);
    }
    bytesOf(value); // refuses text
    resolved[key] = value;
  }
  return resolved as unknown as Required<VolumeIdentifiers>;
}
