// Statements about images, for tests in any runner: what holds returns, what does not throws an error that says path, field,
// what was expected and what was found.
//
//   const image = await openImage("illumos.iso", { archive: true });
//   await expectFile(image, "/etc/system", { mode: 0o644 });
//   await expectNoFile(image, "/usr/share/man");
//   await image.close();
//
// A path may go through layers: "/platform/i86pc/boot_archive/etc/system" of the ISO is /etc/system of the ramdisk.

import { AssertionError } from "node:assert";
import { type Content, digestOf, fromText, ImageError, readBytes, toText } from "../bytes/index.ts";
import type { Layer } from "../inspect/layer.ts";
import { linkCounts } from "../inspect/list.ts";
import { bootArchive, type LocateOptions, locate, type Place } from "../inspect/paths.ts";
import type { Verdict, VerifyFinding } from "../inspect/verdict.ts";
import { verifyImage } from "../inspect/verify.ts";
import type { NodeType } from "../tree/index.ts";
import { createHasher } from "./hashing.ts";
import { openBeside, openImageFile } from "./open-image.ts";

export interface TestImage {
  /** As it was named. */
  readonly name: string;
  /** @throws AssertionError, ImageError; what is at a path, links on the way followed, one at its end not */
  locate(path: string): Promise<Place>;
  /** What `pureboot verify` says of what was named. @throws ImageError "wrong-type" for what is no image */
  verify(): Promise<Verdict>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Paths are those of the boot archive in the ISO, not of the ISO. */
  readonly archive?: boolean | undefined;
}

/**
 * Opens an image of any kind, an archive, or a directory; the name may go on inside of it ("x.iso/boot").
 * @throws ImageError "input-missing"; "not-found" when there is no boot archive; what opening a damaged image throws
 */
export async function openImage(name: string, { archive = false }: OpenOptions = {}): Promise<TestImage> {
  const file = await openImageFile(name);
  try {
    const whole = await file.layer();
    const { layer, path: prefix } = archive ? await bootArchive(whole) : { layer: whole as Layer, path: "" };
    const options: LocateOptions = { follow: false, prefix };
    return {
      name,
      locate: (path) => locate(layer, `${file.path}/${fromText(path)}`, options),
      async verify() {
        const inside = file.path === "" ? undefined : (await locate(whole, file.path, { follow: true })).node;
        const content = inside?.type === "file" ? inside.content : inside ? undefined : file.content;
        if (content === undefined) throw new ImageError("wrong-type", `${name}: is a directory, not an image`);
        const hash = inside || file.file === "-" ? undefined : await openBeside(`${file.file}.hash`);
        try {
          return await verifyImage(content, file.host, { hash });
        } finally {
          await hash?.close();
        }
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What a path must be; what is left out may be anything. */
export interface ExpectedFile {
  /** Default: "symlink" with `target`, "character" or "block" with `device`, else "file". */
  readonly type?: NodeType | undefined;
  /** Permission bits with set-id and sticky: 0..0o7777. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
  /** Seconds since 1970. */
  readonly mtime?: number | undefined;
  /** Names of the inode in this image, the path among them. */
  readonly links?: number | undefined;
  /** Of a symbolic link. */
  readonly target?: string | undefined;
  /** Major and minor number. */
  readonly device?: readonly [major: number, minor: number] | undefined;
  /** Lower-case hex. */
  readonly sha256?: string | undefined;
  /** All bytes, all text (UTF-8), or what the text must match. */
  readonly content?: Uint8Array | string | RegExp | undefined;
}

/**
 * States that a path is there and is as expected.
 * @throws AssertionError that names every field that differs, with what was expected and what was found; ImageError when the
 *   image cannot be read
 */
export async function expectFile(image: TestImage, path: string, expected: ExpectedFile = {}): Promise<void> {
  const place = await found(image, path);
  const wanted: Fields = { ...comparable(expected), type: typeOf(expected) };
  const actual = await actualFields(place, expected, wanted);
  const wrong = Object.keys(wanted).filter((field) => !holds(wanted[field], actual[field]));
  if (wrong.length === 0) return;
  const lines = wrong.map(
    (field) => `${field}: expected ${shown(field, wanted[field])}, found ${shown(field, actual[field])}`,
  );
  const pick = (fields: Fields): Fields => Object.fromEntries(wrong.map((field) => [field, fields[field]]));
  fail(`${image.name}: ${toText(place.shown)}: ${lines.join("; ")}`, pick(wanted), pick(actual), expectFile);
}

/**
 * States that nothing is at a path: no file, no directory, no link.
 * @throws AssertionError; ImageError when the image cannot be read
 */
export async function expectNoFile(image: TestImage, path: string): Promise<void> {
  try {
    const { node, shown } = await image.locate(path);
    fail(`${image.name}: ${toText(shown)}: expected nothing, found a ${node.type}`, undefined, node.type, expectNoFile);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

export interface SoundOptions {
  /** Warnings count as errors. */
  readonly strict?: boolean | undefined;
  /** Rules (`pureboot verify --rules`) that may be broken. */
  readonly except?: readonly string[] | undefined;
}

/**
 * States that `pureboot verify` finds nothing wrong with the image.
 * @throws AssertionError that names what it found; ImageError when the image cannot be read
 */
export async function expectSound(image: TestImage, options: SoundOptions = {}): Promise<void> {
  refuseFindings(image, await image.verify(), options, expectSound);
}

/**
 * The same, and that it is a medium of illumos, which boots as far as the rules can tell.
 * @throws AssertionError that names what speaks against it; ImageError when the image cannot be read
 */
export async function expectBoots(image: TestImage, options: SoundOptions = {}): Promise<void> {
  const verdict = await image.verify();
  if (verdict.boots === undefined) {
    fail(
      `${image.name}: expected a medium that boots illumos, found ${verdict.kind}, which does not`,
      true,
      undefined,
      expectBoots,
    );
  }
  refuseFindings(image, verdict, options, expectBoots);
}

function refuseFindings(
  { name }: TestImage,
  { findings }: Verdict,
  { strict = false, except = [] }: SoundOptions,
  caller: unknown,
): void {
  const counts = ({ rule, severity }: VerifyFinding): boolean =>
    !except.includes(rule) && (severity === "error" || (strict && severity === "warning"));
  const bad = findings.filter(counts);
  if (bad.length === 0) return;
  const lines = bad.map(
    ({ severity, rule, found, mend }) => `  ${severity} [${rule}] ${toText(found)}\n    mend: ${mend}`,
  );
  fail(
    `${name}: expected a sound image, found\n${lines.join("\n")}`,
    [],
    bad.map(({ rule }) => rule),
    caller,
  );
}

type Value = string | number | RegExp | undefined;
type Fields = Readonly<Record<string, Value>>;

/** The expectation field by field, as values that compare by ===. */
function comparable({ type, device, content, ...plain }: ExpectedFile): Record<string, Value> {
  const fields: Record<string, Value> = { ...plain };
  if (device) fields["device"] = device.join(",");
  if (content !== undefined) fields["content"] = content instanceof Uint8Array ? latin1(content) : asBytes(content);
  for (const [name, value] of Object.entries(fields)) if (value === undefined) delete fields[name];
  return fields;
}

function typeOf({ type, target, device }: ExpectedFile): Value {
  if (type !== undefined) return type;
  if (target !== undefined) return "symlink";
  return device === undefined ? "file" : EITHER_DEVICE;
}

const asBytes = (content: string | RegExp): string | RegExp =>
  typeof content === "string" ? fromText(content) : content;
const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");

/** Of a device of which only the numbers are stated. */
const EITHER_DEVICE = "character or block";

/** What the path has of the wanted fields. Content is read only where it is asked for. */
async function actualFields(place: Place, { content }: ExpectedFile, wanted: Fields): Promise<Fields> {
  const { node, layer } = place;
  const fields: Record<string, Value> = {
    type: node.type,
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    mtime: node.mtimeSeconds,
  };
  if (node.type === "character" || node.type === "block") {
    fields["device"] = `${node.major},${node.minor}`;
    if (wanted["type"] === EITHER_DEVICE) fields["type"] = EITHER_DEVICE;
  }
  if (node.type === "symlink") fields["target"] = toText(node.target);
  if ("links" in wanted) fields["links"] = linkCounts(await layer.tree()).get(node) ?? 1;
  if (node.type !== "file") return fields;
  fields["size"] = node.content.sizeBytes;
  if ("sha256" in wanted)
    fields["sha256"] = await digestOf(node.content, node.content.sizeBytes, createHasher("sha256"));
  if (content !== undefined) fields["content"] = await contentText(node.content, content);
  return fields;
}

/** Files that are compared as a whole are configuration and the like. */
const MAX_CONTENT_BYTES = 2 ** 28;

/** As a byte string; for a pattern, as text. */
async function contentText(content: Content, wanted: ExpectedFile["content"]): Promise<string> {
  if (content.sizeBytes > MAX_CONTENT_BYTES) {
    throw new ImageError("limit", `${content.sizeBytes} bytes are too many to compare as content; compare the sha256`);
  }
  const bytes = latin1(await readBytes(content, 0, content.sizeBytes));
  return wanted instanceof RegExp ? decoded(bytes) : bytes;
}

function holds(wanted: Value, actual: Value): boolean {
  if (!(wanted instanceof RegExp)) return wanted === actual;
  return typeof actual === "string" && new RegExp(wanted).test(actual); // a copy: /g and /y would remember where they were
}

/** The bytes as UTF-8, line ends and all: toText would escape them. */
const decoded = (bytes: string): string => Buffer.from(bytes, "latin1").toString("utf8");

const MAX_SHOWN = 200;

function shown(field: string, value: Value): string {
  if (value === undefined) return "none";
  if (field === "mode" && typeof value === "number") return `0${value.toString(8).padStart(3, "0")}`;
  if (field !== "content" || typeof value !== "string") return String(value);
  const text = JSON.stringify(decoded(value.slice(0, MAX_SHOWN)));
  return value.length > MAX_SHOWN ? `${text} … (${value.length} bytes)` : text;
}

async function found(image: TestImage, path: string): Promise<Place> {
  try {
    return await image.locate(path);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    return fail(`${image.name}: expected ${path}, found nothing there: ${error.message}`, path, undefined, expectFile);
  }
}

/** Whether the path is not there, as against an image that cannot be read. */
function isAbsent(error: unknown): error is ImageError {
  return error instanceof ImageError && (error.code === "not-found" || error.code === "wrong-type");
}

/** Test runners show `expected` and `actual` of such an error side by side. */
function fail(message: string, expected: unknown, actual: unknown, caller: unknown): never {
  const stackStartFn = typeof caller === "function" ? (caller as (...words: never[]) => unknown) : undefined;
  throw new AssertionError({ message, expected, actual, operator: "expect", ...(stackStartFn && { stackStartFn }) });
}
