// A map as an SVG picture: one panel a layer. Rows are addresses, from left to right and from top to bottom; hovering tells
// path and extent. What is too small to be seen is drawn together with its neighbours.

import { toText } from "../bytes/index.ts";
import type { MapRegion, PlaceMap, SizeMap, SizeNode } from "./map.ts";
import { HUES, isDark, KINDS, tint } from "./map-colors.ts";
import { drawnCount, type Rectangle, rowBytes, shortSize, squarify } from "./map-layout.ts";
import type { RegionKind } from "./regions.ts";

const WIDTH = 1200;
const MARGIN = 16;
const LABEL_WIDTH = 84;
const PLOT_WIDTH: number = WIDTH - 2 * MARGIN - LABEL_WIDTH;
const ROW_HEIGHT = 12;
const ROW_PITCH = 14;
const MAX_ROWS = 64;
/** Regions of this many rows are named once more, in their middle. */
const LARGE_ROWS = 5;
const HEADER_HEIGHT = 40;
const LEGEND_PITCH = 18;
const PANEL_GAP = 32;
/** Narrower than this, what lies side by side is drawn as one. */
const MIN_WIDTH = 2;
/** Of a letter of 10 pixels, on the safe side. */
const LETTER_WIDTH = 6.4;

const FONT = "font-family:system-ui,sans-serif";

export function escapeXml(text: string): string {
  // What XML cannot hold is not in names of ours: toText escapes control characters.
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const round = (value: number): string => String(Math.round(value * 100) / 100);

function svg(height: number, title: string, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>text{${FONT};font-size:10px;fill:#222}.h{font-size:15px;font-weight:600}.l{fill:#fff}.d{fill:#222}`,
    "rect:hover{stroke:#000;stroke-width:1}a{cursor:pointer}</style>",
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...body,
    "</svg>\n",
  ].join("\n");
}

// ---- by place ----

/** The places of all layers, one below the other. */
export function placesSvg(maps: readonly PlaceMap[]): string {
  const body: string[] = [];
  let top = MARGIN;
  for (const [index, map] of maps.entries()) {
    const panel = placePanel(map, top);
    body.push(`<g id="layer-${index}">`, ...panel.body, "</g>");
    top += panel.height + PANEL_GAP;
  }
  return svg(top, maps[0]?.name ?? "map", body);
}

function placePanel(map: PlaceMap, top: number): { body: string[]; height: number } {
  const body = [heading(`${map.name}: ${map.title}, ${map.sizeBytes} bytes`, top)];
  const legend = legendOf(map, top + HEADER_HEIGHT - 12);
  body.push(...legend.body);
  const plotTop = top + HEADER_HEIGHT + legend.height;
  const bytes = rowBytes(map.sizeBytes, MAX_ROWS);
  const rows = Math.max(1, Math.ceil(map.sizeBytes / bytes));
  for (let row = 0; row < rows; row++) {
    const y = plotTop + row * ROW_PITCH;
    body.push(text(MARGIN + LABEL_WIDTH - 8, y + 10, shortSize(row * bytes), 'text-anchor="end"'));
  }
  const xOf = (offset: number): number => MARGIN + LABEL_WIDTH + ((offset % bytes) / bytes) * PLOT_WIDTH;
  for (const piece of piecesOf(map, bytes)) {
    const y = plotTop + Math.floor(piece.offset / bytes) * ROW_PITCH;
    const { offset, length } = piece.region;
    // What goes on below is drawn without the gap between rows: one thing looks like one.
    const goesOn = piece.count === 1 && offset + length >= piece.offset + piece.length + bytes;
    const height = goesOn ? ROW_PITCH + 0.5 : ROW_HEIGHT;
    body.push(pieceSvg(piece, xOf(piece.offset), y, (piece.length / bytes) * PLOT_WIDTH, height));
  }
  for (const region of map.regions) {
    if (region.length < LARGE_ROWS * bytes || region.kind === "free") continue;
    const row = Math.floor((region.offset + region.length / 2) / bytes);
    body.push(largeLabel(region, plotTop + row * ROW_PITCH));
  }
  for (const { offset, name } of map.marks) {
    const y = plotTop + Math.floor(offset / bytes) * ROW_PITCH;
    const x = round(xOf(offset));
    body.push(
      `<path d="M${x} ${y - 2}v${ROW_HEIGHT + 4}" stroke="#000" stroke-width="1"><title>${escapeXml(`${name}: from byte ${offset} on`)}</title></path>`,
    );
  }
  return { body, height: plotTop + rows * ROW_PITCH - top };
}

const heading = (words: string, top: number): string =>
  text(MARGIN, top + 14, fitted(words, WIDTH - 2 * MARGIN, 8.6), 'class="h"');

function text(x: number, y: number, words: string, attributes = ""): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escapeXml(words)}</text>`;
}

/** As many letters as fit into so many pixels, with an ellipsis where some do not; "" when hardly any do. */
function fitted(words: string, width: number, letterWidth = LETTER_WIDTH): string {
  const count = Math.floor(width / letterWidth);
  if (words.length <= count) return words;
  return count < 4 ? "" : `${words.slice(0, count - 1)}…`;
}

/** Which kinds there are, with their shares; as many in a line as fit. */
function legendOf({ regions, sizeBytes }: PlaceMap, top: number): { body: string[]; height: number } {
  const totals = new Map<RegionKind, number>();
  for (const { kind, length } of regions) totals.set(kind, (totals.get(kind) ?? 0) + length);
  const body: string[] = [];
  let x = MARGIN;
  let y = top;
  for (const [kind, { label, color }] of Object.entries(KINDS)) {
    const total = totals.get(kind as RegionKind);
    if (total === undefined) continue;
    const words = `${label} ${shortSize(total)} (${((100 * total) / sizeBytes).toFixed(1)} %)`;
    const width = 18 + words.length * LETTER_WIDTH + 14;
    if (x + width > WIDTH - MARGIN && x > MARGIN) {
      x = MARGIN;
      y += LEGEND_PITCH;
    }
    body.push(
      `<rect x="${round(x)}" y="${y}" width="12" height="12" fill="${color}" stroke="#888" stroke-width=".5"/>`,
    );
    body.push(text(x + 18, y + 10, words));
    x += width;
  }
  return { body, height: y - top + LEGEND_PITCH };
}

/** What is drawn as one rectangle: a region as far as it lies in a row, or several that are too narrow by themselves. */
interface Piece {
  readonly offset: number;
  length: number;
  /** The region with the most bytes in it. */
  region: MapRegion;
  regionIndex: number;
  regionBytes: number;
  count: number;
}

function* piecesOf({ regions }: PlaceMap, bytes: number): Generator<Piece> {
  const minBytes = (MIN_WIDTH / PLOT_WIDTH) * bytes;
  let piece: Piece | undefined;
  for (const [regionIndex, region] of regions.entries()) {
    const end = region.offset + region.length;
    for (let at = region.offset; at < end; ) {
      const rowEnd = (Math.floor(at / bytes) + 1) * bytes;
      const length = Math.min(end, rowEnd) - at;
      if (piece && (piece.offset + piece.length) % bytes !== 0 && piece.length < minBytes) {
        piece.length += length;
        piece.count++;
        if (length > piece.regionBytes) Object.assign(piece, { region, regionIndex, regionBytes: length });
      } else {
        if (piece) yield piece;
        piece = { offset: at, length, region, regionIndex, regionBytes: length, count: 1 };
      }
      at += length;
    }
  }
  if (piece) yield piece;
}

function largeLabel({ kind, path, what, length }: MapRegion, y: number): string {
  const words = `${path === undefined ? what : toText(path)}, ${shortSize(length)}`;
  const color = isDark(KINDS[kind].color) ? "#fff" : "#222";
  const shown = fitted(words, PLOT_WIDTH - 20, 8);
  return text(
    MARGIN + LABEL_WIDTH + PLOT_WIDTH / 2,
    y + 10,
    shown,
    `text-anchor="middle" style="font-size:13px;font-weight:600;fill:${color}" pointer-events="none"`,
  );
}

function pieceSvg(
  { offset, length, region, regionIndex, count }: Piece,
  x: number,
  y: number,
  width: number,
  height: number,
): string {
  const { color, alternate } = KINDS[region.kind];
  const fill = regionIndex % 2 === 0 ? color : alternate;
  const name = region.path === undefined ? region.what : `${region.what} ${toText(region.path)}`;
  const told =
    count > 1
      ? `${count} things in ${length} bytes at ${offset}, among them ${name}`
      : `${name}: ${region.length} bytes at ${region.offset}`;
  const rect = `<rect x="${round(x)}" y="${y}" width="${round(width)}" height="${height}" fill="${fill}"><title>${escapeXml(told)}</title></rect>`;
  const label = count === 1 && region.offset === offset ? labelOf(region, width) : "";
  const letters =
    label === "" ? "" : text(x + 3, y + 9.5, label, `class="${isDark(fill) ? "l" : "d"}" pointer-events="none"`);
  return region.inner === undefined ? rect + letters : `<a href="#layer-${region.inner}">${rect}${letters}</a>`;
}

function labelOf({ path, what }: MapRegion, width: number): string {
  const words = path === undefined ? what : toText(path.slice(path.lastIndexOf("/") + 1));
  return words.length * LETTER_WIDTH + 6 <= width ? words : "";
}

// ---- by size ----

const TREEMAP_HEIGHT = 760;
const TITLE_HEIGHT = 14;
/** How much white is in the colours of files and directories: names must be readable on both. */
const FILE_TINT = 0.1;
const DIRECTORY_TINT = 0.8;
const REST_TINT = 0.55;
/** Smaller rectangles are drawn together. */
const MIN_AREA = 40;
const MIN_TITLED = { width: 50, height: 34 };

/** What takes the space, one treemap a layer. */
export function sizesSvg(maps: readonly SizeMap[]): string {
  const body: string[] = [];
  let top = MARGIN;
  for (const [index, { name, title, root }] of maps.entries()) {
    const area = { x: MARGIN, y: top + HEADER_HEIGHT - 14, width: WIDTH - 2 * MARGIN, height: TREEMAP_HEIGHT };
    body.push(`<g id="layer-${index}">`, heading(`${name}: ${title}, ${shortSize(root.sizeBytes)} in files`, top));
    addTreemap(body, root, area, "", undefined);
    body.push("</g>");
    top += HEADER_HEIGHT - 14 + TREEMAP_HEIGHT + PANEL_GAP;
  }
  return svg(top, maps[0]?.name ?? "map", body);
}

function addTreemap(body: string[], node: SizeNode, area: Rectangle, path: string, hue: string | undefined): void {
  const children = node.children ?? [];
  const weights = children.map(({ sizeBytes }) => sizeBytes);
  const count = drawnCount(weights, area.width * area.height, MIN_AREA);
  const rest = weights.slice(count).reduce((sum, weight) => sum + weight, 0);
  const places = squarify(rest > 0 ? [...weights.slice(0, count), rest] : weights.slice(0, count), area);
  const restPlace = places[count];
  if (restPlace) addRest(body, restPlace, children.length - count, rest, path, hue);
  for (const [i, child] of children.slice(0, count).entries()) {
    const place = places[i];
    if (place === undefined) continue;
    const color = hue ?? HUES[i % HUES.length] ?? "#444444";
    const below = `${path}/${child.name}`;
    const isFile = child.children === undefined;
    const fill = isFile ? tint(color, FILE_TINT) : tint(color, DIRECTORY_TINT);
    body.push(rectSvg(place, fill, `${toText(below)}${isFile ? "" : "/"}: ${child.sizeBytes} bytes`));
    const name = `${toText(child.name)}${isFile ? "" : "/"}`;
    const isTitled = isFile || (place.width >= MIN_TITLED.width && place.height >= MIN_TITLED.height);
    if (isTitled) addLabel(body, place, name, `${name} ${shortSize(child.sizeBytes)}`, fill);
    if (isFile) continue;
    const top = isTitled ? TITLE_HEIGHT : 1;
    const inside = { x: place.x + 1.5, y: place.y + top, width: place.width - 3, height: place.height - top - 1.5 };
    if (inside.width > 2 && inside.height > 2) addTreemap(body, child, inside, below, color);
  }
}

/** What is too small to be drawn by itself. */
function addRest(
  body: string[],
  place: Rectangle,
  count: number,
  sizeBytes: number,
  path: string,
  hue: string | undefined,
): void {
  const fill = tint(hue ?? "#444444", REST_TINT);
  body.push(rectSvg(place, fill, `${toText(path)}/: ${count} smaller ones, ${sizeBytes} bytes`));
  addLabel(body, place, `${count} smaller`, `${count} smaller ${shortSize(sizeBytes)}`, fill);
}

function rectSvg({ x, y, width, height }: Rectangle, fill: string, told: string): string {
  const shape = `x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`;
  return `<rect ${shape} fill="${fill}" stroke="#fff" stroke-width=".5"><title>${escapeXml(told)}</title></rect>`;
}

function addLabel(body: string[], { x, y, width, height }: Rectangle, name: string, full: string, fill: string): void {
  if (height < TITLE_HEIGHT - 1) return;
  const label = full.length * LETTER_WIDTH + 6 <= width ? full : fitted(name, width - 6);
  if (label !== "")
    body.push(text(x + 3, y + 10.5, label, `class="${isDark(fill) ? "l" : "d"}" pointer-events="none"`));
}
