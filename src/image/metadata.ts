// What every image's tree goes through: one owner, no time later than the epoch, nothing that a file system cannot hold.

import { ImageError, toText } from "../bytes/index.ts";
import { type Directory, mapTree, type Node, prune, someNode, summarize, walk } from "../tree/index.ts";

/**
 * The time of the image: what was asked for, else the newest time of the input. It must fit the signed 32 bits of UFS.
 * @throws ImageError "invalid-argument"
 */
export function epochOf(tree: Directory, asked: number | undefined): number {
  const epoch = asked ?? Math.max(0, summarize(tree).newestMtimeSeconds);
  if (Number.isSafeInteger(epoch) && epoch >= 0 && epoch <= MAX_TIME_SECONDS) return epoch;
  if (asked !== undefined) {
    throw new ImageError("invalid-argument", `epoch ${epoch}: must be whole seconds in 0..${MAX_TIME_SECONDS}`);
  }
  const newest = Array.from(walk(tree)).find(({ node }) => node.mtimeSeconds === epoch);
  throw new ImageError(
    "limit",
    `${toText(newest?.path ?? "/")}: its time (${epoch} seconds) is after 2038, which UFS cannot hold; give the image's time with --epoch N or SOURCE_DATE_EPOCH`,
    { path: newest?.path },
  );
}

/** di_mtime is a signed 32-bit number. */
const MAX_TIME_SECONDS = 0x7fffffff;
const MIN_TIME_SECONDS = -0x80000000;

/** Times later than the epoch become the epoch, times before 1901 the first that UFS can hold: building twice must not show when it was built. */
export function clampTimes(tree: Directory, epochSeconds: number): Directory {
  return change(tree, (node) => {
    const mtimeSeconds = Math.max(MIN_TIME_SECONDS, Math.min(node.mtimeSeconds, epochSeconds));
    return mtimeSeconds === node.mtimeSeconds ? node : { ...node, mtimeSeconds };
  });
}

/**
 * Everything owned by root:root, as the original script does it: the builder of a proto area is an ordinary user, whose
 * ids mean nothing in the image. Set-id bits stay.
 */
export function ownedByRoot(tree: Directory): Directory {
  return change(tree, (node) => (node.uid === 0 && node.gid === 0 ? node : { ...node, uid: 0, gid: 0 }));
}

/** As mapTree; most trees need no change at all, and that is soon seen. */
function change(tree: Directory, changed: (node: Node) => Node): Directory {
  return someNode(tree, (node) => changed(node) !== node) ? mapTree(tree, changed) : tree;
}

/** Sockets (and doors, which look like them from outside) exist only while a program serves them. */
export function withoutSockets(tree: Directory): { tree: Directory; skipped: string[] } {
  const isSocket = ({ type }: Node): boolean => type === "socket";
  if (!someNode(tree, isSocket)) return { tree, skipped: [] };
  const sockets = Array.from(walk(tree)).filter(({ node }) => isSocket(node));
  return { tree: prune(tree, (_, node) => isSocket(node)), skipped: sockets.map(({ path }) => toText(path)) };
}
