// What packages say of each path: one action wins, and those that say otherwise are reported.
// Source: pkg5 src/modules/client/imageplan.py (conflicting actions), pkg(7) on overlay and mediators.

import { compareByteStrings, toText } from "../bytes/index.ts";
import { type Action, attribute, manifestError, type Place, placeText } from "./actions.ts";
import { compareMediations, mayMediate } from "./mediators.ts";

/** An action that puts something at a path. */
export interface Claim {
  readonly action: Action;
  readonly package: string;
  /** "/usr/bin/ls" */
  readonly path: string;
}

export interface ManifestPath extends Place {
  readonly path: string;
  readonly package: string;
}

export interface ManifestConflict {
  readonly path: string;
  /** The claim that holds. */
  readonly kept: ManifestPath;
  readonly other: ManifestPath;
  /** "mode: 0555, 0755" */
  readonly difference: string;
}

export interface Mediated {
  readonly path: string;
  readonly mediator: string;
  readonly chosen: ManifestPath;
  readonly others: readonly ManifestPath[];
}

export interface Claims {
  readonly byPath: ReadonlyMap<string, Claim>;
  readonly conflicts: readonly ManifestConflict[];
  /** By path. */
  readonly mediated: readonly Mediated[];
}

/** Types of action that put something at a path. */
export const PATH_ACTIONS: ReadonlySet<string> = new Set(["dir", "file", "hardlink", "link"]);

/** In what two actions at one path must agree. */
const AGREEING: Readonly<Record<string, readonly string[]>> = {
  dir: ["mode", "owner", "group"],
  file: ["mode", "owner", "group"],
  hardlink: ["target"],
  link: ["target"],
};

/** An empty name, "." or ".." anywhere: no path is so spelled in a manifest of a gate, so the slow way is rare. */
const ODD_PATH = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The tree path of an action.
 * @throws ImageError "bad-format" for a path with "." or ".."
 */
export function pathOf(action: Action): string {
  const path = attribute(action, "path") ?? "";
  if (!ODD_PATH.test(path)) return `/${path}`;
  const names = path.split("/").filter((name) => name !== "");
  if (names.some((name) => name === "." || name === ".."))
    throw manifestError(action, `path ${toText(path)} has . or .. in it`);
  return `/${names.join("/")}`;
}

/** Where a claim was written. */
export function whereOf({ action, package: name, path }: Claim): ManifestPath {
  return { path, package: name, file: action.file, line: action.line };
}

/** Sorts out several claims to a path. `claims` come in order: of two that disagree the first holds. */
export function settleClaims(claims: readonly Claim[]): Claims {
  const byPath = new Map<string, Claim>();
  const conflicts: ManifestConflict[] = [];
  const mediated = new Map<string, { chosen: Claim; others: Claim[] }>();
  for (const next of claims) {
    const first = byPath.get(next.path);
    if (first === undefined) {
      byPath.set(next.path, next);
    } else if (mayMediate(first.action, next.action)) {
      const [chosen, other] = compareMediations(next.action, first.action) < 0 ? [next, first] : [first, next];
      byPath.set(next.path, chosen);
      mediated.set(next.path, { chosen, others: [...(mediated.get(next.path)?.others ?? []), other] });
    } else if (overlays(next.action, first.action)) {
      byPath.set(next.path, next);
    } else if (!overlays(first.action, next.action)) {
      const difference = differenceOf(first.action, next.action);
      if (difference === undefined) continue;
      conflicts.push({ path: next.path, kept: whereOf(first), other: whereOf(next), difference });
    }
  }
  return {
    byPath,
    conflicts,
    mediated: [...mediated]
      .sort(([a], [b]) => compareByteStrings(a, b))
      .map(([path, { chosen, others }]) => ({
        path,
        mediator: attribute(chosen.action, "mediator") ?? "",
        chosen: whereOf(chosen),
        others: others.map(whereOf),
      })),
  };
}

/** A file with `overlay=true` replaces one with `overlay=allow`. */
function overlays(upper: Action, lower: Action): boolean {
  return upper.name === "file" && attribute(upper, "overlay") === "true" && attribute(lower, "overlay") === "allow";
}

function differenceOf(a: Action, b: Action): string | undefined {
  if (a.name !== b.name) return `type: ${a.name}, ${b.name}`;
  for (const key of AGREEING[a.name] ?? []) {
    const [one, other] = [attribute(a, key), attribute(b, key)];
    const same = key === "mode" ? Number.parseInt(one ?? "", 8) === Number.parseInt(other ?? "", 8) : one === other;
    if (!same) return `${key}: ${one ?? "none"}, ${other ?? "none"}`;
  }
  // One path, two contents: only where both are published with hashes can it be told that they differ.
  if (a.name === "file" && a.hash !== undefined && b.hash !== undefined && a.hash !== b.hash) {
    return `content: ${a.hash}, ${b.hash}`;
  }
  return undefined;
}

/** "/usr/bin/ls (SUNWcs.p5m:17)" */
export function whereText(where: ManifestPath): string {
  return `${toText(where.path)} (${placeText(where)})`;
}
