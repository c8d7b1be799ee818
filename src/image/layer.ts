// A layer of the input: a tree, and what its origin knows beyond it.

import type { Content } from "../bytes/index.ts";
import type { Action, PackageRecord } from "../illumos/index.ts";
import type { Directory } from "../tree/index.ts";

export interface Layer {
  /** As the user named it. */
  readonly name: string;
  readonly tree: Directory;
  /** Whether owners mean something: in archives and packages they do, in a proto area they are whoever built it. */
  readonly ownersKnown: boolean;
  /** Driver, user and group actions of packages. */
  readonly actions: readonly Action[];
  /** Names of the packages that it is made of. */
  readonly packages: readonly string[];
  /** The same, with what they say of themselves. */
  readonly records: readonly PackageRecord[];
  /** What was read to make the tree, where it is something else: an archive's bytes, a directory of packages. */
  readonly origin?: Content | Directory | undefined;
}

/** A directory as a layer. */
export function directoryLayer(tree: Directory, name = "source"): Layer {
  return { name, tree, ownersKnown: false, actions: [], packages: [], records: [] };
}
