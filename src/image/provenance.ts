// Provenance of a build: an in-toto statement with a SLSA predicate, not signed. Sign it with what your signatures are made
// with (`cosign attest-blob --statement`).
// Source: in-toto attestation, Statement v1 (_type, subject, predicateType); SLSA provenance v1 (buildDefinition, runDetails).
//
// The type of a build is what SLSA calls buildType: externalParameters are the options of this command, all of them, and
// resolvedDependencies what was read, the layers first in their order. No times and no number of the run are given: a second
// build of the same inputs has the same statement.

import type { Artifact, Digest } from "./artifact.ts";

/** https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md */
export interface ResourceDescriptor {
  readonly name: string;
  readonly digest: Digest;
  readonly annotations: Readonly<Record<string, string | number>>;
}

export interface Provenance {
  readonly _type: "https://in-toto.io/Statement/v1";
  readonly subject: readonly Pick<ResourceDescriptor, "name" | "digest">[];
  readonly predicateType: "https://slsa.dev/provenance/v1";
  readonly predicate: {
    readonly buildDefinition: {
      readonly buildType: string;
      readonly externalParameters: Readonly<Record<string, unknown>>;
      readonly resolvedDependencies: readonly ResourceDescriptor[];
    };
    readonly runDetails: {
      readonly builder: { readonly id: string; readonly version: Readonly<Record<string, string>> };
      readonly byproducts: readonly ResourceDescriptor[];
    };
  };
}

export interface Build {
  readonly command: string;
  readonly versions: Readonly<Record<string, string>> & { readonly pureboot: string };
  readonly options: Readonly<Record<string, unknown>>;
  readonly inputs: readonly Artifact[];
  readonly outputs: readonly Artifact[];
  readonly byproducts: readonly Artifact[];
}

export function provenance({ command, versions, options, inputs, outputs, byproducts }: Build): Provenance {
  const builder = `pkg:npm/pureboot@${versions.pureboot}`;
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: outputs.map(({ name, digest }) => ({ name, digest })),
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: `${builder}#${command}`,
        externalParameters: options,
        resolvedDependencies: inputs.map(descriptor),
      },
      runDetails: { builder: { id: builder, version: versions }, byproducts: byproducts.map(descriptor) },
    },
  };
}

function descriptor({ name, role, sizeBytes, files, digest }: Artifact): ResourceDescriptor {
  return { name, digest, annotations: { role, sizeBytes, ...(files !== undefined && { files }) } };
}
