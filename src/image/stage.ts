// Staging: from the layers of the input to the two trees that are written, the ramdisk's and the ISO's. All edits are
// made to trees in memory; the sources are only read.

import { type Finding, ImageError, memoryContent, toText } from "../bytes/index.ts";
import {
  addDeviceLinks,
  addMountPoints,
  CDBOOT_PATH,
  checkConsole,
  checkLibraries,
  type DriverReport,
  ESSENTIAL_STATE_FILES,
  KERNEL_STATE_FILES,
  type ManifestReport,
  type PackageRecord,
  parseAccounts,
  ramdiskFindings,
  readAccountFiles,
} from "../illumos/index.ts";
import {
  type Attributes,
  type Directory,
  draft,
  file,
  findFile,
  type Merged,
  mergeTrees,
  summarize,
  type TreeSummary,
} from "../tree/index.ts";
import { caseFindings } from "./case.ts";
import { applyEdits, type EditReport } from "./edits.ts";
import { grubMedium } from "./grub-medium.ts";
import { withInit } from "./init.ts";
import type { Layer } from "./layer.ts";
import { loaderMedium } from "./loader-medium.ts";
import { type Medium, mediumTree, ramdiskTree } from "./medium.ts";
import { clampTimes, epochOf, ownedByRoot, withoutSockets } from "./metadata.ts";
import type { StageOptions } from "./options.ts";
import { applyPackages, layerRecords } from "./packages.ts";

export interface Staged {
  /** The merged layers, before any edit. */
  readonly input: TreeSummary;
  readonly ramdisk: Directory;
  readonly medium: Medium;
  readonly init: "shell" | "smf" | "keep";
  readonly epochSeconds: number;
  readonly findings: readonly Finding[];
  readonly edits: readonly EditReport[];
  readonly manifests?: ManifestReport | undefined;
  readonly drivers?: DriverReport | undefined;
  /** The packages that the image is made of: those of the layers, then those of the manifests. */
  readonly packages: readonly PackageRecord[];
  /** Paths of lower layers that a higher layer replaced. */
  readonly overridden: readonly string[];
}

/**
 * Makes a proto area bootable.
 * @param layers the input, later over earlier
 * @throws ImageError "requirement" when a boot stage is missing; "invalid-argument", "conflict" for bad options
 */
export async function stage(layers: Layers, options: StageOptions): Promise<Staged> {
  checkConsole(options.console);
  const merged = mergeLayers(layers);
  if (merged.tree.entries.size === 0) {
    throw new ImageError(
      "input-missing",
      "the input is empty: a proto area has at least etc, kernel, platform and boot",
    );
  }
  const epochSeconds = epochOf(merged.tree, options.epochSeconds);
  const fresh: Attributes = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: epochSeconds };
  const findings: Finding[] = [];

  for (const path of merged.retyped) {
    const message = `${path}: a later layer replaces a directory by something else, or a link by a directory; check that layer`;
    findings.push({ code: "layer-type", severity: "warning", path, message });
  }
  const { tree: plain, skipped } = withoutSockets(merged.tree);
  for (const path of skipped) {
    findings.push({ code: "socket", severity: "warning", path, message: `${path}: a socket; left out` });
  }
  const stated = withKernelState(plain, options, fresh, findings);
  const actions = layers.flatMap((layer) => layer.actions);
  const packaged = await applyPackages(stated, options.manifests, actions, epochSeconds);
  const { tree: started, made: madeForSmf, init } = await withInit(packaged.tree, options, fresh);
  const mounted = addMountPoints(started, fresh);
  for (const path of mounted.made) {
    findings.push({ code: "made", severity: "note", path, message: `${path}: made (the kernel mounts or reads it)` });
  }
  for (const path of madeForSmf) {
    findings.push({ code: "made", severity: "note", path, message: `${path}: made (SMF needs it)` });
  }
  const linked = addDeviceLinks(mounted.tree, fresh).tree;
  const accounts = parseAccounts(await readAccountFiles(linked));
  const { tree: edited, reports } = await applyEdits(withReconfigure(linked, fresh), options.edits, fresh, accounts);
  for (const { edit, matched, unmatched = [] } of reports) {
    if (matched === 0) findings.push({ code: "no-match", severity: "warning", message: `${edit}: matches nothing` });
    for (const what of unmatched)
      findings.push({ code: "no-match", severity: "warning", message: `${edit}: ${what}: not there` });
  }
  const tree = clampTimes(edited, epochSeconds);
  findings.push(...packaged.findings, ...caseFindings(tree, packaged.manifests), ...(await ramdiskFindings(tree)));
  if (options.checkLibraries) findings.push(...(await libraryFindings(tree)));
  const medium = await mediumFor(options.loader, mediumTree(tree), options, fresh);
  return {
    input: summarize(merged.tree),
    ramdisk: ramdiskTree(tree),
    medium,
    init,
    epochSeconds,
    findings: [...findings, ...medium.findings],
    edits: reports,
    manifests: packaged.manifests,
    drivers: packaged.drivers,
    packages: [...layerRecords(layers), ...packaged.records],
    overridden: merged.overridden.map(toText),
  };
}

export type Layers = readonly [Layer, ...Layer[]];

/** One tree of all layers. Owners of layers that do not know them become root:root. */
function mergeLayers([first, ...rest]: Layers): Merged {
  const owned = ({ tree, ownersKnown }: Layer): Directory => (ownersKnown ? tree : ownedByRoot(tree));
  return mergeTrees([owned(first), ...rest.map(owned)]);
}

/** A finding for each library that is needed and missing: what needs it will not run. */
async function libraryFindings(tree: Directory): Promise<Finding[]> {
  const { missing, damaged } = await checkLibraries(tree);
  const needers = new Map<string, string[]>();
  for (const { path, needs } of missing) needers.set(needs, [...(needers.get(needs) ?? []), path]);
  return [
    ...[...needers].map(([library, paths]): Finding => {
      const more = paths.length > 1 ? ` and ${paths.length - 1} more` : "";
      const message = `${library}: missing, and needed by ${paths[0]}${more}; they will not run`;
      return { code: "missing-library", severity: "warning", path: library, message };
    }),
    ...damaged.map(
      ({ path, reason }): Finding => ({
        code: "damaged-elf",
        severity: "warning",
        path,
        message: `${path}: ${reason}`,
      }),
    ),
  ];
}

/** illumos' loader where the proto area has it and no GRUB stage was given, else GRUB. */
function mediumFor(
  loader: StageOptions["loader"],
  tree: Directory,
  options: StageOptions,
  fresh: Attributes,
): Promise<Medium> {
  const hasLoader = findFile(tree, CDBOOT_PATH) !== undefined && options.stage2 === undefined;
  if (options.stage2 && (loader === "illumos" || loader === "none")) {
    throw new ImageError("conflict", `--stage2 is GRUB's; with --loader ${loader} it would go unused`);
  }
  const chosen = loader === "auto" ? (hasLoader ? "illumos" : "grub") : loader;
  return chosen === "illumos" ? loaderMedium(tree, options, fresh) : grubMedium(tree, options, fresh);
}

/** Puts ready-made kernel state files in the place of the proto area's. */
function withKernelState(
  tree: Directory,
  { kernelState }: StageOptions,
  fresh: Attributes,
  findings: Finding[],
): Directory {
  if (!kernelState) return tree;
  const edit = draft(tree);
  for (const [name, content] of kernelState) {
    const path = KERNEL_STATE_FILES[name];
    if (path === undefined) continue;
    const there = edit.get(path);
    edit.put(path, file({ ...(there ?? fresh) }, content), { ...fresh, mode: 0o755 });
  }
  for (const name of ESSENTIAL_STATE_FILES) {
    if (kernelState.has(name)) continue;
    findings.push({
      code: "kernel-state-incomplete",
      severity: "warning",
      path: name,
      message: `--kernel-state has no ${name}; the proto area's own is kept`,
    });
  }
  return edit.tree();
}

/** An empty /reconfigure, as add_drv leaves it: the device services of a full system look for it. */
function withReconfigure(tree: Directory, fresh: Attributes): Directory {
  const edit = draft(tree);
  if (edit.get("/reconfigure") === undefined) edit.put("/reconfigure", file(fresh, memoryContent(new Uint8Array())));
  return edit.tree();
}
