// What a file is, layer by layer, with the vital figures of each.

import { ImageError } from "../bytes/index.ts";
import type { Figure, Layer, LayerKind } from "./layer.ts";

export interface Inspected {
  /** What this is to the layer around it; undefined for the outermost. */
  readonly role: string | undefined;
  /** Path in the layer around it, if it is a file there. */
  readonly path: string | undefined;
  readonly kind: LayerKind | "unreadable";
  readonly title: string;
  readonly figures: readonly Figure[];
  readonly parts: readonly Inspected[];
  /** Why it could not be read. */
  readonly error?: string | undefined;
}

/** An image in an image in an image … : more is a file made to be like that. */
const MAX_NESTING = 8;

/**
 * Looks at a layer and all in it that is worth knowing. What is damaged inside is told, not thrown.
 * @throws ImageError "interrupted", or when what `layer` itself says cannot be read
 */
export async function inspectLayer(layer: Layer): Promise<Inspected> {
  return inspectNested(layer, undefined, undefined, 0);
}

async function inspectNested(
  layer: Layer,
  role: string | undefined,
  path: string | undefined,
  depth: number,
): Promise<Inspected> {
  const { kind, title } = layer;
  const figures = await layer.figures();
  const parts: Inspected[] = [];
  for (const part of depth < MAX_NESTING ? await layer.parts() : []) {
    try {
      parts.push(await inspectNested(await part.open(), part.role, part.path, depth + 1));
    } catch (error) {
      if (!(error instanceof ImageError) || error.code === "interrupted") throw error;
      const unreadable = { kind: "unreadable", title: "cannot be read", figures: [], parts: [] } as const;
      parts.push({ role: part.role, path: part.path, ...unreadable, error: error.message });
    }
  }
  return { role, path, kind, title, figures, parts };
}
