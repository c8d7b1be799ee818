// What is known of a build, for programs, as one JSON document: what went in and what came out, with sizes and digests; the
// options; what there was to warn of; a statement of provenance (provenance.ts) and, where packages say what they hold, a
// bill of materials (sbom.ts). Nothing of the machine or of the time of day is in it: the same build gives the same document.

import { bytesOf, type Content, type Finding, memoryContent, toText } from "../bytes/index.ts";
import { type Attributes, type Directory, file, type Node, summarize, treeOf } from "../tree/index.ts";
import type { Artifact } from "./artifact.ts";
import type { ContentDigests } from "./content-digests.ts";
import { editText } from "./edits.ts";
import type { Layer } from "./layer.ts";
import type { ImageOptions } from "./options.ts";
import type { ManifestChoice } from "./packages.ts";
import { type Provenance, provenance } from "./provenance.ts";
import { type Sbom, sbomOf } from "./sbom.ts";
import type { Staged } from "./stage.ts";

/** Version of the document's form; it changes when a key changes its meaning or goes. */
const METADATA_SCHEMA = 1;

/** What the build as a whole knows, beside what was staged. */
export interface BuildRecord {
  readonly command: "build" | "archive";
  /** Layers in their order, each with its role. */
  readonly layers: readonly { readonly layer: Layer; readonly role: string }[];
  readonly options: ImageOptions;
  /** Of packages in the layers; with manifests it is theirs. */
  readonly choice?: Omit<ManifestChoice, "files"> | undefined;
  readonly staged: Staged;
  readonly outputs: readonly Artifact[];
  /** What is inside of an output. */
  readonly byproducts: readonly Artifact[];
  readonly warnings: readonly string[];
  /** By name: pureboot, and what it uses that has a say in the bytes. */
  readonly versions: Readonly<Record<string, string>> & { readonly pureboot: string };
}

export interface BuildMetadata {
  readonly schema: number;
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly inputs: readonly Artifact[];
  readonly outputs: readonly Artifact[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly findings: readonly Finding[];
  readonly warnings: readonly string[];
  readonly provenance: Provenance;
  readonly sbom?: Sbom | undefined;
}

/** @throws ImageError what reading the inputs throws */
export async function buildMetadata(record: BuildRecord, digests: ContentDigests): Promise<BuildMetadata> {
  const { command, staged, outputs, byproducts, warnings, versions } = record;
  const inputs = await inputsOf(record, digests);
  const options = optionsOf(record);
  const [output] = outputs;
  if (output === undefined) throw new Error("a build without output"); // whoever records a build has its output
  const sbom = staged.packages.length > 0 ? await sbomOf(staged, output, versions.pureboot, digests) : undefined;
  return {
    schema: METADATA_SCHEMA,
    command,
    versions,
    inputs,
    outputs,
    options,
    findings: staged.findings,
    warnings,
    provenance: provenance({ command, versions, options, inputs, outputs, byproducts }),
    ...(sbom && { sbom }),
  };
}

async function inputsOf({ layers, options }: BuildRecord, digests: ContentDigests): Promise<Artifact[]> {
  const inputs: Artifact[] = [];
  for (const { layer, role } of layers)
    inputs.push(await artifactOf(layer.name, role, layer.origin ?? layer.tree, digests));
  for (const { name, role, what } of optionInputs(options)) inputs.push(await artifactOf(name, role, what, digests));
  return inputs;
}

async function artifactOf(
  name: string,
  role: string,
  what: Content | Directory,
  digests: ContentDigests,
): Promise<Artifact> {
  if (!("entries" in what))
    return { name, role, sizeBytes: what.sizeBytes, digest: { sha256: await digests.sha256(what) } };
  const { contentBytes, files } = summarize(what);
  return { name, role, sizeBytes: contentBytes, files, digest: { dirHash: await digests.dirHash(what) } };
}

interface OptionInput {
  readonly name: string;
  readonly role: string;
  readonly what: Content | Directory;
}

/** What was read because an option named it. */
function optionInputs({ stage2, startup, kernelState, manifests, usbGrub, edits }: ImageOptions): OptionInput[] {
  const inputs: OptionInput[] = [];
  const add = (role: string, name: string, what: Content | Directory | undefined): void => {
    if (what) inputs.push({ role, name, what });
  };
  add("manifests", manifests?.name ?? "manifests", manifests && manifestTree(manifests));
  for (const [name, content] of kernelState ?? []) add("kernel-state", name, content);
  add("startup", "startup", startup);
  add("stage2", stage2?.path ?? "stage2", stage2?.content);
  if (usbGrub && stage2?.disk) {
    add("stage2", `stage1 beside ${stage2.path}`, stage2.disk.stage1);
    add("stage2", `stage2 beside ${stage2.path}`, stage2.disk.stage2);
  }
  for (const edit of edits) {
    if (edit.kind === "add") add("add", edit.path, edit.content);
    if (edit.kind === "mtree") add("mtree", edit.name, edit.content);
  }
  return inputs;
}

const NO_ATTRIBUTES: Attributes = { mode: 0, uid: 0, gid: 0, mtimeSeconds: 0 };

function manifestTree({ files }: ManifestChoice): Directory {
  const nodes = files.map(({ name, text }): [string, Node] => [
    `/${name}`,
    file(NO_ATTRIBUTES, memoryContent(bytesOf(text))),
  ]);
  return treeOf(nodes, NO_ATTRIBUTES);
}

/** Every option that has a say in the bytes, given or not; files are among the inputs. */
function optionsOf({ options, staged, choice }: BuildRecord): Record<string, unknown> {
  const { stage2, startup, kernelState, manifests, edits, message, ...plain } = options;
  const { packages, variants, facets, strict } = manifests ?? choice ?? NO_CHOICE;
  return {
    ...plain,
    ...(message !== undefined && { message }),
    epochSeconds: staged.epochSeconds, // as it became: from the option, SOURCE_DATE_EPOCH or the newest file
    volumeId: toText(options.volumeId),
    edits: edits.map((edit) => (edit.kind === "keep" ? { keepOnly: edit.list } : editText(edit))),
    packages: packages.map(toText),
    variants,
    facets,
    strict,
  };
}

const NO_CHOICE: Omit<ManifestChoice, "files"> = { packages: [], variants: {}, facets: {}, strict: false };
