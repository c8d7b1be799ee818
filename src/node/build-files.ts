// The main job from files to a file: what the command line does, for programs.

import path from "node:path";
import { bytesOf, digestOf, memoryContent, type ReportProgress } from "../bytes/index.ts";
import {
  type ArchiveFileFigures,
  type Artifact,
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
import { type MetadataFile, openMetadataFile } from "./metadata-file.ts";
import { createOutput } from "./output-sink.ts";

export interface FileJob extends LayerPaths {
  /** A file, or "-" for standard output. */
  readonly output: string;
  /** Whether an existing output may be replaced. */
  readonly force?: boolean | undefined;
  /** Where to write what went in and what came out, with digests, provenance and bill of materials (metadata-file.ts). */
  readonly metadata?: string | undefined;
}

interface FinishedFile {
  readonly output: string;
  readonly sha256: string;
  readonly seconds: number;
  /** What could not be read as it should, a line each. */
  readonly warnings: readonly string[];
  readonly metadata?: string | undefined;
}

export interface FinishedBuild extends BuildReport, FinishedFile {
  readonly planned: Planned;
}

export interface FinishedArchive extends ArchiveFileFigures, FinishedFile {
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
  return withBuildHost({ ...host, level: all.level }, async (machine) => {
    const read = await readLayers(job, host.signal, host.onProgress);
    const { folders, warnings, close } = read;
    let sink: FileSink | undefined;
    let metadata: MetadataFile | undefined;
    try {
      sink = await createOutput(job.output, { force: job.force, sources: folders });
      metadata = await openMetadataFile(job, read, all);
      const planned = await planImage(metadata?.layers ?? read.layers, all);
      const report = await buildIso(planned, all, sink, machine);
      const { archive, iso } = report;
      // The head of an ISO is written last and a digest is made in order: so it is made of what was written.
      const sha256 = await digestOfSink(sink, iso.sizeBytes, host.onProgress);
      await metadata?.commit({
        command: "build",
        staged: planned.staged,
        outputs: [artifact(job.output, "iso", iso.sizeBytes, { sha256 })],
        byproducts: [ramdiskArtifact(planned, archive.sha1)],
      });
      const finished = await finish(sink, sha256, started);
      return { ...report, ...finished, warnings, metadata: job.metadata, planned };
    } finally {
      await sink?.discard();
      await metadata?.discard();
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
  return withBuildHost({ ...host, level: all.level }, async (machine) => {
    const read = await readLayers(job, host.signal, host.onProgress);
    const { folders, warnings, close } = read;
    const place = { force: job.force, sources: folders };
    let sink: FileSink | undefined;
    let hashSink: FileSink | undefined;
    let metadata: MetadataFile | undefined;
    try {
      sink = await createOutput(job.output, place);
      if (job.hash) hashSink = await createFileSink(`${job.output}.hash`, place);
      metadata = await openMetadataFile(job, read, all);
      const planned = await planImage(metadata?.layers ?? read.layers, all);
      const figures = await buildArchive(planned, job.gzip ? all.level : undefined, sink, machine);
      const { sha256 } = figures;
      const outputs = [artifact(job.output, "archive", figures.sizeBytes, { sha256 })];
      const hash = bytesOf(`${figures.sha1}\n`);
      if (hashSink) {
        await hashSink.write(hash, 0);
        const digest = { sha256: await digestOf(memoryContent(hash), hash.length, createHasher("sha256")) };
        outputs.push(artifact(hashSink.path, "hash", hash.length, digest));
      }
      const byproducts = [ramdiskArtifact(planned, figures.sha1)];
      await metadata?.commit({ command: "archive", staged: planned.staged, outputs, byproducts });
      await hashSink?.commit(); // first: an archive without its hash would go unnoticed, a hash without its archive does not
      const finished = await finish(sink, sha256, started);
      return { ...figures, ...finished, warnings, metadata: job.metadata, planned };
    } finally {
      await sink?.discard();
      await hashSink?.discard();
      await metadata?.discard();
      await close();
    }
  });
}

/** By its name alone: the same image in another directory is the same image. */
function artifact(file: string, role: string, sizeBytes: number, digest: Artifact["digest"]): Artifact {
  return { name: path.basename(file), role, sizeBytes, digest };
}

/** The ramdisk as it is in memory, whose SHA-1 the kernel compares. */
function ramdiskArtifact({ ramdisk }: Planned, sha1: string): Artifact {
  return artifact("ramdisk", "ramdisk", ramdisk.layout.sizeBytes, { sha1 });
}

function digestOfSink(sink: FileSink, sizeBytes: number, onProgress: ReportProgress | undefined): Promise<string> {
  const read: FileSink["read"] = async (target, offset) => {
    await sink.read(target, offset);
    onProgress?.("hashing the output", offset + target.length, sizeBytes);
  };
  return digestOf({ read }, sizeBytes, createHasher("sha256"));
}

async function finish(sink: FileSink, sha256: string, started: number): Promise<Omit<FinishedFile, "warnings">> {
  await sink.commit();
  return { output: sink.path, sha256, seconds: (performance.now() - started) / 1000 };
}
