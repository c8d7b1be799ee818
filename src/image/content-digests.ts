// SHA-256 of contents, taken while they are read for the image, so that files are read once. What the image did not read, or
// not in order, is read for the digest afterwards.

import { bytesOf, type Content, compareByteStrings, digestOf, type Hasher } from "../bytes/index.ts";
import { type Directory, mapTree, walk } from "../tree/index.ts";

export interface ContentDigests {
  /** The tree with contents whose digests are taken while they are read. */
  watch(tree: Directory): Directory;
  /** Lower-case hex. @throws ImageError what reading throws */
  sha256(content: Content): Promise<string>;
  /**
   * The digest of a directory's files that in-toto calls `dirHash`: the SHA-256 of what
   * `find . -type f | cut -c3- | LC_ALL=C sort | xargs sha256sum` prints in it.
   */
  dirHash(tree: Directory): Promise<string>;
}

interface Watched {
  /** Bytes from the beginning that the hasher has seen. */
  done: number;
  hasher: Hasher | undefined;
  hex: string | undefined;
}

export function contentDigests(createHasher: (algorithm: "sha256") => Hasher): ContentDigests {
  const states = new WeakMap<Content, Watched>();

  const take = (state: Watched, bytes: Uint8Array, offset: number, sizeBytes: number): void => {
    if (state.hex !== undefined || offset > state.done || offset + bytes.length <= state.done) return;
    state.hasher ??= createHasher("sha256");
    state.hasher.update(bytes.subarray(state.done - offset));
    state.done = offset + bytes.length;
    if (state.done < sizeBytes) return;
    state.hex = state.hasher.digestHex();
    state.hasher = undefined;
  };

  const watchContent = (content: Content): Content => {
    const state: Watched = { done: 0, hasher: undefined, hex: undefined };
    const { sizeBytes, dataRanges } = content;
    const watched: Content = {
      sizeBytes,
      dataRanges,
      async read(target, offset) {
        await content.read(target, offset);
        take(state, target, offset, sizeBytes);
      },
    };
    states.set(watched, state);
    return watched;
  };

  const sha256 = async (content: Content): Promise<string> => {
    const state = states.get(content);
    if (state === undefined) return digestOf(content, content.sizeBytes, createHasher("sha256"));
    const buffer = new Uint8Array(Math.min(PIECE_BYTES, content.sizeBytes - state.done));
    while (state.hex === undefined && state.done < content.sizeBytes) {
      const piece = buffer.subarray(0, Math.min(buffer.length, content.sizeBytes - state.done));
      await content.read(piece, state.done);
    }
    state.hex ??= createHasher("sha256").digestHex(); // of nothing
    return state.hex;
  };

  return {
    watch: (tree) =>
      mapTree(tree, (node) => (node.type === "file" ? { ...node, content: watchContent(node.content) } : node)),
    sha256,
    async dirHash(tree) {
      const files = Array.from(walk(tree)).flatMap(({ path, node }) =>
        node.type === "file" ? [{ path: path.slice(1), content: node.content }] : [],
      );
      const hasher = createHasher("sha256");
      for (const { path, content } of files.sort((a, b) => compareByteStrings(a.path, b.path))) {
        hasher.update(bytesOf(`${await sha256(content)}  ${path}\n`));
      }
      return hasher.digestHex();
    },
  };
}

const PIECE_BYTES = 1 << 20;
