// What a source file is, told by its content alone, and the tree in it: archives, compressed or not, of files or of packages.

import { type Content, ImageError, readBytes, toText } from "../bytes/index.ts";
import { isGzip } from "../gzip/index.ts";
import type { Accounts, Action, ManifestReport, PackageRecord } from "../illumos/index.ts";
import type { Directory } from "../tree/index.ts";
import { isCpio, readCpio } from "./cpio.ts";
import { isDatastream, readDatastream } from "./datastream.ts";
import { type Files, treeFiles } from "./files.ts";
import { TAR_BLOCK_BYTES } from "./format-tar.ts";
import { type IpsOptions, readIpsPackages } from "./ips.ts";
import { isIpsRepository } from "./ips-repository.ts";
import { openP5p } from "./p5p.ts";
import type { Decompressor, Hashing, Source, SourceWarning } from "./source.ts";
import { holdsSvr4Packages, readSvr4Packages } from "./svr4.ts";
import { hasTarChecksum } from "./tar-members.ts";
import { readZip } from "./zip.ts";

export type ArchiveFormat = "tar" | "zip" | "cpio" | "datastream";
export type Compression = "gzip" | "xz" | "bzip2" | "zstd" | "compress";
export type PackageFormat = "p5p" | "ips" | "svr4";

export interface SourceOptions extends Omit<IpsOptions, "gunzip" | "hashing"> {
  /** The file's name, for messages. */
  readonly name?: string | undefined;
  /** gzip at least. Of the others this project has none of its own: without one the user is told to decompress first. */
  readonly decompressors: Readonly<{ gzip: Decompressor } & Partial<Record<Compression, Decompressor>>>;
  readonly hashing: Hashing;
  /** For tar: names of owners count where these know them. */
  readonly accounts?: Accounts | undefined;
}

export interface OpenedSource extends Source {
  /** From the outside in: gzip, tar, ips. */
  readonly formats: readonly (Compression | ArchiveFormat | PackageFormat)[];
  /** Of packages: which, in order. */
  readonly packages: readonly string[];
  /** The same, with what they say of themselves. */
  readonly records: readonly PackageRecord[];
  /** Of packages: driver, user and group actions, for src/illumos. */
  readonly actions: readonly Action[];
  /** Of IPS packages. */
  readonly report?: ManifestReport | undefined;
}

const MAGIC: readonly (readonly [Compression | ArchiveFormat, readonly number[]])[] = [
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["compress", [0x1f, 0x9d]],
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
  ["zip", [0x50, 0x4b, 0x05, 0x06]], // without members
];

/** What undoes a compression, for people. */
const COMMANDS: Readonly<Record<Compression, string>> = {
  gzip: "gzip -dk",
  xz: "xz -dk",
  bzip2: "bzip2 -dk",
  zstd: "zstd -d",
  compress: "gzip -dk",
};

/** What the first bytes say, or undefined. */
export async function recognizeArchive(content: Content): Promise<Compression | ArchiveFormat | undefined> {
  const head = await readBytes(content, 0, Math.min(content.sizeBytes, TAR_BLOCK_BYTES));
  if (isGzip(head)) return "gzip";
  for (const [format, magic] of MAGIC) if (magic.every((byte, i) => head[i] === byte)) return format;
  if (isCpio(head)) return "cpio";
  if (isDatastream(head)) return "datastream";
  return hasTarChecksum(head) ? "tar" : undefined;
}

/** A gzip'd tar is the usual thing; more than one layer of compression is a mistake or an attack. */
const MAX_COMPRESSIONS = 2;

/**
 * The tree in a source file.
 * @throws ImageError "bad-format" when it is nothing that is known here, "unsupported" for a compression without decompressor,
 *   and whatever reading the format throws
 */
export async function openSource(content: Content, options: SourceOptions): Promise<OpenedSource> {
  const format = await recognizeArchive(content);
  return openAs(content, format, options, []);
}

async function openAs(
  content: Content,
  format: Compression | ArchiveFormat | undefined,
  options: SourceOptions,
  outer: readonly Compression[],
): Promise<OpenedSource> {
  const gunzip = options.decompressors.gzip;
  switch (format) {
    case undefined:
      throw unknown(options, outer);
    case "tar": {
      const { files, tree, warnings } = await openP5p(content, gunzip, options);
      if (tree === undefined) return packagesIn(files, [...outer, "tar", "p5p"], options, warnings);
      return treeOrPackages(tree, [...outer, "tar"], options, warnings);
    }
    case "zip": {
      const { tree, warnings } = await readZip(content, gunzip);
      return treeOrPackages(tree, [...outer, "zip"], options, warnings);
    }
    case "cpio": {
      const { tree, warnings } = await readCpio(content);
      return treeOrPackages(tree, [...outer, "cpio"], options, warnings);
    }
    case "datastream": {
      const { tree, warnings } = await readDatastream(content);
      return packagesIn(treeFiles(tree), [...outer, "datastream"], options, warnings);
    }
    default: {
      const decompress = options.decompressors[format];
      if (decompress === undefined) {
        const name = options.name ?? "the file";
        const what = `is compressed with ${format}, which is not read here; decompress first: ${COMMANDS[format]} ${toText(name)}`;
        throw new ImageError("unsupported", `${toText(name)}: ${what}`, { path: options.name });
      }
      if (outer.length >= MAX_COMPRESSIONS) throw unknown(options, [...outer, format]);
      const plain = await decompress(content);
      return openAs(plain, await recognizeArchive(plain), options, [...outer, format]);
    }
  }
}

function unknown({ name }: SourceOptions, outer: readonly Compression[]): ImageError {
  const inside = outer.length > 0 ? ` (inside ${outer.join(", ")})` : "";
  const what = `no archive that is known here${inside}: tar, p5p, zip, zap, cpio and package datastreams are read`;
  return new ImageError("bad-format", name === undefined ? what : `${toText(name)}: ${what}`, { path: name });
}

type Formats = OpenedSource["formats"];

/** An archive that holds packages gives what they hold; any other gives what it holds. */
async function treeOrPackages(
  tree: Directory,
  formats: Formats,
  options: SourceOptions,
  warnings: readonly SourceWarning[],
): Promise<OpenedSource> {
  const files = treeFiles(tree);
  if ((await isIpsRepository(files)) || (await holdsSvr4Packages(files))) {
    return packagesIn(files, formats, options, warnings);
  }
  return { formats, tree, warnings, packages: [], records: [], actions: [] };
}

async function packagesIn(
  files: Files,
  formats: Formats,
  options: SourceOptions,
  warnings: readonly SourceWarning[],
): Promise<OpenedSource> {
  if (await isIpsRepository(files)) {
    const source = await readIpsPackages(files, { ...options, gunzip: options.decompressors.gzip });
    return { ...source, formats: [...formats, "ips"], warnings: [...warnings, ...source.warnings] };
  }
  const source = await readSvr4Packages(files, options);
  return { ...source, formats: [...formats, "svr4"], warnings: [...warnings, ...source.warnings] };
}

/** The packages in a directory: an IPS repository, an SVR4 package or several. Undefined when it is neither: a proto area. */
export async function openPackageDirectory(files: Files, options: SourceOptions): Promise<OpenedSource | undefined> {
  if ((await isIpsRepository(files)) || (await holdsSvr4Packages(files))) return packagesIn(files, [], options, []);
  return undefined;
}
