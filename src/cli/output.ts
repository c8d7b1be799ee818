// How commands print: rows for people, or one JSON document.

import { bytesOf, type Finding } from "../bytes/index.ts";

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
  return Array.from(text, printable).join("");
}

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
export function printRows(rows: readonly (readonly [string, string])[], indent = ""): void {
  const width = Math.max(0, ...rows.map(([name]) => name.length)) + 2;
  for (const [name, text] of rows) console.log(`${indent}${name.padEnd(width)}${text}`);
}

const LINES_A_WRITE = 4096;

/** Many lines, in few writes. */
export function printLines(lines: readonly string[]): void {
  for (let i = 0; i < lines.length; i += LINES_A_WRITE) {
    process.stdout.write(`${lines.slice(i, i + LINES_A_WRITE).join("\n")}\n`);
  }
}
