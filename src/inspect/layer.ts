// What an image is made of: layers, one inside the other. An ISO holds a boot archive, which is gzip'd, which is a UFS, which
// holds files, which may be images again.

import type { Content, Hasher, ReportProgress } from "../bytes/index.ts";
import type { Disk } from "../disk/index.ts";
import type { FatImage } from "../fat/index.ts";
import type { GzipHeader, SequentialInflater } from "../gzip/index.ts";
import type { Iso } from "../iso9660-writer-ts/index.ts";
import type { SeenVolume } from "../iso9660-writer-ts/volume.ts";
import type { Decompressor, HashAlgorithm, OpenedSource } from "../source/index.ts";
import type { Directory } from "../tree/index.ts";
import type { Ufs } from "../ufs/index.ts";

/** What looking into images needs of the machine it runs on. */
export interface InspectHost {
  readonly createHasher: (algorithm: HashAlgorithm) => Hasher;
  /** For whole passes over an archive; default: our own, which is slower. */
  readonly createInflater?: ((source: Content, offset: number) => SequentialInflater) | undefined;
  /** For members of archives and packages, which are many and small; default: our own. */
  readonly gunzip?: Decompressor | undefined;
  /** Continues a CRC-32; default: ours. */
  readonly crc32?: ((bytes: Uint8Array, previous: number) => number) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ReportProgress | undefined;
}

/** Opens what lies inside of a layer (open.ts), which is a layer again. */
export type OpenLayer = (content: Content, host: InspectHost) => Promise<Layer>;

/** One thing that is told about a layer. */
export interface Figure {
  /** The standard's own name where there is one. */
  readonly name: string;
  readonly value: string | number | boolean;
  /** How a number is meant. */
  readonly unit?: "bytes" | "seconds" | undefined;
}

/** Something inside of a layer that may be a layer itself. */
export interface Part {
  /** What it is to the layer around it: "boot archive", "partition 2", "uncompressed". */
  readonly role: string;
  /** Path in the tree of the layer, if it is there. */
  readonly path: string | undefined;
  /** @throws ImageError when it is damaged */
  open(): Promise<Layer>;
}

interface LayerBase {
  /** For people: "ISO 9660 with Rock Ridge". */
  readonly title: string;
  /** The bytes of it; undefined for a directory of this machine. */
  readonly content: Content | undefined;
  readonly host: InspectHost;
  figures(): Promise<Figure[]>;
  /** What is inside, the most important first. Nothing of it is opened. */
  parts(): Promise<Part[]>;
}

/** A layer that holds paths. */
interface TreeLayerBase extends LayerBase {
  /** Made once. @throws ImageError when it cannot be read */
  tree(): Promise<Directory>;
}

export interface IsoLayer extends TreeLayerBase {
  readonly kind: "iso";
  readonly content: Content;
  readonly iso: Iso;
  /** All of its metadata, read once; what is damaged is left out. */
  volume(): Promise<SeenVolume>;
  /** Its partition table, when it boots as a disk too. */
  readonly disk: Disk | undefined;
}

export interface UfsLayer extends TreeLayerBase {
  readonly kind: "ufs";
  readonly content: Content;
  readonly ufs: Ufs;
}

export interface FatLayer extends TreeLayerBase {
  readonly kind: "fat";
  readonly content: Content;
  readonly fat: FatImage;
}

/** Its tree has a file for each partition, named by its number. */
export interface DiskLayer extends TreeLayerBase {
  readonly kind: "disk";
  readonly content: Content;
  readonly disk: Disk;
}

export interface ArchiveLayer extends TreeLayerBase {
  readonly kind: "archive";
  readonly content: Content;
  /** The archive read, once. */
  source(): Promise<OpenedSource>;
}

/** A directory of this machine. */
export interface DirectoryLayer extends TreeLayerBase {
  readonly kind: "directory";
  readonly content: undefined;
}

export interface GzipLayer extends LayerBase {
  readonly kind: "gzip";
  readonly content: Content;
  readonly header: GzipHeader;
  /** ISIZE: uncompressed bytes, as the last four bytes have it. */
  readonly plainBytes: number;
  /** What is compressed, opened once. @throws ImageError when the data are damaged */
  inner(): Promise<Layer>;
}

/** Anything else. */
export interface PlainLayer extends LayerBase {
  readonly kind: "plain";
  readonly content: Content;
}

export type TreeLayer = IsoLayer | UfsLayer | FatLayer | DiskLayer | ArchiveLayer | DirectoryLayer;
export type Layer = TreeLayer | GzipLayer | PlainLayer;
export type LayerKind = Layer["kind"];

/** Calls `make` once, and again only after it failed. */
export function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    if (made === undefined) {
      const making = make();
      made = making;
      making.catch(() => {
        made = undefined;
      });
    }
    return made;
  };
}
