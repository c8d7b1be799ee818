// What the System Use entries of a record say, put together (RRIP 4.1).

import { byteString, type StructValues } from "../bytes/index.ts";
import { date7, date17 } from "./dates.ts";
import {
  alternateName,
  COMPONENT_FLAGS,
  CONTINUE,
  childLink,
  componentRecord,
  extensionsReference,
  parentLink,
  posixAttributes,
  posixAttributesWithSerial,
  posixDevice,
  symbolicLink,
  TF_FLAGS,
  timeStamps,
} from "./format-rockridge.ts";
import type { Complain } from "./problem.ts";
import type { RawEntry } from "./read-records.ts";

export interface PosixAttributes {
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  /** RRIP 1.12 */
  readonly serial: number | undefined;
}

/** All that is said of one record. Undefined is what is not said. */
export interface RockRidge {
  name: string | undefined;
  posix: PosixAttributes | undefined;
  mtimeSeconds: number | undefined;
  device: { readonly major: number; readonly minor: number } | undefined;
  target: string | undefined;
  childLba: number | undefined;
  parentLba: number | undefined;
  isRelocated: boolean;
  /** Identifiers of extensions (ER). */
  readonly extensions: string[];
}

interface Parser {
  readonly found: RockRidge;
  /** Put between the components of a symbolic link: "" at the start and behind "/" and continued pieces. */
  separator: string;
}

type EntryReader = (bytes: Uint8Array, parser: Parser) => void;

const READERS: Readonly<Record<string, { readonly minBytes: number; readonly read: EntryReader }>> = {
  NM: { minBytes: alternateName.sizeBytes, read: readName },
  PX: { minBytes: posixAttributes.sizeBytes, read: readPosix },
  PN: { minBytes: posixDevice.sizeBytes, read: readDevice },
  SL: { minBytes: symbolicLink.sizeBytes, read: readLink },
  TF: { minBytes: timeStamps.sizeBytes, read: readTimes },
  ER: { minBytes: extensionsReference.sizeBytes, read: readExtension },
  CL: {
    minBytes: childLink.sizeBytes,
    read: (bytes, { found }) => {
      found.childLba = childLink.decode(bytes)["Location of Child Directory"];
    },
  },
  PL: {
    minBytes: parentLink.sizeBytes,
    read: (bytes, { found }) => {
      found.parentLba = parentLink.decode(bytes)["Location of Parent Directory"];
    },
  },
  RE: {
    minBytes: 4,
    read: (_, { found }) => {
      found.isRelocated = true;
    },
  },
};

export function interpret(entries: readonly RawEntry[], path: string, complain: Complain): RockRidge {
  const found: RockRidge = {
    name: undefined,
    posix: undefined,
    mtimeSeconds: undefined,
    device: undefined,
    target: undefined,
    childLba: undefined,
    parentLba: undefined,
    isRelocated: false,
    extensions: [],
  };
  const parser: Parser = { found, separator: "" };
  for (const { signature, bytes } of entries) {
    const reader = READERS[signature];
    if (!reader) continue;
    if (bytes.length >= reader.minBytes) reader.read(bytes, parser);
    else complain("bad-entry", "error", `${signature} of ${bytes.length} bytes is too short`, path);
  }
  return found;
}

function readName(bytes: Uint8Array, { found }: Parser): void {
  const { Flags } = alternateName.decode(bytes);
  if ((Flags & ~CONTINUE) !== 0) return; // "." and ".." and names of hosts
  found.name = (found.name ?? "") + byteString(bytes, alternateName.sizeBytes);
}

function readPosix(bytes: Uint8Array, { found }: Parser): void {
  const values: StructValues<typeof posixAttributes> = posixAttributes.decode(bytes);
  const hasSerial = bytes.length >= posixAttributesWithSerial.sizeBytes;
  found.posix = {
    mode: values["POSIX File Mode"],
    links: values["POSIX File Links"],
    uid: values["POSIX File User ID"],
    gid: values["POSIX File Group ID"],
    serial: hasSerial ? posixAttributesWithSerial.decode(bytes)["POSIX File Serial Number"] : undefined,
  };
}

/** Major and minor in a word each, but for writers that put a whole 16-bit dev_t into the low one. */
function readDevice(bytes: Uint8Array, { found }: Parser): void {
  const { "Dev_t High": high, "Dev_t Low": low } = posixDevice.decode(bytes);
  const isPacked = high === 0 && low > 0xff;
  found.device = isPacked ? { major: low >>> 8, minor: low & 0xff } : { major: high, minor: low };
}

function readLink(bytes: Uint8Array, parser: Parser): void {
  const headBytes = componentRecord.sizeBytes;
  let target = parser.found.target ?? "";
  for (let at = symbolicLink.sizeBytes; at + headBytes <= bytes.length; ) {
    const { "Component Flags": flags, "Component Length": length } = componentRecord.decode(bytes, at);
    const text = byteString(bytes, at + headBytes, Math.min(at + headBytes + length, bytes.length));
    const isRoot = (flags & COMPONENT_FLAGS.root) !== 0;
    const special = flags & COMPONENT_FLAGS.current ? "." : flags & COMPONENT_FLAGS.parent ? ".." : undefined;
    target += isRoot ? "/" : parser.separator + (special ?? text);
    parser.separator = isRoot || flags & COMPONENT_FLAGS.continue ? "" : "/";
    at += headBytes + length;
  }
  parser.found.target = target;
}

function readTimes(bytes: Uint8Array, { found }: Parser): void {
  const { Flags } = timeStamps.decode(bytes);
  const type = Flags & TF_FLAGS.longForm ? date17 : date7;
  if ((Flags & TF_FLAGS.modify) === 0) return;
  const at = timeStamps.sizeBytes + (Flags & TF_FLAGS.creation ? type.sizeBytes : 0);
  if (at + type.sizeBytes > bytes.length) return;
  found.mtimeSeconds = type.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at);
}

function readExtension(bytes: Uint8Array, { found }: Parser): void {
  const from = extensionsReference.sizeBytes;
  const length = extensionsReference.decode(bytes)["Identifier Length"];
  found.extensions.push(byteString(bytes, from, Math.min(from + length, bytes.length)));
}
