// What a check of an image found. Every format room's check.ts gives a list of these.

export type Severity =
  | "error" // the image is damaged, or a reader will go wrong
  | "warning" // readers cope, but the standard says otherwise
  | "note"; // nothing is wrong; worth knowing

export interface Finding {
  /** Stable, for programs: "cross-linked", "crc" … */
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong, where, in one line. */
  readonly message: string;
  /** Path in the image, a byte string, if it is about one. */
  readonly path?: string | undefined;
}
