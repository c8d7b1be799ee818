// System Use entries (SUSP 5, RRIP 4.1): which ones a node gets, in which order, and how they are split between the
// directory record and its continuation area.
// Order matters to small readers: the illumos loader wants NM in one piece and before CE, and never comes back to a
// record after it followed CE. So NM comes first, CE last, and nothing follows it, neither entries nor zeros.

import { type Fields, ImageError, type Struct, toText, type ValuesOf, writeByteString } from "../bytes/index.ts";
import { modeWithType, type Node } from "../tree/index.ts";
import { fitsDate7 } from "./dates.ts";
import { SECTOR_BYTES } from "./format.ts";
import {
  alternateName,
  COMPONENT_FLAGS,
  CONTINUE,
  childLink,
  componentRecord,
  continuationArea,
  extensionsReference,
  longModificationTime,
  modificationTime,
  parentLink,
  posixAttributes,
  posixAttributesWithSerial,
  posixDevice,
  ROCK_RIDGE_EXTENSION,
  type RockRidgeVersion,
  SP_CHECK_BYTES,
  sharingProtocol,
  symbolicLink,
  systemUseEntry,
  TF_FLAGS,
} from "./format-rockridge.ts";

/** One entry. Planning asks for sizes only; the bytes are made when the record is. */
export interface SystemUseEntry {
  readonly signature: string;
  readonly sizeBytes: number;
  write(target: Uint8Array, offset: number): void;
}

const VERSION = 1;
/** LEN_xx is one byte. */
const MAX_ENTRY_BYTES = 255;

/** `values` and `tail` are asked when the entry is written: planning wants its size only. */
function entry<F extends Fields>(
  signature: string,
  declared: Struct<F>,
  values: () => Partial<ValuesOf<F>>,
  tailBytes = 0,
  tail: () => string = () => "",
): SystemUseEntry {
  const sizeBytes = declared.sizeBytes + tailBytes;
  return {
    signature,
    sizeBytes,
    write(target, offset) {
      declared.encode(values(), target, offset);
      const head = { "Signature Word": signature, Length: sizeBytes, "System Use Entry Version": VERSION };
      systemUseEntry.patch(head, target, offset);
      if (tailBytes > 0) writeByteString(tail(), target, offset + declared.sizeBytes);
    },
  };
}

export function sp(): SystemUseEntry {
  const [first, second] = SP_CHECK_BYTES;
  return entry("SP", sharingProtocol, () => ({ "Check Byte 1": first, "Check Byte 2": second }));
}

export function er(version: RockRidgeVersion): SystemUseEntry {
  const { identifier, descriptor, source } = ROCK_RIDGE_EXTENSION[version];
  const tail = identifier + descriptor + source;
  return entry(
    "ER",
    extensionsReference,
    () => ({
      "Identifier Length": identifier.length,
      "Descriptor Length": descriptor.length,
      "Source Length": source.length,
      "Extension Version": VERSION,
    }),
    tail.length,
    () => tail,
  );
}

export function ce(lba: number, offset: number, length: number): SystemUseEntry {
  return entry("CE", continuationArea, () => ({
    "Block Location of Continuation Area": lba,
    "Offset to Start of Continuation Area": offset,
    "Length of Continuation Area": length,
  }));
}

/** Bytes of NM, for a name in one piece. */
export function nameBytes(name: string): number {
  return alternateName.sizeBytes + name.length;
}

/** Bytes of PX and TF. */
export function attributeBytes(mtimeSeconds: number, version: RockRidgeVersion): number {
  const attributes = version === "1.12" ? posixAttributesWithSerial : posixAttributes;
  const time = fitsDate7(mtimeSeconds) ? modificationTime : longModificationTime;
  return attributes.sizeBytes + time.sizeBytes;
}

/** The name in one piece up to 250 bytes; RRIP 4.1.4 continues longer ones in a second entry. */
export function nm(name: string): SystemUseEntry[] {
  const room = MAX_ENTRY_BYTES - alternateName.sizeBytes;
  const entries: SystemUseEntry[] = [];
  for (let from = 0; from < name.length; from += room) {
    const more = from + room < name.length;
    const part = more || from > 0 ? name.slice(from, from + room) : name;
    entries.push(
      entry(
        "NM",
        alternateName,
        () => ({ Flags: more ? CONTINUE : 0 }),
        part.length,
        () => part,
      ),
    );
  }
  return entries;
}

export function px(node: Node, links: number, serial: number | undefined): SystemUseEntry {
  const values = () => ({
    "POSIX File Mode": modeWithType(node),
    "POSIX File Links": links,
    "POSIX File User ID": node.uid,
    "POSIX File Group ID": node.gid,
  });
  return serial === undefined
    ? entry("PX", posixAttributes, values)
    : entry("PX", posixAttributesWithSerial, () => ({ ...values(), "POSIX File Serial Number": serial }));
}

/** Only the modification time is known. The long form holds the years that the short one cannot. */
export function tf(mtimeSeconds: number): SystemUseEntry {
  const { modify, longForm } = TF_FLAGS;
  return fitsDate7(mtimeSeconds)
    ? entry("TF", modificationTime, () => ({ Flags: modify, Modify: mtimeSeconds }))
    : entry("TF", longModificationTime, () => ({ Flags: modify | longForm, Modify: mtimeSeconds }));
}

/**
 * Device numbers, major in the high and minor in the low word, as the kernels of illumos, Linux and FreeBSD read it.
 * @throws ImageError "limit" for major 0 with a minor above 255: readers take that for an old 16-bit dev_t
 */
export function pn(path: string, major: number, minor: number): SystemUseEntry {
  if (major === 0 && minor > 0xff) {
    const message = `${toText(path)}: device 0,${minor} cannot be told from an old 16-bit device number in Rock Ridge`;
    throw new ImageError("limit", `${message}; minor numbers of major 0 end at 255`, { path });
  }
  return entry("PN", posixDevice, () => ({ "Dev_t High": major, "Dev_t Low": minor }));
}

export function cl(lba: number): SystemUseEntry {
  return entry("CL", childLink, () => ({ "Location of Child Directory": lba }));
}

export function pl(lba: number): SystemUseEntry {
  return entry("PL", parentLink, () => ({ "Location of Parent Directory": lba }));
}

export function re(): SystemUseEntry {
  return entry("RE", systemUseEntry, () => ({}));
}

interface Component {
  readonly flags: number;
  readonly text: string;
}

/** The components of a target; joining them gives the target back to the byte, doubled and trailing slashes too. */
function componentsOf(target: string): Component[] {
  const names = target.split("/");
  const components: Component[] = [];
  if (target.startsWith("/")) {
    names.shift();
    components.push({ flags: COMPONENT_FLAGS.root, text: "" });
    if (target === "/") names.shift();
  }
  if (target === "") names.shift();
  for (const name of names) {
    if (name === ".") components.push({ flags: COMPONENT_FLAGS.current, text: "" });
    else if (name === "..") components.push({ flags: COMPONENT_FLAGS.parent, text: "" });
    else components.push({ flags: 0, text: name });
  }
  return components;
}

function componentBytes({ flags, text }: Component): string {
  const head = new Uint8Array(componentRecord.sizeBytes);
  componentRecord.encode({ "Component Flags": flags, "Component Length": text.length }, head);
  return String.fromCharCode(...head) + text;
}

/** What one SL holds. */
interface Area {
  readonly components: Component[];
  sizeBytes: number;
}

const SL_ROOM = MAX_ENTRY_BYTES - symbolicLink.sizeBytes;
const COMPONENT_HEAD_BYTES = componentRecord.sizeBytes;

/**
 * For each component, the room that must be left in front of it so that the entry can end inside of a name there or
 * further on; 0 at the end of the target.
 */
function roomToBreak(components: readonly Component[]): number[] {
  const needs = new Array<number>(components.length + 1).fill(0);
  for (let i = components.length - 1; i >= 0; i--) {
    const length = components[i]?.text.length ?? 0;
    const need = COMPONENT_HEAD_BYTES + (length > 1 ? 1 : length + (needs[i + 1] ?? 0));
    needs[i] = need > SL_ROOM ? 0 : need;
  }
  return needs;
}

/**
 * The target in entries of up to 255 bytes. An entry ends inside of a name that goes on in the next one, since libarchive
 * forgets the slash between components of two entries. (A run of ".." and names of one byte that fills an entry leaves
 * no such place; then the entry ends between two components.)
 */
export function sl(target: string): SystemUseEntry[] {
  const components = componentsOf(target);
  const needs = roomToBreak(components);
  const areas: Area[] = [{ components: [], sizeBytes: 0 }];
  const last = (): Area => areas[areas.length - 1] as Area;
  const room = (): number => SL_ROOM - last().sizeBytes - COMPONENT_HEAD_BYTES;
  const put = (component: Component): void => {
    last().components.push(component);
    last().sizeBytes += COMPONENT_HEAD_BYTES + component.text.length;
  };
  components.forEach(({ flags, text }, i) => {
    const after = needs[i + 1] ?? 0;
    let rest = text;
    while (rest.length + after > room()) {
      const length = Math.min(room(), rest.length - 1);
      if (length > 0) put({ flags: COMPONENT_FLAGS.continue, text: rest.slice(0, length) });
      else if (rest.length <= room()) break;
      rest = rest.slice(Math.max(0, length));
      areas.push({ components: [], sizeBytes: 0 });
    }
    put({ flags, text: rest });
  });
  return areas.map(({ components: some, sizeBytes }, i) => {
    const more = i + 1 < areas.length;
    const flags = (): { Flags: number } => ({ Flags: more ? CONTINUE : 0 });
    return entry("SL", symbolicLink, flags, sizeBytes, () => some.map(componentBytes).join(""));
  });
}

/** The entries of one record, those in the record itself and those in its continuation areas, one after the other. */
export interface SystemUseParts {
  readonly record: readonly SystemUseEntry[];
  readonly continuations: readonly (readonly SystemUseEntry[])[];
}

/** An area never crosses a block (SUSP 5.1), and may have to hold the CE that leads to the next. */
const MAX_AREA_BYTES = SECTOR_BYTES - continuationArea.sizeBytes;

const NO_AREAS: SystemUseParts["continuations"] = [];

export function totalBytes(entries: readonly SystemUseEntry[]): number {
  let sum = 0;
  for (const { sizeBytes } of entries) sum += sizeBytes;
  return sum;
}

/** Bytes of an area: its entries, and the CE where another follows. */
export function areaBytes({ continuations }: SystemUseParts, index: number): number {
  const follows = index + 1 < continuations.length;
  return totalBytes(continuations[index] ?? []) + (follows ? continuationArea.sizeBytes : 0);
}

/**
 * Splits entries so that the record keeps at most `room` bytes of them, CE included: whatever fits stays, in order. Once
 * one entry of a kind has gone to the continuation area, the later ones of that kind follow it, since NM and SL continue.
 */
export function splitSystemUse(entries: readonly SystemUseEntry[], room: number): SystemUseParts {
  if (totalBytes(entries) <= room) return { record: entries, continuations: NO_AREAS };
  const record: SystemUseEntry[] = [];
  const continuations: SystemUseEntry[][] = [[]];
  const gone = new Set<string>();
  let left = room - continuationArea.sizeBytes;
  let areaLeft = MAX_AREA_BYTES;
  for (const next of entries) {
    const size = next.sizeBytes;
    if (size <= left && !gone.has(next.signature)) {
      record.push(next);
      left -= size;
      continue;
    }
    gone.add(next.signature);
    if (size > areaLeft) {
      continuations.push([]);
      areaLeft = MAX_AREA_BYTES;
    }
    continuations[continuations.length - 1]?.push(next);
    areaLeft -= size;
  }
  return { record, continuations };
}
