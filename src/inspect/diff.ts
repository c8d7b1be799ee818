// What changed between two images, trees or archives: first by path, then by field, then nothing else. A change of all times
// by the same amount is told once, and what only follows from another change is not told.

import { type Content, ImageError, sliceContent } from "../bytes/index.ts";
import { BOOT_INFO_TABLE_OFFSET, bootInfoTable } from "../iso9660-writer-ts/format-eltorito.ts";
import { extentsOf } from "../iso9660-writer-ts/volume.ts";
import { throwIfAborted } from "../layout/index.ts";
import { bootImages } from "./boot-parts.ts";
import { diffFields, type FieldDifference } from "./diff-fields.ts";
import { type Change, comparable, diffTrees, type PathDifference } from "./diff-trees.ts";
import type { InspectHost, Layer, TreeLayer } from "./layer.ts";
import { openImage } from "./open.ts";
import { treeLayer } from "./paths.ts";
import { recognize } from "./recognize.ts";
import { firstDifference, sameContent } from "./same-content.ts";

/** Many times that changed by the same amount. */
export interface TimeShift {
  readonly seconds: number;
  readonly paths: number;
  readonly fields: number;
}

export interface Diff {
  /** Whether nothing differs at all. */
  readonly isEmpty: boolean;
  readonly paths: readonly PathDifference[];
  readonly fields: readonly FieldDifference[];
  readonly timeShift: TimeShift | undefined;
  /** The first byte that differs, where neither paths nor fields tell: padding, placement, free space. */
  readonly firstByte: number | undefined;
}

export interface DiffOptions {
  /** Tell every time by itself. */
  readonly eachTime?: boolean | undefined;
}

interface Collected {
  readonly paths: PathDifference[];
  readonly fields: FieldDifference[];
  /** Paths of times that FAT holds, in units of two seconds. */
  readonly rough: Set<string>;
}

/**
 * Compares two layers.
 * @throws ImageError when one cannot be read; "interrupted"
 */
export async function diffLayers(a: Layer, b: Layer, options: DiffOptions = {}): Promise<Diff> {
  const nothing: Diff = { isEmpty: true, paths: [], fields: [], timeShift: undefined, firstByte: undefined };
  const bytes = a.content && b.content ? await firstDifference(a.content, b.content) : undefined;
  if (a.content && b.content && bytes === undefined) return nothing;
  const collected: Collected = { paths: [], fields: [], rough: new Set() };
  await collect(a, b, "", collected, 0);
  const folded = options.eachTime ? { ...collected, timeShift: undefined } : foldTimes(collected);
  const paths = folded.paths.filter((one) => !isHashOfChanged(one, collected));
  const isTold = paths.length > 0 || folded.timeShift !== undefined;
  const fields = withoutConsequences(folded.fields, isTold);
  if (paths.length > 0 || fields.length > 0 || folded.timeShift) {
    return { isEmpty: false, paths, fields, timeShift: folded.timeShift, firstByte: undefined };
  }
  return bytes === undefined || a.kind !== b.kind ? nothing : { ...nothing, isEmpty: false, firstByte: bytes };
}

const MAX_NESTING = 8;

async function collect(a: Layer, b: Layer, at: string, into: Collected, depth: number): Promise<void> {
  throwIfAborted(a.host.signal);
  into.fields.push(...(await diffFields(a, b, at)));
  if (a.kind === "gzip" || b.kind === "gzip") {
    const [innerA, innerB] = [a.kind === "gzip" ? await a.inner() : a, b.kind === "gzip" ? await b.inner() : b];
    if (depth >= MAX_NESTING) throw new ImageError("limit", `compressed more than ${MAX_NESTING} times over`);
    await collect(innerA, innerB, at, into, depth + 1);
    return;
  }
  if (a.kind === "plain" && b.kind === "plain") {
    const first = await firstDifference(a.content, b.content);
    if (first === undefined) return;
    const change: Change = {
      aspect: "content",
      before: a.content.sizeBytes,
      after: b.content.sizeBytes,
      firstDifference: first,
    };
    into.paths.push({ path: at || "/", kind: "changed", changes: [change] });
    return;
  }
  const [layerA, layerB] = [await treeLayer(a), await treeLayer(b)];
  const rules = comparable(layerA, layerB);
  const [treeA, treeB] = [await layerA.tree(), await layerB.tree()];
  const placed = await placedFiles(layerA, layerB);
  const inside = async (one: Content, other: Content, path: string): Promise<boolean> => {
    if (placed && (await differsByPlace(one, other, path.slice(at.length), placed))) return true;
    return depth < MAX_NESTING && collectInside(one, other, path, a.host, into, depth);
  };
  for await (const difference of diffTrees(treeA, treeB, rules, at, inside)) {
    throwIfAborted(a.host.signal);
    into.paths.push(difference);
    if (rules.timeUnitSeconds > 1) into.rough.add(difference.path);
  }
}

/** Files of two ISOs that say where things lie: the boot catalog, and boot images with their tables. */
interface PlacedFiles {
  readonly catalogs: ReadonlySet<string>;
  readonly images: ReadonlySet<string>;
}

async function placedFiles(...layers: readonly TreeLayer[]): Promise<PlacedFiles | undefined> {
  const catalogs = new Set<string>();
  const images = new Set<string>();
  for (const layer of layers) {
    if (layer.kind !== "iso") return undefined;
    for (const { path } of await bootImages(layer)) if (path !== undefined) images.add(path);
    for (const { owner } of extentsOf(await layer.volume())) {
      if (owner.what === "boot catalog" && owner.path !== undefined) catalogs.add(owner.path);
    }
  }
  return { catalogs, images };
}

/** Whether nothing but places differ: what is in a catalog is compared as fields, and a boot information table is no content. */
async function differsByPlace(
  a: Content,
  b: Content,
  path: string,
  { catalogs, images }: PlacedFiles,
): Promise<boolean> {
  if (catalogs.has(path)) return true;
  const tableEnd = BOOT_INFO_TABLE_OFFSET + bootInfoTable.sizeBytes;
  if (!images.has(path) || a.sizeBytes !== b.sizeBytes || a.sizeBytes <= tableEnd) return false;
  const parts = (content: Content): [Content, Content] => [
    sliceContent(content, 0, BOOT_INFO_TABLE_OFFSET),
    sliceContent(content, tableEnd, content.sizeBytes - tableEnd),
  ];
  const [[headA, restA], [headB, restB]] = [parts(a), parts(b)];
  return (await sameContent(headA, headB)) && (await sameContent(restA, restB));
}

/** Two files that differ and are images: what differs inside of them is told instead. */
async function collectInside(
  a: Content,
  b: Content,
  path: string,
  host: InspectHost,
  into: Collected,
  depth: number,
): Promise<boolean> {
  const kinds = [await recognize(a), await recognize(b)];
  if (kinds.includes("plain")) return false;
  const nested: Collected = { paths: [], fields: [], rough: into.rough };
  try {
    await collect(await openImage(a, host), await openImage(b, host), path, nested, depth + 1);
  } catch (error) {
    // What cannot be opened, or is compressed plain data, is compared as bytes.
    if (!(error instanceof ImageError) || error.code === "interrupted") throw error;
    return false;
  }
  into.paths.push(...nested.paths);
  into.fields.push(...nested.fields);
  return nested.paths.length > 0 || nested.fields.length > 0;
}

// ---- times ----

/** From so many on, times that changed alike are one piece of news. */
const MIN_ALIKE = 4;

const timeOf = ({ changes }: PathDifference): Change | undefined => changes.find(({ aspect }) => aspect === "time");

/** Takes the times that changed by the same amount together. */
function foldTimes({
  paths,
  fields,
  rough,
}: Collected): Omit<Collected, "rough"> & { timeShift: TimeShift | undefined } {
  const counts = new Map<number, number>();
  const deltas = [
    ...paths.map(timeOf).flatMap((change) => (change ? [Number(change.after) - Number(change.before)] : [])),
    ...fields.filter(({ isTime }) => isTime).map(deltaOf),
  ];
  for (const delta of deltas) counts.set(delta, (counts.get(delta) ?? 0) + 1);
  const [seconds = 0, count = 0] = [...counts].sort(([, one], [, other]) => other - one)[0] ?? [];
  if (count < MIN_ALIKE) return { paths, fields, timeShift: undefined };
  const isAlike = (delta: number, isRough: boolean): boolean =>
    delta === seconds || (isRough && Math.abs(delta - seconds) < 2);
  let foldedPaths = 0;
  const otherPaths = paths.flatMap((difference) => {
    const change = timeOf(difference);
    const delta = change && Number(change.after) - Number(change.before);
    if (delta === undefined || !isAlike(delta, rough.has(difference.path))) return [difference];
    foldedPaths++;
    const changes = difference.changes.filter((one) => one !== change);
    return changes.length === 0 ? [] : [{ ...difference, changes }];
  });
  const otherFields = fields.filter((field) => !(field.isTime && isAlike(deltaOf(field), false)));
  const timeShift = { seconds, paths: foldedPaths, fields: fields.length - otherFields.length };
  return { paths: otherPaths, fields: otherFields, timeShift };
}

function deltaOf({ before, after }: FieldDifference): number {
  return typeof before === "number" && typeof after === "number" ? after - before : Number.NaN;
}

// ---- consequences ----

function withoutConsequences(fields: readonly FieldDifference[], isTold: boolean): FieldDifference[] {
  const own = fields.filter(({ follows }) => !follows);
  return isTold || own.length > 0 ? own : [...fields];
}

/** Whether a path is the SHA-1 of an archive in which something differs: that it differs then goes without saying. */
function isHashOfChanged({ path, kind, changes }: PathDifference, all: Collected): boolean {
  if (kind !== "changed" || !path.endsWith(".hash")) return false;
  const [only, ...others] = changes;
  if (only?.aspect !== "content" || others.length > 0 || only.before !== only.after) return false;
  const archive = path.slice(0, -".hash".length);
  const isInside = (other: string): boolean => other.startsWith(`${archive}/`) || other === archive;
  return all.paths.some((one) => isInside(one.path)) || all.fields.some(({ layer }) => isInside(layer));
}
