// The metadata of a build (src/image/build-metadata.ts) as a file beside its output: begun before the build, so that a place
// that cannot be written to is told at once, and given its name only when the output is whole.

import path from "node:path";
import { fromText, ImageError } from "../bytes/index.ts";
import {
  type Artifact,
  buildMetadata,
  contentDigests,
  type ImageOptions,
  type Layer,
  type Staged,
} from "../image/index.ts";
import { createFileSink } from "./file-sink.ts";
import { createHasher } from "./hashing.ts";
import type { LayerPaths, Layers } from "./layers.ts";
import { dependencyVersion, VERSION } from "./package-versions.ts";

export interface MetadataFile {
  /** The layers to build from: digests are taken while they are read. */
  readonly layers: Layers["layers"];
  /** Writes the document and gives the file its name. @throws ImageError what reading the inputs or writing throws */
  commit(finished: Finished): Promise<void>;
  discard(): Promise<void>;
}

interface Finished {
  readonly command: "build" | "archive";
  readonly staged: Staged;
  readonly outputs: readonly Artifact[];
  readonly byproducts: readonly Artifact[];
}

export interface MetadataJob extends LayerPaths {
  readonly output: string;
  /** Whether there is OUTPUT.hash as well. */
  readonly hash?: boolean | undefined;
  readonly metadata?: string | undefined;
  readonly force?: boolean | undefined;
}

/** Packages whose version may change the bytes of an image: one deflates, one matches globs. */
const DEPENDENCIES = ["pako", "picomatch"];

/** @throws ImageError "output", "conflict" when the file cannot be made */
export async function openMetadataFile(
  job: MetadataJob,
  { layers, folders, warnings }: Layers,
  options: ImageOptions,
): Promise<MetadataFile | undefined> {
  if (job.metadata === undefined) return undefined;
  const outputs = [job.output, ...(job.hash ? [`${job.output}.hash`] : [])];
  if (outputs.some((file) => path.resolve(file) === path.resolve(job.metadata ?? ""))) {
    throw new ImageError("conflict", `${job.metadata}: is the output too; give the metadata a file of its own`);
  }
  const sink = await createFileSink(job.metadata, { force: job.force, sources: folders });
  const digests = contentDigests(createHasher);
  const watch = (layer: Layer): Layer => ({ ...layer, tree: digests.watch(layer.tree) });
  const [first, ...rest] = layers;
  const watched: Layers["layers"] = [watch(first), ...rest.map(watch)];
  return {
    layers: watched,
    async commit(finished) {
      const choice = job.choice && { ...job.choice, packages: job.choice.packages.map(fromText) };
      const record = {
        ...finished,
        layers: watched.map((layer, index) => ({ layer, role: roleOf(index, job) })),
        options,
        choice,
        warnings,
        versions: {
          pureboot: VERSION,
          ...Object.fromEntries(DEPENDENCIES.map((name) => [name, dependencyVersion(name)])),
        },
      };
      const document = await buildMetadata(record, digests);
      await sink.write(Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`), 0);
      await sink.commit();
    },
    discard: () => sink.discard(),
  };
}

/** Adjuncts lie under the sources, overlays over them (layers.ts). */
function roleOf(index: number, { adjuncts = [], sources }: LayerPaths): string {
  if (index < adjuncts.length) return "adjunct";
  return index < adjuncts.length + sources.length ? "source" : "overlay";
}
