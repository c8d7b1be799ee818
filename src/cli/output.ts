// How commands print: rows for people, or one JSON document.

import { type Finding, toText } from "../bytes/index.ts";

/** Version of the JSON documents' form; it changes when a key changes its meaning or goes. */
export const SCHEMA = 1;

export interface PrintWords {
  readonly json?: boolean;
}

export function printJson(document: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify({ schema: SCHEMA, ...document }, undefined, 2)}\n`);
}

/** Findings to stderr, worst first; notes are left to the JSON document. */
export function printFindings(findings: readonly Finding[], warnings: readonly string[]): void {
  for (const severity of ["error", "warning"] as const) {
    for (const finding of findings) {
      if (finding.severity === severity) console.error(`pureboot: ${severity}: ${toText(finding.message)}`);
    }
  }
  printWarnings(warnings);
}

export function printWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) console.error(`pureboot: warning: ${warning}`);
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
