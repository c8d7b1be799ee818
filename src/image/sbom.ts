// A bill of materials of an image: CycloneDX 1.6 as JSON. The image consists of packages, packages consist of files, and what no
// package claims is told apart. CycloneDX and not SPDX 2.3, because an SPDX document must bear the time at which it was made.
// Source: CycloneDX 1.6, bom-1.6.schema.json.

import { toText } from "../bytes/index.ts";
import type { PackageRecord } from "../illumos/index.ts";
import { type Directory, type File, lookup, walk } from "../tree/index.ts";
import type { Artifact } from "./artifact.ts";
import type { ContentDigests } from "./content-digests.ts";
import type { Staged } from "./stage.ts";
import { contentUuid, uuidText } from "./uuid.ts";

type License = { readonly license: { readonly id: string } | { readonly name: string } };

export interface Component {
  readonly type: "operating-system" | "device-driver" | "library" | "data" | "file" | "application";
  readonly "bom-ref"?: string | undefined;
  readonly name: string;
  readonly version?: string | undefined;
  readonly description?: string | undefined;
  readonly hashes?: readonly { readonly alg: "SHA-256"; readonly content: string }[] | undefined;
  readonly licenses?: readonly License[] | undefined;
  readonly properties?: readonly { readonly name: string; readonly value: string }[] | undefined;
  readonly components?: readonly Component[] | undefined;
}

export interface Sbom {
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.6";
  readonly serialNumber: string;
  readonly version: 1;
  readonly metadata: {
    readonly tools: { readonly components: readonly Component[] };
    readonly component: Component;
  };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** @throws ImageError what reading the files throws */
export async function sbomOf(
  { packages, ramdisk, medium }: Pick<Staged, "packages" | "ramdisk" | "medium">,
  output: Artifact,
  version: string,
  digests: ContentDigests,
): Promise<Sbom> {
  const sha256 = output.digest.sha256 ?? "";
  const trees = [ramdisk, medium.tree];
  const named = distinct(packages);
  const owners = ownersOf(named);
  const components: Component[] = [];
  for (const from of named) {
    const own = from.paths.filter((path) => owners.get(path) === from);
    components.push(packageComponent(from, await fileComponents(own, trees, digests)));
  }
  const others = [...new Set(trees.flatMap(filePaths))].filter((path) => !owners.has(path));
  if (others.length > 0) {
    const files = await fileComponents(others, trees, digests);
    components.push({ type: "data", "bom-ref": UNPACKAGED, name: "files of no package", components: files });
  }
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidText(contentUuid(sha256))}`,
    version: 1,
    metadata: {
      tools: { components: [{ type: "application", name: "pureboot", version }] },
      component: {
        type: "operating-system",
        "bom-ref": IMAGE,
        name: output.name,
        hashes: [{ alg: "SHA-256", content: sha256 }],
      },
    },
    components,
    dependencies: dependenciesOf(named, components),
  };
}

const IMAGE = "image";
const UNPACKAGED = "unpackaged";

/** A package may come in two layers: the later one lies over the earlier one. */
function distinct(packages: readonly PackageRecord[]): PackageRecord[] {
  return [...new Map(packages.map((from) => [from.name, from])).values()];
}

/** Of several packages that claim a path, the last. */
function ownersOf(packages: readonly PackageRecord[]): Map<string, PackageRecord> {
  return new Map(packages.flatMap((from) => from.paths.map((path) => [path, from] as const)));
}

const refOf = ({ name, version }: PackageRecord): string =>
  `pkg:/${toText(name)}${version === "" ? "" : `@${toText(version)}`}`;

function packageComponent(from: PackageRecord, files: readonly Component[]): Component {
  const { name, version, summary, licenses, drivers } = from;
  return {
    type: drivers.length > 0 ? "device-driver" : "library", // CycloneDX: "library" for what is none of the others
    "bom-ref": refOf(from),
    name: toText(name),
    ...(version !== "" && { version: toText(version) }),
    ...(summary !== undefined && { description: toText(summary) }),
    ...(licenses.length > 0 && { licenses: licenses.map(licenseOf) }),
    ...(drivers.length > 0 && {
      properties: drivers.map((driver) => ({ name: "pureboot:driver", value: toText(driver) })),
    }),
    ...(files.length > 0 && { components: files }),
  };
}

/** Names that packages of illumos use and that SPDX has identifiers for. */
const SPDX_IDS: ReadonlyMap<string, string> = new Map([["lic_CDDL", "CDDL-1.0"]]);

function licenseOf(name: string): License {
  const id = SPDX_IDS.get(name.slice(name.lastIndexOf("/") + 1));
  return { license: id === undefined ? { name: toText(name) } : { id } };
}

/** Those of the paths that are files of the image: of the ramdisk, else of the medium. */
async function fileComponents(
  paths: readonly string[],
  trees: readonly Directory[],
  digests: ContentDigests,
): Promise<Component[]> {
  const components: Component[] = [];
  for (const path of paths) {
    const found = fileAt(path, trees);
    if (found === undefined) continue;
    const content = await digests.sha256(found.content);
    components.push({ type: "file", name: toText(path), hashes: [{ alg: "SHA-256", content }] });
  }
  return components;
}

function fileAt(path: string, trees: readonly Directory[]): File | undefined {
  for (const tree of trees) {
    const node = lookup(tree, path);
    if (node?.type === "file") return node;
  }
  return undefined;
}

function filePaths(tree: Directory): string[] {
  return Array.from(walk(tree)).flatMap(({ path, node }) => (node.type === "file" ? [path] : []));
}

function dependenciesOf(packages: readonly PackageRecord[], components: readonly Component[]): Sbom["dependencies"] {
  const refs = new Map(packages.map((from) => [from.name, refOf(from)]));
  return [
    { ref: IMAGE, dependsOn: components.flatMap((component) => component["bom-ref"] ?? []) },
    ...packages.map((from) => ({ ref: refOf(from), dependsOn: from.requires.flatMap((name) => refs.get(name) ?? []) })),
  ];
}
