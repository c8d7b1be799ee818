// Paths that go through layers: "/platform/i86pc/boot_archive/etc/motd" is /etc/motd of the file system in the archive on the
// medium. Symbolic links are followed as the system in the image would: within their own tree.

import { didYouMean, ImageError, toText } from "../bytes/index.ts";
import { type Directory, joinPath, lookup, type Node, resolve, splitPath } from "../tree/index.ts";
import type { Layer, TreeLayer } from "./layer.ts";
import { openImage } from "./open.ts";

/** Something at a path. */
export interface Place {
  /** The layer whose tree has it. */
  readonly layer: TreeLayer;
  /** The path in that tree, links followed as far as they were. */
  readonly path: string;
  readonly node: Node;
  /** The path from the outermost layer: what to show. */
  readonly shown: string;
}

const MAX_COMPRESSIONS = 4;

/**
 * The layer that holds paths: `layer` itself, or what is compressed in it.
 * @throws ImageError "wrong-type" when there are no paths in it; what opening throws
 */
export async function treeLayer(layer: Layer): Promise<TreeLayer> {
  let at = layer;
  for (let times = 0; at.kind === "gzip"; times++) {
    // There are files that decompress to themselves.
    if (times === MAX_COMPRESSIONS)
      throw new ImageError("limit", `compressed more than ${MAX_COMPRESSIONS} times over`);
    at = await at.inner();
  }
  if (at.kind !== "plain") return at;
  throw new ImageError("wrong-type", `${at.title}: holds no paths; images, archives and directories do`);
}

/** The file at the path of a place, as a layer of its own. @throws ImageError "wrong-type"; what opening throws */
export async function layerAt({ layer, node, shown }: Pick<Place, "layer" | "node" | "shown">): Promise<Layer> {
  if (node.type === "file") return openImage(node.content, layer.host);
  throw new ImageError("wrong-type", `${toText(shown)}: is a ${node.type}, not a file`, { path: shown });
}

/**
 * The boot archive of a medium, opened; of anything else that holds paths, itself.
 * @throws ImageError "not-found" when an ISO has none
 */
export async function bootArchive(layer: Layer): Promise<{ layer: TreeLayer; path: string }> {
  const outer = await treeLayer(layer);
  if (outer.kind !== "iso") return { layer: outer, path: "" };
  const { bootArchivePaths } = await import("./boot-parts.ts"); // knows boot loaders: not for every path
  const tree = await outer.tree();
  const [path] = await bootArchivePaths(tree);
  if (path === undefined) {
    throw new ImageError(
      "not-found",
      "the ISO has no boot archive: none that its boot configuration names, none in /platform",
    );
  }
  const node = resolve(tree, path)?.node;
  if (node === undefined) throw new ImageError("not-found", `${toText(path)}: no such path`, { path });
  return { layer: await treeLayer(await layerAt({ layer: outer, node, shown: path })), path };
}

export interface LocateOptions {
  /** Whether a symbolic link at the end is followed; those on the way always are. */
  readonly follow: boolean;
  /** Put before the path in what is shown: where `layer` itself lies. */
  readonly prefix?: string | undefined;
}

/**
 * What is at a path, through as many layers as it takes.
 * @param path a byte string; the leading "/" may be missing
 * @throws ImageError "not-found", with the nearest names; "wrong-type" when something on the way is neither a directory nor an
 *   image; "invalid-argument" for "." and ".."; what opening throws
 */
export async function locate(layer: Layer, path: string, options: LocateOptions): Promise<Place> {
  let at = await treeLayer(layer);
  let names = splitPath(path);
  let outside = options.prefix ?? "";
  for (;;) {
    const tree = await at.tree();
    const found = farthest(tree, names, options.follow);
    const shown = shownPath(outside, names.slice(0, found.steps));
    if (found.node !== undefined && found.steps === names.length) {
      return { layer: at, path: found.path, node: found.node, shown };
    }
    if (found.node?.type === "file") {
      const inner = await layerAt({ layer: at, node: found.node, shown });
      if (inner.kind === "plain") {
        throw new ImageError("wrong-type", `${toText(shown)}: is a file of ${inner.title}: there are no paths in it`, {
          path: shown,
        });
      }
      at = await treeLayer(inner);
      names = names.slice(found.steps);
      outside = shown;
      continue;
    }
    const missing = shownPath(outside, names.slice(0, found.steps + 1));
    throw notFound(missing, found.node, names[found.steps] ?? "");
  }
}

function shownPath(outside: string, names: readonly string[]): string {
  return names.length === 0 ? outside || "/" : `${outside}/${names.join("/")}`;
}

interface Farthest {
  /** How many names lead to `node`. */
  readonly steps: number;
  readonly node: Node | undefined;
  /** Its path, links followed. */
  readonly path: string;
}

/** As far as the names lead in one tree: to the end, to a file, or to where the next name is missing. */
function farthest(tree: Directory, names: readonly string[], follow: boolean): Farthest {
  let last: Farthest = { steps: 0, node: tree, path: "/" };
  for (let steps = 1; steps <= names.length; steps++) {
    if (last.node?.type !== "directory") return last;
    const name = names[steps - 1] ?? "";
    const unfollowed = joinPath(last.path, name);
    const isEnd = steps === names.length && !follow;
    const found = isEnd ? { path: unfollowed, node: lookup(tree, unfollowed) } : resolve(tree, unfollowed);
    if (found?.node === undefined) return last;
    last = { steps, node: found.node, path: found.path };
  }
  return last;
}

function notFound(shown: string, parent: Node | undefined, name: string): ImageError {
  if (parent?.type !== "directory") {
    return new ImageError("wrong-type", `${toText(shown)}: what it should be in is a ${parent?.type}`, { path: shown });
  }
  const link = parent.entries.get(name);
  if (link?.type === "symlink") {
    const what = `a symbolic link to ${toText(link.target)}, which leads nowhere in this image`;
    return new ImageError("not-found", `${toText(shown)}: ${what}`, { path: shown });
  }
  const hint = didYouMean(name, parent.entries.keys());
  return new ImageError("not-found", `${toText(shown)}: no such path${hint}`, { path: shown });
}
