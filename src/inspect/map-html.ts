// A map as one page: everything is in it, nothing is fetched. What it shows it draws on a canvas, for images of any size.

import { toText } from "../bytes/index.ts";
import type { PlaceMap, SizeMap, SizeNode } from "./map.ts";
import { HUES, isDark, KINDS, tint } from "./map-colors.ts";
import { drawnCount, rowBytes, shortSize, squarify } from "./map-layout.ts";
import { escapeXml } from "./map-svg.ts";
import { SCRIPT, STYLE } from "./map-viewer.ts";
import type { RegionKind } from "./regions.ts";

const KIND_NAMES = Object.keys(KINDS) as RegionKind[];

/** The places of all layers. */
export function placesHtml(maps: readonly PlaceMap[]): string {
  const kinds = KIND_NAMES.map((kind) => ({ ...KINDS[kind], isFree: kind === "free" }));
  return page(maps[0]?.name ?? "map", { by: "place", kinds, hues: HUES, layers: maps.map(placeData) });
}

/** What takes the space in all layers. */
export function sizesHtml(maps: readonly SizeMap[]): string {
  const layers = maps.map(({ name, title, root }) => ({ name, title, root: sizeData(root) }));
  return page(maps[0]?.name ?? "map", { by: "size", hues: HUES, layers });
}

/** Columns instead of objects: an image of 512 MB has fifty thousand regions. */
function placeData({ name, title, sizeBytes, regions, marks }: PlaceMap): unknown {
  const whats = new Map<string, number>();
  const paths = new Map<string, number>();
  const indexOf = (known: Map<string, number>, key: string): number => {
    const index = known.get(key) ?? known.size;
    known.set(key, index);
    return index;
  };
  const inner: Record<number, number> = {};
  regions.forEach((region, i) => {
    if (region.inner !== undefined) inner[i] = region.inner;
  });
  return {
    name,
    title,
    size: sizeBytes,
    lengths: regions.map(({ length }) => length),
    kinds: regions.map(({ kind }) => KIND_NAMES.indexOf(kind)),
    what: regions.map(({ what }) => indexOf(whats, what)),
    path: regions.map(({ path }) => (path === undefined ? -1 : indexOf(paths, toText(path)))),
    whats: [...whats.keys()],
    paths: [...paths.keys()],
    inner,
    marks: marks.map((mark) => [mark.offset, mark.name]),
  };
}

type SizeData = [name: string, sizeBytes: number, children?: SizeData[]];

function sizeData({ name, sizeBytes, children }: SizeNode): SizeData {
  return children ? [toText(name), sizeBytes, children.map(sizeData)] : [toText(name), sizeBytes];
}

/** Functions of ours that the page's script uses. */
const FUNCTIONS: Readonly<Record<string, (...given: never[]) => unknown>> = {
  rowBytes,
  squarify,
  drawnCount,
  shortSize,
  isDark,
  tint,
};

function page(title: string, data: unknown): string {
  // "<" would end the script where a path has "</script>" in it.
  const json = JSON.stringify(data)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
  const functions = Object.entries(FUNCTIONS).map(([name, code]) => `const ${name} = ${code.toString()};`);
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1 id="title"></h1>
<nav id="layers"></nav>
<nav>
<button id="in" type="button">Zoom in</button>
<button id="out" type="button">Zoom out</button>
<button id="colors" type="button"></button>
<input id="query" type="search" placeholder="find a path" aria-label="find a path">
<span id="found"></span>
</nav>
<div id="legend"></div>
<p id="info" aria-live="polite"></p>
<canvas id="map"></canvas>
<script>
const DATA = ${json};
${functions.join("\n")}
${SCRIPT}
</script>
</body>
</html>
`;
}
