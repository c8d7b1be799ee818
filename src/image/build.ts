// The main job: layers in, a bootable ISO out, in one pass. The archive is the last extent of the ISO: the ISO is planned
// with the archive's size open, the archive is streamed to its place, and the plan is made again with the true size.
// Planning is cheap, copying is not.

import { type Content, isAllZeros, type ReportProgress, type StreamHasher, textContent } from "../bytes/index.ts";
import { type BlockCompressor, emitGzip, type GzipOptions } from "../gzip/index.ts";
import { guestMemoryBytes } from "../illumos/index.ts";
import { type IsoPlan, planIso } from "../iso9660-writer-ts/index.ts";
import { allEnded, DEFAULT_WINDOW_BYTES, emit, type Layout, type Sink, type Window, windows } from "../layout/index.ts";
import { type Attributes, draft, file } from "../tree/index.ts";
import type { Finish } from "./medium.ts";
import type { Layers } from "./merge.ts";
import type { ImageOptions } from "./options.ts";
import { planRamdisk, type Ramdisk, type RamdiskFigures } from "./ramdisk.ts";
import { type Staged, stage } from "./stage.ts";

/** What the main job needs of the machine it runs on. */
export interface BuildHost {
  readonly compressor: BlockCompressor;
  readonly createHasher: (algorithms: readonly ("sha1" | "sha256")[]) => StreamHasher;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ReportProgress | undefined;
}

/** A sink whose size can be set: what was never written reads as zeros. */
export interface ImageSink extends Sink {
  truncate(sizeBytes: number): Promise<void>;
}

export interface Planned {
  readonly staged: Staged;
  readonly ramdisk: Ramdisk;
}

export interface ArchiveFigures {
  /** Bytes as stored: gzip'd, or the raw ramdisk. */
  readonly sizeBytes: number;
  /** SHA-1 of the uncompressed ramdisk: what boot_archive.hash holds. */
  readonly sha1: string;
  /** Bytes of the ramdisk whose compressed form was known from an earlier build. */
  readonly cachedBytes: number;
}

/** An archive that is a file of its own. */
export interface ArchiveFileFigures extends ArchiveFigures {
  /** SHA-256 of what was written. */
  readonly sha256: string;
}

/** What is known of an image before anything is written. */
export interface PlanReport extends Pick<Staged, StagedReport> {
  readonly ramdisk: RamdiskFigures;
  readonly loader: string;
  readonly loaderReason: string;
  /** The guest needs the archive twice, and the kernel some room. */
  readonly guestMemoryBytes: number;
}

type StagedReport = "input" | "init" | "epochSeconds" | "findings" | "edits" | "manifests" | "drivers" | "overridden";

export interface BuildReport extends PlanReport {
  readonly archive: ArchiveFigures & { readonly path: string };
  readonly iso: { readonly sizeBytes: number; readonly volumeId: string };
}

export function planReport({ staged, ramdisk }: Planned): PlanReport {
  const { input, init, epochSeconds, findings, edits, manifests, drivers, overridden, medium } = staged;
  return {
    input,
    ramdisk: ramdisk.figures,
    loader: medium.loader,
    loaderReason: medium.reason,
    init,
    epochSeconds,
    guestMemoryBytes: guestMemoryBytes(ramdisk.figures.sizeBytes),
    findings,
    edits,
    manifests,
    drivers,
    overridden,
  };
}

/**
 * Everything up to the ramdisk's layout; nothing but a few small files of the input is read.
 * @throws ImageError see `stage` and `planRamdisk`
 */
export async function planImage(layers: Layers, options: ImageOptions): Promise<Planned> {
  const staged = await stage(layers, options);
  return { staged, ramdisk: planRamdisk(staged.ramdisk, options.size, staged.epochSeconds) };
}

/** Streams the ramdisk, gzip'd, to `sink` from `at` on. */
async function streamArchive(
  layout: Layout,
  options: Pick<GzipOptions, "level" | "at" | "endsWell" | "outputHasher">,
  sink: Sink,
  host: BuildHost,
): Promise<ArchiveFigures> {
  const hasher = host.createHasher(["sha1"]);
  const { signal, onProgress } = host;
  const { sizeBytes, cachedBytes } = await emitGzip(layout, sink, host.compressor, {
    ...options,
    signal,
    hasher,
    onProgress: (doneBytes) => onProgress?.("compressing the ramdisk", doneBytes, layout.sizeBytes),
  });
  const [sha1 = ""] = await hasher.digestsHex();
  return { sizeBytes, sha1, cachedBytes };
}

/** The ramdisk, gzip'd. */
async function writeGzip(layout: Layout, level: number, sink: Sink, host: BuildHost): Promise<ArchiveFileFigures> {
  const outputHasher = host.createHasher(["sha256"]);
  const figures = await streamArchive(layout, { level, outputHasher }, sink, host);
  const [sha256 = ""] = await outputHasher.digestsHex();
  return { ...figures, sha256 };
}

/** Windows of a raw ramdisk that are being hashed or written while the next one is read. */
const MAX_WINDOWS_UNDER_WAY = 4;

/** The ramdisk as it is. It is hashed and written elsewhere, and the next bytes are read meanwhile. */
async function writeRaw(layout: Layout, sink: Sink, host: BuildHost): Promise<ArchiveFileFigures> {
  const hasher = host.createHasher(["sha1", "sha256"]);
  const spare: ArrayBufferLike[] = [];
  const allocate = (lengthBytes: number): Uint8Array =>
    new Uint8Array(spare.pop() ?? host.compressor.allocate(DEFAULT_WINDOW_BYTES).buffer, 0, lengthBytes);
  const zeros = host.compressor.allocate(DEFAULT_WINDOW_BYTES);
  const underWay: Promise<void>[] = [];
  const finish = async ({ offset, length, bytes }: Window): Promise<void> => {
    const hashing = hasher.update(bytes ?? zeros.subarray(0, length));
    await allEnded(bytes && !isAllZeros(bytes) ? [hashing, sink.write(bytes, offset)] : [hashing]);
    if (bytes) spare.push(bytes.buffer);
    host.onProgress?.("writing the ramdisk", offset + length, layout.sizeBytes);
  };
  try {
    for await (const window of windows(layout, { allocate, signal: host.signal })) {
      const finishing = finish(window);
      finishing.catch(() => {}); // reported when its turn comes
      underWay.push(finishing);
      if (underWay.length >= MAX_WINDOWS_UNDER_WAY) await underWay.shift();
    }
    await Promise.all(underWay);
  } finally {
    await Promise.allSettled(underWay);
  }
  const [sha1 = "", sha256 = ""] = await hasher.digestsHex();
  return { sizeBytes: layout.sizeBytes, sha1, sha256, cachedBytes: 0 };
}

/**
 * Writes only the ramdisk into `sink`, gzip'd at `level`, or raw when `level` is undefined. The sink gets its final size.
 * @throws ImageError whatever is wrong with input or output
 */
export async function buildArchive(
  { ramdisk: { layout } }: Planned,
  level: number | undefined,
  sink: ImageSink,
  host: BuildHost,
): Promise<ArchiveFileFigures> {
  const figures = level === undefined ? await writeRaw(layout, sink, host) : await writeGzip(layout, level, sink, host);
  await sink.truncate(figures.sizeBytes);
  return figures;
}

/**
 * Builds the ISO into `sink`. The sink is set to its final size; committing it is the caller's.
 * @throws ImageError whatever is wrong with input, options or output
 */
export async function buildIso(
  planned: Planned,
  options: ImageOptions,
  sink: ImageSink,
  host: BuildHost,
): Promise<BuildReport> {
  const { staged, ramdisk } = planned;
  const open = planMedium(staged, options, { sizeBytes: 1, sha1: UNKNOWN_SHA1, cachedBytes: 0 });
  const archiveOffset = open.extentOf(staged.medium.archivePath).lba * SECTOR_BYTES;
  const gzip = { level: options.level, at: archiveOffset, endsWell: staged.medium.archiveEndsWell };
  const archive = await streamArchive(ramdisk.layout, gzip, sink, host);
  const plan = planMedium(staged, options, archive, await staged.medium.finish?.(open, archive.sha1));
  await emit(plan.layout, sink, { to: archiveOffset, signal: host.signal });
  await sink.truncate(plan.layout.sizeBytes);
  return {
    ...planReport(planned),
    archive: { ...archive, path: staged.medium.archivePath },
    iso: { sizeBytes: plan.layout.sizeBytes, volumeId: options.volumeId },
  };
}

const SECTOR_BYTES = 2048;
/** Stands for a digest that is not known yet; of the same length, so that nothing moves when it is. */
const UNKNOWN_SHA1 = "0".repeat(40);

function planMedium(
  staged: Staged,
  options: ImageOptions,
  archive: ArchiveFigures,
  finished?: Awaited<ReturnType<Finish>>,
): IsoPlan {
  const { medium, epochSeconds } = staged;
  const fresh: Attributes = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: epochSeconds };
  const edit = draft(medium.tree);
  edit.put(medium.archivePath, file(fresh, unreadContent(archive.sizeBytes)), { ...fresh, mode: 0o755 });
  if (medium.hashPath !== undefined) {
    edit.put(medium.hashPath, file(fresh, textContent(`${archive.sha1}\n`)), { ...fresh, mode: 0o755 });
  }
  for (const [path, content] of finished?.replaced ?? []) {
    edit.put(path, file(edit.get(path) ?? fresh, content));
  }
  return planIso(edit.tree(), {
    ...(finished && { systemArea: finished.systemArea }),
    volumeId: options.volumeId,
    timeSeconds: epochSeconds,
    bootCatalogPath: "/.catalog",
    bootEntries: medium.bootEntries,
    lastPath: medium.archivePath,
    paddingBlocks: medium.paddingBlocks ?? 0,
  });
}

/** The archive as the plan sees it: only its size counts, because its bytes are streamed to their place beforehand. */
function unreadContent(sizeBytes: number): Content {
  return {
    sizeBytes,
    read: () => Promise.reject(new Error("the archive is streamed, not read")),
  };
}
