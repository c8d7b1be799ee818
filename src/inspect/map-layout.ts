// Where things go in a picture: rows of addresses, and rectangles of a treemap. These functions stand on their own: the page
// that `map` writes contains their source, so they may use nothing but their arguments and the language itself.

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Bytes in a row, so that `sizeBytes` fit into `maxRows` rows: a power of two, whose multiples are easy to read.
 */
export function rowBytes(sizeBytes: number, maxRows: number): number {
  let bytes = 512;
  while (bytes * maxRows < sizeBytes) bytes *= 2;
  return bytes;
}

/**
 * Divides a rectangle into one for each weight, as near to squares as may be (Bruls, Huizing, van Wijk: Squarified Treemaps).
 * @param weights positive, the largest first
 */
export function squarify(weights: readonly number[], area: Rectangle): Rectangle[] {
  const rectangles: Rectangle[] = [];
  let { x, y, width, height } = area;
  let left = weights.reduce((sum, weight) => sum + weight, 0);
  for (let from = 0; from < weights.length; ) {
    // A strip along the shorter side takes weights as long as its worst rectangle gets squarer by it.
    const side = Math.min(width, height);
    const scale = (width * height) / left;
    let strip = 0;
    let worst = Number.POSITIVE_INFINITY;
    let to = from;
    while (to < weights.length) {
      const sum = strip + (weights[to] ?? 0);
      const thickness = (sum * scale) / side;
      const longest = ((weights[from] ?? 0) * scale) / thickness / thickness;
      const shortest = (thickness * thickness) / ((weights[to] ?? 0) * scale);
      const next = Math.max(longest, shortest);
      if (next > worst) break;
      worst = next;
      strip = sum;
      to++;
    }
    const thickness = side === 0 ? 0 : (strip * scale) / side;
    let along = 0;
    for (; from < to; from++) {
      const length = strip === 0 ? 0 : ((weights[from] ?? 0) / strip) * side;
      rectangles.push(
        width >= height
          ? { x, y: y + along, width: thickness, height: length }
          : { x: x + along, y, width: length, height: thickness },
      );
      along += length;
    }
    if (width >= height) {
      x += thickness;
      width -= thickness;
    } else {
      y += thickness;
      height -= thickness;
    }
    left -= strip;
  }
  return rectangles;
}

/**
 * How many of the weights get rectangles of at least `minArea` each, when `area` is divided among all of them. What is smaller
 * is better drawn together: as many specks it could not be seen, and left out it would look like room.
 * @param weights positive, the largest first
 */
export function drawnCount(weights: readonly number[], area: number, minArea: number): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let count = weights.length;
  while (count > 0 && ((weights[count - 1] ?? 0) / total) * area < minArea) count--;
  return count === weights.length - 1 && count > 0 ? weights.length : count; // a single one is drawn as what it is
}

/** 174063616 to "166 MiB": short, for labels. */
export function shortSize(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024 || unit === "GiB")
      return `${value < 10 && unit !== "B" ? value.toFixed(1) : Math.round(value)} ${unit}`;
    value /= 1024;
  }
  return "";
}
