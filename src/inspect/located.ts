// What an offset in a layer belongs to: the answer of `dump`, and the pieces it is put together from.

import { type Content, type DumpLine, readBytes } from "../bytes/index.ts";
import { type Declared, type Structure, structureOf } from "./structure.ts";

export interface Located {
  /** What is there, in words: "inode 57 of /etc/motd", "free". */
  readonly what: string;
  /** Structures that hold the offset, or go with the one that does; none for plain data. */
  readonly structures: readonly Structure[];
  /** Of a file's data: where in the file. */
  readonly fileOffset?: number | undefined;
  /** What lies there, when it is an image by itself. */
  readonly inner?: { readonly content: Content; readonly offset: number; readonly name: string } | undefined;
}

/** A declared structure that is at `offset` in a content. @throws ImageError "truncated" */
export async function structureAt(
  content: Content,
  declared: Declared,
  title: string,
  offset: number,
): Promise<Structure> {
  return structureOf(declared, title, await readBytes(content, offset, declared.sizeBytes), 0, offset);
}

/** Something that no structure declares: elements of a table, bits of a map, names. */
export function madeStructure(title: string, name: string, fields: readonly DumpLine[]): Structure {
  const [first] = fields;
  const last = fields.at(-1);
  const offset = first?.offset ?? 0;
  return { title, name, offset, sizeBytes: (last ? last.offset + last.sizeBytes : offset) - offset, fields };
}

/** The field of a structure that holds an offset. */
export function fieldAt({ fields }: Structure, offset: number): DumpLine | undefined {
  return fields.find((line) => offset >= line.offset && offset < line.offset + line.sizeBytes);
}
