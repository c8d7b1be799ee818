// The main job from files to a file: what the command line does, for programs.

import { bytesOf, digestOf, type ReportProgress } from "../bytes/index.ts";
import {
  type ArchiveFigures,
  type BuildReport,
  buildArchive,
  buildIso,
  DEFAULT_OPTIONS,
  type ImageOptions,
  type Planned,
  planImage,
} from "../image/index.ts";
import { createFileSink, type FileSink } from "./file-sink.ts";
import { createHasher } from "./hashing.ts";
import { type HostOptions, withBuildHost } from "./host.ts";
import { type LayerPaths, readLayers } from "./layers.ts";
import { createOutput } from "./output-sink.ts";

export interface FileJob extends LayerPaths {
  /** A file, or "-" for standard output. */
  readonly output: string;
  /** Whether an existing output may be replaced. */
  readonly force?: boolean | undefined;
}

interface FinishedFile {
  readonly output: string;
  readonly sha256: string;
  readonly seconds: number;
  /** What could not be read as it should, a line each. */
  readonly warnings: readonly string[];
}

export interface FinishedBuild extends BuildReport, FinishedFile {
  readonly planned: Planned;
}

export interface FinishedArchive extends ArchiveFigures, FinishedFile {
  readonly planned: Planned;
}

export interface PlannedFiles {
  readonly planned: Planned;
  readonly warnings: readonly string[];
}

/**
 * Plans an image and writes nothing. The sources are closed again: the plan is for figures, not for emission.
 * @throws ImageError
 */
export async function planFiles(
  paths: LayerPaths,
  options: Partial<ImageOptions> = {},
  signal?: AbortSignal,
): Promise<PlannedFiles> {
  const { layers, warnings, close } = await readLayers(paths, signal);
  try {
    return { planned: await planImage(layers, { ...DEFAULT_OPTIONS, ...options }), warnings };
  } finally {
    await close();
  }
}

/**
 * Builds a bootable ISO.
 * @throws ImageError; then nothing is left of the output
 */
export async function buildIsoFile(
  job: FileJob,
  options: Partial<ImageOptions> = {},
  host: HostOptions = {},
): Promise<FinishedBuild> {
  const started = performance.now();
  const all = { ...DEFAULT_OPTIONS, ...options };
  return withBuildHost(host, async (machine) => {
    const { layers, folders, warnings, close } = await readLayers(job, host.signal, host.onProgress);
    let sink: FileSink | undefined;
    try {
      sink = await createOutput(job.output, { force: job.force, sources: folders });
      const planned = await planImage(layers, all);
      const report = await buildIso(planned, all, sink, machine);
      const finished = await finish(sink, report.iso.sizeBytes, started, host.onProgress);
      return { ...report, ...finished, warnings, planned };
    } finally {
      await sink?.discard();
      await close();
    }
  });
}

export interface ArchiveJob extends FileJob {
  /** Compress it; the level is the image's. */
  readonly gzip: boolean;
  /** Write the SHA-1 of the uncompressed ramdisk to OUTPUT.hash. */
  readonly hash: boolean;
}

/**
 * Builds only the ramdisk.
 * @throws ImageError; then nothing is left of the outputs
 */
export async function buildArchiveFile(
  job: ArchiveJob,
  options: Partial<ImageOptions> = {},
  host: HostOptions = {},
): Promise<FinishedArchive> {
  const started = performance.now();
  const all = { ...DEFAULT_OPTIONS, loader: "none" as const, ...options };
  return withBuildHost(host, async (machine) => {
    const { layers, folders, warnings, close } = await readLayers(job, host.signal, host.onProgress);
    const place = { force: job.force, sources: folders };
    let sink: FileSink | undefined;
    let hashSink: FileSink | undefined;
    try {
      sink = await createOutput(job.output, place);
      if (job.hash) hashSink = await createFileSink(`${job.output}.hash`, place);
      const planned = await planImage(layers, all);
      const figures = await buildArchive(planned, job.gzip ? all.level : undefined, sink, machine);
      await hashSink?.write(bytesOf(`${figures.sha1}\n`), 0);
      await hashSink?.commit(); // first: an archive without its hash would go unnoticed, a hash without its archive does not
      const finished = await finish(sink, figures.sizeBytes, started, host.onProgress);
      return { ...figures, ...finished, warnings, planned };
    } finally {
      await sink?.discard();
      await hashSink?.discard();
      await close();
    }
  });
}

async function finish(
  sink: FileSink,
  sizeBytes: number,
  started: number,
  onProgress: ReportProgress | undefined,
): Promise<Omit<FinishedFile, "warnings">> {
  const read: FileSink["read"] = async (target, offset) => {
    await sink.read(target, offset);
    onProgress?.("hashing the output", offset + target.length, sizeBytes);
  };
  const sha256 = await digestOf({ read }, sizeBytes, createHasher("sha256"));
  await sink.commit();
  return { output: sink.path, sha256, seconds: (performance.now() - started) / 1000 };
}
