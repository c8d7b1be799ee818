// The script of the page that `map` writes: plain JavaScript for browsers, as text, since nothing else of this project runs
// there. It finds DATA (map-html.ts) and the functions of map-layout.ts and map-colors.ts in front of it.

export const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --ink: #1c2024; --soft: #667; --line: #c8ccd2; }
@media (prefers-color-scheme: dark) { :root { --ground: #16191d; --ink: #e6e9ee; --soft: #9aa3af; --line: #3a414b; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 12px; background: var(--ground); color: var(--ink); font: 14px/1.4 system-ui, sans-serif; }
h1 { margin: 0 0 4px; font-size: 17px; overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; gap: 6px; margin: 8px 0; }
button, input { font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 6px;
  padding: 5px 10px; min-height: 34px; max-width: 100%; overflow-wrap: anywhere; }
button { cursor: pointer; text-align: left; }
button[aria-pressed="true"] { border-color: currentColor; font-weight: 600; }
button:disabled { opacity: .4; cursor: default; }
#legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 8px 0; font-size: 12px; color: var(--soft); }
#legend span { white-space: nowrap; }
#legend i { display: inline-block; width: 11px; height: 11px; margin-right: 5px; border: 1px solid #8888; vertical-align: -1px; }
#info { position: sticky; top: 0; z-index: 1; margin: 0; padding: 6px 0; min-height: 3.6em; background: var(--ground);
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
#info b { font-weight: 600; }
canvas { display: block; width: 100%; touch-action: pan-y; cursor: crosshair; margin-top: 6px; }
`;

export const SCRIPT = `
"use strict";
const at = (id) => document.getElementById(id);
const canvas = at("map");
const context = canvas.getContext("2d");
const exact = (bytes) => bytes.toLocaleString("en").replaceAll(",", "\\u202f") + " bytes" + (bytes < 1024 ? "" : " (" + shortSize(bytes) + ")");
const state = { layer: 0, from: 0, to: 0, trail: [], hover: null, held: null, query: "", byTop: false };

// ---- what both views share ----

function element(name, text, attributes) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return Object.assign(made, attributes);
}

function tell(parts) {
  const info = at("info");
  info.replaceChildren(...parts.map(([text, strong]) => (strong ? element("b", text) : document.createTextNode(text))));
}

function showLayers() {
  at("layers").replaceChildren(
    ...DATA.layers.map(({ name }, i) => {
      const button = element("button", name, { onclick: () => view.open(i) });
      button.setAttribute("aria-pressed", String(i === state.layer));
      return button;
    }),
  );
  const { name, title } = DATA.layers[state.layer];
  at("title").textContent = name + ": " + title;
}

/** Sets the canvas to a height of CSS pixels, sharp on any screen; returns its width. */
function sized(height) {
  const width = canvas.clientWidth || 300;
  const ratio = Math.min(devicePixelRatio || 1, 3);
  canvas.style.height = height + "px";
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return width;
}

const ink = () => getComputedStyle(document.body).color;

// ---- by place ----

const LABEL = 62;
/** Rows of what is named in its middle, too. */
const LARGE_ROWS = 5;
const OTHER_TOPS = "#8a8f98";
const NO_TOP = "#dfe3e8";
const places = {
  rows: null,

  open(i) {
    state.layer = i;
    const layer = DATA.layers[i];
    Object.assign(state, { from: 0, to: layer.size, hover: null, held: null });
    if (!layer.offsets) {
      // Regions lie side by side: each begins where the one before it ends.
      layer.offsets = new Float64Array(layer.lengths.length);
      for (let at = 0, n = 0; n < layer.lengths.length; at += layer.lengths[n++]) layer.offsets[n] = at;
    }
    showLayers();
    this.color();
    this.draw();
    this.describe(null);
  },

  /** Gives the layer its colours: those of kinds, or one for each directory at the top that takes much. */
  color() {
    const layer = DATA.layers[state.layer];
    at("colors").hidden = !layer.paths.some((path) => path.indexOf("/", 1) > 0);
    at("colors").textContent = state.byTop ? "Colour by kind" : "Colour by directory";
    if (!state.byTop || at("colors").hidden) {
      layer.tops = null;
      return this.legend(layer);
    }
    const totals = new Map();
    layer.topOf = layer.paths.map((path) => "/" + (path.split("/")[1] || ""));
    layer.lengths.forEach((length, n) => {
      const top = layer.path[n] < 0 ? "" : layer.topOf[layer.path[n]];
      totals.set(top, (totals.get(top) || 0) + length);
    });
    const most = [...totals].filter(([top]) => top !== "").sort(([, a], [, b]) => b - a);
    layer.tops = new Map(most.slice(0, DATA.hues.length).map(([top], i) => [top, DATA.hues[i]]));
    const shown = [...layer.tops].map(([top, color]) => [top, color, totals.get(top)]);
    const others = most.slice(layer.tops.size).reduce((sum, [, total]) => sum + total, 0);
    if (others > 0) shown.push(["others", OTHER_TOPS, others]);
    shown.push(["no file\u2019s", NO_TOP, totals.get("") || 0]);
    this.showLegend(shown, layer.size);
  },

  /** The colour of a region. */
  fill(layer, n) {
    const { color, alternate } = DATA.kinds[layer.kinds[n]];
    if (!layer.tops) return n % 2 ? alternate : color;
    if (layer.path[n] < 0) return NO_TOP;
    const hue = layer.tops.get(layer.topOf[layer.path[n]]) || OTHER_TOPS;
    return n % 2 ? tint(hue, 0.2) : hue;
  },

  legend({ kinds, lengths, size }) {
    const totals = new Map();
    kinds.forEach((kind, n) => totals.set(kind, (totals.get(kind) || 0) + lengths[n]));
    const known = DATA.kinds.map((kind, i) => [kind, totals.get(i)]).filter(([, total]) => total !== undefined);
    this.showLegend(known.map(([{ label, color }, total]) => [label, color, total]), size);
  },

  showLegend(entries, size) {
    at("legend").replaceChildren(
      ...entries.map(([label, color, total]) => {
        const entry = element("span");
        entry.append(element("i"), label + " " + shortSize(total) + " (" + ((100 * total) / size).toFixed(1) + " %)");
        entry.firstChild.style.background = color;
        return entry;
      }),
    );
  },

  draw() {
    const layer = DATA.layers[state.layer];
    const isNarrow = canvas.clientWidth < 600;
    const bytes = rowBytes(state.to - state.from, isNarrow ? 110 : 64);
    const first = Math.floor(state.from / bytes);
    const count = Math.max(1, Math.ceil(state.to / bytes) - first);
    const pitch = isNarrow ? 13 : 15;
    const width = sized(count * pitch + 4) - LABEL;
    this.rows = { bytes, first, count, pitch, width };
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.textAlign = "right";
    context.fillStyle = ink();
    for (let row = 0; row < count; row++) context.fillText(shortSize((first + row) * bytes), LABEL - 6, row * pitch + pitch / 2);
    context.textAlign = "left";
    const query = state.query.toLowerCase();
    const start = this.find(first * bytes);
    const end = Math.min(layer.size, (first + count) * bytes);
    let found = 0;
    const marked = [];
    const large = [];
    for (let n = start; n < layer.lengths.length && layer.offsets[n] < end; n++) {
      const fill = this.fill(layer, n);
      const isFound = query !== "" && this.path(layer, n).toLowerCase().includes(query);
      if (isFound) found++;
      const isLarge = layer.lengths[n] >= LARGE_ROWS * bytes;
      if (isLarge) large.push(n);
      this.each(layer, n, (x, y, w, isFirst, goesOn) => {
        context.globalAlpha = query === "" || isFound ? 1 : 0.25;
        context.fillStyle = fill;
        // What goes on below is drawn without the gap between rows: one thing looks like one.
        context.fillRect(x, y, Math.max(w, 0.4), goesOn ? pitch : pitch - 2);
        if (isFound) marked.push([x, y, w]);
        if (isFirst && w > 40) this.label(layer, n, fill, x, y, w);
      });
    }
    context.globalAlpha = 1;
    for (const n of large) this.largeLabel(layer, n, first, count, bytes, pitch, width);
    context.fillStyle = "#ff2ea6";
    for (const [x, y, w] of marked) context.fillRect(x, y + pitch - 4, Math.max(w, 2), 3);
    context.fillStyle = ink();
    for (const [offset] of layer.marks) {
      if (offset < state.from || offset >= end) continue;
      const row = Math.floor(offset / bytes) - first;
      context.fillRect(LABEL + ((offset % bytes) / bytes) * width, row * pitch - 1, 1, pitch);
    }
    for (const n of [state.held, state.hover]) if (n !== null) this.outline(layer, n);
    at("out").disabled = state.from === 0 && state.to === layer.size;
    at("found").textContent = query === "" ? "" : found + " found";
  },

  /** Calls back with the rectangles of a region, one a row. */
  each(layer, n, use) {
    const { bytes, first, count, pitch, width } = this.rows;
    const end = Math.min(layer.offsets[n] + layer.lengths[n], (first + count) * bytes);
    for (let at = Math.max(layer.offsets[n], first * bytes); at < end; ) {
      const row = Math.floor(at / bytes);
      const to = Math.min(end, (row + 1) * bytes);
      const goesOn = end >= to + bytes;
      use(LABEL + ((at - row * bytes) / bytes) * width, (row - first) * pitch, ((to - at) / bytes) * width, at === layer.offsets[n], goesOn);
      at = to;
    }
  },

  label(layer, n, fill, x, y, w) {
    const path = this.path(layer, n);
    const text = path === "" ? layer.whats[layer.what[n]] : path.slice(path.lastIndexOf("/") + 1);
    if (context.measureText(text).width > w - 6) return;
    context.fillStyle = isDark(fill) ? "#fff" : "#1c2024";
    context.fillText(text, x + 3, y + this.rows.pitch / 2 - 1);
  },

  /** In the middle of what takes many rows: what it is, once more and larger. */
  largeLabel(layer, n, first, count, bytes, pitch, width) {
    const from = Math.max(layer.offsets[n], first * bytes);
    const to = Math.min(layer.offsets[n] + layer.lengths[n], (first + count) * bytes);
    if (to - from < LARGE_ROWS * bytes || DATA.kinds[layer.kinds[n]].isFree) return;
    const row = Math.floor((from + to) / 2 / bytes) - first;
    const path = this.path(layer, n) || layer.whats[layer.what[n]];
    const size = ", " + shortSize(layer.lengths[n]);
    const hint = layer.inner[n] === undefined ? "" : ": tap twice to look inside";
    context.font = "600 13px system-ui, sans-serif";
    const words = [path + size + hint, path + size, path.slice(path.lastIndexOf("/") + 1) + size].find(
      (one) => context.measureText(one).width < width - 12,
    );
    if (words !== undefined) {
      context.fillStyle = isDark(this.fill(layer, n)) ? "#fff" : "#1c2024";
      context.fillText(words, LABEL + (width - context.measureText(words).width) / 2, row * pitch + pitch / 2);
    }
    context.font = "11px system-ui, sans-serif";
  },

  outline(layer, n) {
    const path = this.path(layer, n);
    context.strokeStyle = ink();
    context.lineWidth = 2;
    // All of a file, wherever it lies; of what has no path only itself.
    for (let m = 0; m < layer.lengths.length; m++) {
      if (m !== n && (path === "" || this.path(layer, m) !== path)) continue;
      this.each(layer, m, (x, y, w) => context.strokeRect(x - 0.5, y - 0.5, Math.max(w, 2) + 1, this.rows.pitch - 1));
    }
  },

  path: (layer, n) => (layer.path[n] < 0 ? "" : layer.paths[layer.path[n]]),

  /** The region that an offset is in. */
  find(offset) {
    const { offsets } = DATA.layers[state.layer];
    let low = 0;
    for (let high = offsets.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if (offsets[middle] <= offset) low = middle;
      else high = middle;
    }
    return low;
  },

  under(x, y) {
    const { bytes, first, pitch, width, count } = this.rows;
    const row = Math.floor(y / pitch);
    if (x < LABEL || x >= LABEL + width || row < 0 || row >= count) return null;
    const offset = (first + row) * bytes + ((x - LABEL) / width) * bytes;
    return offset < DATA.layers[state.layer].size ? this.find(offset) : null;
  },

  describe(n) {
    const layer = DATA.layers[state.layer];
    if (n === null) return tell([[exact(layer.size) + ". Point at the map, or tap it, to see what lies there."]]);
    const path = this.path(layer, n);
    const offset = layer.offsets[n];
    const inner = layer.inner[n];
    tell([
      [path || layer.whats[layer.what[n]], true],
      [path === "" ? "" : ", " + layer.whats[layer.what[n]]],
      [": " + exact(layer.lengths[n]) + " at " + offset + " (0x" + offset.toString(16) + ")"],
      [inner === undefined ? "" : ". Tap again to look inside."],
    ]);
  },

  point(n) {
    if (n === state.hover) return;
    state.hover = n;
    this.draw();
    this.describe(n === null ? state.held : n);
  },

  tap(n) {
    const inner = n === null ? undefined : DATA.layers[state.layer].inner[n];
    if (inner !== undefined && state.held === n) return this.open(inner);
    state.held = n;
    this.draw();
    this.describe(n);
  },

  /** Eight times closer, or further, around what was tapped. */
  zoom(factor) {
    const layer = DATA.layers[state.layer];
    const middle = state.held === null ? (state.from + state.to) / 2 : layer.offsets[state.held];
    const span = Math.min(layer.size, Math.max(4096, (state.to - state.from) * factor));
    state.from = Math.max(0, Math.min(layer.size - span, Math.floor(middle - span / 2)));
    state.to = Math.min(layer.size, state.from + span);
    this.draw();
  },
};

// ---- by size ----

const sizes = {
  boxes: [],

  open(i) {
    state.layer = i;
    Object.assign(state, { trail: [DATA.layers[i].root], hover: null, held: null });
    showLayers();
    at("legend").replaceChildren();
    this.draw();
    this.describe(null);
  },

  draw() {
    const isNarrow = canvas.clientWidth < 600;
    const above = canvas.getBoundingClientRect().top + scrollY;
    const height = Math.max(320, Math.min(isNarrow ? 620 : 1000, innerHeight - above - 12));
    const width = sized(height);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    this.boxes = [];
    const node = state.trail[state.trail.length - 1];
    const path = state.trail.slice(1).map(([name]) => "/" + name).join("");
    this.fill(node, { x: 0, y: 0, width, height }, path, undefined, state.layer);
    for (const box of [state.held, state.hover]) {
      if (!box) continue;
      context.strokeStyle = ink();
      context.lineWidth = 2;
      context.strokeRect(box.x + 1, box.y + 1, Math.max(box.width - 2, 2), Math.max(box.height - 2, 2));
    }
    at("out").disabled = state.trail.length < 2;
    const query = state.query;
    at("found").textContent = query === "" ? "" : this.boxes.filter(({ isFound }) => isFound).length + " in sight";
  },

  /** The layer that a file of a layer is; -1 for none. */
  inside: (layer, path) => (layer === 0 ? DATA.layers.findIndex(({ name }, i) => i > 0 && name === path) : -1),

  fill([, , children], area, path, hue, layer) {
    if (!children) return;
    const query = state.query.toLowerCase();
    const weights = children.map(([, size]) => size);
    const count = drawnCount(weights, area.width * area.height, 40);
    const rest = weights.slice(count).reduce((sum, size) => sum + size, 0);
    const drawn = children.slice(0, count);
    if (rest > 0) drawn.push([children.length - count + " smaller", rest]);
    const rectangles = squarify(drawn.map(([, size]) => size), area);
    drawn.forEach((child, i) => {
      const { x, y, width, height } = rectangles[i];
      const isRest = i === count;
      const color = hue || (isRest ? "#444444" : DATA.hues[i % DATA.hues.length]);
      const below = path + "/" + child[0];
      const inner = isRest || child[2] ? -1 : this.inside(layer, below);
      const isFile = !child[2] && inner === -1;
      const fill = tint(color, isRest ? 0.55 : isFile ? 0.1 : 0.8);
      const isFound = query !== "" && !isRest && below.toLowerCase().includes(query);
      this.boxes.push({ x, y, width, height, child, path: below, isFound, layer, inner, isRest });
      context.globalAlpha = query === "" || isFound ? 1 : 0.25;
      context.fillStyle = fill;
      context.fillRect(x, y, Math.max(width - 1, 0.5), Math.max(height - 1, 0.5));
      if (!isFile && !isRest) {
        context.strokeStyle = inner === -1 ? "#ffffffb0" : "#1c2024";
        context.lineWidth = 1;
        context.strokeRect(x + 0.5, y + 0.5, Math.max(width - 1, 0.5), Math.max(height - 1, 0.5));
      }
      const isTitled = height >= (isFile ? 13 : 34) && width >= 40;
      if (isTitled) this.label(child, fill, x, y, width, inner === -1 ? "" : ", " + shortSize(DATA.layers[inner].root[1]) + " inside");
      context.globalAlpha = 1;
      const top = isTitled ? 15 : 1;
      if (isFile || width <= 6 || height <= top + 4) return;
      const room = { x: x + 2, y: y + top, width: width - 5, height: height - top - 3 };
      // An image shows what is in it, in colours of its own.
      if (inner !== -1) this.fill(DATA.layers[inner].root, room, "", undefined, inner);
      else this.fill(child, room, below, color, layer);
    });
  },

  label([name, size, children], fill, x, y, width, more) {
    const room = width - 6;
    const short = name + (children ? "/" : "");
    const full = short + " " + shortSize(size);
    let text = [full + more, full].find((one) => context.measureText(one).width <= room) || short;
    while (text.length > 3 && context.measureText(text).width > room) text = text.slice(0, -2).replace(/\\u2026$/, "") + "\\u2026";
    if (context.measureText(text).width > room) return;
    context.fillStyle = isDark(fill) ? "#fff" : "#1c2024";
    context.fillText(text, x + 3, y + 7.5);
  },

  under(x, y) {
    for (let i = this.boxes.length - 1; i >= 0; i--) {
      const box = this.boxes[i];
      if (x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height) return box;
    }
    return null;
  },

  describe(box) {
    const node = state.trail[state.trail.length - 1];
    const share = (size, layer) => " (" + ((100 * size) / DATA.layers[layer].root[1]).toFixed(1) + " % of all)";
    const here = state.trail.slice(1).map(([name]) => "/" + name).join("") || "/";
    if (!box) return tell([[here, true], [": " + exact(node[1]) + share(node[1], state.layer) + ". Tap a directory to look into it."]]);
    const { path, child, layer, inner, isRest } = box;
    const outside = layer === state.layer ? "" : DATA.layers[layer].name;
    const more = inner !== -1 || outside !== "" ? ". Tap again to look inside." : "";
    const name = isRest ? path.slice(0, path.lastIndexOf("/") + 1) : path + (child[2] ? "/" : "");
    tell([[outside + name, true], [": " + (isRest ? child[0] + " ones, " : "") + exact(child[1]) + share(child[1], layer) + more]]);
  },

  point(box) {
    if (box && state.hover && box.path === state.hover.path && box.layer === state.hover.layer) return;
    state.hover = box;
    this.draw();
    this.describe(box || state.held);
  },

  /** Into the directory below the one that is shown; into an image at the second tap. */
  tap(box) {
    if (!box) return;
    const inner = box.layer === state.layer ? box.inner : box.layer;
    if (inner !== -1) {
      if (state.held && (state.held.layer === inner || state.held.inner === inner)) return this.open(inner);
      state.held = box;
    } else {
      const name = box.path.split("/")[state.trail.length];
      const below = state.trail[state.trail.length - 1][2].find(([one]) => one === name);
      if (below && below[2]) {
        state.trail.push(below);
        Object.assign(state, { hover: null, held: null });
      } else state.held = box;
    }
    this.draw();
    this.describe(state.held);
  },

  zoom(factor) {
    if (factor > 1 && state.trail.length > 1) state.trail.pop();
    Object.assign(state, { hover: null, held: null });
    this.draw();
    this.describe(null);
  },
};

const view = DATA.by === "size" ? sizes : places;
const local = (event) => {
  const box = canvas.getBoundingClientRect();
  return view.under(event.clientX - box.left, event.clientY - box.top);
};
canvas.onpointermove = (event) => event.pointerType === "mouse" && view.point(local(event));
canvas.onpointerleave = () => view.point(null);
canvas.onclick = (event) => view.tap(local(event));
at("in").onclick = () => view.zoom(1 / 8);
at("out").onclick = () => view.zoom(8);
at("in").hidden = view === sizes;
at("colors").hidden = true;
at("colors").onclick = () => {
  state.byTop = !state.byTop;
  view.color();
  view.draw();
};
at("query").oninput = (event) => {
  state.query = event.target.value;
  view.draw();
};
let drawing = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(() => view.draw());
});
// "#2" behind the page's address shows the third layer.
view.open(Math.min(DATA.layers.length - 1, Number(location.hash.slice(1)) || 0));
`;
