// A second reader of ISO 9660 with Rock Ridge, written from the standards' byte positions and sharing nothing with
// src/: what it sees is what the bytes say. It trusts its input; it is for tests only.

export interface SeenNode {
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  /** 7 or 17 bytes of TF's modification time as "YYYY-MM-DD hh:mm:ss". */
  readonly mtime: string;
  /** The same from the directory record itself (9.1.5). */
  readonly recordTime: string;
  readonly target: string;
  readonly device: string;
  /** LBA and bytes of each file section. */
  readonly extents: readonly (readonly [number, number])[];
  readonly isoName: string;
  /** Signatures in the record, then those in continuation areas behind a "|" each. */
  readonly entries: string;
  readonly serial: number | undefined;
}

export interface SeenRecord {
  readonly offset: number;
  readonly length: number;
  readonly isoName: string;
}

export interface SeenIso {
  readonly nodes: Map<string, SeenNode>;
  /** Records of each directory, by its first block. */
  readonly records: Map<number, SeenRecord[]>;
  data(path: string): string;
}

const text = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

const two = (value: number): string => String(value).padStart(2, "0");

function shortTime(bytes: Uint8Array): string {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = bytes;
  return `${1900 + year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
}

function longTime(bytes: Uint8Array): string {
  return text(bytes.subarray(0, 14)).replace(/(....)(..)(..)(..)(..)(..)/, "$1-$2-$3 $4:$5:$6");
}

interface SystemUse {
  name: string;
  target: string;
  childLba: number;
  isRelocated: boolean;
  mode: number;
  links: number;
  uid: number;
  gid: number;
  serial: number | undefined;
  device: string;
  mtime: string;
  entries: string;
}

/** Little- and big-endian halves must agree; this reader stops where they do not. */
function both32(view: DataView, offset: number): number {
  const little = view.getUint32(offset, true);
  if (little !== view.getUint32(offset + 4, false)) throw new Error(`halves differ at ${offset}`);
  return little;
}

function readSystemUse(iso: Uint8Array, start: number, end: number): SystemUse {
  const view = viewOf(iso);
  const found: SystemUse = {
    name: "",
    target: "",
    childLba: 0,
    isRelocated: false,
    mode: 0,
    links: 0,
    uid: 0,
    gid: 0,
    serial: undefined,
    device: "",
    mtime: "",
    entries: "",
  };
  let separator = "";
  const read = (from: number, to: number): void => {
    let next: [number, number] | undefined;
    for (let at = from; at + 4 <= to; ) {
      const signature = text(iso.subarray(at, at + 2));
      const length = iso[at + 2] ?? 0;
      if (length < 4 || at + length > to) throw new Error(`bad entry ${signature} at ${at}`);
      if (iso[at + 3] !== 1) throw new Error(`bad version of ${signature} at ${at}`);
      found.entries += `${signature} `;
      const flags = iso[at + 4] ?? 0;
      if (signature === "NM") found.name += text(iso.subarray(at + 5, at + length));
      if (signature === "PX") {
        found.mode = both32(view, at + 4);
        found.links = both32(view, at + 12);
        found.uid = both32(view, at + 20);
        found.gid = both32(view, at + 28);
        if (length === 44) found.serial = both32(view, at + 36);
      }
      if (signature === "PN") found.device = `${both32(view, at + 4)},${both32(view, at + 12)}`;
      if (signature === "CL") found.childLba = both32(view, at + 4);
      if (signature === "RE") found.isRelocated = true;
      if (signature === "TF") {
        if ((flags & 0x7f) !== 2) throw new Error("TF with more than a modification time");
        found.mtime = flags & 0x80 ? longTime(iso.subarray(at + 5)) : shortTime(iso.subarray(at + 5));
      }
      if (signature === "SL") {
        for (let c = at + 5; c < at + length; c += 2 + (iso[c + 1] ?? 0)) {
          const kind = iso[c] ?? 0;
          const part = text(iso.subarray(c + 2, c + 2 + (iso[c + 1] ?? 0)));
          found.target += separator + (kind & 2 ? "." : kind & 4 ? ".." : kind & 8 ? "/" : part);
          separator = kind & 9 ? "" : "/";
        }
      }
      if (signature === "CE") {
        const offset = both32(view, at + 12);
        const size = both32(view, at + 20);
        if (offset + size > 2048) throw new Error("continuation area crosses a block");
        next = [both32(view, at + 4) * 2048 + offset, size];
        if (at + length + 1 < to) throw new Error("something follows CE");
      }
      at += length;
    }
    if (next) {
      found.entries += "| ";
      read(next[0], next[0] + next[1]);
    }
  };
  read(start, end);
  return found;
}

/** Reads the hierarchy of the descriptor in `descriptorLba` (16 is the primary one). */
export function smallReader(iso: Uint8Array, descriptorLba = 16, decodeName = (name: string): string => name): SeenIso {
  const view = viewOf(iso);
  const nodes = new Map<string, SeenNode>();
  const records = new Map<number, SeenRecord[]>();
  const rootRecord = descriptorLba * 2048 + 156;

  const readDirectory = (lba: number, size: number, path: string): void => {
    const seen: SeenRecord[] = [];
    records.set(lba, seen);
    if (size % 2048 !== 0) throw new Error(`${path}: directory of ${size} bytes`);
    let previous = "";
    for (let offset = lba * 2048; offset < lba * 2048 + size; ) {
      const length = iso[offset] ?? 0;
      if (length === 0) {
        offset += 2048 - (offset % 2048);
        continue;
      }
      const idLength = iso[offset + 32] ?? 0;
      const isoName = text(iso.subarray(offset + 33, offset + 33 + idLength));
      seen.push({ offset: offset % 2048, length, isoName });
      const systemUseStart = offset + 33 + idLength + (1 - (idLength % 2));
      const use = readSystemUse(iso, systemUseStart, offset + length);
      const extent = [both32(view, offset + 2), both32(view, offset + 10)] as const;
      const flags = iso[offset + 25] ?? 0;
      const isSpecial = isoName === "\x00" || isoName === "\x01";
      const name = isSpecial ? "." : use.name || decodeName(isoName);
      const childPath = isSpecial ? path : `${path === "/" ? "" : path}/${name}`;
      const node: SeenNode = {
        ...use,
        recordTime: shortTime(iso.subarray(offset + 18, offset + 25)),
        extents: [extent],
        isoName,
        entries: use.entries.trim(),
      };
      offset += length;
      if (isoName === "\x01" || use.isRelocated) continue;
      if (isoName === "\x00") {
        if (path === "/" || !nodes.has(path)) nodes.set(path, node);
        continue;
      }
      const earlier = nodes.get(childPath);
      if (earlier && previous === isoName) nodes.set(childPath, { ...earlier, extents: [...earlier.extents, extent] });
      else if (earlier) throw new Error(`${childPath} is there twice`);
      else nodes.set(childPath, node);
      previous = isoName;
      if (use.childLba) {
        const size = both32(view, use.childLba * 2048 + 10);
        readDirectory(use.childLba, size, childPath);
      } else if (flags & 2) readDirectory(extent[0], extent[1], childPath);
    }
  };
  readDirectory(both32(view, rootRecord + 2), both32(view, rootRecord + 10), "/");
  return {
    nodes,
    records,
    data(path) {
      const extents = nodes.get(path)?.extents ?? [];
      return extents.map(([lba, size]) => text(iso.subarray(lba * 2048, lba * 2048 + size))).join("");
    },
  };
}
