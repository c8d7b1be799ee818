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

/** One object a file, of which an image may have a hundred thousand. */
interface WatchedContent extends Content {
  /** Bytes from the beginning that the hasher has seen. */
  done: number;
  hasher: Hasher | undefined;
  hex: string | undefined;
}

const isWatched = (content: Content): content is WatchedContent => "hasher" in content;

export function contentDigests(createHasher: (algorithm: "sha256") => Hasher): ContentDigests {
  const take = (watched: WatchedContent, bytes: Uint8Array, offset: number): void => {
    if (watched.hex !== undefined || offset > watched.done || offset + bytes.length <= watched.done) return;
    watched.hasher ??= createHasher("sha256");
    watched.hasher.update(bytes.subarray(watched.done - offset));
    watched.done = offset + bytes.length;
    if (watched.done < watched.sizeBytes) return;
    watched.hex = watched.hasher.digestHex();
    watched.hasher = undefined;
  };

  const watchContent = (content: Content): WatchedContent => {
    const watched: WatchedContent = {
      sizeBytes: content.sizeBytes,
      dataRanges: content.dataRanges,
      done: 0,
      hasher: undefined,
      hex: undefined,
      async read(target, offset) {
        await content.read(target, offset);
        take(watched, target, offset);
      },
    };
    return watched;
  };

  const sha256 = async (content: Content): Promise<string> => {
    if (!isWatched(content)) return digestOf(content, content.sizeBytes, createHasher("sha256"));
    if (content.done < content.sizeBytes) {
      const buffer = new Uint8Array(Math.min(PIECE_BYTES, content.sizeBytes - content.done));
      while (content.done < content.sizeBytes) {
        await content.read(buffer.subarray(0, Math.min(buffer.length, content.sizeBytes - content.done)), content.done);
      }
    }
    content.hex ??= createHasher("sha256").digestHex(); // of nothing
    return content.hex;
  };

  return {
    watch: (tree) =>
      mapTree(tree, (node) => (node.type === "file" ? { ...node, content: watchContent(node.content) } : node)),
    sha256,
    async dirHash(tree) {
      const files: { readonly path: string; readonly content: Content }[] = [];
      for (const { path, node } of walk(tree)) if (node.type === "file") files.push({ path, content: node.content });
      files.sort((a, b) => compareByteStrings(a.path, b.path));
      const hasher = createHasher("sha256");
      for (const { path, content } of files) hasher.update(bytesOf(`${await sha256(content)}  ${path.slice(1)}\n`));
      return hasher.digestHex();
    },
  };
}

const PIECE_BYTES = 1 << 20;
