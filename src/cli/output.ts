// How commands print: rows for people, or one JSON document.

import { bytesOf, type Content, type Finding, formatSize, ImageError } from "../bytes/index.ts";
import { errnoOf, outputError } from "../node/host-errors.ts";

/** Version of the JSON documents' form; it changes when a key changes its meaning or goes. */
export const SCHEMA = 1;

export interface PrintWords {
  readonly json?: boolean;
}

export function printJson(document: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify({ schema: SCHEMA, ...document }, undefined, 2)}\n`);
}

/** An image with errors is written all the same; the user asked for it, and may complete it in other ways. */
const LABELS = { error: "will not boot", warning: "warning" } as const;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A message as a terminal may show it. Rooms that know names as bytes put byte strings into their messages, others text:
 * what is UTF-8 when read as bytes is decoded. Control characters are escaped: a name must not move the cursor.
 */
export function messageText(message: string): string {
  let text = message;
  const codes = Array.from(message, (character) => character.codePointAt(0) ?? 0);
  if (codes.some((code) => code >= 0x80) && codes.every((code) => code <= 0xff)) {
    try {
      text = strictUtf8.decode(bytesOf(message));
    } catch {
      // text, or bytes that are no UTF-8
    }
  }
  return escaped(text);
}

const escaped = (text: string): string => Array.from(text, printable).join("");

function printable(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
  return isControl ? `\\x${code.toString(16).padStart(2, "0")}` : character;
}

/** Findings to stderr, worst first; notes are left to the JSON document. */
export function printFindings(findings: readonly Finding[], warnings: readonly string[]): void {
  for (const severity of ["error", "warning"] as const) {
    for (const finding of findings) {
      if (finding.severity === severity)
        console.error(`pureboot: ${LABELS[severity]}: ${messageText(finding.message)}`);
    }
  }
  printWarnings(warnings);
}

export function printWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) console.error(`pureboot: warning: ${messageText(warning)}`);
}

/** Rows of a summary: a name, and what there is to say about it. */
export function printRows(rows: readonly (readonly [string, string])[], indent = "", say = console.log): void {
  const width = Math.max(0, ...rows.map(([name]) => name.length)) + 2;
  for (const [name, text] of rows) say(`${indent}${name.padEnd(width)}${text}`);
}

const LINES_A_WRITE = 4096;

/** Many lines, in few writes. On a terminal, control characters in names are escaped: they must not move its cursor. */
export function printLines(lines: readonly string[]): void {
  const shown = process.stdout.isTTY ? lines.map((line) => line.split("\t").map(escaped).join("\t")) : lines;
  for (let i = 0; i < shown.length; i += LINES_A_WRITE) {
    process.stdout.write(`${shown.slice(i, i + LINES_A_WRITE).join("\n")}\n`);
  }
}

/** For people and for comparing: "166.0 MiB (174063616 bytes)". */
export function sizeText(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${formatSize(bytes)} (${bytes} bytes)`;
}

/** Nobody reads standard output any more: whoever only writes there may stop. No failure (`pureboot manifest x | head`). */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

/**
 * A reader that closes its end of a pipe early is no error of ours: the work goes on to its end, so that files are whole and
 * children are waited for. Any other failure of standard output ends the program.
 */
export function ignoreClosedPipes(): void {
  process.stdout.on("error", (error) => {
    if (errnoOf(error) === "EPIPE") return;
    console.error(`pureboot: ${outputError(error, "standard output").message}`);
    process.exit(1);
  });
  process.stderr.on("error", () => {}); // there is nowhere left to tell it
}

/**
 * Writes to standard output, at the speed of who reads it.
 * @throws ReaderGone when nobody does any more
 */
export function writeOut(chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(chunk, (error) => {
      if (!error) resolve();
      else if (errnoOf(error) === "EPIPE" || errnoOf(error) === "ERR_STREAM_DESTROYED") reject(new ReaderGone());
      else reject(outputError(error, "standard output"));
    });
  });
}

/** What `--json` with `-o -` is answered with. */
export function bothOnStdout(): ImageError {
  return new ImageError("invalid-argument", "--json and -o - both want standard output; name a file with -o");
}

const PIECE_BYTES = 1 << 20;

/**
 * A file of an image to standard output.
 * @throws ReaderGone; ImageError "output" when it is no text and would go to a terminal; what reading throws; "interrupted"
 */
export async function writeContentOut(content: Content, shown: string, signal?: AbortSignal): Promise<void> {
  for (let offset = 0; offset < content.sizeBytes; offset += PIECE_BYTES) {
    signal?.throwIfAborted();
    const piece = new Uint8Array(Math.min(PIECE_BYTES, content.sizeBytes - offset));
    await content.read(piece, offset);
    refuseTerminal(piece, shown);
    await writeOut(piece);
  }
}

/** @throws ImageError "output" when bytes that are no text would go to a terminal, which takes some for commands */
function refuseTerminal(bytes: Uint8Array, shown: string): void {
  if (!process.stdout.isTTY || bytes.every(isTextByte)) return;
  throw new ImageError(
    "output",
    `${shown}: is no text, and standard output is a terminal; write it to a file (> FILE)`,
    {
      path: shown,
    },
  );
}

/** Tab, line feed, form feed, carriage return, and what is no control character. */
function isTextByte(byte: number): boolean {
  return byte >= 0x20 ? byte !== 0x7f : byte === 0x09 || byte === 0x0a || byte === 0x0c || byte === 0x0d;
}
