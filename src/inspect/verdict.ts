// What a verification says: findings, each with the rule that it breaks, and the verdict that follows from them.

import { type Finding, ImageError, type Severity, toText } from "../bytes/index.ts";
import type { LayerKind } from "./layer.ts";
import { ruleOf } from "./rules.ts";

export interface VerifyFinding {
  /** Id of the rule. */
  readonly rule: string;
  readonly severity: Severity;
  /** What was found, in one line. */
  readonly found: string;
  /** Path in the image, through its layers; a byte string. */
  readonly path?: string | undefined;
  /** The format room's own, finer name for it. */
  readonly code?: string | undefined;
  /** From the rule. */
  readonly why: string;
  readonly mend: string;
}

export interface Verdict {
  readonly kind: LayerKind;
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
  /** Whether it will boot, as far as the rules can tell; undefined where nothing is meant to. */
  readonly boots: boolean | undefined;
  readonly findings: readonly VerifyFinding[];
  /** What was looked at, a line each. */
  readonly checked: readonly string[];
}

/** Where checks put what they find. */
export interface Verification {
  add(rule: string, severity: Severity, found: string, path?: string, code?: string): void;
  /** Findings of a format room, or of src/illumos, whose codes are mapped to rules. */
  addAll(findings: readonly Finding[], ruleFor: (code: string) => string, at: string): void;
  /** Says that something was looked at. */
  looked(what: string): void;
  /** Says that the image is meant to boot. */
  mustBoot(): void;
  verdict(kind: LayerKind): Verdict;
}

const ORDER: Readonly<Record<Severity, number>> = { error: 0, warning: 1, note: 2 };
/** Of one rule in one layer; a damaged image may break it ten thousand times. */
const MAX_OF_A_RULE = 50;

export function newVerification(): Verification {
  const findings: VerifyFinding[] = [];
  const counts = new Map<string, number>();
  const checked: string[] = [];
  let isMeantToBoot = false;
  const add: Verification["add"] = (id, severity, found, path, code) => {
    const rule = ruleOf(id);
    if (rule === undefined) throw new Error(`verify: there is no rule ${id}`);
    const key = `${id} ${severity}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count > MAX_OF_A_RULE) return;
    const { why, mend } = rule;
    findings.push({ rule: id, severity, found, path, code, why, mend });
  };
  return {
    add,
    addAll(list, ruleFor, at) {
      for (const { code, severity, message, path } of list) {
        const inside = path === undefined ? undefined : `${at}${path}`;
        add(
          ruleFor(code),
          severity,
          at === "" ? message : `${toText(at)}: ${message}`,
          inside ?? (at || undefined),
          code,
        );
      }
    },
    looked: (what) => void checked.push(what),
    mustBoot() {
      isMeantToBoot = true;
    },
    verdict(kind) {
      for (const [key, count] of counts) {
        const [id = "", severity = "error"] = key.split(" ");
        const { why = "", mend = "" } = ruleOf(id) ?? {};
        const found = `… and ${count - MAX_OF_A_RULE} more like this`;
        if (count > MAX_OF_A_RULE) findings.push({ rule: id, severity: severity as Severity, found, why, mend });
      }
      const sorted = [...findings].sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
      const of = (severity: Severity): number => findings.filter((one) => one.severity === severity).length;
      const errors = of("error");
      const boots = isMeantToBoot ? errors === 0 : undefined;
      return { kind, errors, warnings: of("warning"), notes: of("note"), boots, findings: sorted, checked };
    },
  };
}

/** Runs a check whose failure is a finding: damage that a reader throws at. Interruption and unreadable inputs are passed on. */
export async function guarded(
  { add }: Pick<Verification, "add">,
  rule: string,
  at: string,
  check: () => Promise<void>,
): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof ImageError) || !IN_THE_IMAGE.has(error.code)) throw error;
    const where = at === "" ? "" : `${toText(at)}: `;
    add(rule, "error", where + error.message, at || undefined, error.code);
  }
}

/** What `read` gives, or undefined where the image is too damaged for it; some other check says so. */
export async function readable<Value>(read: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ImageError && IN_THE_IMAGE.has(error.code)) return undefined;
    throw error;
  }
}

const IN_THE_IMAGE: ReadonlySet<string> = new Set([
  "bad-format",
  "unsupported",
  "truncated",
  "limit",
  "not-found",
  "wrong-type",
  "conflict",
  "invalid-argument",
]);
