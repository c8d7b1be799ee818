// The system's own text files (passwd, name_to_major …) in a tree, read and replaced as byte strings: what a line holds
// beside what we understand must come out as it went in.

import { byteString, bytesOf, memoryContent, readAll } from "../bytes/index.ts";
import { type Attributes, type Directory, draft, file, findFile, resolve } from "../tree/index.ts";

/** No configuration file is as long; one that is was not meant to be read into memory. */
const MAX_TEXT_BYTES = 2 ** 24;

/**
 * The bytes of a file of the tree, one character each; undefined when there is no such file. Links are followed.
 * @throws ImageError "limit" above 16 MiB
 */
export async function readTextFile(tree: Directory, path: string): Promise<string | undefined> {
  const found = findFile(tree, path);
  return found ? byteString(await readAll(found.content, MAX_TEXT_BYTES)) : undefined;
}

/**
 * The tree with other contents of some files. A file that is there keeps its attributes, a new one gets `attributes`; a
 * link is followed, so that what it leads to is replaced and not the link.
 */
export function replaceTextFiles(
  tree: Directory,
  texts: Iterable<readonly [path: string, text: string]>,
  attributes: Attributes,
): Directory {
  const edit = draft(tree);
  for (const [path, text] of texts) {
    const found = resolve(tree, path);
    const of = found?.node.type === "file" ? found : { path, node: attributes };
    edit.put(of.path, file(of.node, memoryContent(bytesOf(text))), { ...attributes, mode: 0o755 });
  }
  return edit.tree();
}
