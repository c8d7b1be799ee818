// Mediated links: several packages deliver one path as a link (usr/lib/sendmail: sendmail's or mailwrapper's) and the
// image shows one of them. The order is pkg5's, for an image in which no administrator chose.
// Source: pkg5 src/modules/mediator.py, cmp_mediations.

import { compareByteStrings } from "../bytes/index.ts";
import { type Action, attribute } from "./actions.ts";
import { compareVersions } from "./manifests.ts";

const PRIORITIES: Readonly<Record<string, number>> = { site: 1, vendor: 2 };
const NO_PRIORITY = 3;

/** Whether a link may stand beside another one at the same path: it names a mediator and says which version or implementation it is. */
export function isMediated(action: Action): boolean {
  return (
    attribute(action, "mediator") !== undefined &&
    (attribute(action, "mediator-version") ?? attribute(action, "mediator-implementation")) !== undefined
  );
}

/** Whether pkg5 lets two actions share a path: both mediated by one mediator, and not the same mediation. */
export function mayMediate(a: Action, b: Action): boolean {
  return (
    isMediated(a) &&
    isMediated(b) &&
    attribute(a, "mediator") === attribute(b, "mediator") &&
    compareMediations(a, b) !== 0
  );
}

/**
 * Which of two is shown: negative when `a` is. By priority (site, vendor, none), then the higher version, then the
 * implementation's name, then its higher version.
 */
export function compareMediations(a: Action, b: Action): number {
  const priority = (action: Action): number => PRIORITIES[attribute(action, "mediator-priority") ?? ""] ?? NO_PRIORITY;
  const [implementationA, implementationB] = [implementation(a), implementation(b)];
  return (
    priority(a) - priority(b) ||
    compareVersions(attribute(b, "mediator-version") ?? "", attribute(a, "mediator-version") ?? "") ||
    compareByteStrings(implementationA.name, implementationB.name) ||
    compareVersions(implementationB.version, implementationA.version)
  );
}

/** "mailwrapper@1.0" → name and version. */
function implementation(action: Action): { name: string; version: string } {
  const [name = "", version = ""] = (attribute(action, "mediator-implementation") ?? "").split("@");
  return { name, version };
}
